"""Vendors that serve OpenAI's chat: requests as its client, which their documentation uses, sends them (each one's
sdk_requests.json) and as its OpenAPI wants them; answers in the shape of its reference, thoughts by either name: one of
llama.cpp's, recorded, and the example of vLLM's guide (docs/features/reasoning_outputs.md of vllm-project/vllm at
00256d5).
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
HOSTED = ("gpustack", "hugging_face", "lepton_ai", "localai", "openai_api_compatible", "openllm", "xinference")
THOUGHT = rec.exchanges("openai_api_compatible", "recorded_real_llamacpp_reasoning.json")
VLLM = {
    "id": "chatcmpl-123",
    "object": "chat.completion.chunk",
    "created": 1694268190,
    "model": "deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B",
    "system_fingerprint": "fp_44709d6fcb",
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


@pytest.mark.parametrize("provider", HOSTED)
def test_the_thoughts_of_a_real_model_are_kept_apart_whole_and_streamed(provider: str) -> None:
    whole = rec.answered(provider, THOUGHT["thinking"]["json"])
    streamed = rec.split_in_all_ways(provider, THOUGHT["thinking_stream"]["text"])
    assert (whole.reasoning.strip(), whole.text) == ("It is a greeting.", "Hello!")
    assert (streamed.reasoning.strip(), streamed.text) == ("It is a greeting.", "Hello!")
    assert whole.usage.output == streamed.usage.output == 43


@pytest.mark.parametrize("also", [{}, {"reasoning_content": "is"}], ids=["today", "for a while, by both names"])
@pytest.mark.parametrize("provider", HOSTED)
def test_the_thoughts_of_vllms_guide_are_read_once(provider: str, also: dict[str, str]) -> None:
    thought = {"role": "assistant", "reasoning": "is", **also}
    thinking = {**VLLM, "choices": [{"index": 0, "delta": thought, "logprobs": None, "finish_reason": None}]}
    told = {**VLLM, "choices": [{"index": 0, "delta": {"content": "9.8"}, "logprobs": None, "finish_reason": "stop"}]}
    answer = rec.streamed(provider, rec.events(thinking, told))
    assert (answer.reasoning, answer.text) == ("is", "9.8")


@pytest.mark.parametrize("provider", CALLING)
def test_a_tool_call_is_read_whole_and_streamed(provider: str) -> None:
    answer = client.told(provider, client.CALLING, "tool_calls")
    assert [(c.id, c.name, c.arguments) for c in answer.tool_calls] == [("call_1", "get_weather", '{"city":"Tokyo"}')]
    assert answer.finish.unified is Finish.TOOL_CALLS
