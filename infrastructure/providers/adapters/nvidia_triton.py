"""NVIDIA Triton Inference Server, by its generate extension, and by KServe's infer for vectors. It has no key of its
own: a proxy before it may want one.

Its OpenAI-compatible frontend, a server apart, is reached as any other of that dialect.
"""

from dataclasses import replace

from domain.errors import BadRequestUpstream, UpstreamError
from domain.model.catalogue import FormValues, ModelType, ProviderKind
from domain.model.labels import Text
from domain.ports import Target
from infrastructure.providers.catalogue.refusals import refusals
from infrastructure.providers.dialects.generate import Generate, Repository
from infrastructure.providers.dialects.infer import InferEmbed
from infrastructure.providers.dialects.probes import calling, refusing
from infrastructure.providers.forms import at, choice, completion_type, context, secret, server, text, texts_per_request
from infrastructure.providers.signing.header import bearer
from infrastructure.providers.spec import Adapter, ErrorReply, Request
from infrastructure.providers.wire import bodies

_LLM, _EMBEDDING = ModelType.LLM, ModelType.EMBEDDING
_EVENT = "data: "
_REFUSALS = refusals("nvidia_triton")


def error(provider: str, reply: ErrorReply) -> UpstreamError:
    """A stream that fails at once is refused with an event for a body; in a 200, an error is the model's refusal."""
    body = reply.body
    if isinstance(body, str) and body.startswith(_EVENT):
        body = bodies.lenient(body.removeprefix(_EVENT).encode())
    status = reply.status if reply.status >= 400 else 400
    return _REFUSALS(provider, replace(reply, status=status, body=body))


def probe(target: Target | None, form: FormValues) -> Request:
    """A word, to be answered whole: whatever the form says of streaming, that answer is short."""
    whole_answer = replace(target, form={**target.form, "stream": "false"}) if target else None
    return calling(_CHAT, _EMBED)(whole_answer, form)


_CHAT, _EMBED = Generate(error), InferEmbed()

ADAPTER = Adapter(
    id="nvidia_triton",
    kind=ProviderKind.HOSTED,
    form=(
        server(),
        secret("api_key", required=False),
        context(2048, _LLM),
        completion_type("chat", "completion"),
        choice("stream", Text("Streaming", "ストリーミング", "流式输出"), "true", "false", only=_LLM),
        choice("backend", Text("Backend", "バックエンド", "后端"), "other", "vllm", only=_LLM),
        text(
            "text_tensor", Text("Input with texts", "テキストの入力名", "文本输入名"), default="text", only=_EMBEDDING
        ),
        text(
            "vector_tensor",
            Text("Output with vectors", "ベクトルの出力名", "向量输出名"),
            default="embedding",
            only=_EMBEDDING,
        ),
        texts_per_request("max_batch_size", 1, _EMBEDDING),
    ),
    base_url=at("server_url", drop=("/v2/models", "/v2")),
    sign=bearer("api_key"),
    probe=probe,
    error=error,
    chat=_CHAT,
    embed=_EMBED,
    models=Repository(),
    # A decoupled model that has answered, though not in one piece.
    proves=refusing(BadRequestUpstream, words="use generate stream for model"),
)
