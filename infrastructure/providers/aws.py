"""What services of AWS share: the fields of their forms, their hosts, and the words of their refusals."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import httpx2

from domain.errors import (
    CredentialRejected,
    ModelNotFoundUpstream,
    UpstreamError,
    UpstreamRateLimited,
    UpstreamUnavailable,
)
from domain.model.catalogue import FormField, FormValues
from domain.model.labels import Text
from infrastructure.providers.dialects.refusals import Meaning, Refusals
from infrastructure.providers.forms import When, choice, entered, secret
from infrastructure.providers.forms import text as text_field
from infrastructure.providers.signing.assumed_role import MARGIN, AssumedRole, Role
from infrastructure.providers.signing.header import Sign
from infrastructure.providers.signing.sigv4 import SigV4, keys_in
from infrastructure.providers.signing.tokens import Tokens
from infrastructure.providers.spec import ErrorReply, Frame
from infrastructure.providers.wire import bodies
from infrastructure.providers.wire.digging import table, text

_REGIONS = (
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "ca-central-1",
    "ca-west-1",
    "mx-central-1",
    "sa-east-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "af-south-1",
    "ap-east-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-7",
    "us-gov-east-1",
    "us-gov-west-1",
)
CHINA = ("cn-north-1", "cn-northwest-1")
_REGION = "aws_region"
_ROLE, _EXTERNAL_ID = "assume_role_arn", "assume_role_external_id"

_REJECTED = (
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
)
_DOWN: Mapping[str, int] = {
    "DependencyFailedException": 424,
    "InternalDependencyException": 530,
    "InternalFailure": 500,
    "InternalServerException": 500,
    "InternalStreamFailure": 500,
    "ModelErrorException": 424,
    "ModelNotReadyException": 429,
    "ModelStreamError": 424,
    "ModelStreamErrorException": 424,
    "ModelTimeoutException": 408,
    "ServiceUnavailable": 503,
    "ServiceUnavailableException": 503,
}
_WORDS: Mapping[str, Meaning] = {
    **dict.fromkeys(_REJECTED, (CredentialRejected, 403)),
    **{word: (UpstreamUnavailable, status) for word, status in _DOWN.items()},
    "ResourceNotFoundException": (ModelNotFoundUpstream, 404),
    "ServiceQuotaExceededException": (UpstreamRateLimited, 400),
    "ThrottlingException": (UpstreamRateLimited, 429),
}


def key_fields(*, when: When = None) -> tuple[FormField, ...]:
    """An access key that the tenant entered, never this host's own; temporary ones have a session token too."""
    return (
        secret("aws_access_key_id", Text("Access key ID", "アクセスキー ID", "访问密钥 ID"), when=when),
        secret(
            "aws_secret_access_key", Text("Secret access key", "シークレットアクセスキー", "秘密访问密钥"), when=when
        ),
        secret("aws_session_token", Text("Session token", "セッショントークン", "会话令牌"), required=False, when=when),
    )


def role_fields(*, when: When = None) -> tuple[FormField, ...]:
    """A role that these keys may assume, in whose name everything is then done."""
    return (
        text_field(_ROLE, Text("ARN of a role to assume", "引き受けるロールの ARN", "要代入的角色 ARN"), when=when),
        text_field(_EXTERNAL_ID, Text("External ID of the role", "ロールの外部 ID", "角色的外部 ID"), when=when),
    )


def region_field(*more: str) -> FormField:
    """Every region outside China, then `more`."""
    return choice(_REGION, Text("AWS region", "AWS リージョン", "AWS 区域"), *_REGIONS, *more)


def region(form: FormValues) -> str:
    return entered(form, _REGION, _REGIONS[0])


def host(service: str) -> Callable[[FormValues], str]:
    """The service's address in the form's region."""

    def base_url(form: FormValues) -> str:
        end = "amazonaws.com.cn" if region(form) in CHINA else "amazonaws.com"
        return f"https://{service}.{region(form)}.{end}"

    return base_url


def signing(provider: str, service: str) -> Sign:
    """Signs with the form's keys, or with those of the role that they assume, kept until they are about to end."""
    tokens = Tokens(MARGIN)

    def sign(form: FormValues) -> httpx2.Auth:
        keys, where, arn = keys_in(form), region(form), entered(form, _ROLE)
        if not arn:
            return SigV4(keys, where, service)
        role = Role(arn, entered(form, _EXTERNAL_ID), where, f"{host('sts')(form)}/")
        return AssumedRole(provider, keys, role, lambda lent: SigV4(lent, where, service), tokens)

    return sign


class AwsRefusals(Refusals):
    """Reads the error's type from its header or body; a ValidationException means what its message says."""

    def __call__(self, provider: str, reply: ErrorReply) -> UpstreamError:
        word, said = _type(reply), _message(reply.body)
        if not (word or said):
            return super().__call__(provider, reply)
        return super().__call__(provider, replace(reply, body={"error": {"code": word, "message": said}}))

    def of(self, fault: Frame) -> UpstreamError:
        """The meaning of a fault that ends a stream: its type has the status that goes with it."""
        body = table(bodies.lenient(fault.data.encode()))
        word = _word(fault.event)
        status = self.words[word][1] if word in self.words else 400 if word.startswith("Validation") else 500
        return self("", ErrorReply(status, {}, {**body, "__type": word}))


REFUSALS = AwsRefusals(_WORDS)


def _type(reply: ErrorReply) -> str:
    named = {name.lower(): value for name, value in reply.headers.items()}.get("x-amzn-errortype", "")
    return _word(named or text(table(reply.body).get("__type")))


def _word(named: str) -> str:
    """Without the namespace before it, and the address behind it; streams begin it in lower case."""
    word = named.partition(":")[0].rpartition("#")[2]
    return word[:1].upper() + word[1:]


def _message(body: object) -> str:
    return text(table(body).get("message")) or text(table(body).get("Message"))
