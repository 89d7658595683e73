"""A form per vendor, with the key that its recordings were made with."""

from collections.abc import Mapping

from domain.model.catalogue import FormValues

FORMS: Mapping[str, FormValues] = {
    "openai": {"openai_api_key": "sk-dummy", "openai_organization": "org-dummy"},
    "anthropic": {"anthropic_api_key": "sk-ant-dummy"},
    "gemini": {"google_api_key": "AIza-dummy"},
    "nvidia_api_catalog": {"api_key": "<key>"},
    "nvidia_nim": {"endpoint_url": "http://127.0.0.1:8000", "api_key": "<key>"},
    "openrouter": {"api_key": "sk-or-v1-dummy"},
    "together_ai": {"api_key": "dummy"},
    "ollama": {"base_url": "http://127.0.0.1:11434", "api_key": "<key>"},
    "mistral_ai": {"api_key": "dummy"},
    "groqcloud": {"api_key": "gsk_dummy"},
    "moonshot_ai": {"api_key": "sk-fake"},
    "stepfun": {"api_key": "sk-fake"},
    "deepseek": {"api_key": "sk-dummy"},
    "siliconflow": {"api_key": "sk-fake"},
    "localai": {"server_url": "http://127.0.0.1:8080", "api_key": "<key>"},
    "openai_api_compatible": {"endpoint_url": "http://127.0.0.1:8000/v1", "api_key": "<key>"},
    "perfxcloud": {"api_key": "<key>"},
    "novita_ai": {"api_key": "<key>"},
    "gpustack": {"endpoint_url": "http://127.0.0.1:8000", "api_key": "<key>"},
}
