"""How a stranger may try to reach what is another tenant's, operation by operation, with that tenant's words."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.graphql_calls import CALLS, Call, Variables
from tests.graphql_goods import Words, unknown_words
from tests.graphql_house import ACME, HOME

Said = Callable[[Words], Any]
"""A value, by the owner's words."""

OPERATOR = {
    "openTenant": "tenants:open",
    "closeTenant": "tenants:close",
    "grantQuota": "quotas:grant",
    "revokeQuota": "quotas:grant",
}
"""What acts on other tenants by design, and the scope that allows it, which no tenant's token has."""

NOTHING: Sequence[Call] = ()
"""The usual call names all that the operation can name of a tenant's, if anything."""


def _with(operation: str, **changes: Said) -> Call:
    """The usual call with some of its input changed; each change says what it is by the owner's words."""

    def call(own: Words) -> Variables:
        changed = {name: change(own) for name, change in changes.items()}
        return {"input": {**CALLS[operation](own)["input"], **changed}}

    return call


def _custom(own: Words) -> dict[str, Any]:
    return {"provider": ACME.id, "name": own.custom_model}


def _hosted(own: Words) -> dict[str, Any]:
    return {"provider": HOME.id, "name": own.hosted_model}


def _of_type(model: Said) -> Said:
    return lambda own: {**model(own), "type": "LLM"}


def _asking(operation: str) -> Sequence[Call]:
    return (_with(operation, model=_custom), _with(operation, model=_hosted))


def _form(own: Words) -> Any:
    return [{"name": "base", "value": f"https://acme.example/{own.tenant_name}"}]


def _at(provider: str, credential: str) -> dict[str, Said]:
    return {"provider": lambda _: provider, "credential": lambda own: getattr(own, credential)}


def _node(kind: str) -> Call:
    return lambda own: {"id": own.nodes[kind]}


def _filter(own: Words) -> Variables:
    return {"filter": {"clientId": own.client}}


def _reaching(own: Words) -> Variables:
    return {"models": [_of_type(_custom)(own)]}


def _models(own: Words) -> Variables:
    return {"filter": {"models": [_of_type(_hosted)(own)]}}


