"""Which voices may speak: those of the model, and where its vendor lets customers make some, any."""

import pytest

from domain.errors import InvalidRange
from domain.model.catalogue import Limits, Model, ModelRef, ModelType, Voice
from domain.model.labels import Text
from domain.model.speech import SpeakCall

ANN = Voice("ann", Text("Ann"))


def speaker(*voices: Voice, other_voices: bool = False) -> Model:
    ref = ModelRef("acme", "speaks", ModelType.TEXT_TO_SPEECH)
    return Model(ref, Text("Speaks"), voices=voices, limits=Limits(other_voices=other_voices))


@pytest.mark.parametrize("voice", [None, "ann"])
def test_a_voice_of_the_model_speaks(voice: str | None) -> None:
    SpeakCall("Hi", voice=voice).check_for(speaker(ANN))


def test_another_voice_is_refused() -> None:
    with pytest.raises(InvalidRange):
        SpeakCall("Hi", voice="bob").check_for(speaker(ANN))


@pytest.mark.parametrize("row", [None, speaker(), speaker(ANN, other_voices=True)], ids=["no row", "no voices", "own"])
def test_any_voice_speaks_where_it_may_be_the_customers(row: Model | None) -> None:
    SpeakCall("Hi", voice="bob").check_for(row)
