"""Our requests equal those of the vendor's SDK (sdk_requests.json: tencentcloud-speech-sdk for Python, recorded on
loopback) and are signed as it signs them (signing_vectors.json). The answer and the codes of refusals are those of its
documentation (cloud.tencent.com/document/product/1093/52097, as tencentyun/qcloud-documents has it at 07125274).

The SDK sends every option, most with the default that the documentation names; we leave these out.
"""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from domain import errors
from domain.errors import InvalidForm, InvalidRange, UnsupportedFeature, UpstreamError
from domain.model.catalogue import ModelRef, ModelType
from domain.model.events import Usage
from domain.model.speech import Recording, TranscribeCall, Transcript
from domain.ports import Target
from infrastructure.providers.dialects.flash_recognition import FlashRecognition
from infrastructure.providers.gateway import HttpGateway
from infrastructure.providers.registry import ADAPTERS, catalogue
from infrastructure.providers.signing.signed_query import signed_query
from infrastructure.providers.spec import Request as Rendered
from tests.contract import recordings as rec
from tests.gateways import gateway
from tests.stubs.serve import serving

ID = "tencent_cloud"
(VECTOR,) = [v for v in rec.load(ID, "signing_vectors.json")["vectors"] if "flash" in v["scheme"]]
SDK = rec.calls(ID)["flash_recognition (<=100 MB, <=2 h, audio bytes are the body)"]
KEY_ID, KEY = VECTOR["secret_id"], VECTOR["secret_key"]
FORM = {"app_id": VECTOR["appid"], "secret_id": KEY_ID, "secret_key": KEY}
WAV = Recording("a.wav", "audio/wav", b"RIFF0000WAVE")
SIGN = signed_query("secret_id", "secret_key", lambda: float(VECTOR["timestamp"]))
DEFAULTS = {
    "convert_num_mode": "1",
    "customization_id": "",
    "filter_dirty": "0",
    "filter_modal": "0",
    "filter_punc": "0",
    "first_channel_only": "1",
    "reinforce_hotword": "0",
    "sentence_max_length": "0",
    "speaker_diarization": "0",
    "word_info": "0",
}
SENTENCE = {"text": "腾讯云智能语音欢迎您。", "start_time": 0, "end_time": 2386, "speaker_id": 0, "word_list": []}
CHANNEL = {"text": "腾讯云智能语音欢迎您。", "channel_id": 0, "sentence_list": [SENTENCE]}
ANSWER = {
    "request_id": "6098aecab9c686fbfd35adb0",
    "code": 0,
    "message": "",
    "audio_duration": 2386,
    "flash_result": [CHANNEL],
}


def target(model: str = "16k_zh") -> Target:
    return rec.target(ID, model, FORM, ModelType.SPEECH_TO_TEXT)


def rendered(model: str, call: TranscribeCall) -> Rendered:
    dialect = ADAPTERS[ID].transcribe
    assert dialect
    return dialect.render(target(model), call)


def read(body: Any) -> Transcript:
    dialect = ADAPTERS[ID].transcribe
    assert dialect
    return dialect.parse(body)


def test_a_recording_is_sent_and_signed_as_the_sdk_does() -> None:
    request = rendered("16k_zh", TranscribeCall(WAV))
    full = replace(request, query={**request.query, **DEFAULTS})
    ours = rec.sent(replace(ADAPTERS[ID], sign=SIGN), target().form, full, ("authorization", "content-type"))
    assert (ours.method, ours.path) == (SDK["method"], SDK["path"])
    assert parse_qsl(ours.query, keep_blank_values=True) == list(SDK["query"].items())
    assert ours.body == SDK["body_text"].encode()
    assert ours.headers["authorization"] == SDK["headers"]["Authorization"]
    assert ours.headers["content-type"] == "application/octet-stream"


def test_what_is_left_out_are_the_defaults() -> None:
    request = rendered("16k_zh", TranscribeCall(WAV))
    query = request.query
    assert "RIFF" not in repr(request)
    assert {**query, **DEFAULTS, "secretid": KEY_ID, "timestamp": str(VECTOR["timestamp"])} == SDK["query"]
    assert query == {"engine_type": "16k_zh", "voice_format": "wav"}


