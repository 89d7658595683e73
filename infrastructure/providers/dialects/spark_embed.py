"""iFLYTEK's embeddings: one text a request, in an envelope, at a host of their own."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from domain.errors import InvalidRange, UnsupportedFeature
from domain.model.calls import EmbedCall, EmbedPurpose
from domain.model.events import Embeddings, Usage
from domain.ports import Target
from infrastructure.providers.dialects.openai_embed import Embed, in_order
from infrastructure.providers.forms import entered
from infrastructure.providers.spec import Request
from infrastructure.providers.wire.digging import dig


@dataclass(frozen=True)
class SparkEmbed(Embed):
    """POST to `base`, as the application in the form's field `app`; what `needs` names must be in the form as well."""

    texts: int = 1
    base: str = ""
    app: str = ""
    needs: tuple[str, ...] = ()

    def render(self, target: Target, call: EmbedCall) -> Request:
        missing = next((name for name in (self.app, *self.needs) if not target.form.get(name)), None)
        if missing:
            raise InvalidRange(missing, "must be in the credential for embeddings")
        if call.dimensions is not None:
            raise UnsupportedFeature("vectors of another length", target.model.name)
        said = orjson.dumps({"messages": [{"content": text, "role": "user"} for text in call.texts]})
        domain = "query" if call.purpose is EmbedPurpose.QUERY else "para"
        body = {
            "header": {"app_id": entered(target.form, self.app), "status": 3},
            "parameter": {"emb": {"domain": domain, "feature": {"encoding": "utf8"}}},
            "payload": {"messages": {"text": base64.b64encode(said).decode("ascii")}},
        }
        return Request("", body, base=self.base)

    def parse(self, body: Mapping[str, Any], count: int) -> Embeddings:
        """The vendor does not tell what it counted."""
        return Embeddings(in_order([dig(body, "payload", "feature", "text")], count), Usage())
