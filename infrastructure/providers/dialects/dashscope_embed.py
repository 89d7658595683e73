"""DashScope's embeddings: in OpenAI's shape, and in its own for models that see as well (multimodal-embedding)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.model.calls import EmbedCall
from domain.model.events import Embeddings
from domain.ports import Target
from infrastructure.providers.dialects.openai_embed import Embed
from infrastructure.providers.spec import Request
from infrastructure.providers.wire.digging import dig


@dataclass(frozen=True)
class DashScopeEmbed(Embed):
    """`sees` is the pattern of the models that see, which are asked at `seeing`; `most` tells how many texts a request
    carries, by the first pattern that fits the model, where it is not `texts`.
    """

    sees: str = r"(?!)"
    seeing: str = "api/v1/services/embeddings/multimodal-embedding/multimodal-embedding"
    most: Mapping[str, int] = field(default_factory=dict)

    def batch(self, target: Target) -> int:
        return next((most for known, most in self.most.items() if re.match(known, target.model.name)), self.texts)

    def render(self, target: Target, call: EmbedCall) -> Request:
        name = target.model.name
        if not re.match(self.sees, name):
            return super().render(target, call)
        asked = {"contents": [{"text": text} for text in call.texts]}
        parameters = {} if call.dimensions is None else {"dimension": call.dimensions}
        return Request(self.seeing, {"model": name, "input": asked, "parameters": parameters})

    def parse(self, body: Mapping[str, Any], count: int) -> Embeddings:
        if "output" not in body:
            return super().parse(body, count)
        usage = {"prompt_tokens": dig(body, "usage", "input_tokens")}
        return super().parse({"data": dig(body, "output", "embeddings"), "usage": usage}, count)
