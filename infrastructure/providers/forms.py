"""The words in which adapters write their credential forms, and read addresses from them."""

from collections.abc import Callable, Mapping
from typing import Literal

from domain.model.catalogue import Feature, FieldKind, FormField, FormValues, ModelType
from domain.model.labels import Text
from domain.model.secret import Secret

Types = ModelType | tuple[ModelType, ...]
"""The model types that a field is for; none named means all."""

READING = (ModelType.LLM, ModelType.EMBEDDING, ModelType.RERANK)
"""The types whose models have a context, measured in tokens."""

_DIGITS = 9
_ABROAD = "use_international_endpoint"
_API_KEY = Text("API key", "API キー", "API 密钥")
_CONTEXT = Text("Context size", "コンテキスト長", "上下文长度")
_BASE = Text("API base URL", "API ベース URL", "API 地址")

When = Mapping[str, str] | None
"""The values of fields before it in which a field is shown; always, when there are none."""


def secret(
    name: str, label: Text = _API_KEY, *, required: bool = True, only: Types = (), when: When = None
) -> FormField:
    return FormField(name, label, FieldKind.SECRET, required, for_types=_types(only), shown_when=when or {})


def text(
    name: str,
    label: Text,
    *,
    required: bool = False,
    default: str | None = None,
    only: Types = (),
    grants: Mapping[str, Feature] | None = None,
    when: When = None,
) -> FormField:
    return FormField(
        name,
        label,
        FieldKind.TEXT,
        required,
        default,
        for_types=_types(only),
        shown_when=when or {},
        grants=grants or {},
    )


def address(name: str, label: Text, *, default: str | None = None, when: When = None) -> FormField:
    """An http or https address; required unless it has a default, which may be empty."""
    return FormField(name, label, FieldKind.URL, default is None, default, max_length=2_048, shown_when=when or {})


def base(name: str, home: str) -> FormField:
    """The address of a vendor's API, which is `home` unless a tenant says otherwise."""
    return address(name, _BASE, default=home)


def server(name: str = "server_url") -> FormField:
    """The address of a server that a tenant runs."""
    return address(name, Text("Server URL", "サーバー URL", "服务器 URL"))


def endpoint() -> FormField:
    """The address of an API that a tenant was given."""
    return address("endpoint_url", Text("API endpoint URL", "API エンドポイント URL", "API 端点 URL"))


def whole(
    name: str,
    label: Text,
    default: int | None,
    only: Types = (),
    *,
    sets: Literal["context", "max_output"] | None = None,
    when: When = None,
) -> FormField:
    """A whole number above zero; `sets` names the limit of the model that it states."""
    return FormField(
        name,
        label,
        FieldKind.INTEGER,
        False,
        None if default is None else str(default),
        for_types=_types(only),
        shown_when=when or {},
        max_length=_DIGITS,
        sets=sets,
    )


def choice(
    name: str,
    label: Text,
    *options: str,
    only: Types = (),
    grants: Mapping[str, Feature] | None = None,
    when: When = None,
) -> FormField:
    """One of `options`, of which the first is the default."""
    return FormField(
        name,
        label,
        FieldKind.SELECT,
        False,
        options[0],
        options,
        for_types=_types(only),
        shown_when=when or {},
        grants=grants or {},
    )


def switch(name: str, label: Text, feature: Feature, off: str, on: str) -> FormField:
    """Whether a hosted LLM has a feature, in the vendor's own two words; off by default."""
    return choice(name, label, off, on, only=ModelType.LLM, grants={on: feature})


def context(default: int | None = None, only: Types = READING, *, name: str = "context_size") -> FormField:
    """How many tokens a hosted model reads."""
    return whole(name, _CONTEXT, default, only, sets="context")


def max_output(default: int, *, name: str = "max_tokens_to_sample") -> FormField:
    """How many tokens a hosted LLM writes at most."""
    return whole(name, Text("Max tokens", "最大トークン数", "最大令牌数"), default, ModelType.LLM, sets="max_output")


def mode() -> FormField:
    """How a hosted LLM is asked, which is as a chat wherever that is all we speak."""
    return choice("mode", Text("Mode", "モード", "模式"), "chat", only=ModelType.LLM)


def completion_type(*options: str) -> FormField:
    """The same by another name, in the server's own words."""
    return choice("completion_type", Text("Completion type", "補完の種類", "补全类型"), *options, only=ModelType.LLM)


