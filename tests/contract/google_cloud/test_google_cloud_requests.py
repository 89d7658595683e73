"""Our requests to Google Cloud equal those of google-genai 3.4.0 (../google_client.py) and of anthropic 2.12.0 for
Claude (sdk_requests.claude_vertex.json), and satisfy the discovery document (request_schemas.json: aiplatform v1,
revision 20261106).

Left out of the comparison for Claude: `anthropic_version`, since we ask for vertex-2023-10-16, which still takes
sampling, and `tool_choice: {"type": "auto"}`, which is the default and not sent.
"""

from dataclasses import replace
from typing import Any

import pytest

from domain.errors import InvalidForm
from domain.model.calls import ChatCall, EmbedCall, EmbedPurpose, Knobs
from domain.model.catalogue import FormValues, ModelType
from infrastructure.providers.outgoing import origin
from infrastructure.providers.registry import ADAPTERS
from infrastructure.providers.spec import Request
from tests.contract import google_client as google
from tests.contract import recordings as rec
from tests.contract.google_cloud.account import FORM, ID, let_in

ADAPTER = ADAPTERS[ID]
HEADERS = ("authorization", "content-type")
CLAUDE = "claude-sonnet-4-5@20250929"
TOOL = rec.weather("Current weather of a city")
CLAUDES = {
    "chat": rec.asking("Hello", system="Be brief."),
    "chat_stream_tool": replace(rec.asking("Weather in Paris?"), tools=(TOOL,)),
}
ADDED = frozenset({"anthropic_version", "tool_choice"})


@pytest.fixture(autouse=True)
def token() -> None:
    let_in()


@pytest.mark.parametrize("name", google.CHATS)
def test_a_chat_request_is_the_sdks(name: str) -> None:
    ours = google.ours(ID, name, FORM, HEADERS)
    assert ours == google.theirs(ID, name, HEADERS)
    rec.valid(ID, "GenerateContentRequest", ours.body)


@pytest.mark.parametrize("name", CLAUDES)
def test_a_request_to_claude_is_the_sdks(name: str) -> None:
    let_in(form := {**FORM, "vertex_anthropic_location": "us-east5"})
    call = replace(CLAUDES[name], knobs=Knobs(max_tokens=64))
    ours = rec.asked(ID, form, CLAUDE, call, stream="stream" in name, headers=HEADERS)
    assert ours.body.pop("anthropic_version") == "vertex-2023-10-16"
    assert ours == rec.recorded(rec.calls(ID, "sdk_requests.claude_vertex.json")[name], without=ADDED, headers=HEADERS)


@pytest.mark.parametrize(
    ("name", "texts", "dimensions"), [("embedding", ("hello",), 256), ("embedding_2", ("hello",), None)]
)
def test_an_embedding_request_is_the_sdks(name: str, texts: tuple[str, ...], dimensions: int | None) -> None:
    model = "gemini-embedding-001" if name == "embedding" else "gemini-embedding-2"
    ours = rec.embedded(ID, FORM, model, EmbedCall(texts, dimensions=dimensions), HEADERS)
    assert ours == google.theirs(ID, name, HEADERS)
    rec.valid(ID, "EmbedContentRequest", ours.body)


def test_an_older_model_embeds_by_predict() -> None:
    call = EmbedCall(("a",), dimensions=256, purpose=EmbedPurpose.QUERY)
    sent = rec.embedded(ID, FORM, "text-embedding-005", call)
    assert sent.path.endswith("/publishers/google/models/text-embedding-005:predict")
    assert sent.body == {
        "instances": [{"content": "a", "task_type": "RETRIEVAL_QUERY"}],
        "parameters": {"outputDimensionality": 256},
    }
    rec.valid(ID, "PredictRequest", sent.body)
    assert "parameters" not in rec.embedded(ID, FORM, "text-embedding-005", EmbedCall(("a",))).body


def test_a_request_carries_one_text() -> None:
    assert ADAPTER.embed
    assert ADAPTER.embed.batch(rec.target(ID, "text-embedding-005", FORM, ModelType.EMBEDDING)) == 1


def test_the_probe_is_the_sdks_count_of_tokens() -> None:
    ours = rec.probed(ID, FORM, HEADERS)
    assert ours == google.theirs(ID, "count_tokens", HEADERS)
    rec.valid(ID, "CountTokensRequest", ours.body)


def rendered(values: FormValues, model: str = google.MODEL, call: ChatCall | None = None) -> Request:
    assert ADAPTER.chat
    return ADAPTER.chat.render(rec.target(ID, model, values), call or rec.asking("x"), stream=False)


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("global", "https://aiplatform.googleapis.com"),
        ("eu", "https://aiplatform.eu.rep.googleapis.com"),
        ("us", "https://aiplatform.us.rep.googleapis.com"),
        ("europe-west4", "https://europe-west4-aiplatform.googleapis.com"),
    ],
)
def test_each_location_has_a_host(location: str, host: str) -> None:
    values = {**FORM, "vertex_location": location}
    assert rendered(values).base == host
    assert origin(ADAPTER, rec.target(ID, "x", values).form) == "https://aiplatform.googleapis.com"


@pytest.mark.parametrize("location", ["evil.example/", "a.b", "US", "-a", "a" * 60, "a@b", "169.254.169.254#"])
def test_no_other_host_can_be_made_of_a_location(location: str) -> None:
    for field in ("vertex_location", "vertex_anthropic_location"):
        with pytest.raises(InvalidForm) as refused:
            rendered({**FORM, field: location}, CLAUDE)
        assert refused.value.problems[0].field == field


def test_a_form_without_location_means_everywhere() -> None:
    values = {name: value for name, value in FORM.items() if name != "vertex_location"}
    assert rendered(values).base == "https://aiplatform.googleapis.com"


def test_models_may_be_elsewhere_than_the_rest() -> None:
    values = {
        **FORM,
        "vertex_anthropic_location": "us-east5",
        "vertex_global_models": "gemini-4-argon, claude-opus-5-5",
    }

    def place(model: str) -> str:
        return rendered(values, model).path.split("/")[4]

    names = ("gemini-3.5-flash", "gemini-4-argon", "claude-sonnet-4-6", "claude-opus-5-5")
    assert [place(name) for name in names] == ["us-central1", "global", "us-east5", "global"]
    assert rendered(FORM, "claude-sonnet-4-6").path.split("/")[4] == "us-central1"


def test_project_and_model_cannot_leave_their_places_in_the_path() -> None:
    form = {**FORM, "vertex_project_id": "../a?b"}
    place = "v1/projects/..%2Fa%3Fb/locations/us-central1"
    assert rendered(form, "..?x#y").path == f"{place}/publishers/google/models/..%3Fx%23y:generateContent"
    assert rendered(form, "claude-/../y").path == f"{place}/endpoints/openapi/chat/completions"


def test_claude_reads_images_and_calls_tools() -> None:
    body: Any = rendered(FORM, CLAUDE, replace(rec.asking(rec.pixel(), "What?"), tools=(TOOL,))).json
    assert [block["type"] for block in body["messages"][0]["content"]] == ["image", "text"]
    assert body["tools"][0]["name"] == "get_weather"
    assert "model" not in body


def test_the_form_asks_for_a_key_that_is_the_tenants_own() -> None:
    with pytest.raises(InvalidForm) as refused:
        ADAPTER.provider().checked({}, ModelType.LLM)
    assert {problem.field for problem in refused.value.problems} == {
        "vertex_project_id",
        "vertex_service_account_key",
    }
