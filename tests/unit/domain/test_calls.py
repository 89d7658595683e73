"""What a call asks for, and folding what comes back."""

import pytest

from domain.errors import InvalidRange
from domain.model.calls import (
    ChatCall,
    EmbedCall,
    ImagePart,
    Knobs,
    Message,
    ResponseSchema,
    Role,
    TextPart,
    Tool,
    ToolCall,
)
from domain.model.catalogue import Feature
from domain.model.events import (
    ChatEvent,
    Finish,
    Finished,
    FinishReason,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    Usage,
    Warned,
    fold,
)

HELLO = Message(Role.USER, (TextPart("hello"),))
END = Finished(FinishReason(Finish.STOP, "stop"), Usage(1, 2))


def test_a_call_needs_what_it_uses() -> None:
    plain = ChatCall((HELLO,))
    rich = ChatCall(
        (Message(Role.USER, (ImagePart(url="https://x.example/i.png"),)),),
        tools=(Tool("t", None, {}),),
        response_schema=ResponseSchema("r", {}),
    )
    assert plain.features() == frozenset()
    assert rich.features() == {Feature.TOOLS, Feature.VISION, Feature.STRUCTURED_OUTPUT}


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (ChatCall(()), "messages"),
        (ChatCall((Message(Role.USER),)), "messages[0]"),
        (ChatCall((HELLO, Message(Role.TOOL, (TextPart("sunny"),)))), "messages[1].toolCallId"),
        (ChatCall((HELLO,), knobs=Knobs(temperature=2.1)), "temperature"),
        (ChatCall((HELLO,), knobs=Knobs(max_tokens=0)), "maxTokens"),
        (ChatCall((HELLO,), knobs=Knobs(top_p=float("nan"))), "topP"),
        (EmbedCall(()), "texts"),
        (EmbedCall(("a", "")), "texts[1]"),
        (EmbedCall(("a",), dimensions=0), "dimensions"),
    ],
)
def test_a_call_that_means_nothing_is_refused_by_field(call: ChatCall | EmbedCall, field: str) -> None:
    with pytest.raises(InvalidRange) as refused:
        call.check()
    assert refused.value.field == field


def test_the_size_counts_everything_that_is_sent() -> None:
    bare = ChatCall((HELLO,))
    assert ChatCall((HELLO, HELLO)).size() >= 2 * len("hello")
    assert ChatCall((HELLO,), tools=(Tool("t", "d" * 500, {}),)).size() >= bare.size() + 500
    asked = Message(Role.ASSISTANT, tool_calls=(ToolCall("1", "t", "x" * 300),))
    assert ChatCall((HELLO, asked)).size() >= bare.size() + 300


def test_folding_a_stream_gives_the_whole_answer() -> None:
    events: list[ChatEvent] = [
        Warned("seed was left out"),
        ReasoningDelta("hm"),
        TextDelta("It is "),
        ToolCallDelta(1, "b", "second"),
        ToolCallDelta(0, "a", "first", '{"x"'),
        TextDelta("sunny."),
        ToolCallDelta(0, arguments=":1}"),
        END,
    ]
    answer = fold(events)
    assert answer.text == "It is sunny."
    assert answer.reasoning == "hm"
    assert answer.tool_calls == (ToolCall("a", "first", '{"x":1}'), ToolCall("b", "second", ""))
    assert answer.warnings == ("seed was left out",)
    assert answer.usage == Usage(1, 2)


def test_a_stream_without_its_end_cannot_be_folded() -> None:
    with pytest.raises(ValueError, match="Finished"):
        fold([TextDelta("cut")])
