"""What each role may do, operation by operation: the page tests/data/roles.md, and the same as the code has it now.

`python -m tests.roles > tests/data/roles.md` writes it anew: a role that comes to do more shows in the review.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from domain.model.access import ROLE_SCOPES, Role
from tests.graphql_documents import FIELDS

PAGE = Path(__file__).parent / "data" / "roles.md"
YES = "yes"
HEAD = f"""# What each role may do

Every operation that needs a scope. A token of a person in the role is admitted where it says {YES}, and refused
anywhere else.

"""


def page() -> str:
    """The page as the schema and the roles have it."""
    return HEAD + "\n".join(_lines()) + "\n"


def allowed() -> Mapping[tuple[str, Role], bool]:
    """What the page in the repository says of each operation and role."""
    rows = [line.split("|")[1:-1] for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    cells = {name.strip(" `"): roles for name, _, *roles in rows}
    return {(name, role): cells[name][at].strip() == YES for name in cells for at, role in enumerate(Role)}


def _lines() -> Iterator[str]:
    yield _line("operation", "needs", *Role)
    yield _line(*("---" for _ in range(2 + len(Role)))).replace(" ", "")
    for name, field in sorted(FIELDS.items()):
        if field.needs:
            yield _line(
                f"`{name}`",
                f"`{field.needs}`",
                *(YES if field.needs in ROLE_SCOPES[role] else "" for role in Role),
            )


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.stdout.write(page())
