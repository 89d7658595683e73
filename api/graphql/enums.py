"""The domain's enumerations as the schema shows them, every value described."""

from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import TypeVar

import strawberry

from domain.model import access
from domain.model.calls import EmbedPurpose, Role, ToolChoice
from domain.model.cap import Period
from domain.model.catalogue import Feature, FieldKind, ModelType, PriceUnit, ProviderKind
from domain.model.conversation import Origin
from domain.model.credential import CredentialStatus
from domain.model.events import Finish
from domain.model.labels import Language
from domain.model.parameters import ParameterKind
from domain.model.quota import Outcome, PotKind, Unit
from domain.model.registration import ProvenBy
from domain.model.selection import KeySource, Status
from domain.model.speech import SpeechFormat
from domain.model.usage import Job
from domain.model.usage_totals import Dimension

E = TypeVar("E", bound=Enum)


def in_order(kind: type[E], chosen: frozenset[E]) -> list[E]:
    """The members of an enumeration that were chosen, in its own order."""
    return list(_ordered(kind, chosen))


@cache
def _ordered(kind: type[E], chosen: frozenset[E]) -> tuple[E, ...]:
    return tuple(member for member in kind if member in chosen)


def _shown(name: str, description: str, values: Mapping[Enum, str]) -> None:
    """Register an enumeration under `name`; KeyError when one of its values has no description."""
    shown = strawberry.enum(type(next(iter(values))), name=name, description=description)
    definition = vars(shown)["__strawberry_definition__"]
    for value in definition.values:
        value.description = values[shown[value.name]]


