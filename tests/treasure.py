"""All that opens something, as it was shown to whom it is for, and the search for it anywhere else."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.canary import spellings

CHECK, RANDOM, PART = 6, 43, 14
"""Characters of a checksum, of base62 that hold 32 bytes (what is before them names a tenant), and of a part."""


@dataclass
class Treasure:
    """Each secret with the numbers of the answers that may hold it."""

    secrets: dict[str, str] = field(default_factory=dict)
    shown: dict[str, set[int]] = field(default_factory=dict)
    _written: dict[str, tuple[bytes, ...]] = field(default_factory=dict)

    def keep(self, name: str, secret: str, *answers: int) -> str:
        """Remember what opens something, and which answers may show it."""
        assert len(secret) >= CHECK + RANDOM, f"{name} is too short to be told from other text"
        assert self.secrets.setdefault(name, secret) == secret, f"there is another {name}"
        self.shown.setdefault(name, set()).update(answers)
        self._written[name] = tuple(written for part in parts(secret) for _, written in spellings(part))
        return secret

    def found_in(self, text: bytes) -> list[str]:
        """The names of those of which a part is there, however it is written."""
        return [name for name, every in self._written.items() if any(written in text for written in every)]

    def strayed(self, answers: Iterable[bytes]) -> list[tuple[int, str]]:
        """The answers that hold what they should not, by number, with its name."""
        found = [(number, name) for number, text in enumerate(answers) for name in self.found_in(text)]
        return [(number, name) for number, name in found if number not in self.shown[name]]


def parts(secret: str) -> tuple[str, ...]:
    """Of what nobody can guess; any of them gives it away, and so does all that is cut to its first or last 20."""
    random = secret[:-CHECK][-RANDOM:]
    return random[:PART], random[PART:-PART], random[-PART:]
