"""How each problem of each result union comes about."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from api.graphql.problems import SHOWN, UpstreamProblem
from domain import errors
from domain.model.access import EVERYWHERE, Reach
from domain.model.catalogue import Catalogue, ModelType
from domain.model.labels import Text
from domain.model.parameters import ParameterKind, ParameterRule
from tests.graphql_calls import CALLS, FORM, SCRIBE, WRITER, Call, Variables
from tests.graphql_documents import FIELDS
from tests.graphql_goods import CATALOGUE, Words, unknown_words
from tests.graphql_house import ACME, HOME, TALKING
from tests.unit.graphql import states
from tests.unit.graphql.states import MODELS, State, as_it_is


@dataclass(frozen=True, slots=True)
class Case:
    """A call, in a state of the tenant, at vendors that refuse what `refusal` says.

    `alone`: on behalf of nobody; `reach` is that of who asks.
    """

    call: Call
    state: State = as_it_is
    refusal: errors.DomainError | None = None
    catalogue: Catalogue = CATALOGUE
    alone: bool = False
    reach: Reach = EVERYWHERE


Key = tuple[str, str]
"""An operation and a problem of its union."""

RULED = replace(
    TALKING,
    models=tuple(
        replace(m, parameters=(ParameterRule("style", Text("Style"), ParameterKind.STRING, required=True),))
        for m in TALKING.models
    ),
)
DEMANDING = Catalogue((RULED, HOME))
"""Every model must be told its style, which nobody can do outside a chat."""

ASKS: Mapping[str, ModelType] = {
    "chat": ModelType.LLM,
    "chatStream": ModelType.LLM,
    "nameConversation": ModelType.LLM,
    "suggestQuestions": ModelType.LLM,
    "embed": ModelType.EMBEDDING,
    "rerank": ModelType.RERANK,
    "transcribe": ModelType.SPEECH_TO_TEXT,
    "speak": ModelType.TEXT_TO_SPEECH,
    "speakStream": ModelType.TEXT_TO_SPEECH,
    "planCall": ModelType.LLM,
}
"""What asks a model, and of which type."""

MEANINGLESS: Mapping[str, Mapping[str, Any]] = {
    "chat": {"messages": []},
    "chatStream": {"temperature": 9.0},
    "nameConversation": {"messages": []},
    "suggestQuestions": {"count": 0},
    "embed": {"texts": [""]},
    "rerank": {"topN": 0},
    "transcribe": {"language": "not a language"},
    "speak": {"speed": 100.0},
    "speakStream": {"text": " "},
    "planCall": {"inputCharacters": -1},
}
"""Inputs that mean nothing to any vendor."""


def given(operation: str, **changes: Any) -> Call:
    """The usual call with some of its input changed."""

    def call(own: Words) -> Variables:
        return {"input": {**CALLS[operation](own)["input"], **changes}}

    return call


def of_model(operation: str) -> Call:
    """The usual call of a model that the catalogue has."""
    return given(operation, model={"provider": ACME.id, "name": MODELS[ASKS[operation]]})


def of_own_model(operation: str) -> Call:
    """The usual call of a model that only the tenant has."""
    return lambda own: given(operation, model={"provider": ACME.id, "name": own.custom_model})(own)


def _asking(operation: str) -> dict[str, Case]:
    return {
        "InvalidRange": Case(given(operation, **MEANINGLESS[operation])),
        "UnsupportedFeature": Case(of_model(operation), refusal=errors.UnsupportedFeature("that", "acme/x")),
        "QuotaExhausted": Case(CALLS[operation], states.on_a_spent_quota),
        "InvalidForm": Case(of_model(operation), catalogue=DEMANDING),
        "NoCredential": Case(of_model(operation), states.without_keys),
        "CredentialRemoved": Case(of_own_model(operation), states.with_keys_removed),
        "ModelDisabled": Case(of_model(operation), states.with_every_model_switched_off),
        "NoDefaultModel": Case(CALLS[operation], states.without_anything),
        "NotPermitted": Case(of_model(operation), states.on_a_quota_for_other_models),
        "NotFound": Case(of_model(operation), states.with_keys_removed_elsewhere),
        "CredentialUnreadable": Case(of_model(operation), states.with_unreadable_keys),
    }


def _upstream(operation: str) -> dict[str, Case]:
    """The vendor's refusals, whatever the operation."""
    refusals = {problem.__name__: refusal for refusal, problem in SHOWN.items() if issubclass(problem, UpstreamProblem)}
    return {
        problem: Case(CALLS[operation], refusal=_of_vendor(refusals[problem]))
        for problem in FIELDS[operation].problems
        if problem in refusals
    }