_shown(
    "Language",
    "A language in which labels can be had.",
    {Language.EN: "English.", Language.JA: "Japanese, else English.", Language.ZH: "Chinese, else English."},
)
_shown(
    "MemberRole",
    "What a person is in a tenant.",
    {
        access.Role.OWNER: "Does everything, and gives the ownership on.",
        access.Role.ADMIN: "Manages keys, models, quotas, people and applications.",
        access.Role.MEMBER: "Calls models.",
        access.Role.AUDITOR: "Sees everything and changes nothing.",
    },
)
_shown(
    "ModelType",
    "What a model does.",
    {
        ModelType.LLM: "Answers a chat.",
        ModelType.EMBEDDING: "Turns texts into vectors.",
        ModelType.RERANK: "Orders documents by relevance to a query.",
        ModelType.SPEECH_TO_TEXT: "Writes down what is said.",
        ModelType.TEXT_TO_SPEECH: "Says what is written.",
    },
)
_shown(
    "Feature",
    "Something that not every model can do.",
    {
        Feature.TOOLS: "Calls tools that the caller declares.",
        Feature.VISION: "Reads images.",
        Feature.STRUCTURED_OUTPUT: "Answers in the form of a JSON Schema.",
        Feature.REASONING: "Thinks before it answers.",
        Feature.STREAMING: "Answers piece by piece while it writes or speaks.",
    },
)
_shown(
    "ProviderKind",
    "How credentials and models of a provider belong together.",
    {
        ProviderKind.PROPRIETARY: "One credential reaches every model.",
        ProviderKind.HOSTED: "Each model has a credential of its own, and only its tenant knows it.",
    },
)
_shown(
    "FieldKind",
    "What is entered into a field of a credential form.",
    {
        FieldKind.SECRET: "A key or password, never shown again.",
        FieldKind.TEXT: "A line of text.",
        FieldKind.URL: "An http or https address.",
        FieldKind.INTEGER: "A whole number above zero.",
        FieldKind.SELECT: "One of the field's options.",
    },
)
_shown(
    "PriceUnit",
    "What a price counts.",
    {
        PriceUnit.TOKENS: "Tokens, as the model's maker cuts texts into them.",
        PriceUnit.CHARACTERS: "Characters that are spoken.",
        PriceUnit.SECONDS: "Seconds that are heard.",
        PriceUnit.SEARCHES: "Searches, as the vendor cuts a query over many or long documents into them.",
    },
)
_shown(
    "ParameterKind",
    "What kind of value a parameter takes.",
    {
        ParameterKind.FLOAT: "A number.",
        ParameterKind.INTEGER: "A whole number.",
        ParameterKind.STRING: "A text, or one of the options where there are some.",
        ParameterKind.STRINGS: "A list of texts.",
        ParameterKind.BOOLEAN: "True or false.",
    },
)
_shown(
    "KeySource",
    "Whose key pays for a call.",
    {KeySource.OWN: "The tenant's own credential.", KeySource.PLATFORM: "The platform's key, against a quota."},
)
_shown(
    "ModelStatus",
    "Whether a model can be called now, and if not, why not.",
    {
        Status.ACTIVE: "It can be called.",
        Status.NO_CREDENTIAL: "No credential reaches it, or none that is active.",
        Status.CREDENTIAL_REMOVED: "It is the tenant's own, and its credential was removed.",
        Status.DISABLED: "The tenant switched it off.",
        Status.NOT_PERMITTED: "The quota on the platform's key does not include it, or the application may not use it.",
        Status.QUOTA_EXHAUSTED: "The quota on the platform's key is used up.",
    },
)
_shown(
    "CredentialStatus",
    "Whether a credential serves calls.",
    {
        CredentialStatus.READY: "It may serve calls.",
        CredentialStatus.RESTING: "Its vendor refused it: others of its kind go first until its rest is over.",
        CredentialStatus.INACTIVE: "It serves no calls until it is made active.",
    },
)
_shown(
    "QuotaKind",
    "Where a quota comes from; they are spent in this order.",
    {
        PotKind.PAID: "It was bought.",
        PotKind.FREE: "It was given.",
        PotKind.TRIAL: "It came with the tenant.",
        PotKind.CAP: "It pays for nothing: it bounds what an application or a key may use in one period.",
    },
)
_shown(
    "QuotaUnit",
    "What a quota counts.",
    {
        Unit.CALLS: "Calls, whatever their size.",
        Unit.TOKENS: "Tokens in and out.",
        Unit.CREDITS: "Credits: a call costs its model's weight.",
    },
)
_shown(
    "CapPeriod",
    "How often a cap starts anew, by the calendar in UTC.",
    {Period.DAY: "Every day.", Period.MONTH: "Every month.", Period.NEVER: "Never: it holds for all time."},
)
_shown(
    "Role",
    "Who speaks in a message.",
    {
        Role.SYSTEM: "The application, setting the rules.",
        Role.USER: "The user.",
        Role.ASSISTANT: "The model.",
        Role.TOOL: "A tool, answering a tool call.",
    },
)
_shown(
    "ToolChoice",
    "Whether the model calls tools.",
    {
        ToolChoice.AUTO: "The model decides.",
        ToolChoice.NONE: "It must not.",
        ToolChoice.REQUIRED: "It must call at least one.",
    },
)
_shown(
    "FinishReason",
    "Why an answer ended.",
    {
        Finish.STOP: "It was complete, or met a stop sequence.",
        Finish.LENGTH: "It reached the limit on its length.",
        Finish.TOOL_CALLS: "The model wants tools called.",
        Finish.CONTENT_FILTER: "The vendor's filter cut it.",
    },
)
_shown(
    "SpeechFormat",
    "The form of spoken audio.",
    {
        SpeechFormat.MP3: "MP3.",
        SpeechFormat.WAV: "WAV.",
        SpeechFormat.OPUS: "Opus, in Ogg.",
        SpeechFormat.AAC: "AAC.",
        SpeechFormat.FLAC: "FLAC.",
        SpeechFormat.PCM: "Samples of 16 bits, little-endian, at the vendor's rate, without a header.",
    },
)
_shown(
    "EmbedPurpose",
    "What an embedding is for; some models treat the two differently.",
    {EmbedPurpose.DOCUMENT: "To be stored and found.", EmbedPurpose.QUERY: "To search with."},
)
_shown(
    "Origin",
    "Where a title or suggested questions come from.",
    {
        Origin.MODEL: "The model wrote them.",
        Origin.FALLBACK: "The answer was of no use: a title is then the user's shortened first words, and there are no "
        "questions.",
    },
)
_shown(
    "Job",
    "What a call was for.",
    {
        Job.CHAT: "To answer a chat.",
        Job.NAMING: "To name a conversation.",
        Job.SUGGESTION: "To suggest what to ask next.",
        Job.EMBEDDING: "To turn texts into vectors.",
        Job.RERANK: "To order documents.",
        Job.TRANSCRIPTION: "To write down what is said.",
        Job.SPEECH: "To say what is written.",
    },
)
_shown(
    "Outcome",
    "How a call ended.",
    {
        Outcome.SUCCEEDED: "The vendor answered.",
        Outcome.REFUSED: "The vendor answered that it did not run the call.",
        Outcome.UNSENT: "Nothing of it reached the vendor.",
        Outcome.BROKEN: "It failed on the way, and may have run.",
        Outcome.ABANDONED: "The client left before the end.",
        Outcome.LOST: "The process that made it died.",
    },
)
_shown(
    "UsageDimension",
    "What sums of usage are told apart by.",
    {
        Dimension.DAY: "The day on which a call began, in the time zone that is asked for.",
        Dimension.MODEL: "The model that was called.",
        Dimension.APPLICATION: "The client that made the call.",
        Dimension.CREDENTIAL: "The tenant's credential that paid, or the platform's key.",
        Dimension.JOB: "What a call was for.",
        Dimension.OUTCOME: "How a call ended.",
    },
)
_shown(
    "ApplicationKind",
    "What an application is.",
    {
        access.ClientKind.SERVICE: "The tenant's own service, which acts for itself.",
        access.ClientKind.PARTNER: "A partner, which people let in to act for them.",
        access.ClientKind.API_KEY: "An API key, which needs no OAuth.",
    },
)
_shown(
    "ProvenBy",
    "By what an application proves that it is itself.",
    {
        ProvenBy.SECRET: "A secret that it was given; of an API key, the key itself.",
        ProvenBy.PRIVATE_KEY: "A private key of its own (RFC 7523).",
        ProvenBy.NONE: "Nothing: it is public, as what runs in a browser or on a phone is.",
    },
)
