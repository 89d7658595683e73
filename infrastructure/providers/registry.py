"""Which vendors there are. Adding one touches its adapter, its rows, its fixtures, and one name here."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib import import_module
from pathlib import Path

from domain.model.catalogue import Catalogue, Provider
from domain.model.quota import Trial
from infrastructure.providers import adapters
from infrastructure.providers.catalogue import rows
from infrastructure.providers.catalogue import trials as trial_file
from infrastructure.providers.catalogue.vendors import shown
from infrastructure.providers.spec import Adapter

_VENDORS = (
    "openai",
    "anthropic",
    "azure_openai",
    "gemini",
    "google_cloud",
    "nvidia_api_catalog",
    "nvidia_nim",
    "nvidia_triton",
    "aws_bedrock",
    "openrouter",
    "cohere",
    "together_ai",
    "ollama",
    "mistral_ai",
    "groqcloud",
    "replicate",
    "hugging_face",
    "xinference",
    "zhipu_ai",
    "baichuan",
    "spark",
    "minimax",
    "tongyi",
    "wenxin",
    "moonshot_ai",
    "tencent_cloud",
    "stepfun",
    "volcengine",
    "yi_01ai",
    "zhinao_360",
    "azure_ai_studio",
    "deepseek",
    "tencent_hunyuan",
    "siliconflow",
    "jina_ai",
    "chatglm",
    "openllm",
    "localai",
    "openai_api_compatible",
    "perfxcloud",
    "lepton_ai",
    "novita_ai",
    "amazon_sagemaker",
    "text_embedding_inference",
    "gpustack",
)

ADAPTERS: Mapping[str, Adapter] = {name: import_module(f"{adapters.__name__}.{name}").ADAPTER for name in _VENDORS}
"""By id, in the order in which they are shown."""


@cache
def catalogue() -> Catalogue:
    """Every vendor as tenants see it, with its model rows."""
    return Catalogue(tuple(map(_provider, ADAPTERS)))


@cache
def trials(file: Path = trial_file.FILE) -> Mapping[str, Trial]:
    """The trials on the platform's keys, by provider, or over all of them. ValueError or OSError for a bad file."""
    return trial_file.trials(catalogue(), file)


def _provider(name: str) -> Provider:
    """Rows of a type that the adapter does not speak are not offered."""
    adapter = ADAPTERS[name]
    models = tuple(row for row in rows.rows(name) if row.ref.type in adapter.types)
    about = shown()[name]
    return replace(adapter.provider(models), label=about.label, description=about.description, key_page=about.key_page)
