"""`portunus audit`: whether the records of what was done are what was written."""

import json
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol, TypeVar
from uuid import UUID

import typer

from domain.model.audit import Head
from domain.model.audit_check import Verdict
from domain.model.ids import TenantId

if TYPE_CHECKING:
    from api.house import House
    from domain.usecases.audit import AnchorsByTenant

T = TypeVar("T")


class Done(Protocol):
    def __call__(self, work: Callable[["House"], Awaitable[T]]) -> T:
        """What `work` gives in a house that is entered for it; ends the command when it is refused."""
        ...


def audit_commands(done: Done) -> typer.Typer:
    commands = typer.Typer(no_args_is_help=True, help="Check what the records of changes say.")

    @commands.command()
    def verify(
        tenant: Annotated[UUID | None, typer.Argument(help="One tenant's id; left out, all of them.")] = None,
        anchors: Annotated[Path | None, typer.Option(help="What `portunus audit anchor` once printed.")] = None,
    ) -> None:
        """Read every chain; print a line for each fault, and exit with 1 if there is one."""
        known = _anchors(anchors.read_text().splitlines() if anchors else ())
        wanted = TenantId(tenant) if tenant else None
        verdicts = done(lambda house: _all(house.usecases.audit.verify(wanted, known)))
        for verdict in verdicts:
            _tell(verdict)
        if wanted is None:
            for closed in known.keys() - {verdict.tenant_id for verdict in verdicts}:
                typer.echo(f"{closed} has an anchor and is not open: its chain went with it", err=True)
        if any(verdict.faults for verdict in verdicts):
            sys.exit(1)

    @commands.command()
    def anchor() -> None:
        """Print each chain's length and last mac as a line of JSON, to be kept where nobody who changes rows writes."""
        for head in done(lambda house: _all(house.usecases.audit.heads())):
            typer.echo(_anchor(head))

    return commands


async def _all(each: AsyncIterator[T]) -> list[T]:
    return [one async for one in each]


def _tell(verdict: Verdict) -> None:
    for fault in verdict.faults:
        typer.echo(f"{fault.tenant_id} {fault.seq} {fault.kind}")
    if not verdict.faults:
        typer.echo(f"{verdict.tenant_id} is sound: {verdict.entries} entries")


def _anchor(head: Head) -> str:
    return json.dumps({"tenant": str(head.tenant_id), "length": head.length, "mac": head.mac.hex()})


def _anchors(lines: Iterable[str]) -> "AnchorsByTenant":
    """BadParameter for a line that is no anchor."""
    found: defaultdict[TenantId, dict[int, bytes]] = defaultdict(dict)
    for number, line in enumerate(lines, 1):
        try:
            told = json.loads(line)
            found[TenantId(UUID(told["tenant"]))][int(told["length"])] = bytes.fromhex(told["mac"])
        except (ValueError, KeyError, TypeError):
            raise typer.BadParameter(f"line {number} is not an anchor", param_hint="--anchors") from None
    return found
