"""A form per vendor, with the key that its recordings were made with."""

from collections.abc import Mapping

from domain.model.catalogue import FormValues

FORMS: Mapping[str, FormValues] = {
    "openai": {"openai_api_key": "sk-dummy", "openai_organization": "org-dummy"},
    "anthropic": {"anthropic_api_key": "sk-ant-dummy"},
    "azure_openai": {
        "openai_api_base": "https://r.openai.azure.com",
        "openai_api_key": "dummy",
        "openai_api_version": "2024-10-21",
    },
    "gemini": {"google_api_key": "AIza-dummy"},
    "nvidia_api_catalog": {"api_key": "<key>"},
    "nvidia_nim": {"endpoint_url": "http://127.0.0.1:8000", "api_key": "<key>"},
    "nvidia_triton": {"server_url": "http://127.0.0.1:8000"},
    "openrouter": {"api_key": "sk-or-v1-dummy"},
    "cohere": {"api_key": "dummy"},
    "together_ai": {"api_key": "dummy"},
    "ollama": {"base_url": "http://127.0.0.1:11434", "api_key": "<key>"},
    "mistral_ai": {"api_key": "dummy"},
    "groqcloud": {"api_key": "gsk_dummy"},
    "replicate": {"replicate_api_token": "<key>"},
    "hugging_face": {"huggingfacehub_api_token": "<key>"},
    "xinference": {"server_url": "http://127.0.0.1:9997", "api_key": "<key>"},
    "zhipu_ai": {"api_key": "fakeid.fakesecret"},
    "minimax": {"minimax_api_key": "<key>"},
    "tongyi": {"dashscope_api_key": "sk-fake"},
    "moonshot_ai": {"api_key": "sk-fake"},
    "stepfun": {"api_key": "sk-fake"},
    "deepseek": {"api_key": "sk-dummy"},
    "siliconflow": {"api_key": "sk-fake"},
    "jina_ai": {"api_key": "jina_dummy"},
    "chatglm": {"api_base": "http://127.0.0.1:8000", "api_key": "<key>"},
    "openllm": {"server_url": "http://127.0.0.1:3000", "api_key": "<key>"},
    "localai": {"server_url": "http://127.0.0.1:8080", "api_key": "<key>"},
    "openai_api_compatible": {"endpoint_url": "http://127.0.0.1:8000/v1", "api_key": "<key>"},
    "perfxcloud": {"api_key": "<key>"},
    "lepton_ai": {"api_key": "<key>", "endpoint_url": "https://llama3-1-8b.lepton.run/api/v1"},
    "novita_ai": {"api_key": "<key>"},
    "text_embedding_inference": {"server_url": "http://127.0.0.1:8080", "api_key": "<key>"},
    "baichuan": {"api_key": "<key>"},
    "tencent_hunyuan": {"api_key": "<key>"},
    "gpustack": {"endpoint_url": "http://127.0.0.1:8000", "api_key": "<key>"},
}
