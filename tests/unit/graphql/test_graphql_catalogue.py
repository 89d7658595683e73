"""The catalogue as a settings page draws it: every fact of providers, forms and models, searched and filtered."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from api.graphql.icons import monogram
from domain.model.catalogue import (
    Catalogue,
    Feature,
    FieldKind,
    FormField,
    Limits,
    Model,
    ModelRef,
    ModelType,
    Price,
    Voice,
)
from domain.model.labels import Text
from domain.model.parameters import ParameterKind, ParameterRule
from tests.graphql_house import ACME, HOME, House

WRITER = replace(
    ACME.models[0],
    parameters=(
        ParameterRule(
            "temperature",
            Text("Temperature", "温度", "温度"),
            ParameterKind.FLOAT,
            default=0.5,
            min=0,
            max=1.5,
            precision=2,
            help=Text("Freedom", "自由度"),
        ),
        ParameterRule("effort", Text("Effort"), ParameterKind.STRING, required=True, options=("low", "high")),
        ParameterRule("think", Text("Think"), ParameterKind.BOOLEAN, default=False),
    ),
)
SPEAKER = Model(
    ModelRef("acme", "speaker", ModelType.TEXT_TO_SPEECH),
    Text("Speaker", "話し手", "朗读者"),
    frozenset({Feature.STREAMING}),
    price=Price(Decimal(15), None, 1_000_000, "USD"),
    limits=Limits(characters=4096, formats=("mp3", "wav")),
    voices=(
        Voice("v1", Text("One", "一番"), ("ja", "zh-Hans")),
        Voice("v2", Text("Two"), ("en-US",)),
        Voice("v3", Text("Any")),
    ),
)
LISTENER = Model(
    ModelRef("acme", "listener", ModelType.SPEECH_TO_TEXT),
    Text("Listener"),
    price=Price(Decimal("0.006"), None, 60, "USD"),
    limits=Limits(bytes=2**32),
)
OLD = Model(
    ModelRef("acme", "old", ModelType.LLM), Text("Old"), retires=date(2026, 1, 1), successor="scribe", deprecated=True
)
SHOP = replace(
    ACME,
    description=Text("Doors and keys.", "扉と鍵。"),
    lists_models=True,
    form=(*ACME.form, FormField("pace", Text("Pace"), FieldKind.TEXT, shown_when={"mode": "slow"})),
    models=(WRITER, *ACME.models[1:], SPEAKER, LISTENER, OLD),
)
HOUSE = House(catalogue=Catalogue((SHOP, HOME)))
MODELS = """query M($search: String, $type: ModelType, $features: [Feature!], $status: ModelStatus,
    $deprecated: Boolean! = false, $provider: String) {
  models(search: $search, type: $type, features: $features, status: $status, deprecated: $deprecated,
    provider: $provider) { nodes { name } } }"""
WITHIN = """query W($search: String, $type: ModelType, $features: [Feature!], $status: ModelStatus,
    $deprecated: Boolean! = false) {
  provider(id: "acme") { models(search: $search, type: $type, features: $features, status: $status,
    deprecated: $deprecated) { nodes { name } } } }"""


async def model(name: str, fields: str) -> dict[str, Any]:
    document = f'{{ models(search: "{name}", deprecated: true) {{ nodes {{ {fields} }} }} }}'
    (found,) = (await HOUSE.data(document))["models"]["nodes"]
    return dict(found)


async def test_a_provider_says_what_it_offers_and_where_to_find_help() -> None:
    fields = "description ja: description(language: JA) zh: description(language: ZH) icon helpUrl keyPage listsModels"
    shown = (await HOUSE.data(f'{{ provider(id: "acme") {{ {fields} }} }}'))["provider"]
    assert shown == {
        "description": "Doors and keys.",
        "ja": "扉と鍵。",
        "zh": "Doors and keys.",
        "icon": monogram("Acme"),
        "helpUrl": "https://acme.example/keys",
        "keyPage": "https://acme.example/keys",
        "listsModels": True,
    }
    bare = (await HOUSE.data('{ provider(id: "home") { description helpUrl listsModels } }'))["provider"]
    assert bare == {"description": None, "helpUrl": None, "listsModels": False}


async def test_a_form_tells_when_a_field_is_shown() -> None:
    data = await HOUSE.data('{ provider(id: "acme") { form { name shownWhen { field value } } } }')
    conditions = {field["name"]: field["shownWhen"] for field in data["provider"]["form"]}
    assert conditions["pace"] == [{"field": "mode", "value": "slow"}]
    assert conditions["mode"] == []


async def test_a_form_can_be_had_for_one_type_of_model() -> None:
    only = FormField("size", Text("Size"), FieldKind.INTEGER, for_types=frozenset({ModelType.EMBEDDING}))
    house = House(catalogue=Catalogue((replace(HOME, form=(*HOME.form, only)),)))
    for kind, names in (("LLM", ["address"]), ("EMBEDDING", ["address", "size"]), (None, ["address", "size"])):
        document = 'query F($t: ModelType) { provider(id: "home") { form(type: $t) { name } } }'
        form = (await house.data(document, None, t=kind))["provider"]["form"]
        assert [field["name"] for field in form] == names


async def test_rules_of_parameters_are_drawn_whole() -> None:
    fields = "name label(language: JA) help(language: JA) kind required default min max precision options"
    rules = (await model("writer", f"parameters {{ {fields} }}"))["parameters"]
    assert rules[0] == {
        "name": "temperature",
        "label": "温度",
        "help": "自由度",
        "kind": "FLOAT",
        "required": False,
        "default": 0.5,
        "min": 0.0,
        "max": 1.5,
        "precision": 2,
        "options": [],
    }
    assert (rules[1]["options"], rules[1]["required"], rules[1]["default"]) == (["low", "high"], True, None)
    assert (rules[2]["default"], rules[2]["help"]) == (False, None)


async def test_voices_are_told_by_label_and_by_the_language_they_speak() -> None:
    spoken = await model(
        "speaker", 'voices { id label(language: JA) languages } zh: voices(speaking: "zh-Hans-CN") { id }'
    )
    assert spoken["voices"][0] == {"id": "v1", "label": "一番", "languages": ["ja", "zh-Hans"]}
    assert [voice["id"] for voice in spoken["zh"]] == ["v1", "v3"]


@pytest.mark.parametrize(("tag", "ids"), [("en", "v2 v3"), ("EN-us", "v2 v3"), ("e", "v3"), ("zh", "v1 v3")])
async def test_a_language_is_met_by_its_subtags(tag: str, ids: str) -> None:
    spoken = await model("speaker", f'voices(speaking: "{tag}") {{ id }}')
    assert " ".join(voice["id"] for voice in spoken["voices"]) == ids


async def test_limits_and_prices_are_in_the_units_of_the_type() -> None:
    fields = "limits { texts characters bytes formats } price { input per unit currency } deprecated custom"
    speaker, listener = await model("speaker", fields), await model("listener", fields)
    assert speaker["limits"] == {"texts": None, "characters": 4096, "bytes": None, "formats": ["mp3", "wav"]}
    assert speaker["price"] == {"input": "15", "per": 1_000_000, "unit": "CHARACTERS", "currency": "USD"}
    assert listener["limits"]["bytes"] == 2**32
    assert (listener["price"]["unit"], listener["price"]["per"]) == ("SECONDS", 60)
    assert (await model("writer", "price { unit }"))["price"] == {"unit": "TOKENS"}
    assert (listener["deprecated"], listener["custom"]) == (False, False)


async def test_a_deprecated_model_is_listed_only_when_asked_for_and_names_its_successor() -> None:
    listed = (await HOUSE.data(MODELS))["models"]["nodes"]
    assert {"name": "old"} not in listed
    assert await model("old", "deprecated retires successor") == {
        "deprecated": True,
        "retires": "2026-01-01",
        "successor": "scribe",
    }


async def test_a_hosted_model_is_the_tenants_own() -> None:
    house = House(catalogue=Catalogue((SHOP, HOME)))
    row = replace(await house.credential(3), provider="home", model=ModelRef("home", "mine", ModelType.LLM))
    rows = house.store.rows[row.tenant_id]
    rows.credentials[row.id] = (row, rows.credentials[row.id][1])
    shown = (await house.data('{ models(provider: "home") { nodes { name custom features status } } }'))["models"]
    assert shown["nodes"] == [{"name": "mine", "custom": True, "features": ["STREAMING"], "status": "ACTIVE"}]


FILTERS: list[tuple[dict[str, Any], str]] = [
    ({}, "writer:7b scribe vectors speaker listener"),
    ({"deprecated": True}, "writer:7b scribe vectors speaker listener old"),
    ({"search": "WRITE"}, "writer:7b"),
    ({"search": "er acme"}, "writer:7b speaker listener"),
    ({"search": "acme/scr"}, "scribe"),
    ({"search": "朗读"}, "speaker"),
    ({"search": "ＳＰＥＡＫ"}, "speaker"),
    ({"search": "writer scribe"}, ""),
    ({"search": None}, "writer:7b scribe vectors speaker listener"),
    ({"search": "   "}, "writer:7b scribe vectors speaker listener"),
    ({"type": "LLM"}, "writer:7b scribe"),
    ({"type": "TEXT_TO_SPEECH"}, "speaker"),
    ({"features": ["TOOLS"]}, "writer:7b"),
    ({"features": ["VISION", "TOOLS"]}, "writer:7b"),
    ({"features": ["STREAMING", "TOOLS"]}, ""),
    ({"features": []}, "writer:7b scribe vectors speaker listener"),
    ({"status": "ACTIVE"}, "writer:7b scribe vectors"),
    ({"status": "NOT_PERMITTED"}, "speaker listener"),
    ({"status": "NOT_PERMITTED", "deprecated": True, "type": "LLM"}, "old"),
]


@pytest.mark.parametrize(("filters", "names"), FILTERS)
async def test_models_are_searched_and_filtered(filters: dict[str, Any], names: str) -> None:
    everywhere = (await HOUSE.data(MODELS, None, **filters))["models"]["nodes"]
    within = (await HOUSE.data(WITHIN, None, **filters))["provider"]["models"]["nodes"]
    assert " ".join(node["name"] for node in everywhere) == names
    assert within == everywhere


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({}, "acme home"),
        ({"search": "アクメ"}, "acme"),
        ({"search": "HOM"}, "home"),
        ({"search": "nobody"}, ""),
        ({"type": "EMBEDDING"}, "acme"),
        ({"configured": True}, "acme"),
        ({"configured": False}, "home"),
        ({"configured": True, "search": "home"}, ""),
    ],
)
async def test_providers_are_searched_and_filtered(filters: dict[str, Any], names: str) -> None:
    house = House(catalogue=Catalogue((SHOP, HOME)))
    await house.credential(1)
    document = """query P($search: String, $type: ModelType, $configured: Boolean) {
      providers(search: $search, type: $type, configured: $configured) { nodes { name } } }"""
    found = (await house.data(document, None, **filters))["providers"]["nodes"]
    assert " ".join(node["name"] for node in found) == names


@pytest.mark.parametrize(
    "document", [MODELS, WITHIN, "query($search: String) { providers(search: $search) { nodes { id } } }"]
)
async def test_a_search_is_bounded(document: str) -> None:
    assert await HOUSE.codes(document, None, search="x" * 101) == ["INVALID_RANGE"]


PAGED = [
    ("models", "search", "String", ["e", "er"]),
    ("models", "type", "ModelType", ["LLM", None]),
    ("models", "provider", "String", ["acme", None]),
    ("models", "features", "[Feature!]", [[], ["TOOLS"]]),
    ("models", "status", "ModelStatus", ["ACTIVE", None]),
    ("models", "deprecated", "Boolean!", [True, False]),
    ("providers", "search", "String", ["m", "me"]),
    ("providers", "type", "ModelType", ["LLM", None]),
    ("providers", "configured", "Boolean", [False, None]),
]


@pytest.mark.parametrize(("field", "filter_", "kind", "values"), PAGED)
async def test_a_cursor_is_good_for_its_filter_alone(field: str, filter_: str, kind: str, values: list[Any]) -> None:
    document = f"""query P($after: String, $filter: {kind}) {{ {field}(first: 1, after: $after, {filter_}: $filter) {{
      nodes {{ id }} pageInfo {{ endCursor }} }} }}"""
    one, other = values
    cursor = (await HOUSE.data(document, None, filter=one))[field]["pageInfo"]["endCursor"]
    await HOUSE.data(document, None, filter=one, after=cursor)
    assert await HOUSE.codes(document, None, filter=other, after=cursor) == ["INVALID_RANGE"]


async def test_a_cursor_does_not_mind_the_order_of_features() -> None:
    document = """query P($after: String, $f: [Feature!]) {
      models(first: 1, after: $after, features: $f) { pageInfo { endCursor } } }"""
    cursor = (await HOUSE.data(document, None, f=["TOOLS", "VISION"]))["models"]["pageInfo"]["endCursor"]
    await HOUSE.data(document, None, f=["VISION", "TOOLS"], after=cursor)
