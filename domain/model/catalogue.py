"""What can be had where: providers, their credential forms and their models, as facts fixed at start-up."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from domain.errors import FieldProblem, InvalidForm, NotFound
from domain.model.labels import Text
from domain.model.parameters import ParameterRule
from domain.model.secret import Secret


class ModelType(StrEnum):
    LLM = "llm"
    EMBEDDING = "embedding"
    RERANK = "rerank"
    SPEECH_TO_TEXT = "speech_to_text"
    TEXT_TO_SPEECH = "text_to_speech"


class Feature(StrEnum):
    TOOLS = "tools"
    VISION = "vision"
    STRUCTURED_OUTPUT = "structured_output"
    REASONING = "reasoning"
    STREAMING = "streaming"


class ProviderKind(StrEnum):
    PROPRIETARY = "proprietary"  # one key unlocks every model
    HOSTED = "hosted"  # each model has a credential of its own


class FieldKind(StrEnum):
    SECRET = "secret"  # noqa: S105 - the kind of a field, not a password
    TEXT = "text"
    URL = "url"
    INTEGER = "integer"
    SELECT = "select"


@dataclass(frozen=True, slots=True)
class FormField:
    """One field of a credential form, under the vendor's own name for it.

    `for_types` limits a field of a hosted vendor's form to some model types; empty means all. `shown_when` limits it to
    forms in which other fields, which come before it, have these values: elsewhere it is neither asked for nor taken.
    What the tenant enters can describe the model: `grants` maps patterns of whole values to the feature that each
    switches on, `sets` names the limit it states.
    """

    name: str
    label: Text
    kind: FieldKind
    required: bool = True
    default: str | None = None
    options: tuple[str, ...] = ()
    for_types: frozenset[ModelType] = frozenset()
    shown_when: Mapping[str, str] = field(default_factory=dict)
    max_length: int = 16_384
    grants: Mapping[str, Feature] = field(default_factory=dict)
    sets: Literal["context", "max_output"] | None = None


FormValues = Mapping[str, Secret | str]


@dataclass(frozen=True, slots=True, order=True)
class ModelRef:
    """The name of a model: provider id, the vendor's model name, and the model's type."""

    provider: str
    name: str
    type: ModelType

    def __str__(self) -> str:
        return f"{self.provider}/{self.name}"


class PriceUnit(StrEnum):
    TOKENS = "tokens"
    CHARACTERS = "characters"
    SECONDS = "seconds"
    SEARCHES = "searches"


@dataclass(frozen=True, slots=True)
class Price:
    """Money per `per` units, in `currency` (ISO 4217).

    `unit` None is what is usual for the model's type: tokens, characters or seconds.
    """

    input: Decimal | None
    output: Decimal | None
    per: int
    currency: str
    unit: PriceUnit | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may carry: `texts` to embed, `characters` to speak, `bytes` of a file to transcribe.

    `formats` are the endings of file names that speech to text reads, or the formats that text to speech writes.
    With `other_voices` there may be more voices than are listed, such as those that a vendor's customer has made.
    """

    texts: int | None = None
    characters: int | None = None
    bytes: int | None = None
    formats: tuple[str, ...] = ()
    other_voices: bool = False


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice under the vendor's own id; `languages` are the tags (RFC 5646) that it speaks, empty for any."""

    id: str
    label: Text
    languages: tuple[str, ...] = ()

    def speaks(self, tag: str) -> bool:
        """Whether it speaks this language: "zh" is met by "zh-Hans", and "zh-Hans-CN" by "zh"."""
        asked = f"{tag.casefold()}-"
        known = [f"{language.casefold()}-" for language in self.languages]
        return not known or any(asked.startswith(k) or k.startswith(asked) for k in known)


@dataclass(frozen=True, slots=True)
class Model:
    """One model row. Sizes are in tokens; `retires` is the day the vendor ends it, `successor` the name to use then.

    `deprecated` rows are hidden from pickers and can still be called. `custom` rows are the tenant's own.
    """

    ref: ModelRef
    label: Text
    features: frozenset[Feature] = frozenset()
    context: int | None = None
    max_output: int | None = None
    dimensions: int | None = None
    price: Price | None = None
    retires: date | None = None
    successor: str | None = None
    rank: int = 0
    limits: Limits = Limits()
    voices: tuple[Voice, ...] = ()
    parameters: tuple[ParameterRule, ...] = ()
    deprecated: bool = False
    custom: bool = False

    @property
    def priced_by(self) -> PriceUnit:
        """What its price counts. Only tokens are paid for both ways."""
        if self.price is not None and self.price.unit is not None:
            return self.price.unit
        in_tokens = self.price is not None and self.price.output is not None
        return PriceUnit.TOKENS if in_tokens else _PRICED_BY.get(self.ref.type, PriceUnit.TOKENS)


_PRICED_BY = {ModelType.SPEECH_TO_TEXT: PriceUnit.SECONDS, ModelType.TEXT_TO_SPEECH: PriceUnit.CHARACTERS}


