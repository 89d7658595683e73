"""How to call every operation of the schema: one way that succeeds for a tenant that owns the goods it names."""

from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any

from starlette.datastructures import UploadFile

from api.graphql.ids import node_id
from domain.model.access import Actor, Role, Scope
from tests.graphql_documents import FIELDS, Root
from tests.graphql_goods import Words
from tests.graphql_house import ACME, House
from tests.willing import LISTED

Variables = dict[str, Any]
Call = Callable[[Words], Variables]

FORM = [{"name": "api_key", "value": "sk-a-good-key-1234"}]
HELLO = [{"role": "USER", "content": "hi"}]
ADMINS = ["applications:write"]
SCRIBE = {"provider": ACME.id, "name": "scribe", "type": "LLM"}
WRITER = {"provider": ACME.id, "name": "writer:7b"}


def audio() -> UploadFile:
    return UploadFile(BytesIO(b"RIFF"), filename="said.wav")


def _input(**given: Any) -> Variables:
    return {"input": given}


CALLS: Mapping[str, Call] = {
    "viewer": lambda _: {},
    "tenant": lambda _: {},
    "provider": lambda _: {"id": ACME.id},
    "providers": lambda _: {},
    "models": lambda _: {},
    "defaultModels": lambda _: {},
    "quotas": lambda _: {},
    "credentials": lambda _: {},
    "credential": lambda own: {"id": own.credential},
    "caps": lambda _: {},
    "grants": lambda _: {},
    "usage": lambda own: {"by": ["MODEL", "APPLICATION", "CREDENTIAL"], "filter": {"credentialId": own.credential}},
    "calls": lambda own: {"filter": {"credentialId": own.credential}},
    "call": lambda own: {"callId": own.call_id},
    "application": lambda own: {"id": own.application},
    "applications": lambda _: {},
    "apiKey": lambda own: {"id": own.api_key},
    "apiKeys": lambda _: {},
    "auditLog": lambda own: {"filter": {"applicationId": own.client, "actions": ["credential.added"]}},
    "planCall": lambda _: _input(type="LLM"),
    "node": lambda own: {"id": own.credential},
    "nodes": lambda own: {"ids": [*own.nodes.values(), node_id("Provider", ACME.id)]},
    "openTenant": lambda _: _input(name="New"),
    "closeTenant": lambda own: _input(tenantId=own.tenant, name=own.tenant_name),
    "rotateTenantKey": lambda own: _input(replacing=own.key),
    "addCredential": lambda own: _input(provider=ACME.id, name=f"new-{own.credential_name}", fields=FORM),
    "checkCredential": lambda _: _input(provider=ACME.id, fields=FORM),
    "removeCredential": lambda own: _input(id=own.credential),
    "checkCredentialUpdate": lambda own: _input(id=own.credential, fields=FORM),
    "updateCredential": lambda own: _input(id=own.credential, fields=FORM, weight=2),
    "switchCredential": lambda own: _input(id=own.second_credential),
    "verifyCredential": lambda own: _input(id=own.credential),
    "setDefaultModel": lambda _: _input(model={**WRITER, "type": "LLM"}),
    "clearDefaultModel": lambda _: _input(type="LLM"),
    "setPreferredSource": lambda _: _input(provider=ACME.id, source="PLATFORM"),
    "setCap": lambda own: _input(subject={"credentialId": own.credential}, unit="CALLS", amount=9, period="DAY"),
    "removeCap": lambda own: _input(id=own.cap),
    "registerApplication": lambda own: _input(name=f"new-{own.partner_name}", kind="SERVICE", scopes=ADMINS),
    "updateApplication": lambda own: _input(id=own.application, name="renamed"),
    "suspendApplication": lambda own: _input(id=own.application),
    "resumeApplication": lambda own: _input(id=own.application),
    "rotateApplicationSecret": lambda own: _input(id=own.application),
    "removeApplication": lambda own: _input(id=own.application),
    "revokeConsent": lambda own: _input(applicationId=own.application, memberId=own.colleague),
    "revokeApplicationTokens": lambda own: _input(id=own.application),
    "createApiKey": lambda own: _input(name=f"new-{own.api_key_name}", scopes=ADMINS),
    "updateApiKey": lambda own: _input(id=own.api_key, name="renamed"),
    "rotateApiKey": lambda own: _input(id=own.api_key),
    "revokeApiKey": lambda own: _input(id=own.api_key),
    "grantQuota": lambda own: _input(tenantId=own.tenant, kind="PAID", unit="CALLS", amount=9, reason="as agreed"),
    "revokeQuota": lambda own: _input(tenantId=own.tenant, quotaId=own.quota, amount=1, reason="as agreed"),
    "chat": lambda _: _input(messages=HELLO),
    "embed": lambda _: _input(texts=["hi"]),
    "rerank": lambda _: _input(query="door", documents=["gate", "cat"]),
    "transcribe": lambda _: _input(file=audio()),
    "speak": lambda _: _input(text="Open, please."),
    "nameConversation": lambda _: _input(messages=HELLO),
    "suggestQuestions": lambda _: _input(messages=HELLO),
    "addModel": lambda own: _input(provider=ACME.id, name=f"new-{own.custom_model}", type="LLM"),
    "removeModel": lambda own: _input(model={"provider": ACME.id, "name": own.custom_model, "type": "LLM"}),
    "setModelEnabled": lambda _: _input(model=SCRIBE, enabled=True),
    "listVendorModels": lambda own: _input(provider=ACME.id, credential=own.credential),
    "importModels": lambda own: _input(provider=ACME.id, credential=own.credential, models=[{"name": LISTED[0].name}]),
    "chatStream": lambda _: _input(messages=HELLO),
    "speakStream": lambda _: _input(text="Open, please."),
    "members": lambda _: {},
    "invitations": lambda _: {},
    "roles": lambda _: {},
    "inviteMember": lambda _: _input(email="new@example.org", role="MEMBER"),
    "withdrawInvitation": lambda own: _input(id=own.invitation),
    "changeMemberRole": lambda own: _input(id=own.colleague, role="MEMBER"),
    "removeMember": lambda own: _input(id=own.colleague),
    "transferOwnership": lambda own: _input(to=own.colleague),
    "leaveTenant": lambda own: _input(tenantId=own.tenant),
    "quotaBalance": lambda own: {"ids": [own.quota]},
}
"""Each gives new variables every time: an upload can be read once."""

