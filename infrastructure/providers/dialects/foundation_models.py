"""Amazon's lists of the models that Converse reaches: those that answer on demand, then the inference profiles."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from domain.model.catalogue import FormValues, ModelType
from domain.ports import ListedModel
from infrastructure.providers.dialects.model_lists import kind
from infrastructure.providers.dialects.turns import not_understood
from infrastructure.providers.spec import Page, Request
from infrastructure.providers.wire.digging import dig, rows, text

_PROFILES = " "
_ON_DEMAND = "ON_DEMAND"


@dataclass(frozen=True)
class FoundationModels:
    """GET foundation-models, then GET inference-profiles page by page, at `base`."""

    base: Callable[[FormValues], str]

    def render(self, following: str | None = None) -> Request:
        if following is None:
            return Request("foundation-models", method="GET", base=self.base)
        token = {} if following == _PROFILES else {"nextToken": following}
        return Request("inference-profiles", method="GET", query={"maxResults": "1000", **token}, base=self.base)

    def parse(self, body: Any) -> Page:
        models, profiles = dig(body, "modelSummaries"), dig(body, "inferenceProfileSummaries")
        if isinstance(models, list):
            return Page(tuple(_on_demand(models)), _PROFILES)
        if not isinstance(profiles, list):
            raise not_understood("the answer has no list of models")
        names = (text(dig(row, "inferenceProfileId")) for row in profiles)
        return Page(
            tuple(ListedModel(name, _by_name(name)) for name in names if name), text(dig(body, "nextToken")) or None
        )


def _on_demand(models: list[Any]) -> Iterator[ListedModel]:
    """The others answer through a profile only, or where capacity was bought."""
    for row in models:
        name, ways = text(dig(row, "modelId")), rows(dig(row, "inferenceTypesSupported"))
        if name and (not ways or _ON_DEMAND in ways):
            yield ListedModel(name, _by_name(name) or kind(row, (("outputModalities",),)))


def _by_name(name: str) -> ModelType | None:
    """The lists call what ranks a model of text, and tell nothing of what stands behind a profile."""
    words = (("rerank", ModelType.RERANK), ("embed", ModelType.EMBEDDING))
    return next((kind for word, kind in words if word in name), None)
