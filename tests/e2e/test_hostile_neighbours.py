"""What a vendor does that is hostile or broken ends where it began: in a typed problem of the tenant that chose it."""

import asyncio
import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import websockets

from demo import documents as gql
from tests.databases import Urls
from tests.e2e.front import PROTOCOL, Socket
from tests.e2e.portunus import PLATFORM_KEY, Client, environment, served
from tests.graphql_documents import FIELDS
from tests.stubs import shapes
from tests.stubs.marked import ILL, ILL_STREAMS, ILL_VECTORS, ILL_VOICES, MARK, Marked
from tests.stubs.serve import serving
from tests.stubs.vendor import Vendor

KEY = "sk-of-a-tenant-4f1d0a7be2c9"
HELLO = [{"role": "USER", "content": "hi"}]
SLOW = {"drip", "silence", "endless", "comments", "endless-voice"}
CODES = {
    **dict.fromkeys([*ILL, *ILL_STREAMS, *ILL_VOICES, *ILL_VECTORS], "BAD_REQUEST_UPSTREAM"),
    **dict.fromkeys(SLOW, "UPSTREAM_TIMEOUT"),
    **dict.fromkeys(("unpaid", "error-in-200"), "UPSTREAM_PAYMENT_REQUIRED"),
    **dict.fromkeys(("down", "page-502"), "UPSTREAM_UNAVAILABLE"),
    **dict.fromkeys(("half", "unfinished", "half-voice"), "STREAM_BROKEN"),
    "rejected": "CREDENTIAL_REJECTED",
    "limited": "UPSTREAM_RATE_LIMITED",
}
REFUSALS = {"refused", "rejected", "unpaid", "limited", "down", "page-502", "refusal-that-drips", "bomb-400"}
READ = ("calls", "quotas", "credentials", "models", "auditLog")
SHOWN = {
    "chat": "... on ChatPayload { text rawFinishReason warnings }",
    "chatStream": "... on TextDelta { text } ... on ChatFinished { rawFinishReason }",
    "embed": "... on EmbedPayload { vectors warnings }",
    "rerank": "... on RerankPayload { results { index score } warnings }",
    "transcribe": "... on TranscribePayload { text language warnings }",
    "speak": "... on SpeakPayload { audio mediaType warnings }",
    "speakStream": "... on SpeechStarted { mediaType warnings } ... on AudioDelta { audio }",
}


@dataclass
class Caller:
    """Asks for things by a model's name, as an application does; `told` is all that it hears."""

    client: Client
    ranker: str = "ranker"
    told: list[str] = field(default_factory=list)
    files: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(6))

    async def ask(self, name: str, model: str) -> Any:
        """The operation's value; of a stream, its last event, with what the ones before said."""
        provider, called = ("openai_api_compatible", self.ranker) if name == "rerank" else ("openai", model)
        given = {"input": {"model": {"provider": provider, "name": called}, **INPUTS[name](model)}}
        document = FIELDS[name].document(given, f"{{ __typename {SHOWN[name]} ... on Problem {{ code message }} }}")
        if FIELDS[name].kind == "subscription":
            async with self.client.subscribed(document, **given) as events:
                seen = [event[name] async for event in events]
            self.told.append(json.dumps(seen))
            return {**seen[-1], "said": [s for event in seen if (s := event.get("text") or event.get("audio"))]}
        answer = await (self._uploaded(document, given) if name == "transcribe" else self.client.ask(document, **given))
        self.told.append(json.dumps(answer))
        return answer[name]

    async def read(self) -> None:
        """All that can be read of what has happened."""
        for name in READ:
            self.told.append(json.dumps(await self.client.ask(FIELDS[name].document({}))))
        self.told.append(json.dumps(await self.client.ask(gql.USAGE)))
        for path in ("/usage.csv", "/usage.jsonl"):
            self.told.append((await self.client.http.get(path)).text)

    async def bring(self, url: str) -> None:
        """A key for everything, and one for ranking."""
        form = [{"name": "openai_api_key", "value": KEY}, {"name": "openai_api_base", "value": url}]
        await self._add({"provider": "openai", "name": "main", "fields": form})
        form = [{"name": "api_key", "value": KEY}, {"name": "endpoint_url", "value": f"{url}/v1"}]
        model = {"name": self.ranker, "type": "RERANK"}
        await self._add({"provider": "openai_api_compatible", "name": "rank", "fields": form, "model": model})

    async def _add(self, given: Mapping[str, Any]) -> None:
        added = (await self.client.ask(gql.ADD_CREDENTIAL, input=given))["addCredential"]
        assert "credential" in added, added

    async def _uploaded(self, document: str, given: Mapping[str, Any]) -> Any:
        form = {"operations": json.dumps({"query": document, "variables": given})}
        form["map"] = json.dumps({"0": ["variables.input.file"]})
        files = {"0": ("said.wav", b"RIFF....", "audio/wav")}
        headers = {"graphql-require-preflight": "1"}
        async with self.files:
            body = (await self.client.http.post("/graphql", data=form, files=files, headers=headers)).json()
        assert "errors" not in body, body
        return body["data"]