ATTEMPTS: Mapping[str, Sequence[Call]] = {
    "viewer": NOTHING,
    "tenant": NOTHING,
    "provider": (lambda own: {"id": own.credential},),
    "providers": (lambda own: {"search": own.custom_model},),
    "models": (lambda own: {"search": own.custom_model}, lambda own: {"search": own.hosted_model}),
    "defaultModels": NOTHING,
    "quotas": NOTHING,
    "caps": NOTHING,
    "grants": NOTHING,
    "credentials": (lambda own: {"model": _of_type(_hosted)(own)}, lambda own: {"model": _of_type(_custom)(own)}),
    "credential": (lambda own: {"id": own.hosted_credential}, lambda own: {"id": own.quota}),
    "usage": (lambda own: {"by": ["APPLICATION"], **_filter(own)}, lambda own: {"by": ["DAY"], **_models(own)}),
    "calls": (_filter, _models),
    "call": NOTHING,
    "application": (lambda own: {"id": own.api_key}, lambda own: {"id": own.client}),
    "applications": (lambda _: {"kind": "API_KEY"},),
    "apiKey": (lambda own: {"id": own.application},),
    "apiKeys": NOTHING,
    "auditLog": (lambda own: {"filter": {"applicationId": own.client}}, lambda _: {"first": 100}),
    "planCall": _asking("planCall"),
    "node": tuple(map(_node, unknown_words().nodes)),
    "nodes": NOTHING,
    "openTenant": (_with("openTenant", name=lambda own: own.tenant_name),),
    "closeTenant": NOTHING,
    "rotateTenantKey": NOTHING,
    "addCredential": (
        _with("addCredential", name=lambda own: own.credential_name),
        _with(
            "addCredential",
            provider=lambda _: HOME.id,
            fields=lambda _: [{"name": "address", "value": "https://models.example"}],
            model=lambda own: {"name": own.hosted_model, "type": "LLM"},
        ),
    ),
    "checkCredential": NOTHING,
    "removeCredential": (
        _with("removeCredential", id=lambda own: own.hosted_credential),
        _with("removeCredential", successor=lambda own: own.second_credential),
    ),
    "checkCredentialUpdate": (_with("checkCredentialUpdate", fields=_form),),
    "updateCredential": (
        _with("updateCredential", fields=lambda _: [], name=lambda own: own.second_name),
        _with("updateCredential", fields=lambda _: [], active=lambda _: False),
        _with("updateCredential", fields=_form),
    ),
    "switchCredential": NOTHING,
    "verifyCredential": (_with("verifyCredential", id=lambda own: own.hosted_credential),),
    "setDefaultModel": (
        _with("setDefaultModel", model=_of_type(_custom)),
        _with("setDefaultModel", model=_of_type(_hosted)),
    ),
    "clearDefaultModel": NOTHING,
    "setPreferredSource": NOTHING,
    "setCap": (_with("setCap", subject=lambda own: {"clientId": own.client}),),
    "removeCap": NOTHING,
    "registerApplication": (
        _with("registerApplication", name=lambda own: own.partner_name),
        _with("registerApplication", reach=_reaching),
    ),
    "updateApplication": (
        _with("updateApplication", reach=_reaching),
        _with("updateApplication", id=lambda own: own.api_key),
    ),
    "suspendApplication": NOTHING,
    "resumeApplication": NOTHING,
    "rotateApplicationSecret": NOTHING,
    "removeApplication": (_with("removeApplication", id=lambda own: own.api_key),),
    "revokeConsent": (_with("revokeConsent", memberId=lambda own: own.member),),
    "revokeApplicationTokens": NOTHING,
    "createApiKey": (
        _with("createApiKey", name=lambda own: own.api_key_name),
        _with("createApiKey", reach=_reaching),
    ),
    "updateApiKey": (_with("updateApiKey", reach=_reaching),),
    "rotateApiKey": NOTHING,
    "revokeApiKey": (_with("revokeApiKey", id=lambda own: own.application),),
    "grantQuota": NOTHING,
    "revokeQuota": NOTHING,
    "chat": _asking("chat"),
    "embed": _asking("embed"),
    "rerank": _asking("rerank"),
    "transcribe": _asking("transcribe"),
    "speak": _asking("speak"),
    "nameConversation": _asking("nameConversation"),
    "suggestQuestions": _asking("suggestQuestions"),
    "addModel": (_with("addModel", name=lambda own: own.custom_model),),
    "removeModel": (_with("removeModel", model=_of_type(_hosted)),),
    "setModelEnabled": (
        _with("setModelEnabled", model=_of_type(_custom)),
        _with("setModelEnabled", model=_of_type(_hosted)),
    ),
    "listVendorModels": (_with("listVendorModels", **_at(HOME.id, "hosted_credential")),),
    "importModels": (_with("importModels", **_at(HOME.id, "hosted_credential")),),
    "chatStream": _asking("chatStream"),
    "speakStream": _asking("speakStream"),
    "members": NOTHING,
    "invitations": NOTHING,
    "roles": NOTHING,
    "inviteMember": (_with("inviteMember", email=lambda own: own.email),),
    "withdrawInvitation": NOTHING,
    "changeMemberRole": (_with("changeMemberRole", id=lambda own: own.member),),
    "removeMember": (_with("removeMember", id=lambda own: own.member),),
    "transferOwnership": NOTHING,
    "leaveTenant": NOTHING,
    "quotaBalance": NOTHING,
}
"""Beside the usual call, which is an attempt as well."""


def attempts(operation: str) -> Sequence[Call]:
    return (CALLS[operation], *ATTEMPTS[operation])