@dataclass(frozen=True, slots=True)
class Provider:
    """A vendor as a tenant sees it. `form` is the credential form; hosted vendors have no model rows of their own.

    `lists_models` tells that the vendor has a list of models that can be imported.
    """

    id: str
    label: Text
    kind: ProviderKind
    types: frozenset[ModelType]
    form: tuple[FormField, ...]
    key_page: str | None = None
    models: tuple[Model, ...] = ()
    description: Text | None = None
    lists_models: bool = False

    def checked(self, values: FormValues, model_type: ModelType | None) -> FormValues:
        """The whole form with defaults filled in and secrets wrapped; InvalidForm names every field that is wrong.

        A field that is hidden as the form is filled in has no default and need not be there; sent, it must be empty.
        """
        fields = {f.name: f for f in self.form if not f.for_types or model_type in f.for_types}
        problems = [FieldProblem(name, "is not a field of this form") for name in values if name not in fields]
        shown: dict[str, str] = {}
        complete: dict[str, Secret | str] = {}
        for spec in fields.values():
            value = _text(values.get(spec.name)).strip()
            if not all(shown.get(name) == needed for name, needed in spec.shown_when.items()):
                reason = "is not a field of this form as filled in" if value else None
            else:
                value = shown[spec.name] = value or spec.default or ""
                reason = _objection(spec, value)
            if reason:
                problems.append(FieldProblem(spec.name, reason))
            elif value:
                complete[spec.name] = Secret(value) if spec.kind is FieldKind.SECRET else value
        if problems:
            raise InvalidForm(tuple(problems))
        return complete

    def current(self, model_type: ModelType) -> tuple[Model, ...]:
        """The rows of one type that are not deprecated."""
        return tuple(m for m in self.models if m.ref.type is model_type and not m.deprecated)

    def hosted(self, ref: ModelRef, public: Mapping[str, str]) -> Model:
        """The row of a self-hosted model as the form of its credential describes it. Every server of LLMs streams."""
        patterns = (
            (public.get(f.name, ""), pattern, feature) for f in self.form for pattern, feature in f.grants.items()
        )
        granted = {feature for value, pattern, feature in patterns if re.fullmatch(pattern, value)}
        streams = {Feature.STREAMING} if ref.type is ModelType.LLM else set()
        limits = {f.sets: int(public[f.name]) for f in self.form if f.sets and f.name in public}
        return Model(
            ref,
            Text(ref.name),
            frozenset(granted | streams),
            limits.get("context"),
            limits.get("max_output"),
            custom=True,
        )


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All providers, in the order in which they are shown."""

    providers: tuple[Provider, ...]
    _providers: dict[str, Provider] = field(init=False, repr=False, compare=False)
    _models: dict[ModelRef, Model] = field(init=False, repr=False, compare=False)
    _current: dict[tuple[str, ModelType], tuple[Model, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_providers", {p.id: p for p in self.providers})
        object.__setattr__(self, "_models", {m.ref: m for p in self.providers for m in p.models})
        object.__setattr__(self, "_current", {(p.id, t): p.current(t) for p in self.providers for t in ModelType})

    def provider(self, provider_id: str) -> Provider:
        """NotFound("provider") for an id that is not in the catalogue."""
        found = self._providers.get(provider_id)
        if found is None:
            raise NotFound("provider")
        return found

    def offers(self, provider_id: str) -> bool:
        return provider_id in self._providers

    def model(self, ref: ModelRef) -> Model | None:
        """The row of a model, or None for one that only its tenant knows, such as a self-hosted one."""
        return self._models.get(ref)

    def current(self, provider: str, model_type: ModelType) -> tuple[Model, ...]:
        """The rows of a provider's models of one type that are not deprecated; none for an unknown provider."""
        return self._current.get((provider, model_type), ())

    def successors(self, ref: ModelRef) -> Iterator[ModelRef]:
        """`ref`, then the models its vendor names as successors, nearest first."""
        seen: set[ModelRef] = set()
        current: ModelRef | None = ref
        while current is not None and current not in seen:
            seen.add(current)
            yield current
            row = self._models.get(current)
            current = ModelRef(ref.provider, row.successor, ref.type) if row and row.successor else None


def secrets_of(values: FormValues) -> Iterable[str]:
    """The secret strings of a form, for those who must blot them out of a vendor's text."""
    return (value.reveal() for value in values.values() if isinstance(value, Secret))


def public_part(values: FormValues) -> dict[str, str]:
    """The fields that are no secrets, as they may be shown."""
    return {name: value for name, value in values.items() if isinstance(value, str)}


def masked_part(values: FormValues) -> dict[str, str]:
    """The secret fields, each reduced to its last characters."""
    return {name: value.masked() for name, value in values.items() if isinstance(value, Secret)}


def _text(value: Secret | str | None) -> str:
    return value.reveal() if isinstance(value, Secret) else value or ""


def _objection(spec: FormField, value: str) -> str | None:
    if not value:
        return "is required" if spec.required else None
    if len(value) > spec.max_length:
        return f"is longer than {spec.max_length} characters"
    if not value.isprintable():
        return "must not contain control characters"
    if spec.kind is FieldKind.SECRET and not value.isascii():
        return "must contain ASCII characters only"
    if spec.kind is FieldKind.SELECT and value not in spec.options:
        return "must be one of " + ", ".join(spec.options)
    if spec.kind is FieldKind.INTEGER and not (value.isdecimal() and value.isascii() and int(value) > 0):
        return "must be a whole number above zero"
    if spec.kind is FieldKind.URL and not value.startswith(("http://", "https://")):
        return "must be an http:// or https:// address"
    return None
