"""OpenAI's dialect on servers of any make, as the credential form of each model describes them."""

from dataclasses import dataclass, replace
from typing import Self

from domain.model.calls import ChatCall, EmbedCall, EmbedPurpose
from domain.ports import Target
from infrastructure.providers.dialects import openai, openai_audio, openai_embed, rerank
from infrastructure.providers.dialects import openai_models as names
from infrastructure.providers.forms import entered

_AUTO = "auto"


@dataclass(frozen=True)
class _Named:
    """`named` is the form's field with the server's own name of the model."""

    named: str = "endpoint_model_name"

    def model(self, target: Target) -> str:
        return entered(target.form, self.named, target.model.name)


@dataclass(frozen=True)
class Chat(_Named, openai.Chat):
    """Reads token_param_name (auto goes by the model's name) and stream_include_usage, too."""

    def suited(self, target: Target, call: ChatCall) -> Self:  # noqa: ARG002 - the form alone decides
        limit = entered(target.form, "token_param_name", _AUTO)
        if limit == _AUTO:
            limit = "max_completion_tokens" if names.reasons(self.model(target)) else self.max_tokens
        counts = entered(target.form, "stream_include_usage", "enabled") == "enabled"
        return replace(self, max_tokens=limit, include_usage=self.include_usage and counts)


@dataclass(frozen=True)
class Embed(_Named, openai_embed.Embed):
    """Reads encoding_format, max_chunks and the prefixes by purpose, too."""

    encoding: str | None = None
    texts: int = 1

    def suited(self, target: Target, call: EmbedCall) -> Self:
        field = "query_prefix" if call.purpose is EmbedPurpose.QUERY else "document_prefix"
        # A form's values are stripped, and models want a space between prefix and text.
        prefix = entered(target.form, field)
        encoding = entered(target.form, "encoding_format", "not_set")
        return replace(
            self, encoding=self.encoding if encoding == "not_set" else encoding, prefix=prefix + " " if prefix else ""
        )

    def batch(self, target: Target) -> int:
        return int(entered(target.form, "max_chunks", str(self.texts)))


@dataclass(frozen=True)
class Rerank(_Named, rerank.Rerank):
    """Under the form's name of the model."""


@dataclass(frozen=True)
class Transcribe(_Named, openai_audio.Transcribe):
    """Under the form's name of the model."""


@dataclass(frozen=True)
class Speak(_Named, openai_audio.Speak):
    """Reads voices, which commas part; the first speaks when a call names none."""

    def usual_voice(self, target: Target) -> str:
        return entered(target.form, "voices", self.voice).partition(",")[0].strip()
