"""The tasks of Hugging Face's pipelines: texts to vectors, speech to text and back, and pairs of texts to scores.

Each is a POST to the `path` of a model, which is empty where a server has one model with one task. None counts tokens.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.errors import UnsupportedFeature
from domain.model.calls import EmbedCall
from domain.model.events import Embeddings, Usage
from domain.model.rerank import RerankCall, Reranking
from domain.model.speech import SpeakCall, SpeechFormat, TranscribeCall, Transcript
from domain.ports import Target
from infrastructure.providers.dialects import tei
from infrastructure.providers.dialects.openai_audio import Bare, transcript
from infrastructure.providers.dialects.openai_embed import averaged
from infrastructure.providers.dialects.rerank import ranked
from infrastructure.providers.dialects.turns import left_out, not_understood
from infrastructure.providers.spec import BYTES, Request
from infrastructure.providers.wire.digging import dig, rows, text

Path = Callable[[Target], str]

ANY_AUDIO = "audio/x-audio"
MEDIA_TYPES: Mapping[str, str] = {
    "wav": "audio/x-wav",
    "mp3": "audio/mpeg",
    "m4a": "audio/m4a",
    **{ending: f"audio/{ending}" for ending in ("flac", "ogg", "webm", "amr")},
}
"""What a file's ending is called; everything else is ANY_AUDIO."""

_TEI = tei.Rerank()
_SPOKEN = frozenset({SpeechFormat.MP3, SpeechFormat.WAV, SpeechFormat.FLAC, SpeechFormat.AAC})


@dataclass(frozen=True)
class FeatureExtraction:
    """Texts to vectors, which may come for each token. A text that is too long is an error.

    `texts` are as many as the servers behind it take by default.
    """

    path: Path
    texts: int = 32

    def render(self, target: Target, call: EmbedCall) -> Request:
        body: dict[str, Any] = {"inputs": list(call.texts), "truncate": False}
        if call.dimensions is not None:
            body["dimensions"] = call.dimensions
        path = self.path(target)
        return Request(f"{path}/pipeline/feature-extraction" if path else "", body)

    def parse(self, body: Any, count: int) -> Embeddings:
        return Embeddings(averaged(body, count), Usage())

    def batch(self, target: Target) -> int:  # noqa: ARG002 - a seam: some vendors' forms or models say it
        return self.texts


@dataclass(frozen=True)
class Recognition:
    """The recording itself is the body, and nothing goes with it. `media_types` names it by its file's ending."""

    path: Path | None = None
    media_types: Mapping[str, str] = field(default_factory=dict)

    def render(self, target: Target, call: TranscribeCall) -> Request:
        asked = {"language": call.language, "prompt": call.prompt}
        warnings = left_out(target.model.name, [name for name, value in asked.items() if value])
        file = call.recording
        media_type = self.media_types.get(file.format, ANY_AUDIO)
        path = self.path(target) if self.path else ""
        return Request(path, content=file.data, media_type=media_type, warnings=warnings)

    def parse(self, body: Any) -> Transcript:
        return transcript(body)


@dataclass(frozen=True)
class Synthesis(Bare):
    """Audio in the format that is accepted, and in the model's one voice."""

    path: Path

    def render(self, target: Target, call: SpeakCall) -> Request:
        model = target.model.name
        if call.format and call.format not in _SPOKEN:
            raise UnsupportedFeature(f"speech as {call.format.value}", model)
        asked = {"voice": call.voice, "speed": call.speed}
        warnings = left_out(model, [name for name, value in asked.items() if value is not None])
        body = {"inputs": call.text, "parameters": {}}
        headers = {"accept": self.media_type(call)}
        return Request(self.path(target), body, headers=headers, accept=BYTES, warnings=warnings)

    def media_type(self, call: SpeakCall) -> str:
        return f"audio/{(call.format or SpeechFormat.MP3).value}"


@dataclass(frozen=True)
class Rerank:
    """The query with each document, as pairs for a classifier that has one class: how well they go together.

    A server of one task is TEI, which ranks by itself.
    """

    path: Path

    def render(self, target: Target, call: RerankCall) -> Request:
        path = self.path(target)
        pairs = [{"text": call.query, "text_pair": document} for document in call.documents]
        return Request(path, {"inputs": pairs, "parameters": {}}) if path else _TEI.render(target, call)

    def parse(self, body: Any, count: int) -> Reranking:
        """A class with its score for each pair, in a list of its own or not, all of them in one more list or not."""
        if dig(body, 0, "index") is not None:
            return _TEI.parse(body, count)
        found = [item for row in rows(body) for item in (rows(row) or [row])]
        if len({text(dig(item, "label")) for item in found}) > 1:
            raise not_understood("the model tells several classes apart, where a reranker has one")
        scored = [{"index": index, "score": dig(item, "score")} for index, item in enumerate(found)]
        return Reranking(ranked(scored, "score", count), Usage())
