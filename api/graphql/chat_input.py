"""What a caller asks of a model, as GraphQL inputs that turn into the domain's calls."""

from collections.abc import Container
from typing import Any, cast

import strawberry

from api.graphql.model_names import ModelInput
from api.graphql.scalars import JSON, BigInt
from api.graphql.texts import CONTENT
from domain.errors import FieldProblem, InvalidForm, InvalidRange
from domain.model.calls import (
    ChatCall,
    EmbedCall,
    EmbedPurpose,
    ImagePart,
    Knobs,
    Message,
    Part,
    ResponseSchema,
    Role,
    TextPart,
    Tool,
    ToolCall,
    ToolChoice,
)
from domain.model.catalogue import ModelType
from domain.model.parameters import Value

TUNED = frozenset({"temperature", "top_p", "max_tokens", "stop", "seed", "presence_penalty", "frequency_penalty"})


@strawberry.input(description="An image that comes with the message.")
class InlineImageInput:
    data: str = strawberry.field(description="The image in base64.")
    media_type: str = strawberry.field(description="Its media type, such as image/png.")


@strawberry.input(one_of=True, description="An image, by one of these.")
class ImageInput:
    url: str | None = strawberry.field(default=strawberry.UNSET, description="An https address that the vendor reads.")
    inline: InlineImageInput | None = strawberry.field(default=strawberry.UNSET, description="The image itself.")

    def part(self) -> ImagePart:
        if isinstance(self.inline, InlineImageInput):
            return ImagePart(media_type=self.inline.media_type, data=self.inline.data)
        return ImagePart(url=self.url)


@strawberry.input(one_of=True, description="A part of a message, one of these.")
class PartInput:
    text: str | None = strawberry.field(metadata=CONTENT, default=strawberry.UNSET, description="Text.")
    image: ImageInput | None = strawberry.field(
        default=strawberry.UNSET, description="An image, for models with vision."
    )

    def part(self) -> Part:
        return self.image.part() if isinstance(self.image, ImageInput) else TextPart(self.text or "")


@strawberry.input(description="A tool call that the model made in an earlier turn.")
class ToolCallInput:
    id: str = strawberry.field(description="Its id, as the model gave it.")
    name: str = strawberry.field(description="The tool.")
    arguments: str = strawberry.field(metadata=CONTENT, description="The JSON that the model wrote.")


@strawberry.input(description="One turn of a chat.")
class MessageInput:
    role: Role = strawberry.field(description="Who speaks.")
    content: str | None = strawberry.field(
        metadata=CONTENT, default=None, description="Text: short for one text part, before `parts`."
    )
    parts: list[PartInput] = strawberry.field(default_factory=list, description="What is said, in order.")
    tool_calls: list[ToolCallInput] = strawberry.field(
        default_factory=list, description="In an assistant's turn: the tools it wanted called."
    )
    tool_call_id: str | None = strawberry.field(
        default=None, description="In a tool's turn: the call that this answers."
    )
    tool_name: str | None = strawberry.field(default=None, description="In a tool's turn: the tool.")

    def message(self) -> Message:
        text: list[Part] = [TextPart(self.content)] if self.content else []
        return Message(
            role=self.role,
            parts=(*text, *(p.part() for p in self.parts)),
            tool_calls=tuple(ToolCall(c.id, c.name, c.arguments) for c in self.tool_calls),
            tool_call_id=self.tool_call_id,
            tool_name=self.tool_name,
        )


@strawberry.input(description="A function that the model may ask to have called.")
class ToolInput:
    name: str = strawberry.field(description="Its name.")
    description: str | None = strawberry.field(
        metadata=CONTENT, default=None, description="What it does, for the model to read."
    )
    parameters: JSON = strawberry.field(description="The JSON Schema of its arguments, an object.")


@strawberry.input(description="The form that the answer must have.")
class ResponseSchemaInput:
    name: str = strawberry.field(description="A name for it.")
    schema: JSON = strawberry.field(description="The JSON Schema that the answer satisfies, an object.")


