"""Twelve sentences on three topics, which a model that knows something tells apart."""

import math

TOPICS = {
    "animals": (
        "A kitten sleeps on the warm windowsill.",
        "The dog chased a rabbit across the meadow.",
        "Horses and cows graze in the same pasture.",
        "My cat is afraid of the neighbour's puppy.",
    ),
    "kitchen": (
        "Simmer the tomato sauce with garlic and basil.",
        "Bake the bread until its crust is golden.",
        "She fried onions and mushrooms in butter.",
        "Add a pinch of salt to the boiling soup.",
    ),
    "money": (
        "The central bank raised its interest rate.",
        "Shareholders expect a higher dividend this year.",
        "Inflation makes mortgages more expensive.",
        "The stock market fell after the bank's report.",
    ),
}
SENTENCES = [(topic, sentences[place]) for place in range(4) for topic, sentences in TOPICS.items()]
TEXTS = [text for _, text in SENTENCES]


def cosine(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True)) / (math.hypot(*one) * math.hypot(*other))
