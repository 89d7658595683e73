"""Runs of models that each have inputs of their own: a prompt or texts in, pieces of text or vectors out."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from domain.errors import (
    ContentRefused,
    InvalidRange,
    ModelNotFoundUpstream,
    StreamBroken,
    UnsupportedFeature,
    UpstreamError,
)
from domain.model.calls import ChatCall, EmbedCall, Message, Role
from domain.model.catalogue import FormField, FormValues, ModelType
from domain.model.events import ChatAnswer, ChatEvent, Embeddings, Finish, Finished, FinishReason, TextDelta, Usage
from domain.model.labels import Text
from domain.ports import ListedModel, Target
from infrastructure.providers.dialects import turns
from infrastructure.providers.dialects.openai_embed import in_order
from infrastructure.providers.dialects.refusals import USUAL
from infrastructure.providers.dialects.waits import seconds
from infrastructure.providers.forms import choice, entered
from infrastructure.providers.spec import Decoder, ErrorReply, Frame, Framing, Page, Request
from infrastructure.providers.wire import bodies
from infrastructure.providers.wire.digging import dig, rows, table, tally, text

UNDER_WAY = frozenset({"starting", "processing"})
_LOST = frozenset({"failed", "canceled", "aborted"})
_NAME = re.compile(r"((?!\.)[\w.-]+/(?!\.)[\w.-]+)(?::([\w-]+))?", re.ASCII)
_VERSION = re.compile(r"[\w-]+", re.ASCII)
_SENSITIVE = re.compile(r"flagged as sensitive|\bE005\b|\bnsfw\b", re.I)
_RESET = re.compile(r"resets in ~?(\d+)s")
_MANY = {"texts": {"batch_size": 4, "convert_to_numpy": False, "normalize_embeddings": True}, "text_batch": {}}
_SPEAKERS = {Role.SYSTEM: "System", Role.USER: "User", Role.ASSISTANT: "Assistant", Role.TOOL: "Tool"}


def named_inputs() -> tuple[FormField, ...]:
    """What a model calls its inputs: each has a schema of its own."""
    return (
        choice(
            "system_input",
            Text("Input for instructions", "指示の入力名", "系统提示的输入名"),
            *("system_prompt", "system", "prompt"),
            only=ModelType.LLM,
        ),
        choice(
            "max_tokens_input",
            Text("Input for max tokens", "最大トークン数の入力名", "最大令牌数的输入名"),
            *("max_tokens", "max_new_tokens", "max_completion_tokens"),
            only=ModelType.LLM,
        ),
        choice(
            "text_input",
            Text("Input for texts", "テキストの入力名", "文本的输入名"),
            *("text", "texts", "inputs", "text_batch"),
            only=ModelType.EMBEDDING,
        ),
    )


@dataclass(frozen=True)
class Prompted:
    """Chat as one prompt, a stream of it as events with a kind each.

    Reads from the form the names of the inputs for the instructions and for the bound of the answer, which differ by
    model. Instructions whose input is the prompt itself go before it.
    """

    framing: Framing = Framing.SSE

    def render(self, target: Target, call: ChatCall, *, stream: bool) -> Request:
        name = target.model.name
        if call.tools:
            raise UnsupportedFeature("tools", name)
        if call.response_schema:
            raise UnsupportedFeature("an answer by a schema", name)
        for message in call.messages:
            turns.refuse_images(message, name)
        given = {**_said(call, entered(target.form, "system_input", "system_prompt")), **_knobs(target.form, call)}
        unsaid = ["stop"] if call.knobs.stop and "stop_sequences" not in given else []
        dropped = [*turns.overridden(call, given), *unsaid]
        request = _run(target, given, warnings=turns.left_out(name, dropped))
        if not stream:
            return request
        streaming = {**(request.json or {}), "stream": True}
        return replace(request, json=streaming, headers={})

    def parse(self, body: Mapping[str, Any]) -> ChatAnswer:
        output = _output(body)
        pieces = output if isinstance(output, list) else [output]
        if not all(isinstance(piece, str) for piece in pieces):
            raise turns.not_understood("the output is no text")
        return ChatAnswer("".join(pieces), "", (), FinishReason(Finish.STOP, "succeeded"), _usage(body))

    def decoder(self) -> Decoder:
        return RunDecoder()


class RunDecoder:
    """Complete with `done`. Text comes as it is, so that a frame without a name is a further line of the one before."""

    def __init__(self) -> None:
        self._event = ""
        self._over = False

    def feed(self, frame: Frame) -> Iterator[ChatEvent]:
        if self._over:
            return
        more = not frame.event
        self._event = frame.event or self._event
        if self._event == "output" and (frame.data or more):
            yield TextDelta("\n" + frame.data if more else frame.data)
        elif self._event == "error":
            raise refusal("", ErrorReply(200, {}, bodies.lenient(frame.data.encode())))
        elif self._event == "done":
            reason = text(dig(bodies.lenient(frame.data.encode()), "reason"))
            if reason:
                raise refusal("", ErrorReply(200, {}, {"status": reason}))
            self._over = True
            yield Finished(FinishReason(Finish.STOP, "done"), Usage())

    def end(self) -> Iterator[ChatEvent]:
        if not self._over:
            raise StreamBroken("", 200)
        return iter(())


@dataclass(frozen=True)
class Vectors:
    """Texts in the input that the form names: those in _MANY take several as one JSON text, each other a single one."""

    texts: int = 64

    def render(self, target: Target, call: EmbedCall) -> Request:
        if call.dimensions is not None:
            raise UnsupportedFeature("vectors of another length", target.model.name)
        field = _text_input(target)
        if field not in _MANY:
            return _run(target, {field: call.texts[0]})
        return _run(target, {field: orjson.dumps(call.texts).decode(), **_MANY[field]})

    def parse(self, body: Mapping[str, Any], count: int) -> Embeddings:
        """Vectors in a list, each bare or as an `embedding`; a single one may come without the list."""
        output = _output(body)
        found = output if isinstance(output, list) and isinstance(dig(output, 0), list | dict) else [output]
        vectors = [dig(item, "embedding") if isinstance(item, dict) else item for item in found]
        return Embeddings(in_order(vectors, count), _usage(body))

    def batch(self, target: Target) -> int:
        return self.texts if _text_input(target) in _MANY else 1


@dataclass(frozen=True)
class Collections:
    """The vendor's own collections of models, one a page, and the type of what each holds."""

    types: Mapping[str, ModelType]

    def render(self, following: str | None = None) -> Request:
        return Request(f"collections/{following or next(iter(self.types))}", method="GET")

    def parse(self, body: Any) -> Page:
        """BadRequestUpstream when it is none of these collections."""
        slug = text(dig(body, "slug"))
        if slug not in self.types or not isinstance(dig(body, "models"), list):
            raise turns.not_understood("the answer has no list of models")
        names = [f"{text(dig(row, 'owner'))}/{text(dig(row, 'name'))}" for row in rows(dig(body, "models"))]
        models = tuple(ListedModel(name, self.types[slug]) for name in names if _NAME.fullmatch(name))
        slugs = list(self.types)
        return Page(models, next(iter(slugs[slugs.index(slug) + 1 :]), None))