@strawberry.input(description="A parameter of one model, under the name that its rules give it.")
class ParameterInput:
    name: str = strawberry.field(description="Its name.")
    value: JSON = strawberry.field(description="A number, a text, true or false.")


@strawberry.input(description="A chat. Optional settings that the vendor lacks are left out with a warning.")
class ChatInput:
    messages: list[MessageInput] = strawberry.field(description="The turns so far, oldest first.")
    model: ModelInput | None = strawberry.field(default=None, description="The model; left out, the default LLM.")
    tools: list[ToolInput] = strawberry.field(default_factory=list, description="What the model may ask to call.")
    tool_choice: ToolChoice = strawberry.field(default=ToolChoice.AUTO, description="Whether it calls tools.")
    response_schema: ResponseSchemaInput | None = strawberry.field(
        default=None, description="The form that the answer must have."
    )
    temperature: float | None = strawberry.field(default=None, description="From 0 (steady) to 2 (wild).")
    top_p: float | None = strawberry.field(default=None, description="Choose among the likeliest tokens of this sum.")
    max_tokens: int | None = strawberry.field(default=None, description="The most tokens to write.")
    stop: list[str] = strawberry.field(metadata=CONTENT, default_factory=list, description="Texts at which to stop.")
    seed: BigInt | None = strawberry.field(default=None, description="For the same answer to the same question.")
    presence_penalty: float | None = strawberry.field(default=None, description="From -2 to 2: avoid what was said.")
    frequency_penalty: float | None = strawberry.field(default=None, description="From -2 to 2: avoid repetition.")
    parameters: list[ParameterInput] = strawberry.field(
        default_factory=list, description="Further parameters of the model's own; each must be among its rules."
    )

    def call(self) -> ChatCall:
        """InvalidRange when a schema is no JSON object."""
        schema = self.response_schema
        return ChatCall(
            messages=tuple(m.message() for m in self.messages),
            model=self.model.ref(ModelType.LLM) if self.model else None,
            tools=tuple(Tool(t.name, t.description, _object("parameters", t.parameters)) for t in self.tools),
            tool_choice=self.tool_choice,
            response_schema=ResponseSchema(schema.name, _object("schema", schema.schema)) if schema else None,
            knobs=self._knobs(),
        )

    def _knobs(self) -> Knobs:
        return Knobs(
            temperature=self.temperature,
            top_p=self.top_p,
            max_tokens=self.max_tokens,
            stop=tuple(self.stop),
            seed=self.seed,
            presence_penalty=self.presence_penalty,
            frequency_penalty=self.frequency_penalty,
            extra=parameters(self.parameters),
        )


@strawberry.input(description="Texts to turn into vectors.")
class EmbedInput:
    texts: list[str] = strawberry.field(metadata=CONTENT, description="The texts, up to 2,048; none may be empty.")
    model: ModelInput | None = strawberry.field(
        default=None, description="The model; left out, the default embedding model."
    )
    dimensions: int | None = strawberry.field(default=None, description="Shorter vectors, where the model can.")
    purpose: EmbedPurpose = strawberry.field(default=EmbedPurpose.DOCUMENT, description="What the vectors are for.")

    def call(self) -> EmbedCall:
        model = self.model.ref(ModelType.EMBEDDING) if self.model else None
        return EmbedCall(tuple(self.texts), model, self.dimensions, self.purpose)


def parameters(given: list[ParameterInput], tuned: Container[str] = TUNED) -> dict[str, Value]:
    """By name; InvalidForm for one that is given twice, is tuned by a field of its own, or is no plain value."""
    values: dict[str, Value] = {}
    problems = []
    for each in given:
        if each.name in values:
            problems.append(FieldProblem(each.name, "is given more than once"))
        elif each.name in tuned:
            problems.append(FieldProblem(each.name, "has a field of its own: use that"))
        elif not isinstance(each.value, float | int | str | bool):
            problems.append(FieldProblem(each.name, "must be a number, a text, true or false"))
        else:
            values[each.name] = each.value
    if problems:
        raise InvalidForm(tuple(problems))
    return values


def _object(field: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidRange(field, "must be a JSON object")
    return cast(dict[str, Any], value)
