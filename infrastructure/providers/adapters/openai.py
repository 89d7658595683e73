"""OpenAI: its own dialect, with what its reasoning models refuse."""

from dataclasses import replace

from domain.model.calls import ChatCall
from domain.model.catalogue import FormValues, ModelRef, ModelType, ProviderKind, Text
from domain.ports import Target
from infrastructure.providers.dialects import openai_models as names
from infrastructure.providers.dialects.openai import Chat
from infrastructure.providers.dialects.openai_embed import Embed
from infrastructure.providers.dialects.probes import listing, ping
from infrastructure.providers.dialects.refusals import Refusals
from infrastructure.providers.forms import address, at, entered, secret, text
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter, Request

_SAMPLING = frozenset({"temperature", "top_p", "presence_penalty", "frequency_penalty"})
_LIST = listing("models")


class OpenAIChat(Chat):
    """/chat/completions for every model; /responses, which the pro models need, is not spoken.

    From GPT-5.6 on, that endpoint takes function tools only with `reasoning_effort` "none", so tools switch reasoning
    off there, and sampling is then accepted.
    """

    def suited(self, target: Target, call: ChatCall) -> Chat:
        name = target.model.name
        if not names.reasons(name):
            return self
        silent = bool(call.tools) and names.reasons_or_calls_tools(name)
        refused = frozenset() if silent else _SAMPLING
        if names.takes_no_stop(name):
            refused |= {"stop"}
        extras = {"reasoning_effort": "none"} if silent else {}
        return replace(self, max_tokens="max_completion_tokens", refused=refused, extras=extras)


CHAT = OpenAIChat()


def probe(target: Target | None, form: FormValues) -> Request:
    """The list of models; or a chat with `validate_model`, for a key that may not list them."""
    model = entered(form, "validate_model")
    if not model:
        return _LIST(target, form)
    return CHAT.render(Target(ModelRef("openai", model, ModelType.LLM), form), ping(20), stream=False)


ADAPTER = Adapter(
    id="openai",
    label=Text("OpenAI"),
    kind=ProviderKind.PROPRIETARY,
    form=(
        secret("openai_api_key"),
        text("openai_organization", Text("Organization", "組織 ID", "组织 ID")),
        address(
            "openai_api_base", Text("API base URL", "API ベース URL", "API 地址"), default="https://api.openai.com"
        ),
        text("validate_model", Text("Model to validate with", "検証に使うモデル", "用于验证的模型")),
    ),
    base_url=at("openai_api_base", "https://api.openai.com", end="/v1"),
    sign=bearer("openai_api_key", also={"OpenAI-Organization": "openai_organization"}),
    probe=probe,
    error=Refusals(),
    key_page="https://platform.openai.com/account/api-keys",
    chat=CHAT,
    embed=Embed(),
)
