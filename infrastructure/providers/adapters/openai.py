"""OpenAI: its own dialect, over /chat/completions and /responses, and its audio."""

from dataclasses import replace
from typing import Self

from domain.errors import CredentialRejected, ModelNotFoundUpstream
from domain.model.catalogue import FormValues, ProviderKind
from domain.model.labels import Text
from domain.ports import Target
from infrastructure.providers.catalogue.refusals import refusals
from infrastructure.providers.dialects.model_lists import Models
from infrastructure.providers.dialects.openai_audio import Speak, Transcribe
from infrastructure.providers.dialects.openai_embed import Embed
from infrastructure.providers.dialects.openai_home import COMPLETIONS, PROTOCOL, RESPONSES, HomeChat
from infrastructure.providers.dialects.openai_reasoning import ReasoningChat
from infrastructure.providers.dialects.openai_responses import Responses
from infrastructure.providers.dialects.probes import chatting, listing, refusing
from infrastructure.providers.forms import address, at, choice, entered, secret, text, trial_model
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter, Request

_HOME = "https://api.openai.com"
_REFUSALS = refusals("openai")
_CHAT = HomeChat(ReasoningChat(refusals=_REFUSALS), Responses(_REFUSALS))
_LIST = listing("models")
_TRIAL = chatting(_CHAT, "openai", "validate_model", 20)

# A restricted key that may not list models is answered 403, and 401 at times (microsoft/PowerToys#32989).
_UNLISTED = refusing(CredentialRejected, words="missing scopes")
# A key of a project that may use other models than the one it is tried with.
_UNTRIED = refusing(ModelNotFoundUpstream, status=403)


def probe(target: Target | None, form: FormValues) -> Request:
    """The list of models; or a chat with `validate_model`, for a key that may not list them."""
    return _TRIAL(target, form) if entered(form, "validate_model") else _LIST(target, form)


class _Transcribe(Transcribe):
    def suited(self, target: Target) -> Self:
        """The model that tells speakers apart takes no prompt, and is only heard through under this strategy."""
        if not target.model.name.endswith("-diarize"):
            return self
        return replace(
            self,
            response_format="diarized_json",
            refused=frozenset({"prompt"}),
            extras={"chunking_strategy": "auto"},
        )


ADAPTER = Adapter(
    id="openai",
    kind=ProviderKind.PROPRIETARY,
    form=(
        secret("openai_api_key"),
        text("openai_organization", Text("Organization", "組織 ID", "组织 ID")),
        address("openai_api_base", Text("API base URL", "API ベース URL", "API 地址"), default=_HOME),
        trial_model(),
        choice(PROTOCOL, Text("API protocol", "API プロトコル", "API 协议"), RESPONSES, COMPLETIONS),
    ),
    base_url=at("openai_api_base", _HOME, end="/v1"),
    sign=bearer("openai_api_key", also={"OpenAI-Organization": "openai_organization"}),
    probe=probe,
    error=_REFUSALS,
    chat=_CHAT,
    embed=Embed(),
    transcribe=_Transcribe(),
    speak=Speak(),
    models=Models(),
    proves=lambda failure: _UNLISTED(failure) or _UNTRIED(failure),
)