def describing(target: Target | None, form: FormValues) -> Request:  # noqa: ARG001 - the target holds the form
    """What the model is: free of charge, and told only to a key that is good."""
    if target is None:
        raise InvalidRange("model", "must be named")
    name, version = _named(target)
    return Request(f"models/{name}/versions/{version}" if version else f"models/{name}", method="GET")


def failed(body: Mapping[str, Any]) -> bool:
    """Whether a run ended without an answer."""
    return bool(body.get("error")) or text(body.get("status")) in _LOST


def refusal(provider: str, reply: ErrorReply) -> UpstreamError:
    """By its status, or as a failed run tells it; a model that a key may not run is one that does not exist."""
    lost = text(dig(reply.body, "status"))
    if reply.status < 400 and lost and not dig(reply.body, "error"):
        reply = replace(reply, body={"error": f"the run ended as {lost}"})
    failure = USUAL(provider, replace(reply, status=reply.status if reply.status >= 400 else 200))
    if reply.status == 404 or (reply.status == 422 and "specified version does not exist" in failure.detail):
        return ModelNotFoundUpstream(provider, reply.status, failure.detail)
    if reply.status < 400 and _SENSITIVE.search(failure.detail):
        return ContentRefused(provider, failure.status, failure.detail)
    if reply.status == 429 and failure.retry_after is None and (told := _RESET.search(failure.detail)):
        failure.retry_after = seconds(told[1])
    return failure


