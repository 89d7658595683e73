"""What a call would do, asked without making it."""

from typing import Annotated, Any, Self

import strawberry

from api.graphql.chat_input import TUNED, ParameterInput, parameters
from api.graphql.context import Info
from api.graphql.fields import Input, field
from api.graphql.ids import node_id
from api.graphql.model_names import ModelInput, ModelName
from api.graphql.problems import (
    CredentialRemoved,
    InvalidForm,
    InvalidRange,
    ModelDisabled,
    NoCredential,
    NoDefaultModel,
    NotFound,
    NotPermitted,
    QuotaExhausted,
    UnsupportedFeature,
)
from api.graphql.quotas import big
from api.graphql.scalars import BigInt
from domain import errors
from domain.model.access import Scope
from domain.model.calls import Knobs
from domain.model.catalogue import Feature, ModelType
from domain.model.planning import Candidate, Demand, shortage
from domain.model.quota import Line, Pot, PotKind, Unit
from domain.model.selection import KeySource, OwnKey
from domain.usecases import demands
from domain.usecases.planning import Planned

_TUNED = TUNED - {"max_tokens", "stop"}


@strawberry.input(description="A call, as far as it decides where it goes and what it may cost.")
class PlanCallInput:
    type: ModelType = strawberry.field(description="What kind of model is called.")
    model: ModelInput | None = strawberry.field(default=None, description="The model; left out, the type's default.")
    features: list[Feature] = strawberry.field(default_factory=list, description="What the model must be able to do.")
    input_characters: int = strawberry.field(
        default=0,
        description="How long the input is. To plan a chat to the letter, add 64 for each message and tool and once "
        "more, and 16,384 for each image; the query of a reranking counts once per document.",
    )
    max_tokens: int | None = strawberry.field(default=None, description="The most tokens to write.")
    parameters: list[ParameterInput] = strawberry.field(
        default_factory=list,
        description="What is tuned besides: temperature, top_p, seed, presence_penalty, frequency_penalty, and the "
        "model's own.",
    )

    def demand(self) -> Demand:
        """InvalidForm or InvalidRange for what means nothing to any model."""
        if self.input_characters < 0:
            raise errors.InvalidRange("inputCharacters", "must not be below zero")
        knobs = self._knobs()
        knobs.check()
        return Demand(
            self.model.ref(self.type) if self.model else None,
            self.type,
            frozenset(self.features),
            self.input_characters,
            self.max_tokens,
            parameters=demands.parameters(knobs),
            extra=frozenset(knobs.extra),
        )

    def _knobs(self) -> Knobs:
        given = parameters(self.parameters, TUNED - _TUNED)
        wrong = [name for name, value in given.items() if name in _TUNED and isinstance(value, str | bool)]
        if wrong:
            raise errors.InvalidForm(tuple(errors.FieldProblem(name, "must be a number") for name in wrong))
        tuned: dict[str, Any] = {name: value for name, value in given.items() if name in _TUNED}
        extra = {name: value for name, value in given.items() if name not in _TUNED}
        return Knobs(**tuned, max_tokens=self.max_tokens, extra=extra)


@strawberry.type(description="A key of the tenant's own, by name.")
class PlannedCredential:
    id: strawberry.ID = strawberry.field(description="Its global id.")
    name: str = strawberry.field(description="The name that the tenant gave it.")

    @classmethod
    def of(cls, candidate: Candidate) -> Self | None:
        source = candidate.source
        if not isinstance(source, OwnKey):
            return None
        return cls(id=node_id("Credential", source.credential.id), name=source.credential.name)


@strawberry.type(description="What the call would hold of a quota or a cap until it ends: the most that it may cost.")
class PlannedHold:
    quota_id: strawberry.ID | None = strawberry.field(description="The quota that pays, if it is one.")
    cap_id: strawberry.ID | None = strawberry.field(description="The cap that bounds it, if it is one.")
    kind: PotKind = strawberry.field(description="Where the quota comes from, or CAP.")
    unit: Unit = strawberry.field(description="What it counts.")
    amount: BigInt = strawberry.field(description="How much the call would hold.")
    free: BigInt | None = strawberry.field(description="How much is free now; null is unlimited.")

    @classmethod
    def of(cls, line: Line, pot: Pot) -> Self:
        return cls(
            quota_id=None if pot.cap_id else node_id("Quota", pot.id),
            cap_id=node_id("Cap", pot.cap_id) if pot.cap_id else None,
            kind=pot.kind,
            unit=pot.unit,
            amount=BigInt(line.amount),
            free=big(pot.free),
        )


@strawberry.type(description="A key that may serve the call.")
class CallCandidate:
    paid_by: KeySource = strawberry.field(description="Whose key it is.")
    credential: PlannedCredential | None = strawberry.field(description="The tenant's credential, if it is that.")
    holds: list[PlannedHold] = strawberry.field(description="What would be held, all of it or nothing.")
    max_output: int | None = strawberry.field(description="The limit on the answer that the vendor would be sent.")
    affordable: bool = strawberry.field(description="Whether all of it is free now; if not, the next key is tried.")

    @classmethod
    def of(cls, candidate: Candidate) -> Self:
        return cls(**candidate_fields(candidate))


@strawberry.type(description="Where the call would go. Nothing was spent, held or sent.")
class PlannedCall(CallCandidate):
    model: ModelName = strawberry.field(description="The model that would be called.")
    candidates: list[CallCandidate] = strawberry.field(
        description="Every key that may serve the call, in the order in which they would be tried. Several that share "
        "a load are drawn anew for each call."
    )

    @classmethod
    def of_plan(cls, planned: Planned) -> Self:
        return cls(
            **candidate_fields(planned.chosen),
            model=ModelName.of(planned.plan.model),
            candidates=[CallCandidate.of(candidate) for candidate in planned.plan.candidates],
        )


PlanCallResult = Annotated[
    PlannedCall
    | InvalidRange
    | InvalidForm
    | UnsupportedFeature
    | QuotaExhausted
    | NoCredential
    | CredentialRemoved
    | ModelDisabled
    | NoDefaultModel
    | NotPermitted
    | NotFound,
    strawberry.union("PlanCallResult", description="Where the call would go, or the rule that would refuse it."),
]


@strawberry.type
class PlanQueries:
    @field(
        "What a call of the asking application would do now, by the same rules as the call itself.",
        needs=Scope.MODELS_INVOKE,
    )
    async def plan_call(self, info: Info, given: Input[PlanCallInput]) -> PlanCallResult:
        planned = await info.context.usecases.planning.plan(info.context.actor, given.demand())
        return PlannedCall.of_plan(planned)


def candidate_fields(candidate: Candidate) -> dict[str, Any]:
    """The fields of CallCandidate."""
    own = isinstance(candidate.source, OwnKey)
    return {
        "paid_by": KeySource.OWN if own else KeySource.PLATFORM,
        "credential": PlannedCredential.of(candidate),
        "holds": [PlannedHold.of(line, pot) for line, pot in zip(candidate.lines, candidate.pots, strict=True)],
        "max_output": candidate.max_output,
        "affordable": shortage(candidate) is None,
    }
