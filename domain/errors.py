"""Every refusal of Portunus, named by its meaning.

DomainError
├ Unauthenticated
├ OnPages
│ ├ NotSignedIn
│ ├ TooManyFailures(retry_after)
│ ├ ProviderFailed
│ └ NoOtherWay
├ Forbidden(needs)
├ NeedsPerson
├ NotFound(what)
├ InvalidInput
│ ├ InvalidForm(problems)
│ ├ UnsupportedFeature(feature, model)
│ └ InvalidRange(field, reason)
├ Conflict
│ ├ DuplicateName(name)
│ ├ ChangedMeanwhile(what)
│ └ LastOwner
├ QuotaExhausted(pot, unit, free, asked, refills_at)
├ NoCredential(provider, inactive)
├ CredentialRemoved(model)
├ ModelDisabled(model)
├ NoDefaultModel(model_type)
├ NotPermitted(model, limit)
├ CredentialUnreadable
└ UpstreamError(provider, status, detail, retry_after, sent)
  ├ CredentialRejected
  ├ UpstreamPaymentRequired
  ├ UpstreamRateLimited
  ├ ContextTooLong
  ├ ContentRefused
  ├ BadRequestUpstream
  ├ ModelNotFoundUpstream
  ├ UpstreamUnavailable
  ├ UpstreamTimeout
  ├ StreamBroken
  └ EndpointForbidden

`code` is for programs and never changes; `message` is for people and says what to do next. Neither carries a secret.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar


class DomainError(Exception):
    """A refusal with a stable `code` and a `message` that tells the reader what to do."""

    code: ClassVar[str] = "REFUSED"

    @property
    def message(self) -> str:
        return "The request was refused."

    def __str__(self) -> str:
        return self.message


class Unauthenticated(DomainError):
    code = "UNAUTHENTICATED"

    @property
    def message(self) -> str:
        return "Send a valid access token or API key in the Authorization header: Bearer ptn_…"


class OnPages(DomainError):
    """Told to a person on a page; no field of the API raises it."""


class NotSignedIn(OnPages):
    """Sign-in failed, or a password is wrong: an unknown account reads like a wrong password."""

    code = "NOT_SIGNED_IN"

    @property
    def message(self) -> str:
        return "The e-mail address or the password is wrong."


@dataclass(eq=False)
class TooManyFailures(OnPages):
    """Sign-in failed too often in a row; `retry_after` is in seconds."""

    code: ClassVar[str] = "TOO_MANY_FAILURES"
    retry_after: int

    @property
    def message(self) -> str:
        return f"Sign-in failed too often; try again in {self.retry_after} seconds."


class ProviderFailed(OnPages):
    """An external OpenID provider does not answer as it must, or says no."""

    code = "PROVIDER_FAILED"

    @property
    def message(self) -> str:
        return "The sign-in at the provider did not work; start it again, or use your password."


class NoOtherWay(OnPages):
    """Without it, the person could not sign in any more."""

    code = "NO_OTHER_WAY"

    @property
    def message(self) -> str:
        return "This is the only way to sign in to the account; ask the operator for a password first."


@dataclass(eq=False)
class Forbidden(DomainError):
    code: ClassVar[str] = "FORBIDDEN"
    needs: str

    @property
    def message(self) -> str:
        return f"This needs the scope {self.needs}; ask for a token that has it."


class NeedsPerson(DomainError):
    """The application acts for itself alone, and this is about who it acts for."""

    code = "NEEDS_PERSON"

    @property
    def message(self) -> str:
        return "This is about a person: use a token that a person let this application have."


@dataclass(eq=False)
class NotFound(DomainError):
    """The thing is unknown, or belongs to another tenant: the two read alike."""

    code: ClassVar[str] = "NOT_FOUND"
    what: str

    @property
    def message(self) -> str:
        return f"There is no such {self.what}."


class InvalidInput(DomainError):
    code = "INVALID_INPUT"


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One field of a form and why its value cannot be taken; never the value."""

    field: str
    reason: str


@dataclass(eq=False)
class InvalidForm(InvalidInput):
    code: ClassVar[str] = "INVALID_FORM"
    problems: tuple[FieldProblem, ...]

    @property
    def message(self) -> str:
        return "Correct these fields: " + "; ".join(f"{p.field}: {p.reason}" for p in self.problems)


@dataclass(eq=False)
class UnsupportedFeature(InvalidInput):
    code: ClassVar[str] = "UNSUPPORTED_FEATURE"
    feature: str
    model: str

    @property
    def message(self) -> str:
        return f"{self.model} does not support {self.feature}; choose a model that does, or leave it out."


@dataclass(eq=False)
class InvalidRange(InvalidInput):
    code: ClassVar[str] = "INVALID_RANGE"
    field: str
    reason: str

    @property
    def message(self) -> str:
        return f"{self.field} {self.reason}."


class Conflict(DomainError):
    code = "CONFLICT"


@dataclass(eq=False)
class DuplicateName(Conflict):
    code: ClassVar[str] = "DUPLICATE_NAME"
    name: str

    @property
    def message(self) -> str:
        return f"The name {self.name!r} is taken; choose another."


@dataclass(eq=False)
class ChangedMeanwhile(Conflict):
    """Somebody else changed the thing between its reading and this writing."""

    code: ClassVar[str] = "CHANGED_MEANWHILE"
    what: str

    @property
    def message(self) -> str:
        return f"The {self.what} was changed meanwhile; look at it again, then repeat what you wanted."


