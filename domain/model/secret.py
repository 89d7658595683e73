"""A value that must not travel: printing, formatting, comparing by accident and pickling all refuse to show it."""

from typing import NoReturn


class Secret:
    """Holds one secret string; only `reveal` gives it, and only adapters that send or seal it call that."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def masked(self) -> str:
        """The last four characters behind dots, or dots alone when the secret is shorter than 12."""
        return "••••" + (self._value[-4:] if len(self._value) >= 12 else "")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __repr__(self) -> str:
        return "Secret(••••)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "••••"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not to be pickled")