def own_name() -> FormField:
    """What a hosted model is called at its server, where that differs."""
    return text("endpoint_model_name", Text("Model name there", "先方でのモデル名", "端点的模型名称"))


def token_name() -> FormField:
    """What the limit of an answer is called in the body; auto goes by the model's name."""
    label = Text("Token limit's name", "トークン上限の名前", "令牌上限参数名")
    return choice("token_param_name", label, "auto", "max_tokens", "max_completion_tokens", only=ModelType.LLM)


def stream_usage() -> FormField:
    """Whether a stream is asked to count its tokens."""
    label = Text("Usage in streams", "ストリームの使用量", "流式用量")
    return choice("stream_include_usage", label, "enabled", "disabled", only=ModelType.LLM)


def texts_per_request(name: str, default: int, only: Types = ()) -> FormField:
    return whole(name, Text("Texts per request", "一回のテキスト数", "每次请求文本数"), default, only)


def embedding_knobs() -> tuple[FormField, ...]:
    """How texts are sent to a hosted embedding model."""
    only, encoding = ModelType.EMBEDDING, Text("Vector encoding", "ベクトルの符号化", "向量编码")
    return (
        texts_per_request("max_chunks", 1, only),
        choice("encoding_format", encoding, "not_set", "float", only=only),
        text("document_prefix", Text("Prefix of documents", "文書の接頭辞", "文档前缀"), only=only),
        text("query_prefix", Text("Prefix of queries", "検索文の接頭辞", "查询前缀"), only=only),
    )


def abilities() -> tuple[FormField, ...]:
    """What a tenant says that a hosted LLM can do, which no server of OpenAI's dialect tells."""
    tools = Text("Function calls", "関数呼び出し", "函数调用")
    vision = Text("Vision", "画像入力", "图像输入")
    schema = Text("Structured output", "構造化出力", "结构化输出")
    return (
        switch("function_calling_type", tools, Feature.TOOLS, "no_call", "tool_call"),
        switch("vision_support", vision, Feature.VISION, "no_support", "support"),
        switch("structured_output_support", schema, Feature.STRUCTURED_OUTPUT, "not_supported", "supported"),
    )


def at(field: str, default: str = "", *, drop: tuple[str, ...] = (), end: str = "") -> Callable[[FormValues], str]:
    """Reads the address in `field`: without a slash or one of `drop` at its end, and with `end` there."""

    def base_url(form: FormValues) -> str:
        base = str(form.get(field) or default).rstrip("/")
        for ending in drop:
            base = base.removesuffix(ending).rstrip("/")
        return base if base.endswith(end) else base + end

    return base_url


def fixed(url: str) -> Callable[[FormValues], str]:
    """The one address of a vendor whose form asks for none."""
    return lambda form: url  # noqa: ARG005 - the same for every form


def international() -> FormField:
    """Which of a Chinese vendor's two sites a key belongs to; `either` reads it."""
    return choice(_ABROAD, Text("International endpoint", "国際エンドポイント", "使用国际站端点"), "false", "true")


def trial_model(default: str | None = None) -> FormField:
    """The model that a key is tried on, where the vendor's list of models tells nothing of a key."""
    return text("validate_model", Text("Model to validate with", "検証に使うモデル", "用于验证的模型"), default=default)


def either(home: str, abroad: str) -> Callable[[FormValues], str]:
    """The address at home, or the one abroad where `international` says so."""
    return lambda form: abroad if entered(form, _ABROAD) == "true" else home


def entered(form: FormValues, field: str, default: str = "") -> str:
    """A field that is no secret, or `default` when it is empty."""
    return str(form.get(field) or default)


def filled(form: FormValues, fields: Mapping[str, str]) -> Mapping[str, str]:
    """Those of `fields` that were filled in, under the names that they have there."""
    told = {name: entered(form, field) for name, field in fields.items()}
    return {name: value for name, value in told.items() if value}


def secret_in(form: FormValues, field: str) -> Secret:
    """A secret that was entered, wrapped."""
    value = form[field]
    return value if isinstance(value, Secret) else Secret(value)


def voices(default: str | None) -> FormField:
    """The voices of a hosted model, which commas part; the first speaks when a call names none."""
    return text("voices", Text("Voices", "音声", "音色"), default=default, only=ModelType.TEXT_TO_SPEECH)


def _types(only: Types) -> frozenset[ModelType]:
    return frozenset({only} if isinstance(only, ModelType) else only)