GIVING: Mapping[str, frozenset[Scope]] = {
    "inviteMember": Role.MEMBER.scopes,
    "changeMemberRole": Role.OWNER.scopes,
    "removeMember": Role.OWNER.scopes,
}
"""What must be held beside the scope of an operation, since it gives it to somebody, or takes it."""

ENDLESS = frozenset({"quotaBalance"})
"""Subscriptions that go on until they are left."""


def call_of(field: Root) -> Call:
    """KeyError, in words, for an operation that is not in the table."""
    if field.name not in CALLS:
        raise KeyError(f"say in tests/graphql_calls.py how to call {field.kind} `{field.name}` so that it succeeds")
    return CALLS[field.name]


async def answers(
    house: House, name: str, actor: Actor, variables: Variables, selection: str | None = None
) -> list[dict[str, Any]]:
    """What a client would see: `data` and `errors` of an operation, or of each event of a subscription."""
    field = FIELDS[name]
    document = field.document(variables, selection)
    stream = await house.schema.stream(document, variables, house.context(actor))
    seen = []
    async for answer in stream:
        seen.append({"data": answer.data, "errors": [error.formatted for error in answer.errors or ()]})
        if name in ENDLESS:
            break
    await stream.aclose()
    return seen


def shown(answer: Mapping[str, Any], name: str) -> Any:
    """The operation's own value in an answer."""
    return (answer["data"] or {}).get(name)
