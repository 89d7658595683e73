"""The cheapest real calls that prove a credential."""

from collections.abc import Callable, Mapping

from domain.errors import InvalidRange
from domain.model.calls import ChatCall, EmbedCall, Knobs, Message, Role, TextPart
from domain.model.catalogue import FormValues, ModelRef, ModelType
from domain.ports import Target
from infrastructure.providers.spec import ChatDialect, EmbedDialect, Request

Probe = Callable[[Target | None, FormValues], Request]


def ping(tokens: int) -> ChatCall:
    """One word, and room for at most `tokens` in answer."""
    return ChatCall((Message(Role.USER, (TextPart("ping"),)),), knobs=Knobs(max_tokens=tokens))


def listing(path: str, query: Mapping[str, str] | None = None) -> Probe:
    """GET the list of models, which is free of charge."""
    request = Request(path, method="GET", query=query or {})
    return lambda target, form: request  # noqa: ARG005 - the same for every form


def chatting(chat: ChatDialect, provider: str, field: str, tokens: int) -> Probe:
    """Chat with the model that the form names in `field`."""

    def probe(target: Target | None, form: FormValues) -> Request:  # noqa: ARG001 - one key reaches all models
        return chat.render(
            Target(ModelRef(provider, str(form[field]), ModelType.LLM), form), ping(tokens), stream=False
        )

    return probe


def greeting(chat: ChatDialect, provider: str, model: str) -> Probe:
    """A word to one model that every key reaches, where a list of models is not known to need a key."""
    ref = ModelRef(provider, model, ModelType.LLM)
    return lambda target, form: chat.render(Target(ref, form), ping(5), stream=False)  # noqa: ARG005 - never needed


def calling(chat: ChatDialect | None, embed: EmbedDialect | None) -> Probe:
    """Call the very model: where each has a credential of its own, a list of models proves nothing."""

    def probe(target: Target | None, form: FormValues) -> Request:  # noqa: ARG001 - the target holds the form
        if target is not None and target.model.type is ModelType.LLM and chat is not None:
            return chat.render(target, ping(5), stream=False)
        if target is not None and target.model.type is ModelType.EMBEDDING and embed is not None:
            return embed.render(target, EmbedCall(("ping",)))
        raise InvalidRange("model", "must be of a type that this provider serves")

    return probe