def _of_vendor(refusal: type[errors.DomainError]) -> errors.DomainError:
    assert issubclass(refusal, errors.UpstreamError)
    return refusal(ACME.id, 400, "in the vendor's words", 1.5)


def _another_cap(own: Words) -> Variables:
    """The one that the tenant has, set anew."""
    return given("setCap", subject={"clientId": own.client})(own)


NOBODY = unknown_words()
ELSEWHERE = [{"name": "base", "value": "https://elsewhere.example"}]
FASTER = [{"name": "mode", "value": "fast"}]
HOSTED_FORM = [{"name": "address", "value": "https://models.example"}]
NOWHERE = {"providers": ["nobody"]}
NO_PRICE = {"input": "1", "currency": "dollars"}

OWN: Mapping[str, Mapping[str, Case]] = {
    "openTenant": {"InvalidRange": Case(given("openTenant", name=" "))},
    "closeTenant": {"NotFound": Case(given("closeTenant", name="another"))},
    "rotateTenantKey": {"NotFound": Case(given("rotateTenantKey", replacing="nonsense"))},
    "addCredential": {
        "InvalidForm": Case(given("addCredential", fields=[])),
        "InvalidRange": Case(given("addCredential", name="x" * 101)),
        "NotFound": Case(given("addCredential", provider="nobody")),
        "DuplicateName": Case(lambda own: given("addCredential", name=own.credential_name)(own)),
    },
    "checkCredential": {
        "InvalidForm": Case(given("checkCredential", fields=[*FORM, *FORM])),
        "InvalidRange": Case(given("checkCredential", provider=HOME.id, fields=HOSTED_FORM)),
        "NotFound": Case(given("checkCredential", provider="nobody")),
    },
    "removeCredential": {
        "NotFound": Case(given("removeCredential", id=NOBODY.credential)),
        "InvalidRange": Case(lambda own: given("removeCredential", successor=own.hosted_credential)(own)),
    },
    "checkCredentialUpdate": {
        "InvalidForm": Case(given("checkCredentialUpdate", fields=ELSEWHERE)),
        "InvalidRange": Case(CALLS["checkCredentialUpdate"], refusal=errors.InvalidRange("input", "is not Unicode")),
        "NotFound": Case(given("checkCredentialUpdate", id=NOBODY.credential)),
        "CredentialUnreadable": Case(given("checkCredentialUpdate", fields=FASTER), states.with_unreadable_keys),
    },
    "updateCredential": {
        "InvalidForm": Case(given("updateCredential", fields=ELSEWHERE)),
        "InvalidRange": Case(given("updateCredential", weight=101)),
        "NotFound": Case(given("updateCredential", id=NOBODY.credential)),
        "DuplicateName": Case(lambda own: given("updateCredential", name=own.second_name)(own)),
        "ChangedMeanwhile": Case(CALLS["updateCredential"], states.while_another_admin_replaces_keys),
        "CredentialUnreadable": Case(given("updateCredential", fields=FASTER), states.with_unreadable_keys),
    },
    "switchCredential": {"NotFound": Case(given("switchCredential", id=NOBODY.credential))},
    "verifyCredential": {
        "NotFound": Case(given("verifyCredential", id=NOBODY.credential)),
        "ChangedMeanwhile": Case(CALLS["verifyCredential"], states.while_another_admin_replaces_keys),
        "CredentialUnreadable": Case(CALLS["verifyCredential"], states.with_unreadable_keys),
    },
    "setDefaultModel": {
        "NotFound": Case(given("setDefaultModel", model={**SCRIBE, "name": "unknown"})),
        "NoCredential": Case(CALLS["setDefaultModel"], states.without_keys),
        "NotPermitted": Case(CALLS["setDefaultModel"], states.on_a_quota_for_other_models),
        "ModelDisabled": Case(CALLS["setDefaultModel"], states.with_every_model_switched_off),
        "CredentialRemoved": Case(
            lambda own: given("setDefaultModel", model={**SCRIBE, "name": own.custom_model})(own),
            states.with_keys_removed,
        ),
    },
    "clearDefaultModel": {},
    "setPreferredSource": {"NotFound": Case(given("setPreferredSource", provider="nobody"))},
    "addModel": {
        "InvalidRange": Case(given("addModel", price=NO_PRICE)),
        "NotFound": Case(given("addModel", provider="nobody")),
        "DuplicateName": Case(lambda own: given("addModel", name=own.custom_model)(own)),
    },
    "removeModel": {"NotFound": Case(given("removeModel", model=SCRIBE))},
    "setModelEnabled": {"NotFound": Case(given("setModelEnabled", model={**SCRIBE, "name": "unknown"}))},
    "setCap": {
        "NotFound": Case(given("setCap", subject={"credentialId": NOBODY.credential})),
        "InvalidRange": Case(given("setCap", amount=-1)),
        "ChangedMeanwhile": Case(_another_cap, states.while_another_admin_sets_caps),
    },
    "removeCap": {"NotFound": Case(given("removeCap", id=NOBODY.cap))},
    "registerApplication": {
        "InvalidRange": Case(given("registerApplication", scopes=["tenants:open"])),
        "NotFound": Case(given("registerApplication", reach=NOWHERE)),
    },
    "updateApplication": {
        "InvalidRange": Case(given("updateApplication", redirectUris=["javascript:alert(1)"])),
        "NotFound": Case(given("updateApplication", id=NOBODY.application)),
    },
    "suspendApplication": {"NotFound": Case(given("suspendApplication", id=NOBODY.application))},
    "resumeApplication": {
        "InvalidRange": Case(CALLS["resumeApplication"], reach=Reach(models=frozenset())),
        "NotFound": Case(given("resumeApplication", id=NOBODY.application)),
    },
    "rotateApplicationSecret": {
        "InvalidRange": Case(given("rotateApplicationSecret", overlapSeconds=604_801)),
        "NotFound": Case(given("rotateApplicationSecret", id=NOBODY.application)),
    },
    "removeApplication": {"NotFound": Case(given("removeApplication", id=NOBODY.application))},
    "revokeConsent": {"NotFound": Case(given("revokeConsent", memberId=NOBODY.colleague))},
    "revokeApplicationTokens": {"NotFound": Case(given("revokeApplicationTokens", id=NOBODY.application))},
    "createApiKey": {
        "InvalidRange": Case(given("createApiKey", expiresAt="2099-01-01T00:00:00Z")),
        "NotFound": Case(given("createApiKey", reach=NOWHERE)),
    },
    "updateApiKey": {
        "InvalidRange": Case(given("updateApiKey", scopes=["tenant:read"])),
        "NotFound": Case(given("updateApiKey", id=NOBODY.api_key)),
    },
    "rotateApiKey": {
        "InvalidRange": Case(given("rotateApiKey", overlapSeconds=-1)),
        "NotFound": Case(given("rotateApiKey", id=NOBODY.api_key)),
    },
    "revokeApiKey": {"NotFound": Case(given("revokeApiKey", id=NOBODY.api_key))},
    "grantQuota": {
        "NotFound": Case(given("grantQuota", tenantId=NOBODY.tenant)),
        "InvalidRange": Case(given("grantQuota", unlimited=True)),
    },
    "revokeQuota": {
        "NotFound": Case(given("revokeQuota", quotaId=NOBODY.quota)),
        "InvalidRange": Case(given("revokeQuota", amount=2**62)),
        "ChangedMeanwhile": Case(given("revokeQuota", amount=None, everything=True), states.while_calls_spend),
    },
    "inviteMember": {"InvalidRange": Case(given("inviteMember", email="nobody"))},
    "withdrawInvitation": {"NotFound": Case(given("withdrawInvitation", id=NOBODY.invitation))},
    "changeMemberRole": {
        "NotFound": Case(given("changeMemberRole", id=NOBODY.colleague)),
        "LastOwner": Case(CALLS["changeMemberRole"], states.with_a_colleague_as_the_only_owner, alone=True),
    },
    "removeMember": {
        "NotFound": Case(given("removeMember", id=NOBODY.colleague)),
        "LastOwner": Case(CALLS["removeMember"], states.with_a_colleague_as_the_only_owner, alone=True),
    },
    "transferOwnership": {
        "NotFound": Case(given("transferOwnership", to=NOBODY.colleague)),
        "NeedsPerson": Case(CALLS["transferOwnership"], alone=True),
    },
    "leaveTenant": {
        "NotFound": Case(given("leaveTenant", tenantId=NOBODY.tenant)),
        "LastOwner": Case(CALLS["leaveTenant"], states.as_the_only_owner),
        "NeedsPerson": Case(CALLS["leaveTenant"], alone=True),
    },
    "planCall": {
        **{problem: case for problem, case in _asking("planCall").items() if problem != "CredentialUnreadable"},
        "UnsupportedFeature": Case(given("planCall", model=WRITER, features=["REASONING"])),
        "NotFound": Case(
            given("planCall", model={"provider": states.GONE, "name": MODELS[ModelType.LLM]}),
            states.with_a_vendor_gone,
        ),
    },
    "listVendorModels": {
        "NotFound": Case(given("listVendorModels", credential=NOBODY.credential)),
        "NoCredential": Case(given("listVendorModels", credential=None), states.with_keys_inactive),
        "UnsupportedFeature": Case(CALLS["listVendorModels"], refusal=errors.UnsupportedFeature("a list", "acme")),
        "CredentialUnreadable": Case(CALLS["listVendorModels"], states.with_unreadable_keys),
    },
    "importModels": {
        "InvalidForm": Case(given("importModels", models=[{"name": "not on the list"}])),
        "InvalidRange": Case(given("importModels", models=[])),
        "NotFound": Case(given("importModels", credential=NOBODY.credential)),
        "NoCredential": Case(given("importModels", credential=None), states.with_keys_inactive),
        "UnsupportedFeature": Case(CALLS["importModels"], refusal=errors.UnsupportedFeature("a list", "acme")),
        "CredentialUnreadable": Case(CALLS["importModels"], states.with_unreadable_keys),
    },
}


