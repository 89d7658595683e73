"""Amazon SageMaker: containers of the tenant's own behind InvokeEndpoint; the form says what each speaks.

Containers that read recordings from S3, or put speech there, are not spoken.
"""

from dataclasses import replace

from domain.errors import ModelNotFoundUpstream, UpstreamError, UpstreamUnavailable
from domain.model.catalogue import ModelType, ProviderKind
from domain.model.labels import Text
from infrastructure.providers import aws
from infrastructure.providers.dialects.invocations import (
    EndpointChat,
    EndpointEmbed,
    EndpointRerank,
    EndpointTranscribe,
)
from infrastructure.providers.dialects.probes import called, refusing
from infrastructure.providers.dialects.refusals import USUAL
from infrastructure.providers.forms import abilities, choice, context, mode, stream_usage, text
from infrastructure.providers.spec import Adapter, ErrorReply
from infrastructure.providers.wire import bodies
from infrastructure.providers.wire.digging import count, dig

_LLM = ModelType.LLM
_ENDPOINT = Text(
    "Endpoint (the model's name if empty)", "エンドポイント名 (空ならモデル名)", "端点名称（留空则同模型名）"
)
_MODEL = Text("Model ID in the container", "コンテナ内のモデル ID", "容器内的模型 ID")
_EMBEDDINGS = Text("Form of embeddings", "埋め込みの形式", "嵌入请求格式")
_RANKING = Text("Form of reranking", "並べ替えの形式", "重排序请求格式")


def error(provider: str, reply: ErrorReply) -> UpstreamError:
    """What the container said counts more than that it failed; an endpoint that is not there is a ValidationError."""
    status, said = count(dig(reply.body, "OriginalStatusCode")), dig(reply.body, "OriginalMessage")
    if status and status >= 400:
        message = str(said or dig(reply.body, "Message") or "")
        return USUAL(provider, replace(reply, status=status, body=bodies.lenient(message.encode())))
    failure = aws.REFUSALS(provider, reply)
    if failure.status == 400 and failure.detail.startswith("Endpoint ") and "not found" in failure.detail:
        return ModelNotFoundUpstream(provider, 400, failure.detail)
    return failure


ADAPTER = Adapter(
    id="amazon_sagemaker",
    kind=ProviderKind.HOSTED,
    form=(
        *aws.key_fields(),
        *aws.role_fields(),
        aws.region_field(*aws.CHINA),
        text("sagemaker_endpoint", _ENDPOINT),
        text("model_id", _MODEL),
        text("inference_component", Text("Inference component", "推論コンポーネント", "推理组件")),
        mode(),
        context(4096, name="context_length"),
        *abilities(),
        stream_usage(),
        choice("embedding_format", _EMBEDDINGS, "dify", "tei", "openai_compatible", only=ModelType.EMBEDDING),
        choice("rerank_format", _RANKING, "dify", "tei", only=ModelType.RERANK),
    ),
    base_url=aws.host("runtime.sagemaker"),
    sign=aws.signing("amazon_sagemaker", "sagemaker"),
    **called(EndpointChat(fault=aws.REFUSALS.of), EndpointEmbed(), EndpointRerank(), EndpointTranscribe()),
    error=error,
    # An endpoint that is scaled to nothing is waking up: the key and its name are right.
    proves=refusing(UpstreamUnavailable, status=429),
)
