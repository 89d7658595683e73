"""Answers of models, as the tests of what is read in them need them."""

from domain.model.calls import ToolCall
from domain.model.events import ChatAnswer, Finish, FinishReason, Usage


def answer(
    text: str = "", *, reasoning: str = "", arguments: str | None = None, finish: Finish = Finish.STOP
) -> ChatAnswer:
    """One that says `text`, thinks `reasoning` and, if there are arguments, calls a tool nobody declared."""
    calls = () if arguments is None else (ToolCall("call_1", "answer", arguments),)
    return ChatAnswer(text, reasoning, calls, FinishReason(finish, finish.value), Usage(90, 30))


QWEN = """<think>
Okay, the user wants to go from Berlin to Prague by train in May. The title should be 3 to 8 words.
Maybe {"title": "Train travel"}? That is too vague. They also ask about bicycles.
So the final answer is a JSON object.
</think>

{"title": "Berlin to Prague by Train with Bicycles"}"""

R1_WITHOUT_OPENING = """Okay, so I need to name this conversation. The form is {"title": "…"}.
Let me think of "Train".
</think>

```json
{
  "title": "Berlin to Prague by Train with Bicycles"
}
```"""

OPEN_WEIGHTS = (
    "<|channel|>analysis<|message|>User asks about trains. Need title JSON.<|end|><|start|>assistant"
    '<|channel|>final<|message|>{"title":"Berlin to Prague by Train with Bicycles"}<|return|>'
)

MAGISTRAL = (
    """[THINK]The user is planning. A title: "Trains".[/THINK]{"title": "Berlin to Prague by Train with Bicycles"}"""
)

CUT_IN_THOUGHT = """<think>
The user wants a title. There are several candidates: first, Berlin to Prague; second, trains with bicycles; and we
should consider the language, which is English, so the title"""

LLAMA_QUESTIONS = """Here are three questions the user might ask next:

1. **How much does a bicycle ticket cost?**
2. Do I need a seat reservation?
3) "Which stations have lifts?"

Let me know if you need anything else!"""

QWEN_QUESTIONS = """<think>
They might ask:
1. What does it cost?
2. Is it far?
</think>
```json
["How much does a bicycle ticket cost?", "Do I need a seat reservation?", "Which stations have lifts?"]
```"""
