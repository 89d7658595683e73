"""What people read before they let an application in: scopes, limits and refusals in plain words."""

from collections.abc import Mapping
from datetime import timedelta

from domain.model.access import Reach, Scope
from domain.model.cap import Cap, Period
from domain.model.issuing import Lifetimes
from domain.model.redirects import own_to_this_machine, scheme, shown
from domain.usecases.authorizing import Refusal
from domain.usecases.consenting import Question

SCOPES: Mapping[Scope, str] = {
    Scope.OPENID: "Know that it is you",
    Scope.PROFILE: "See your name",
    Scope.EMAIL: "See your e-mail address",
    Scope.OFFLINE_ACCESS: "Go on while you are away, without asking you again",
    Scope.MODELS_INVOKE: "Use AI models in the tenant's name, and at its cost",
    Scope.TENANT_READ: "See the tenant's name and settings",
    Scope.TENANT_LEAVE: "Leave this tenant for you",
    Scope.TENANT_OWN: "Do what is for owners alone, such as handing over the tenant",
    Scope.PROVIDERS_READ: "See providers, models and which of them are set up",
    Scope.CREDENTIALS_READ: "See which vendor keys the tenant has, but not the keys themselves",
    Scope.CREDENTIALS_WRITE: "Add, replace, switch off and remove vendor keys",
    Scope.DEFAULTS_WRITE: "Choose the default models",
    Scope.QUOTAS_READ: "See quotas, caps and balances",
    Scope.QUOTAS_WRITE: "Set and lift caps on spending",
    Scope.MODELS_WRITE: "Add, remove, enable and disable models",
    Scope.USAGE_READ: "See who used which models, when, and at what cost",
    Scope.KEYS_ROTATE: "Renew the key pair that the tenant's vendor keys are sealed with",
    Scope.MEMBERS_READ: "See the members, their e-mail addresses and roles",
    Scope.MEMBERS_WRITE: "Invite and remove members, and change their roles",
    Scope.APPLICATIONS_READ: "See applications and API keys, and who let them in",
    Scope.APPLICATIONS_WRITE: "Register, restrict and remove applications and API keys",
    Scope.AUDIT_READ: "Read the record of who did what",
    Scope.TENANTS_OPEN: "Open new tenants on this installation",
    Scope.TENANTS_CLOSE: "Close tenants of this installation, with all that they have",
    Scope.QUOTAS_GRANT: "Grant quota to tenants of this installation",
}
"""In the order in which they are shown."""

REFUSALS: Mapping[Refusal, tuple[str, str]] = {
    Refusal.UNREADABLE: ("This request cannot be read", "Start again from the application."),
    Refusal.REPEATED: ("This request says something twice", "Its sender sent a parameter more than once. Tell them."),
    Refusal.UNKNOWN_CLIENT: (
        "This application is unknown",
        "It is not registered here, or not any more. Ask whoever runs it, or an admin of your tenant.",
    ),
    Refusal.SUSPENDED: ("This application is suspended", "An admin of the tenant suspended it. Ask them why."),
    Refusal.NO_REDIRECT_URI: (
        "This request does not say where to go back to",
        "The application must send redirect_uri. Tell whoever runs it.",
    ),
    Refusal.UNREGISTERED_REDIRECT_URI: (
        "This application may not send you there",
        "The address to go back to is not registered for it. Somebody may be trying to trick you. If you came from "
        "the application itself, tell whoever runs it.",
    ),
}
"""A title, and what to do next."""

_PERIODS = {Period.DAY: "a day", Period.MONTH: "a month", Period.NEVER: "in all"}
_TIMES = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def sentences(scopes: frozenset[Scope]) -> list[str]:
    return [said for scope, said in SCOPES.items() if scope in scopes]


def limits(question: Question, lifetimes: Lifetimes) -> list[str]:
    """How far the application gets, and how long."""
    found = []
    if Scope.MODELS_INVOKE in question.given:
        found += [_reach(question.client.reach), *map(_cap, question.caps)]
        found += [] if question.caps else ["No cap of its own on spending; the tenant's quotas hold."]
    found.append(f"An access lasts {span(lifetimes.access)}.")
    if Scope.OFFLINE_ACCESS in question.given:
        found.append(f"It can be renewed without you for {span(lifetimes.refresh)}.")
    return found


def span(time: timedelta) -> str:
    """In the largest unit that fits without a rest."""
    seconds = int(time.total_seconds())
    size, unit = next((size, unit) for size, unit in _TIMES if seconds % size == 0)
    count = seconds // size
    return f"{count} {unit}{'' if count == 1 else 's'}"


def destination(uri: str) -> str:
    """Where a person is sent, as somebody can judge who knows no URIs."""
    if not own_to_this_machine(uri):
        return shown(uri)
    if scheme(uri) == "http":
        return f"a program on this computer ({shown(uri)})"
    return f"an app on this device ({shown(uri)})"


def _reach(reach: Reach) -> str:
    if reach.providers is None and reach.models is None:
        return "All models that the tenant can use."
    providers = [f"all of {provider}" for provider in sorted(reach.providers or ())]
    within = providers + sorted(map(str, reach.models or ()))
    return f"Only these models: {', '.join(within)}." if within else "No models at all."


def _cap(cap: Cap) -> str:
    unit = cap.unit.value.removesuffix("s") if cap.amount == 1 else cap.unit.value
    return f"At most {cap.amount:,} {unit} {_PERIODS[cap.period]}."
