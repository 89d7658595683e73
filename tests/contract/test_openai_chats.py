"""Vendors that serve OpenAI's chat: requests as its client, which their documentation uses, sends them (each one's
sdk_requests.json) and as its OpenAPI wants them; answers in the shape of its reference, thoughts by either name.
"""

import pytest

from domain.model.events import Finish
from tests.contract import openai_client as client
from tests.contract import recordings as rec
from tests.contract.credentials import FORMS

RECORDED = (
    "gpustack",
    "lepton_ai",
    "localai",
    "nvidia_api_catalog",
    "nvidia_nim",
    "openai_api_compatible",
    "openllm",
    "tencent_hunyuan",
)
THINKING = {
    "reasoning_content": (
        "azure_ai_studio",
        "azure_openai",
        "gpustack",
        "hugging_face",
        "lepton_ai",
        "nvidia_api_catalog",
        "nvidia_nim",
        "openllm",
        "xinference",
    ),
    "reasoning": (
        "azure_ai_studio",
        "gpustack",
        "hugging_face",
        "lepton_ai",
        "localai",
        "nvidia_nim",
        "openllm",
    ),
}
CALLING = ("lepton_ai", "localai", "nvidia_api_catalog", "nvidia_nim", "openllm")


@pytest.mark.parametrize("name", client.CHATS)
@pytest.mark.parametrize("provider", RECORDED)
def test_a_chat_request_is_the_clients(provider: str, name: str) -> None:
    ours = client.chat(provider, name, FORMS[provider])
    assert ours == client.theirs(provider, name)
    rec.valid("openai", "CreateChatCompletionRequest", ours.body)


@pytest.mark.parametrize(("field", "provider"), [(f, p) for f, vendors in THINKING.items() for p in vendors])
def test_reasoning_is_kept_apart_whole_and_streamed(provider: str, field: str) -> None:
    answer = client.told(provider, {field: "Let me think.", "content": "Sunny."})
    assert (answer.reasoning, answer.text) == ("Let me think.", "Sunny.")
    assert (answer.usage.input, answer.usage.output) == (9, 20)


@pytest.mark.parametrize("provider", CALLING)
def test_a_tool_call_is_read_whole_and_streamed(provider: str) -> None:
    answer = client.told(provider, client.CALLING, "tool_calls")
    assert [(c.id, c.name, c.arguments) for c in answer.tool_calls] == [("call_1", "get_weather", '{"city":"Tokyo"}')]
    assert answer.finish.unified is Finish.TOOL_CALLS
