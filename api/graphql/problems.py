"""Refusals as data: every problem that a result union can hold, made from the domain's error of the same meaning."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Self

import strawberry

from api.graphql.scalars import BigInt
from domain import errors


@strawberry.interface(description="Why a request was refused. Ask for it with `... on Problem` to meet new ones too.")
class Problem:
    message: str = strawberry.field(description="For people: what happened and what to do next. It may change.")
    code: str = strawberry.field(description="For programs: the kind of the problem. It never changes.")

    @classmethod
    def of(cls, refusal: errors.DomainError) -> Self:
        """The refusal as data: the two have attributes of the same names."""
        return cls(**{f.name: getattr(refusal, f.name) for f in fields(cls)})


@strawberry.type(description="The thing is unknown. What belongs to another tenant reads the same.")
class NotFound(Problem):
    what: str = strawberry.field(description="What was looked for.")


@strawberry.type(description="One field of a form and why its value cannot be taken.")
class FieldProblem:
    field: str = strawberry.field(description="The name of the field.")
    reason: str = strawberry.field(description="Why its value cannot be taken; never the value itself.")


@strawberry.type(description="A credential form has fields that cannot be taken.")
class InvalidForm(Problem):
    problems: list[FieldProblem] = strawberry.field(description="Every field that is wrong.")


@strawberry.type(description="An input is out of its range.")
class InvalidRange(Problem):
    field: str = strawberry.field(description="The path of the input field.")
    reason: str = strawberry.field(description="What it must be.")


@strawberry.type(description="The model lacks a feature that the call needs.")
class UnsupportedFeature(Problem):
    feature: str = strawberry.field(description="What the model cannot do.")
    model: str = strawberry.field(description="The model, as provider/name.")


@strawberry.type(description="The name is taken.")
class DuplicateName(Problem):
    name: str = strawberry.field(description="The name.")


@strawberry.type(description="The quota on the platform's key has less free than the call could cost.")
class QuotaExhausted(Problem):
    pot: str = strawberry.field(description="Which quota.")
    unit: str = strawberry.field(description="What it counts.")
    free: BigInt = strawberry.field(description="How much is free.")
    asked: BigInt = strawberry.field(description="How much the call could cost.")
    refills_at: datetime | None = strawberry.field(description="When it refills; null when it does not.")


@strawberry.type(description="Neither the tenant nor the platform has a key that reaches the model.")
class NoCredential(Problem):
    provider: str = strawberry.field(description="The provider whose key is missing.")
    inactive: int = strawberry.field(description="How many keys would reach the model but are inactive.")


@strawberry.type(description="The model is the tenant's own, and its credential was removed.")
class CredentialRemoved(Problem):
    model: str = strawberry.field(description="The model, as provider/name.")


@strawberry.type(description="The tenant switched the model off.")
class ModelDisabled(Problem):
    model: str = strawberry.field(description="The model, as provider/name.")


@strawberry.type(description="Somebody else changed the thing meanwhile.")
class ChangedMeanwhile(Problem):
    what: str = strawberry.field(description="What was changed.")


@strawberry.type(description="A tenant keeps at least one owner.")
class LastOwner(Problem):
    pass


@strawberry.type(description="This is about a person, and the token acts for none.")
class NeedsPerson(Problem):
    pass


@strawberry.type(description="No model was named and the tenant has no usable default.")
class NoDefaultModel(Problem):
    model_type: str = strawberry.field(description="The type of model that was needed.")
    reason: str = strawberry.field(description="Why there is none.")


@strawberry.type(
    description="The quota on the platform's key does not include the model, or the application may not use it."
)
class NotPermitted(Problem):
    model: str = strawberry.field(description="The model, as provider/name.")


@strawberry.type(description="The stored credential cannot be opened.")
class CredentialUnreadable(Problem):
    pass


@strawberry.interface(description="The vendor, or the way to it, failed.")
class UpstreamProblem(Problem):
    provider: str = strawberry.field(description="The provider that was called.")
    status: int | None = strawberry.field(description="The HTTP status it answered with, if it answered.")
    detail: str = strawberry.field(description="The vendor's own words, without secrets; may be empty.")
    retryable: bool = strawberry.field(description="Whether the same call may succeed later.")
    retry_after: float | None = strawberry.field(description="How many seconds to wait, if the vendor said.")


@strawberry.type(description="The vendor does not accept the credential.")
class CredentialRejected(UpstreamProblem):
    pass


@strawberry.type(description="The account at the vendor has no balance left.")
class UpstreamPaymentRequired(UpstreamProblem):
    pass


@strawberry.type(description="The vendor limits the rate of calls.")
class UpstreamRateLimited(UpstreamProblem):
    pass


@strawberry.type(description="The input is longer than the model can read.")
class ContextTooLong(UpstreamProblem):
    pass


@strawberry.type(description="The vendor refused the content.")
class ContentRefused(UpstreamProblem):
    pass


@strawberry.type(description="The vendor could not take the request.")
class BadRequestUpstream(UpstreamProblem):
    pass


@strawberry.type(description="The vendor does not offer the model to this credential.")
class ModelNotFoundUpstream(UpstreamProblem):
    pass


@strawberry.type(description="The vendor cannot be reached or is overloaded.")
class UpstreamUnavailable(UpstreamProblem):
    pass


@strawberry.type(description="The vendor did not answer in time.")
class UpstreamTimeout(UpstreamProblem):
    pass


@strawberry.type(description="The answer broke off; what arrived may be incomplete.")
class StreamBroken(UpstreamProblem):
    pass


@strawberry.type(description="The address is in a network that this installation does not let tenants reach.")
class EndpointForbidden(UpstreamProblem):
    pass


@strawberry.type(description="The vendor refused for a reason that has no type of its own.")
class UpstreamRefused(UpstreamProblem):
    pass


SHOWN: dict[type[errors.DomainError], type[Problem]] = {
    errors.NotFound: NotFound,
    errors.InvalidForm: InvalidForm,
    errors.InvalidRange: InvalidRange,
    errors.UnsupportedFeature: UnsupportedFeature,
    errors.DuplicateName: DuplicateName,
    errors.QuotaExhausted: QuotaExhausted,
    errors.NoCredential: NoCredential,
    errors.CredentialRemoved: CredentialRemoved,
    errors.ModelDisabled: ModelDisabled,
    errors.ChangedMeanwhile: ChangedMeanwhile,
    errors.LastOwner: LastOwner,
    errors.NeedsPerson: NeedsPerson,
    errors.NoDefaultModel: NoDefaultModel,
    errors.NotPermitted: NotPermitted,
    errors.CredentialUnreadable: CredentialUnreadable,
    errors.CredentialRejected: CredentialRejected,
    errors.UpstreamPaymentRequired: UpstreamPaymentRequired,
    errors.UpstreamRateLimited: UpstreamRateLimited,
    errors.ContextTooLong: ContextTooLong,
    errors.ContentRefused: ContentRefused,
    errors.BadRequestUpstream: BadRequestUpstream,
    errors.ModelNotFoundUpstream: ModelNotFoundUpstream,
    errors.UpstreamUnavailable: UpstreamUnavailable,
    errors.UpstreamTimeout: UpstreamTimeout,
    errors.StreamBroken: StreamBroken,
    errors.EndpointForbidden: EndpointForbidden,
    errors.UpstreamError: UpstreamRefused,
}
"""The special before the general: the first that fits is taken."""

Unreached = (
    CredentialRejected
    | UpstreamPaymentRequired
    | UpstreamRateLimited
    | BadRequestUpstream
    | ModelNotFoundUpstream
    | UpstreamUnavailable
    | UpstreamTimeout
    | EndpointForbidden
    | UpstreamRefused
)
"""What can go wrong between Portunus and a vendor on any call."""

Unanswered = (
    InvalidRange
    | UnsupportedFeature
    | QuotaExhausted
    | InvalidForm
    | NoCredential
    | CredentialRemoved
    | ModelDisabled
    | NoDefaultModel
    | NotPermitted
    | NotFound
    | CredentialUnreadable
    | ContextTooLong
    | ContentRefused
    | StreamBroken
    | Unreached
)
"""Why a model gives no answer."""


@dataclass(frozen=True, slots=True)
class ShownAs:
    """A strawberry ExceptionHandler: turns one error into its problem in every field whose union has it."""

    exception_type: type[errors.DomainError]
    error_type: type[Problem]

    def handle(self, exception: errors.DomainError, **_: Any) -> Problem:
        return self.error_type.of(exception)


HANDLERS = tuple(ShownAs(refusal, problem) for refusal, problem in SHOWN.items())


async def ending_in_problem(items: AsyncIterator[Any]) -> AsyncIterator[Any]:
    """The items; a refusal that ends them becomes the last one, unless it concerns who is asking."""
    try:
        async for item in items:
            yield item
    except errors.DomainError as refusal:
        shown = next((problem for error, problem in SHOWN.items() if isinstance(refusal, error)), None)
        if shown is None:
            raise
        yield shown.of(refusal)
