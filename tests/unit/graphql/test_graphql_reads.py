"""What a tenant can read through the schema, and that another tenant's things read like unknown ones."""

import pytest

from api.graphql.ids import node_id
from domain.model.access import Scope
from domain.model.tokens import Kind, parse
from tests.graphql_house import House

EVERYWHERE = "query Node($id: ID!) { node(id: $id) { __typename id } }"


async def test_the_viewer_is_told_who_it_is_and_until_when() -> None:
    house = House()
    actor = house.actor(Scope.TENANT_READ)
    viewer = (await house.data("{ viewer { clientId scopes tokenExpiresAt tenant { name } } }", actor))["viewer"]
    assert viewer["scopes"] == ["tenant:read"]
    assert viewer["tenant"] == {"name": "Tenant 1"}
    assert viewer["tokenExpiresAt"] == actor.expires_at.isoformat()
    parsed = parse(Kind.CLIENT_ID, viewer["clientId"])
    assert parsed is not None
    assert parsed.rest == actor.client_id.bytes


async def test_providers_come_in_the_catalogues_order_with_form_and_models() -> None:
    house = House()
    await house.credential(1)
    document = """{ providers { nodes {
      name kind types configured preferredSource keyPage label(language: JA)
      form { name label kind required default options forTypes maxLength }
      models { nodes { name type features context price { input per currency } status } } } } }"""
    acme, home = (await house.data(document))["providers"]["nodes"]
    assert (acme["name"], acme["label"], acme["types"]) == ("acme", "アクメ", ["LLM", "EMBEDDING"])
    assert (acme["configured"], acme["preferredSource"]) == (True, "OWN")
    assert acme["form"][0] == {
        "name": "api_key",
        "label": "API key",
        "kind": "SECRET",
        "required": True,
        "default": None,
        "options": [],
        "forTypes": [],
        "maxLength": 16384,
    }
    writer = acme["models"]["nodes"][0]
    assert writer["features"] == ["TOOLS", "VISION", "STRUCTURED_OUTPUT"]
    assert writer["price"] == {"input": "0.15", "per": 1_000_000, "currency": "USD"}
    assert writer["status"] == "ACTIVE"
    assert (home["name"], home["label"], home["configured"]) == ("home", "Home", False)
    assert home["models"]["nodes"] == []


@pytest.mark.parametrize("name", ["acme", node_id("Provider", "acme")])
async def test_a_provider_is_found_by_its_own_name_and_by_its_global_id(name: str) -> None:
    data = await House().data("query P($id: ID!) { provider(id: $id) { name } }", None, id=name)
    assert data == {"provider": {"name": "acme"}}


async def test_an_unknown_provider_is_null() -> None:
    assert await House().data('{ provider(id: "nobody") { name } }') == {"provider": None}


async def test_models_can_be_narrowed_to_a_type_and_a_provider() -> None:
    document = "query M($t: ModelType, $p: String) { models(type: $t, provider: $p) { nodes { name } } }"
    house = House()
    embedding = await house.data(document, None, t="EMBEDDING")
    elsewhere = await house.data(document, None, p="home")
    assert [m["name"] for m in embedding["models"]["nodes"]] == ["vectors"]
    assert elsewhere["models"]["nodes"] == []


async def test_there_is_a_default_for_every_type_or_a_reason_why_not() -> None:
    defaults = (await House().data("{ defaultModels { type automatic reason model { name } } }"))["defaultModels"]
    assert defaults[0] == {"type": "LLM", "automatic": True, "reason": None, "model": {"name": "writer:7b"}}
    assert defaults[2]["model"] is None
    assert defaults[2]["reason"] == "no model of this type is usable"
    assert len(defaults) == 5


async def test_quotas_may_be_larger_than_32_bits() -> None:
    document = "{ quotas { nodes { kind provider unit granted used held free } } }"
    quotas = (await House().data(document))["quotas"]["nodes"]
    free = 2**40 - 5
    expected = {"kind": "TRIAL", "provider": "acme", "unit": "CALLS", "granted": 2**40, "used": 5, "held": 0}
    assert quotas == [expected | {"free": free}]


async def test_credentials_show_their_secrets_masked() -> None:
    house = House()
    await house.credential(7)
    document = "{ credentials { nodes { id name endpoint version fields { name value secret } } } }"
    (shown,) = (await house.data(document))["credentials"]["nodes"]
    assert shown["fields"] == [
        {"name": "base", "value": "https://acme.example", "secret": False},
        {"name": "api_key", "value": "••••abcd", "secret": True},
    ]


async def test_everything_with_an_id_can_be_fetched_by_it() -> None:
    house = House()
    await house.credential(7)
    document = """{ viewer { id } tenant { id } providers { nodes { id } } models { nodes { id } }
      quotas { nodes { id } } credentials { nodes { id } } }"""
    found = await house.data(document)
    lists = (found[name]["nodes"] for name in ("providers", "models", "quotas", "credentials"))
    ids = [found["viewer"]["id"], found["tenant"]["id"], *(node["id"] for nodes in lists for node in nodes)]
    fetched = await house.data("query All($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }", None, ids=ids)
    assert [node["id"] for node in fetched["nodes"]] == ids
    kinds = {"Viewer", "Tenant", "Provider", "Model", "Quota", "Credential"}
    assert {node["__typename"] for node in fetched["nodes"]} == kinds


async def test_anothers_things_read_like_unknown_ones() -> None:
    house = House()
    foreign = await house.credential(7, tenant=2)
    other = house.actor(tenant=2)
    seen = await house.data("{ viewer { id } tenant { id } quotas { nodes { id } } }", other)
    ids = [
        node_id("Credential", foreign.id),
        seen["viewer"]["id"],
        seen["tenant"]["id"],
        seen["quotas"]["nodes"][0]["id"],
        node_id("Credential", "00000000-0000-0000-0000-00000000ffff"),
        node_id("Model", "llm:acme:unknown"),
        node_id("Model", "nonsense"),
        node_id("Provider", "unknown"),
        node_id("Secret", "x"),
        "not an id",
        "",
    ]
    for each in ids:
        assert await house.data(EVERYWHERE, None, id=each) == {"node": None}
    assert (await house.data(EVERYWHERE, other, id=ids[0]))["node"] is not None


async def test_more_ids_than_a_page_holds_are_refused() -> None:
    document = "query All($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    assert await House().codes(document, None, ids=["x"] * 101) == ["INVALID_RANGE"]


@pytest.mark.parametrize(
    ("document", "needs"),
    [
        ("{ tenant { name } }", Scope.TENANT_READ),
        ("{ viewer { tenant { name } } }", Scope.TENANT_READ),
        ("{ providers { nodes { name } } }", Scope.PROVIDERS_READ),
        ('{ provider(id: "acme") { name } }', Scope.PROVIDERS_READ),
        ("{ models { nodes { name } } }", Scope.PROVIDERS_READ),
        ("{ defaultModels { type } }", Scope.PROVIDERS_READ),
        ("{ quotas { nodes { id } } }", Scope.QUOTAS_READ),
        ("{ credentials { nodes { id } } }", Scope.CREDENTIALS_READ),
    ],
)
async def test_reading_needs_its_scope_and_no_other(document: str, needs: Scope) -> None:
    house = House()
    result = await house.run(document, house.actor(*(set(Scope) - {needs})))
    assert result.errors is not None
    assert result.errors[0].extensions == {"code": "FORBIDDEN", "needs": needs}
    await house.data(document, house.actor(needs))
