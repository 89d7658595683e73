"""The generate extension of the KServe v2 protocol: text in, text out, whole or as server-sent events."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import orjson

from domain.errors import UnsupportedFeature, UpstreamError
from domain.model.calls import ChatCall, Knobs, Message, Role
from domain.model.events import ChatAnswer, ChatEvent, Finish, Finished, FinishReason, TextDelta, Usage
from domain.ports import ListedModel, Target
from infrastructure.providers.dialects.model_lists import Models
from infrastructure.providers.dialects.refusals import USUAL
from infrastructure.providers.dialects.turns import frame_json, not_understood, refuse_images
from infrastructure.providers.forms import entered
from infrastructure.providers.spec import JSON, Decoder, ErrorReply, Frame, Framing, Request
from infrastructure.providers.wire.digging import dig, rows, table, tally, text

Meaning = Callable[[str, ErrorReply], UpstreamError]


@dataclass(frozen=True)
class Generate:
    """POST v2/models/{model}/generate or generate_stream. Reads completion_type, stream and backend.

    The form's `stream` says how its model is asked, whatever a call wants: a decoupled model may only stream, and
    others may refuse to. There are no turns: chat writes each on lines of its own, after its role; completion writes
    only what they say.
    """

    meaning: Meaning = USUAL
    framing: Framing = Framing.SSE

    def render(self, target: Target, call: ChatCall, *, stream: bool) -> Request:  # noqa: ARG002 - the form says it
        model = target.model.name
        if call.tools:
            raise UnsupportedFeature("tools", model)
        if call.response_schema:
            raise UnsupportedFeature("an answer by a schema", model)
        streams = entered(target.form, "stream", "true") == "true"
        said = _prompt(call.messages, model, labelled=entered(target.form, "completion_type", "chat") == "chat")
        options = _for_vllm if entered(target.form, "backend") == "vllm" else _for_others
        return Request(
            f"v2/models/{quote(model, safe='')}/{'generate_stream' if streams else 'generate'}",
            {"text_input": said, **options(call.knobs, streams=streams)},
            accept=self.framing.value if streams else JSON,
        )

    def parse(self, body: Mapping[str, Any]) -> ChatAnswer:
        if "text_output" not in table(body):
            raise not_understood("the answer has no text_output")
        sent = tally(body.get("num_output_tokens"))
        return ChatAnswer(_said(body), "", (), _finish(body), _usage(body, sent))

    def decoder(self) -> Decoder:
        return PieceDecoder(self.meaning)


class PieceDecoder:
    """Pieces of text until the connection ends: no mark tells the end, and only vLLM can say why it came."""

    def __init__(self, meaning: Meaning) -> None:
        self._meaning = meaning
        self._last: Mapping[str, Any] = {}
        self._sent: int | None = None

    def feed(self, frame: Frame) -> Iterator[ChatEvent]:
        piece = table(frame_json(frame))
        if piece.get("error"):
            raise self._meaning("", ErrorReply(200, {}, piece))
        if "text_output" not in piece:
            return
        self._last = piece
        more = tally(piece.get("num_output_tokens"))
        self._sent = self._sent if more is None else (self._sent or 0) + more
        if said := _said(piece):
            yield TextDelta(said)

    def end(self) -> Iterator[ChatEvent]:
        if not self._last:
            raise not_understood("the stream has no text_output")
        yield Finished(_finish(self._last), _usage(self._last, self._sent))


@dataclass(frozen=True)
class Repository(Models):
    """POST v2/repository/index: what the server has loaded, each version in a row of its own, of whatever type."""

    path: str = "v2/repository/index"
    name: str = "name"

    def render(self, following: str | None = None) -> Request:  # noqa: ARG002 - it has one page
        return Request(self.path)

    def listed(self, body: Any) -> Iterator[ListedModel]:
        ready = [row for row in rows(body) if dig(row, "state") in (None, "READY")]
        return super().listed(ready if isinstance(body, list) else body)


def _prompt(messages: tuple[Message, ...], model: str, *, labelled: bool) -> str:
    return "\n".join(_line(message, model, labelled=labelled) for message in messages)


def _line(message: Message, model: str, *, labelled: bool) -> str:
    refuse_images(message, model)
    if message.role is Role.TOOL or message.tool_calls:
        raise UnsupportedFeature("tools", model)
    return f"{message.role.value.capitalize()}: {message.text}" if labelled else message.text


def _for_others(knobs: Knobs, *, streams: bool) -> Mapping[str, Any]:
    """What is no input of the model passes as a parameter, if it is one value; a list has to be an input."""
    limits = {"max_tokens": knobs.max_tokens, "stop_words": list(knobs.stop) or None}
    return {**_present(limits), "parameters": {"stream": streams, **knobs.extra, **_sampling(knobs)}}


def _for_vllm(knobs: Knobs, *, streams: bool) -> Mapping[str, Any]:
    """Its sampling is one text of JSON; unasked, it would repeat the prompt and tell neither reason nor counts."""
    limits = {"max_tokens": knobs.max_tokens, "stop": list(knobs.stop) or None}
    sampling = {**knobs.extra, **_sampling(knobs), **_present(limits)}
    asked = ("exclude_input_in_output", "return_finish_reason", "return_num_input_tokens", "return_num_output_tokens")
    return {"stream": streams, "sampling_parameters": orjson.dumps(sampling).decode(), **dict.fromkeys(asked, True)}


def _sampling(knobs: Knobs) -> Mapping[str, Any]:
    names = ("temperature", "top_p", "seed", "presence_penalty", "frequency_penalty")
    return _present({name: getattr(knobs, name) for name in names})


def _present(values: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _said(body: object) -> str:
    """A tensor of one element comes as text, one of more as a list."""
    output = dig(body, "text_output")
    return text(output) or "".join(map(text, rows(output)))


def _finish(body: object) -> FinishReason:
    """What does not say why it ended has stopped; vLLM writes "None" until it knows."""
    raw = text(dig(body, "finish_reason"))
    return FinishReason(Finish.LENGTH if raw == "length" else Finish.STOP, "" if raw == "None" else raw)


def _usage(body: object, sent: int | None) -> Usage:
    counts = {name: value for name, value in table(body).items() if name.startswith("num_")}
    if sent is not None:
        counts["num_output_tokens"] = sent
    return Usage(tally(counts.get("num_input_tokens")), sent, raw=counts)
