"""The domain's enumerations as the schema shows them, every value described."""

from collections.abc import Mapping
from enum import Enum

import strawberry

from domain.model.calls import EmbedPurpose, Role, ToolChoice
from domain.model.catalogue import Feature, FieldKind, ModelType, ProviderKind
from domain.model.events import Finish
from domain.model.labels import Language
from domain.model.quota import Outcome, PotKind, Unit
from domain.model.selection import KeySource, Status
from domain.model.usage import Job
from domain.model.usage_totals import Dimension


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
    "KeySource",
    "Whose key pays for a call.",
    {KeySource.OWN: "The tenant's own credential.", KeySource.PLATFORM: "The platform's key, against a quota."},
)
_shown(
    "ModelStatus",
    "Whether a model can be called now, and if not, why not.",
    {
        Status.ACTIVE: "It can be called.",
        Status.NO_CREDENTIAL: "No credential reaches it.",
        Status.NOT_PERMITTED: "The quota on the platform's key does not include it.",
        Status.QUOTA_EXHAUSTED: "The quota on the platform's key is used up.",
    },
)
_shown(
    "QuotaKind",
    "Where a quota comes from; they are spent in this order.",
    {
        PotKind.PAID: "It was bought.",
        PotKind.FREE: "It was given.",
        PotKind.TRIAL: "It came with the tenant.",
        PotKind.CAP: "It limits an application or a key, and pays for nothing.",
    },
)
_shown(
    "QuotaUnit",
    "What a quota counts.",
    {
        Unit.CALLS: "Calls, whatever their size.",
        Unit.TOKENS: "Tokens in and out.",
        Unit.CREDITS: "Credits: each call costs as many as its model weighs.",
    },
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
    "EmbedPurpose",
    "What an embedding is for; some models treat the two differently.",
    {EmbedPurpose.DOCUMENT: "To be stored and found.", EmbedPurpose.QUERY: "To search with."},
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
