"""The steps of the main job, in the order in which a new tenant meets them."""

import math
from typing import Any

from demo import documents as gql
from demo.client import Application
from demo.servers import MODEL_KEY

TRIAL_CALLS = 3
ASK = "hi"


def tell(step: str, *lines: str) -> None:
    print(f"\n▸ {step}")
    for line in lines:
        print(f"  {line}")


def add_key(app: Application, key: str, base: str) -> Any:
    fields = [{"name": "openai_api_key", "value": key}, {"name": "openai_api_base", "value": base}]
    return app.ask(gql.ADD_CREDENTIAL, input={"provider": "openai", "name": "main", "fields": fields})["addCredential"]


def bring_a_key(app: Application, chat_url: str) -> str:
    refused = add_key(app, "sk-a-wrong-key-of-the-demo", chat_url)
    tell(
        "A vendor key is proved against the vendor: a wrong one is refused", f"{refused['code']}: {refused['message']}"
    )
    accepted = add_key(app, MODEL_KEY, chat_url)["credential"]
    shown = ", ".join(f"{field['name']} = {field['value']}" for field in accepted["fields"])
    tell("The right one is accepted, sealed under the tenant's own key pair, and shown masked", shown)
    credential_id: str = accepted["id"]
    return credential_id


def bring_a_model(app: Application, embed_url: str) -> None:
    model = {"provider": "openai_api_compatible", "name": "tiny-embed", "type": "EMBEDDING"}
    fields = [{"name": "api_key", "value": MODEL_KEY}, {"name": "endpoint_url", "value": embed_url}]
    added = {"provider": model["provider"], "name": "embeddings", "model": {"name": "tiny-embed", "type": "EMBEDDING"}}
    problem = app.ask(gql.ADD_CREDENTIAL, input={**added, "fields": fields})["addCredential"]
    if "credential" not in problem:
        raise RuntimeError(problem["message"])
    app.ask(gql.SET_DEFAULT, input={"model": model})
    defaults = app.ask(gql.DEFAULTS)["defaultModels"]
    tell("Each model type has a default: automatic, chosen, or a reason why there is none", *map(_default, defaults))


def _default(default: Any) -> str:
    model = default["model"]
    how = "automatic" if default["automatic"] else "chosen by the tenant"
    name = f"{model['provider']}/{model['name']} ({how})" if model else f"none: {default['reason']}"
    return f"{default['type']:<16}{name}"


def chat(app: Application) -> None:
    answer = app.ask(gql.CHAT, input={"messages": [{"role": "USER", "content": ASK}], "maxTokens": 60})["chat"]
    tell("A chat answers whole", f"{ASK!r} → {answer['text']!r}", f"model {answer['model']['name']}, {_tokens(answer)}")
    pieces = []
    for event in app.subscribe(gql.STREAM, input={"messages": [{"role": "USER", "content": ASK}], "maxTokens": 60}):
        item = event["chatStream"]
        if item["__typename"] == "TextDelta":
            pieces.append(item["text"])
    tell("… and streams, event by event", f"{len(pieces)} pieces: {'·'.join(pieces)}")


def _tokens(answer: Any) -> str:
    return f"{answer['usage']['input']} tokens in, {answer['usage']['output']} out"


def embed(app: Application) -> None:
    texts = ["a door", "a doors", "SELECT 1"]
    vectors = app.ask(gql.EMBED, input={"texts": texts})["embed"]["vectors"]
    near, far = (_cosine(vectors[0], other) for other in vectors[1:])
    tell(
        "Texts become vectors, in order",
        f"{len(vectors)} vectors of {len(vectors[0])} numbers",
        f"{texts[0]!r} · {texts[1]!r} = {near:.3f}, {texts[0]!r} · {texts[2]!r} = {far:.3f}",
    )


def _cosine(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True)) / (math.hypot(*one) * math.hypot(*other))


def spend_the_trial(app: Application) -> None:
    app.ask(gql.PREFER, input={"provider": "openai", "source": "PLATFORM"})
    model = {"provider": "openai", "name": "gpt-3.5-turbo"}
    tell(
        "What a call would do can be asked without spending",
        _planned(app.ask(gql.PLAN, input={"type": "LLM", "model": model})),
    )
    payers = []
    for _ in range(TRIAL_CALLS + 2):
        answer = app.ask(gql.CHAT, input={"model": model, "messages": [{"role": "USER", "content": ASK}]})["chat"]
        payers.append(answer["paidBy"])
    quota = app.ask(gql.QUOTAS)["quotas"]["nodes"][0]
    tell(
        f"The trial of {TRIAL_CALLS} calls on the platform's key runs out, and the own key takes over with no gap",
        f"paid by: {', '.join(payers)}",
        f"{quota['kind']} quota: {quota['used']} of {quota['granted']} calls used, {quota['free']} free",
    )


def _planned(answer: Any) -> str:
    plan = answer["planCall"]
    held = ", ".join(f"{h['amount']} of {h['free']} {h['unit'].lower()} that are free" for h in plan["holds"])
    others = [c["credential"]["name"] for c in plan["candidates"] if c["credential"]]
    return f"it would be paid by {plan['paidBy']}, holding {held}; then by the key {others[0]!r}"


def account(app: Application) -> None:
    rows = app.ask(gql.USAGE)["usage"]["nodes"]
    tell("Every call left a row; they are summed by model and by who paid", *map(_summed, rows))


def _summed(row: Any) -> str:
    cost = f"{row['cost']['amount']} {row['cost']['currency']} at list price" if row["cost"] else "no list price"
    tokens = f"{row['inputTokens']} tokens in, {row['outputTokens']} out"
    return f"{row['model']['name']:<16}{row['paidBy']:<9}{row['calls']} calls, {tokens}, {cost}"


def look_from_next_door(other: Application, credential_id: str) -> None:
    seen = other.ask(gql.LOOK, id=credential_id)
    quota = seen["quotas"]["nodes"][0]
    tell(
        "A second tenant sees none of it",
        f"credentials: {len(seen['credentials']['nodes'])}, the other's credential by its id: {seen['node']}",
        f"its own trial: {quota['used']} of {quota['granted']} used",
    )