INPUTS: dict[str, Callable[[str], Mapping[str, Any]]] = {
    "chat": lambda _: {"messages": HELLO},
    "chatStream": lambda _: {"messages": HELLO},
    "embed": lambda _: {"texts": ["hi"]},
    "rerank": lambda model: {"query": model, "documents": ["gate"]},
    "transcribe": lambda _: {"file": None},
    "speak": lambda _: {"text": "one two"},
    "speakStream": lambda _: {"text": "one two"},
}
WRONG = [(name, habit) for name in INPUTS for habit in ILL]
WRONG += [("chatStream", habit) for habit in ILL_STREAMS] + [("embed", habit) for habit in ILL_VECTORS]
WRONG += [(name, habit) for name in ("speak", "speakStream") for habit in ILL_VOICES]


def vendor() -> Vendor:
    return Vendor(keys=(KEY, PLATFORM_KEY), words=3)


def settings(urls: Urls, url: str, **more: str) -> dict[str, str]:
    usual = {"PORTUNUS_CALL_SECONDS": "5", "PORTUNUS_HOLD_SECONDS": "60"}
    return environment(urls, url, **(usual | more))


def right(name: str, answer: Any) -> bool:
    """Whether it is what the good vendor says."""
    audio = base64.b64encode(b"onetwo").decode()
    match name:
        case "chat":
            return bool(answer["text"] == "word0 word1 word2 ")
        case "chatStream":
            return answer["__typename"] == "ChatFinished" and "".join(answer["said"]) == "word0 word1 word2 "
        case "embed":
            return bool(answer["vectors"] == [shapes.vector("hi", 8)])
        case "rerank":
            return bool(answer["results"] == [{"index": 0, "score": shapes.score("well", "gate")}])
        case "transcribe":
            return bool(answer["text"] == "8 bytes of said.wav")
        case "speak":
            return bool(answer["audio"] == audio)
    heard = b"".join(map(base64.b64decode, answer["said"]))
    return answer["__typename"] == "SpeechFinished" and heard == b"onetwo"


async def test_nothing_of_a_tenants_vendor_reaches_another_tenant(postgres_urls: Urls, tmp_path: Path) -> None:
    """While one tenant's vendor does all that is ill at once, another's answers are right and bear no mark of it."""
    ill, well = Marked(vendor()), Marked(vendor())
    async with serving(ill) as ill_url, serving(well) as well_url:
        with served(settings(postgres_urls, well_url), tmp_path) as portunus:
            first, second = portunus.open_tenant("Ill"), portunus.open_tenant("Well")
            async with portunus.client_of(first) as one, portunus.client_of(second) as other:
                sick, sound = Caller(one), Caller(other)
                await asyncio.gather(sick.bring(ill_url), sound.bring(well_url))
                failing = asyncio.gather(*(sick.ask(name, habit) for name, habit in WRONG))
                rounds = 0
                while not failing.done() or not rounds:
                    answers = await asyncio.gather(*(sound.ask(name, "well") for name in INPUTS))
                    assert {n: right(n, a) for n, a in zip(INPUTS, answers, strict=True)} == dict.fromkeys(INPUTS, True)
                    rounds += 1
                    await asyncio.sleep(0.1)
                await sound.read()
                await sick.read()
                ended = {pair: answer.get("code") for pair, answer in zip(WRONG, await failing, strict=True)}
    assert ended == {(name, habit): CODES[habit] for name, habit in WRONG} | {("chatStream", "image"): "STREAM_BROKEN"}
    assert well.asked[""] >= rounds * len(INPUTS)
    assert ill.asked.keys() >= {habit for _, habit in WRONG}
    assert any(MARK in said for said in sick.told)
    assert not [said for said in sound.told if MARK in said or "ill" in said.lower().split()]