def test_a_signature_is_the_sdks() -> None:
    told = {name: str(value) for name, value in VECTOR["params"].items() if name not in ("appid", "secretid")}
    plain = httpx2.Request("POST", f"https://asr.cloud.tencent.com/asr/flash/v1/{VECTOR['appid']}", params=told)
    auth = SIGN(FORM)
    assert auth
    assert not auth.requires_request_body
    assert not auth.requires_response_body
    assert KEY not in repr(auth) + str(vars(auth))
    signed = next(auth.auth_flow(plain))
    assert str(signed.url) == VECTOR["expected_url"]
    assert signed.headers["authorization"] == VECTOR["expected_headers"]["Authorization"]


@pytest.mark.parametrize(
    ("model", "language", "engine"),
    [
        ("tencent", None, "16k_zh"),
        ("tencent", "en", "16k_en"),
        ("tencent", "JA", "16k_ja"),
        ("tencent", "yue", "16k_yue"),
        ("16k_ko", "ko", "16k_ko"),
        ("8k_zh_large", None, "8k_zh_large"),
    ],
)
def test_the_engine_is_the_model_or_that_of_the_language(model: str, language: str | None, engine: str) -> None:
    request = rendered(model, TranscribeCall(WAV, language=language))
    assert (request.query["engine_type"], request.warnings) == (engine, ())


def test_a_language_that_no_engine_hears_is_refused() -> None:
    with pytest.raises(UnsupportedFeature):
        rendered("tencent", TranscribeCall(WAV, language="sv"))


def test_what_an_engine_does_not_take_is_left_out_with_a_warning() -> None:
    request = rendered("16k_zh_en", TranscribeCall(WAV, language="en", prompt="names"))
    assert [warning.split()[0] for warning in request.warnings] == ["language", "prompt"]
    assert request.query.keys() == {"engine_type", "voice_format"}


def test_rows_of_one_language_are_those_that_a_language_chooses() -> None:
    offered = {row.ref.name for row in catalogue().provider(ID).models}
    chosen = {name for name in offered if name.startswith("16k_") and name[4:].isalpha()}
    for name in chosen:
        assert rendered("tencent", TranscribeCall(WAV, language=name[4:])).query["engine_type"] == name
    dialect = ADAPTERS[ID].transcribe
    assert isinstance(dialect, FlashRecognition)
    assert set(dialect.engines.values()) == chosen


def test_every_format_of_a_row_has_its_name_here() -> None:
    row = catalogue().model(ModelRef(ID, "tencent", ModelType.SPEECH_TO_TEXT))
    assert row
    named = {
        ending: rendered("tencent", TranscribeCall(replace(WAV, filename=f"a.{ending.upper()}"))).query["voice_format"]
        for ending in row.limits.formats
    }
    assert set(named.values()) == {"wav", "pcm", "ogg-opus", "speex", "silk", "mp3", "m4a", "aac", "amr"}
    assert named["ogg"] == named["opus"] == "ogg-opus"


@pytest.mark.parametrize("name", ["a.webm", "a.flac", "audio", ""])
def test_a_recording_of_another_format_is_refused(name: str) -> None:
    with pytest.raises(InvalidRange):
        rendered("tencent", TranscribeCall(replace(WAV, filename=name)))


@pytest.mark.parametrize(
    ("body", "transcript"),
    [
        (ANSWER, Transcript("腾讯云智能语音欢迎您。", Usage(audio_ms=2386), None, 2.386)),
        ({**ANSWER, "flash_result": [{**CHANNEL, "text": ""}]}, Transcript("", Usage(audio_ms=2386), None, 2.386)),
        ({"code": 0, "flash_result": [{"text": "a"}, {"text": "b"}]}, Transcript("a\nb", Usage())),
        ({"code": 0, "audio_duration": -1, "flash_result": []}, Transcript("", Usage())),
    ],
    ids=["documented", "silence", "two channels", "no length"],
)
def test_a_transcript_is_read(body: Any, transcript: Transcript) -> None:
    assert read(body) == transcript


@pytest.mark.parametrize(
    "body", [None, [], "text", {}, {"flash_result": None}, {"flash_result": [{}]}, {"flash_result": ["a"]}], ids=str
)
def test_an_answer_without_text_is_the_vendors_fault(body: Any) -> None:
    with pytest.raises(errors.BadRequestUpstream):
        read(body)