def _run(target: Target, given: Mapping[str, Any], warnings: tuple[str, ...] = ()) -> Request:
    """A run that is waited for. A version is run by its own id, the vendor's choice of one by the model's name."""
    name, version = _named(target)
    path = "predictions" if version else f"models/{name}/predictions"
    told = {"version": version} if version else {}
    return Request(path, {**told, "input": given}, headers={"prefer": "wait"}, warnings=warnings)


def _named(target: Target) -> tuple[str, str]:
    """Owner and name, and the version that the form or the name gives, or none."""
    found = _NAME.fullmatch(target.model.name)
    if not found:
        raise InvalidRange("model", "must be a name such as owner/model")
    version = entered(target.form, "model_version", found[2] or "")
    if version and not _VERSION.fullmatch(version):
        raise InvalidRange("model_version", "must be the id of a version")
    return found[1], version


def _said(call: ChatCall, system: str) -> dict[str, str]:
    """The prompt: the one turn as it is, several as a transcript; and the instructions where they have an input."""
    apart = system != "prompt"
    instructions = "\n\n".join(m.text for m in call.messages if m.role is Role.SYSTEM)
    spoken = [m for m in call.messages if m.role is not Role.SYSTEM]
    if len(spoken) == 1 and spoken[0].role is Role.USER:
        prompt = spoken[0].text
    else:
        prompt = "\n\n".join([*map(_line, spoken), "Assistant:"])
    if apart:
        return {"prompt": prompt, **({system: instructions} if instructions else {})}
    return {"prompt": "\n\n".join(filter(None, (instructions, prompt)))}


def _line(message: Message) -> str:
    return f"{_SPEAKERS[message.role]}: {message.text}"


def _knobs(form: FormValues, call: ChatCall) -> Mapping[str, Any]:
    """Stop words travel in one text between commas, so that one with a comma cannot."""
    knobs = call.knobs
    stops = None if any("," in word for word in knobs.stop) else ",".join(knobs.stop)
    asked = {
        entered(form, "max_tokens_input", "max_tokens"): knobs.max_tokens,
        "temperature": knobs.temperature,
        "top_p": knobs.top_p,
        "seed": knobs.seed,
        "stop_sequences": stops or None,
        "presence_penalty": knobs.presence_penalty,
        "frequency_penalty": knobs.frequency_penalty,
    }
    return {**knobs.extra, **{name: value for name, value in asked.items() if value is not None}}


def _text_input(target: Target) -> str:
    return entered(target.form, "text_input", "text")


def _output(body: Mapping[str, Any]) -> Any:
    """BadRequestUpstream for a run that is not over, or whose output was removed."""
    output = dig(body, "output")
    if dig(body, "status") != "succeeded" or output is None:
        raise turns.not_understood("the run has no output")
    return output


def _usage(body: Mapping[str, Any]) -> Usage:
    """Few models count tokens."""
    metrics = table(dig(body, "metrics"))
    return Usage(tally(metrics.get("input_token_count")), tally(metrics.get("output_token_count")), raw=metrics)