async def test_a_tenant_that_hangs_up_takes_no_more_than_its_part(sqlite_urls: Urls, tmp_path: Path) -> None:
    """Its calls run on until they are settled; then they count, or it could take every connection of the process."""
    ill, well = Marked(vendor()), Marked(vendor())
    bounds = {f"PORTUNUS_{name}_CONCURRENCY": "4" for name in ("TENANT", "CLIENT")}
    bounds |= {"PORTUNUS_CALL_SECONDS": "59"}
    async with serving(ill) as ill_url, serving(well) as well_url:
        with served(settings(sqlite_urls, well_url, **bounds), tmp_path) as portunus:
            first, second = portunus.open_tenant("Ill"), portunus.open_tenant("Well")
            async with portunus.client_of(first) as one, portunus.client_of(second) as other:
                sick, sound = Caller(one), Caller(other)
                await sick.bring(ill_url)
                await sound.bring(well_url)
                await hung_up_on(one, portunus.url, 40)
                assert ill.open == ill.asked["silence"] == 4
                for name in INPUTS:
                    assert right(name, await sound.ask(name, "well")), name
            portunus.kill()  # a stop would wait for the calls


async def hung_up_on(client: Client, url: str, calls: int) -> None:
    """So many calls over one WebSocket, each of which is left when it has begun."""
    token = str(client.http.headers["Authorization"]).removeprefix("Bearer ")
    given = {"model": {"provider": "openai", "name": "silence"}, "messages": HELLO}
    address = f"{url.replace('http', 'ws')}/graphql"
    async with websockets.connect(address, subprotocols=[PROTOCOL], proxy=None) as connection:
        socket = Socket(connection)
        await socket.init(token)
        for number in range(calls):
            await socket.subscribe(gql.CHAT, str(number), input=given)
            await asyncio.sleep(0.05)
            await socket.send({"type": "complete", "id": str(number)})


TRIALS = """
[openai]
unit = "calls"
granted = 90
type = "llm"
models = [
    "gpt-3.5-turbo",
    { name = "text-embedding-3-small", type = "embedding" },
    { name = "whisper-1", type = "speech_to_text" },
    { name = "tts-1", type = "text_to_speech" },
]
"""
TRIED = {
    "chat": "gpt-3.5-turbo",
    "chatStream": "gpt-3.5-turbo",
    "embed": "text-embedding-3-small",
    "transcribe": "whisper-1",
    "speak": "tts-1",
    "speakStream": "tts-1",
}
MOODS = ("refused", "page", "down", "drip", "bomb-400", "bomb", "refusal-that-drips", "deep", "redirect", "rejected")


async def test_a_trial_is_charged_for_what_may_have_run_and_for_nothing_else(
    postgres_urls: Urls, tmp_path: Path
) -> None:
    """Whatever the platform's own vendor does: only with an error's status did it certainly not run."""
    trials = tmp_path / "trials.toml"
    trials.write_text(TRIALS)
    ill = Marked(vendor())
    async with serving(ill) as url:
        more = {"PORTUNUS_TRIALS_FILE": str(trials), "PORTUNUS_TRIAL_CALLS": "90"}
        with served(settings(postgres_urls, url, **more), tmp_path) as portunus:
            async with portunus.client_of(portunus.open_tenant("Acme")) as client:
                caller, used = Caller(client), 0
                for mood in MOODS:
                    ill.mood = mood
                    answers = await asyncio.gather(*(caller.ask(name, model) for name, model in TRIED.items()))
                    assert {answer["code"] for answer in answers} == {CODES[mood]}
                    used += 0 if mood in REFUSALS else len(TRIED)
                    (quota,) = (await client.ask("{ quotas { nodes { used held free } } }"))["quotas"]["nodes"]
                    assert quota == {"used": used, "held": 0, "free": 90 - used}, mood
                ill.mood = None
                for name, model in TRIED.items():
                    assert right(name, await caller.ask(name, model)), name
