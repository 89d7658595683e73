"""What is measured: five cases, each with its shots at the targets it can be compared on."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from bench.house import application, bearer
from bench.load import Shot
from bench.stub import EVENTS

JSON = {"Content-Type": "application/json"}
MESSAGE = "How do I open a door without its key?"

CHAT = """mutation Chat($input: ChatInput!) { chat(input: $input) {
  ... on ChatPayload { text model { name } usage { input output } } ... on Problem { code message } } }"""
STREAM = """subscription Stream($input: ChatInput!) { chatStream(input: $input) {
  __typename ... on TextDelta { text } ... on Problem { code message } } }"""
EMBED = """mutation Embed($input: EmbedInput!) { embed(input: $input) {
  ... on EmbedPayload { vectors } ... on Problem { code message } } }"""
PROVIDERS = """{ providers(first: 20) { nodes {
    id name label kind types configured preferredSource keyPage
    form { name label kind required default options }
    models(first: 60) { nodes { ...row } } } }
  models(first: 100) { edges { cursor node { ...row } } } }
fragment row on Model { id name label type features context maxOutput status price { input output per currency } }"""
TINY = "{ viewer { id } }"


@dataclass(frozen=True, slots=True)
class Case:
    title: str
    clients: int
    requests: int
    shots: Mapping[str, Shot]


def cases(urls: Mapping[str, str], scale: float) -> list[Case]:
    """`urls` has direct, pass-through and portunus."""

    def openai(path: str, body: object, expects: bytes, events: int = 0) -> dict[str, Shot]:
        data = json.dumps(body, separators=(",", ":")).encode()
        return {
            name: Shot(f"{urls[name]}/v1/{path}", data, JSON, expects, events) for name in ("direct", "pass-through")
        }

    def graphql(query: str, variables: object, expects: bytes, events: int = 0) -> dict[str, Shot]:
        accept = {"Accept": "text/event-stream"} if events else {}
        headers = {**JSON, **accept, "Authorization": f"Bearer {bearer(urls['portunus'])}"}
        body = json.dumps({"query": query, "variables": variables}).encode()
        return {"portunus": Shot(f"{urls['portunus']}/graphql", body, headers, expects, events)}

    chat = {"model": "gpt-6-luna", "messages": [{"role": "user", "content": MESSAGE}], "max_completion_tokens": 64}
    ours = {
        "model": {"provider": "openai", "name": "gpt-6-luna"},
        "messages": [{"role": "USER", "content": MESSAGE}],
        "maxTokens": 64,
    }
    embed = {"model": "text-embedding-3-small", "input": [MESSAGE]}
    ours_embed = {"model": {"provider": "openai", "name": "text-embedding-3-small"}, "texts": [MESSAGE]}
    return [
        Case(
            "chat, whole, upstream 50 ms",
            64,
            int(2_000 * scale),
            {**openai("chat/completions", chat, b'"usage"'), **graphql(CHAT, {"input": ours}, b'"usage"')},
        ),
        Case(
            f"chat, streamed, {EVENTS} events",
            32,
            int(300 * scale),
            {
                **openai("chat/completions", {**chat, "stream": True}, b"word ", EVENTS),
                **graphql(STREAM, {"input": ours}, b"word ", EVENTS),
            },
        ),
        Case(
            "embedding of one text",
            16,
            int(2_000 * scale),
            {**openai("embeddings", embed, b"0.125"), **graphql(EMBED, {"input": ours_embed}, b"0.125")},
        ),
        Case(
            f"provider list of {objects(urls['portunus'])} objects",
            8,
            int(200 * scale),
            graphql(PROVIDERS, None, b'"nodes"'),
        ),
        Case("tiny query { viewer { id } }", 16, int(3_000 * scale), graphql(TINY, None, b'"viewer"')),
    ]


def objects(url: str) -> int:
    """How many objects the answer to PROVIDERS holds."""
    return _objects(application(url).ask(PROVIDERS))


def _objects(value: object) -> int:
    if isinstance(value, dict):
        return 1 + sum(map(_objects, value.values()))
    return sum(map(_objects, value)) if isinstance(value, list) else 0
