"""Small domain values for tests, each with only what the test names."""

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

from domain.model.cap import Cap, CapSubject, Period
from domain.model.catalogue import (
    Catalogue,
    Feature,
    FieldKind,
    FormField,
    Model,
    ModelRef,
    ModelType,
    Provider,
    ProviderKind,
)
from domain.model.credential import Credential
from domain.model.ids import CapId, CredentialId, PotId, TenantId
from domain.model.labels import Text
from domain.model.quota import Pot, PotKind, Terms, Trial, Unit
from domain.model.selection import Platform

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TENANT = TenantId(UUID(int=1))
LLM, EMBEDDING = ModelType.LLM, ModelType.EMBEDDING


def ref(name: str, provider: str = "acme", kind: ModelType = LLM) -> ModelRef:
    return ModelRef(provider, name, kind)


def row(name: str, *, rank: int = 0, retires: date | None = None, successor: str | None = None) -> Model:
    features = frozenset({Feature.TOOLS})
    return Model(ref(name), Text(name), features, rank=rank, retires=retires, successor=successor, max_output=100)


ACME = Provider(
    "acme",
    Text("Acme"),
    ProviderKind.PROPRIETARY,
    frozenset({LLM, EMBEDDING}),
    (
        FormField("key", Text("Key"), FieldKind.SECRET),
        FormField("base", Text("Base"), FieldKind.URL, required=False, default="https://acme.example"),
        FormField("mode", Text("Mode"), FieldKind.SELECT, required=False, options=("fast", "slow")),
        FormField("size", Text("Size"), FieldKind.INTEGER, required=False, for_types=frozenset({EMBEDDING})),
    ),
    models=(
        row("old", retires=date(2026, 1, 1), successor="newer"),
        row("newer", rank=1),
        row("best", rank=9),
        Model(ref("vectors", kind=EMBEDDING), Text("vectors")),
    ),
)

HOME = Provider(
    "home",
    Text("Home"),
    ProviderKind.HOSTED,
    frozenset({LLM}),
    (
        FormField("address", Text("Address"), FieldKind.URL),
        FormField("context_size", Text("Context"), FieldKind.INTEGER, required=False, default="4096", sets="context"),
        FormField(
            "vision",
            Text("Vision"),
            FieldKind.SELECT,
            required=False,
            default="no",
            options=("yes", "no"),
            grants={"yes": Feature.VISION},
        ),
    ),
)

EVERYTHING = Terms()
TRIAL = Trial("acme", Unit.CALLS, 200, (ref("old"),))
OTHER = replace(ACME, id="other", models=tuple(replace(m, ref=replace(m.ref, provider="other")) for m in ACME.models))
PLATFORM = Platform(Catalogue((ACME, HOME)), {"acme": TRIAL})


def credential(number: int = 1, provider: str = "acme", model: ModelRef | None = None) -> Credential:
    public = {"context_size": "8192", "vision": "yes"} if model else {}
    return Credential(
        TENANT, CredentialId(UUID(int=number)), provider, f"key {number}", model, public, {}, "https://x", 1, NOW, NOW
    )


def pot(
    granted: int | None = 200,
    used: int = 0,
    held: int = 0,
    unit: Unit = Unit.CALLS,
    *,
    kind: PotKind = PotKind.TRIAL,
    provider: str | None = "acme",
    number: int = 7,
    terms: Terms = EVERYTHING,
) -> Pot:
    return Pot(TENANT, PotId(UUID(int=number)), kind, provider, unit, granted, used, held, NOW, terms=terms)


def a_cap(
    amount: int,
    subject_id: UUID,
    *,
    subject: CapSubject = CapSubject.APPLICATION,
    unit: Unit = Unit.CALLS,
    period: Period = Period.DAY,
    number: int = 1,
) -> Cap:
    return Cap(TENANT, CapId(UUID(int=number)), subject, subject_id, unit, amount, period, NOW)