REFUSALS: list[tuple[int, str, type[UpstreamError], int]] = [
    (4001, "参数不合法", errors.BadRequestUpstream, 400),
    (4002, "鉴权失败", errors.CredentialRejected, 401),
    (4003, "AppID 服务未开通", errors.ModelNotFoundUpstream, 403),
    (4004, "资源包耗尽", errors.UpstreamPaymentRequired, 402),
    (4005, "账户欠费停止服务", errors.UpstreamPaymentRequired, 402),
    (4006, "账号当前调用并发超限", errors.UpstreamRateLimited, 429),
    (4007, "音频解码失败", errors.BadRequestUpstream, 400),
    (4008, "客户端数据上传超时", errors.UpstreamUnavailable, 408),
    (4011, "音频数据太大", errors.ContextTooLong, 413),
    (4012, "音频数据为空", errors.BadRequestUpstream, 400),
    (5001, "因机器负载过高、网络抖动等导致失败", errors.UpstreamUnavailable, 500),
    (5999, "who knows", errors.UpstreamUnavailable, 200),
]


@pytest.mark.parametrize(("code", "message", "meaning", "status"), REFUSALS, ids=lambda value: str(value)[:8])
def test_a_failure_inside_a_200_is_read_by_its_code(
    code: int, message: str, meaning: type[UpstreamError], status: int
) -> None:
    body = {"request_id": "r1", "code": code, "message": message}
    assert ADAPTERS[ID].failed(body)
    failure = rec.refused(ID, 200, body)
    assert (type(failure), failure.status, failure.detail) == (meaning, status, message)


def test_an_answer_is_no_failure() -> None:
    assert not ADAPTERS[ID].failed(ANSWER)


@dataclass
class Cloud:
    """Answers recordings whose query is signed with the key, and refuses with `code` in a 200."""

    code: int = 0
    heard: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        query = sorted(request.query_params.items())
        text = f"POST{request.headers['host']}{request.url.path}?{urlencode(query)}"
        mark = b64encode(hmac.new(KEY.encode(), text.encode(), hashlib.sha1).digest()).decode()
        assert request.headers["authorization"] == mark
        self.heard.append((request.headers["content-type"], dict(query), await request.body()))
        refusal = {"request_id": "r1", "code": self.code, "message": f"no: {KEY_ID} {KEY}"}
        await JSONResponse(refusal if self.code else ANSWER)(scope, receive, send)


@asynccontextmanager
async def asked(cloud: Cloud) -> AsyncIterator[HttpGateway]:
    async with serving(cloud) as url:
        adapter = replace(ADAPTERS[ID], base_url=lambda _: url)
        async with gateway(adapters={ID: adapter}) as subject:
            yield subject


async def test_the_body_is_the_recording_itself() -> None:
    cloud = Cloud()
    data = bytes(range(256)) * 1_000
    async with asked(cloud) as subject:
        answer = await subject.transcribe(target("16k_en"), TranscribeCall(Recording("a.mp3", "audio/mpeg", data)))
    assert answer.text == ANSWER["flash_result"][0]["text"]  # type: ignore[index]
    ((kind, query, body),) = cloud.heard
    assert (kind, body) == ("application/octet-stream", data)
    assert (query["engine_type"], query["voice_format"], query["secretid"]) == ("16k_en", "mp3", KEY_ID)


async def test_a_probe_is_a_second_of_silence() -> None:
    cloud = Cloud()
    async with asked(cloud) as subject:
        await subject.probe(ID, target().form, None)
    ((_, query, body),) = cloud.heard
    assert (query["engine_type"], query["voice_format"]) == ("16k_zh", "wav")
    assert body.startswith(b"RIFF")
    assert len(body) == 44 + 32_000


@pytest.mark.parametrize(("code", "meaning"), [(code, meaning) for code, _, meaning, _ in REFUSALS])
async def test_a_refused_probe_proves_nothing_and_shows_no_secret(code: int, meaning: type[UpstreamError]) -> None:
    async with asked(Cloud(code)) as subject:
        with pytest.raises(meaning) as caught:
            await subject.probe(ID, target().form, None)
    assert KEY not in caught.value.message
    assert KEY_ID not in caught.value.message


def test_the_form_asks_for_the_account_and_its_pair() -> None:
    with pytest.raises(InvalidForm) as refused:
        ADAPTERS[ID].provider().checked({"app_id": "1250000000"}, None)
    assert {p.field for p in refused.value.problems} == {"secret_id", "secret_key"}