def cases() -> dict[Key, Case]:
    found: dict[Key, Case] = {}
    for operation in FIELDS.keys() & (OWN.keys() | ASKS.keys()):
        special = OWN[operation] if operation in OWN else _asking(operation)
        every = {**_upstream(operation), **special}
        found |= {(operation, problem): case for problem, case in every.items()}
    return found


def _hosted(own: Words) -> dict[str, str]:
    return {"provider": HOME.id, "name": own.hosted_model}


HOSTED: Mapping[str, Call] = {
    "addCredential": lambda _: {
        "input": {"provider": HOME.id, "name": "x", "fields": HOSTED_FORM, "model": {"name": "new", "type": "LLM"}}
    },
    "removeCredential": lambda own: {"input": {"id": own.hosted_credential}},
    "setDefaultModel": lambda own: {"input": {"model": {**_hosted(own), "type": "LLM"}}},
    "setModelEnabled": lambda own: {"input": {"model": {**_hosted(own), "type": "LLM"}, "enabled": True}},
    "chat": lambda own: given("chat", model=_hosted(own))(own),
    "chatStream": lambda own: given("chatStream", model=_hosted(own))(own),
    "listVendorModels": lambda own: {"input": {"provider": HOME.id, "credential": own.hosted_credential}},
    "importModels": lambda own: given("importModels", provider=HOME.id, credential=own.hosted_credential)(own),
}
"""Calls that succeed where each model has a credential of its own."""


def calls(operation: str) -> list[Call]:
    """Its usual call, the one of a hosted model if there is one, and all those that a case makes."""
    usual = [CALLS[operation], *([HOSTED[operation]] if operation in HOSTED else [])]
    found = [case.call for name, case in sorted(cases().items(), key=lambda each: each[0]) if name[0] == operation]
    return list(dict.fromkeys([*usual, *found]))