class LastOwner(Conflict):
    code = "LAST_OWNER"

    @property
    def message(self) -> str:
        return "A tenant keeps at least one owner: make somebody else an owner first."


@dataclass(eq=False)
class QuotaExhausted(DomainError):
    """A pot has less free than the call could cost. Amounts are in the pot's own `unit`."""

    code: ClassVar[str] = "QUOTA_EXHAUSTED"
    pot: str
    unit: str
    free: int
    asked: int
    refills_at: datetime | None = None

    @property
    def message(self) -> str:
        refill = f"It refills at {self.refills_at.isoformat()}." if self.refills_at else "It does not refill."
        remedy = "Ask an admin of the tenant to raise it." if self.pot == "cap" else "Add a key of your own to go on."
        asked = f"has {self.free} {self.unit} free and this call asks for {self.asked}"
        return f"The {self.pot} quota {asked}. {refill} {remedy}"


@dataclass(eq=False)
class NoCredential(DomainError):
    code: ClassVar[str] = "NO_CREDENTIAL"
    provider: str
    inactive: int = 0

    @property
    def message(self) -> str:
        if self.inactive:
            return f"The credentials that reach this model at {self.provider} are inactive; activate one of them."
        return f"No credential reaches this model at {self.provider}; add one with addCredential."


@dataclass(eq=False)
class CredentialRemoved(DomainError):
    code: ClassVar[str] = "CREDENTIAL_REMOVED"
    model: str

    @property
    def message(self) -> str:
        return f"The credential of {self.model} was removed; add one with addCredential, or remove the model."


@dataclass(eq=False)
class ModelDisabled(DomainError):
    code: ClassVar[str] = "MODEL_DISABLED"
    model: str

    @property
    def message(self) -> str:
        return f"{self.model} is disabled for this tenant; enable it, or choose another model."


@dataclass(eq=False)
class NoDefaultModel(DomainError):
    code: ClassVar[str] = "NO_DEFAULT_MODEL"
    model_type: str
    reason: str = "no model of this type is usable"

    @property
    def message(self) -> str:
        return f"There is no default {self.model_type} model: {self.reason}. Name a model, or add a credential."


@dataclass(eq=False)
class NotPermitted(DomainError):
    """By the `limit` of the quotas that are left, or of the application that asks."""

    code: ClassVar[str] = "NOT_PERMITTED"
    model: str
    limit: str = "quota"

    @property
    def message(self) -> str:
        if self.limit == "application":
            return f"This application may not use {self.model}; choose another model, or have an admin allow it."
        return f"The trial does not include {self.model}; add a key of your own, or choose a model it includes."


class CredentialUnreadable(DomainError):
    code = "CREDENTIAL_UNREADABLE"

    @property
    def message(self) -> str:
        return "The stored credential cannot be opened; remove it and add it again."


@dataclass(eq=False)
class UpstreamError(DomainError):
    """The vendor, or the way to it, failed.

    `detail` is the vendor's own text without secrets, `retry_after` is in seconds, and `sent` is False only when it is
    certain that no byte of the request reached the vendor.
    """

    code: ClassVar[str] = "UPSTREAM_ERROR"
    retryable: ClassVar[bool] = False
    advice: ClassVar[str] = "The vendor refused the call"
    provider: str
    status: int | None = None
    detail: str = ""
    retry_after: float | None = None
    sent: bool = True

    @property
    def message(self) -> str:
        said = f" {self.provider} said: {self.detail}" if self.detail else ""
        return f"{self.advice}.{said}"


class CredentialRejected(UpstreamError):
    code = "CREDENTIAL_REJECTED"
    advice = "The vendor does not accept this credential; check it on the vendor's key page"


class UpstreamPaymentRequired(UpstreamError):
    code = "UPSTREAM_PAYMENT_REQUIRED"
    advice = "The account at the vendor has no balance left; top it up there"


class UpstreamRateLimited(UpstreamError):
    code = "UPSTREAM_RATE_LIMITED"
    retryable = True
    advice = "The vendor limits the rate of calls; wait and try again"


class ContextTooLong(UpstreamError):
    code = "CONTEXT_TOO_LONG"
    advice = "The input is longer than the model can read; shorten it or choose a model with a larger context"


class ContentRefused(UpstreamError):
    code = "CONTENT_REFUSED"
    advice = "The vendor refused the content"


class BadRequestUpstream(UpstreamError):
    code = "BAD_REQUEST_UPSTREAM"
    advice = "The vendor could not take the request"


class ModelNotFoundUpstream(UpstreamError):
    code = "MODEL_NOT_FOUND_UPSTREAM"
    advice = "The vendor does not offer this model to this credential; check the name or the key's permissions"


class UpstreamUnavailable(UpstreamError):
    code = "UPSTREAM_UNAVAILABLE"
    retryable = True
    advice = "The vendor cannot be reached or is overloaded; check the address, or try again later"


class UpstreamTimeout(UpstreamError):
    code = "UPSTREAM_TIMEOUT"
    advice = "The vendor did not answer in time; try again later"


class StreamBroken(UpstreamError):
    """The stream ended without its terminal signal, so the answer may be cut."""

    code = "STREAM_BROKEN"
    advice = "The vendor's answer broke off; what arrived may be incomplete"


class EndpointForbidden(UpstreamError):
    """The address resolves to a network that this installation does not let tenants reach."""

    code = "ENDPOINT_FORBIDDEN"
    advice = "This address is not reachable from here; use a public one, or ask the operator to allow its network"
