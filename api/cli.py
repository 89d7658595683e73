"""The `portunus` command: what an operator does from a shell. Each command imports what it needs, when it runs."""

import asyncio
import gc
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar
from uuid import UUID

import typer

from api.cli_audit import audit_commands
from domain.errors import DomainError, InvalidRange
from domain.model.access import Role
from domain.model.catalogue import ModelRef, ModelType
from domain.model.ids import TenantId
from domain.model.leftovers import Leftover
from domain.model.people import checked_email
from domain.model.quota import PotKind, Terms, Unit
from domain.model.signing import ANNOUNCED

if TYPE_CHECKING:
    from api.house import House
    from infrastructure.settings import Settings

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.command()
def serve(host: str = "127.0.0.1", port: int = 8080) -> None:
    """Serve GraphQL and OAuth until stopped."""
    gc.disable()  # until the heap is settled: next to nothing that start-up makes is garbage
    import uvicorn

    from api.house import House, NotReady
    from api.main import create_app

    settings = _settings()
    try:
        house = House(settings)
        application = create_app(settings, house)
        asyncio.run(_checked(house))
    except NotReady as problem:
        _stop(str(problem))
    _settle_heap()
    uvicorn.run(
        application,
        host=host,
        port=port,
        http="httptools",
        ws_max_size=settings.max_body_bytes,
        access_log=False,
        server_header=False,
        log_config=None,
    )


@app.command()
def migrate() -> None:
    """Bring the database to the newest schema, and let the serving role in."""
    from infrastructure.db.migrate import migrate as bring_up_to_date

    settings = _settings()
    revision = asyncio.run(bring_up_to_date(settings.owner_url, settings.database_url))
    typer.echo(f"The schema is at revision {revision}.")


@app.command()
def open_tenant(
    name: str,
    owner: Annotated[str | None, typer.Option(help="The e-mail address of whom to invite as its owner.")] = None,
    operator: Annotated[bool, typer.Option(help="Let its client open further tenants.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Open a tenant; print its first client and the link for its owner. Secret and link are shown this once."""
    shown = _done(lambda house: _opened(house, name, owner, operator=operator))
    typer.echo(json.dumps(shown) if as_json else "\n".join(f"{key:<14}{value}" for key, value in shown.items()))


async def _opened(house: "House", name: str, owner: str | None, *, operator: bool) -> Mapping[str, str]:
    email = checked_email(owner, field="owner") if owner is not None else None  # before there is anything to undo
    opened = await house.usecases.tenants.found(name, operator=operator)
    shown = {
        "tenant": str(opened.tenant.id),
        "client_id": opened.client_id,
        "client_secret": opened.client_secret.reveal(),
    }
    if email is not None:
        invited = await house.usecases.members.call_in(opened.tenant.id, email, Role.OWNER)
        shown["invitation"] = invited.link.reveal()
    return shown


@app.command()
def invite(
    tenant: Annotated[UUID, typer.Argument(help="The tenant's id, as open-tenant printed it.")],
    email: Annotated[str, typer.Argument(help="The address of the person.")],
    role: Annotated[Role, typer.Option(help="What the person shall be.")],
) -> None:
    """Print a link, good once within seven days, by which a person joins a tenant; hand it over in confidence."""
    invited = _done(lambda house: house.usecases.members.call_in(TenantId(tenant), email, role))
    typer.echo(invited.link.reveal())


@app.command()
def grant_quota(
    tenant: Annotated[UUID, typer.Argument(help="The tenant's id, as open-tenant printed it.")],
    reason: Annotated[str, typer.Option(help="Why, for the tenant to read.")],
    amount: Annotated[int | None, typer.Option(help="How much to add.")] = None,
    unlimited: Annotated[bool, typer.Option(help="In place of an amount.")] = False,
    unit: Annotated[Unit, typer.Option(help="What it counts.")] = Unit.CALLS,
    kind: Annotated[str, typer.Option(help="paid or free.")] = PotKind.PAID.value,
    provider: Annotated[str | None, typer.Option(help="Where it is good; left out, at every provider.")] = None,
    model: Annotated[list[str] | None, typer.Option(help="A model it pays for, as type:provider/name.")] = None,
    weight: Annotated[list[str] | None, typer.Option(help="What its calls cost, as provider/name=credits.")] = None,
) -> None:
    """Give a tenant more on the platform's keys; what is granted on the same terms adds up."""
    from domain.usecases.grants import NewGrant

    try:
        if (amount is None) != unlimited:
            raise InvalidRange("amount", "must be given, or else --unlimited")
        terms = Terms(tuple(map(_model, model)) if model else None, dict(map(_weight, weight or ())))
        new = NewGrant(TenantId(tenant), PotKind(kind), provider, unit, amount, reason, terms)
    except (DomainError, ValueError) as problem:
        _stop(str(problem))
    pot = _done(lambda house: house.usecases.grants.bestow(new))
    typer.echo(f"{pot.kind} {pot.unit}: granted {_amount(pot.granted)}, free {_amount(pot.free)}")


def _model(text: str) -> ModelRef:
    """ValueError for anything but type:provider/name."""
    kind, _, name = text.partition(":")
    provider, _, model = name.partition("/")
    return ModelRef(provider, model, ModelType(kind))


def _weight(text: str) -> tuple[str, int]:
    """ValueError for anything but provider/name=credits."""
    name, _, credits_each = text.rpartition("=")
    return name, int(credits_each)


def _amount(count: int | None) -> str:
    return "unlimited" if count is None else str(count)


@app.command()
def providers(
    evidence: Annotated[bool, typer.Option("--evidence", help="Print what holds each mark of each vendor.")] = False,
    table: Annotated[bool, typer.Option("--table", help="Print a table in Markdown of who speaks what.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with sources.")] = False,
) -> None:
    """List the vendors with their model types, or the evidence that holds what Portunus says to them."""
    from infrastructure.providers import overview

    if table:
        typer.echo("\n".join(overview.table_lines()))
    elif as_json:
        typer.echo(json.dumps(overview.held() if evidence else overview.vendors(), indent=2, ensure_ascii=False))
    else:
        typer.echo("\n".join(overview.held_lines() if evidence else overview.vendor_lines()))


@app.command()
def reset_password(email: Annotated[str, typer.Argument(help="The address of the account.")]) -> None:
    """Print a link, good once within an hour, by which a person sets a new password; hand it over in confidence."""
    token = _done(lambda house: house.people.resets.issue(email))
    typer.echo(f"{_settings().issuer}/reset?token={token.reveal()}")


@app.command()
def rotate_tenant_key(tenant_id: UUID) -> None:
    """Seal a tenant's credentials under a new key, or go on with that, and shred the old key."""
    rotated = _done(lambda house: house.usecases.rotation.renew(TenantId(tenant_id)))
    typer.echo(f"{'A new' if rotated.created else 'The newest'} key, {rotated.key.id}, seals the credentials.")
    typer.echo(f"{rotated.resealed} were sealed anew.")
    if rotated.remaining:
        _stop(f"{rotated.remaining} cannot be opened and keep their old key: remove them, then call this again.")
    typer.echo("No older key is left.")


@app.command()
def rotate_master_key() -> None:
    """Wrap every tenant's private keys under the first master key, or go on with that, and tell what is left."""
    known, under = _done(_rewrapped)
    first = known[0]
    left = [key for key, tenants in under.items() if key != first and tenants]
    for key in dict.fromkeys([*known, *left]):
        note = ", the first" if key == first else "" if key in known else ", which is not configured here"
        typer.echo(f"tenants under master key {key}{note}: {under.get(key, 0)}")
    if left:
        _stop("Keep every master key that tenants are under, and call this again where all of them are configured.")
    typer.echo("Every tenant is under the first master key: others can be taken away.")


@app.command()
def rotate_signing_key() -> None:
    """Make a new key for id tokens and JWT access tokens: published at once, it signs in 5 minutes."""
    key_id = _done(lambda house: house.signer.rotate())
    typer.echo(f"The key {key_id} is published, and signs in {ANNOUNCED.total_seconds():.0f} seconds.")
    typer.echo("Older ones stay published until all that they signed has expired.")


@app.command()
def prune() -> None:
    """Remove what has been over for long, as serving processes do now and then, and print how much it was."""
    pruned = _done(lambda house: house.pruning.run())
    for what in Leftover:
        typer.echo(f"{what.value + ':':<25}{pruned.removed[what]}")
    if pruned.failed:
        _stop(f"{pruned.failed} tenants could not be pruned now: call this again.")


@app.command()
def close_tenant(
    tenant_id: UUID, yes: Annotated[bool, typer.Option("--yes", help="Delete it, for ever.")] = False
) -> None:
    """Delete a tenant with all that it has, its private keys included."""
    if not yes:
        tenant = _done(lambda house: house.usecases.tenants.named(TenantId(tenant_id)))
        _stop(f"This deletes {tenant.name!r}, opened at {tenant.opened_at:%Y-%m-%d}, for ever: add --yes to do it.")
    closed = _done(lambda house: house.usecases.tenants.shut(TenantId(tenant_id)))
    typer.echo(f"{closed.name!r} is closed; nothing opens its credentials any more.")


def _done(work: Callable[["House"], Awaitable[T]]) -> T:
    """What `work` gives in a house that is entered for it; ends the command with a sentence when it is refused."""
    from api.house import House, NotReady

    async def within(house: House) -> T:
        async with house:
            return await work(house)

    try:
        return asyncio.run(within(House(_settings())))
    except (NotReady, DomainError) as problem:
        _stop(str(problem))


async def _rewrapped(house: "House") -> tuple[list[str], Mapping[str, int]]:
    """The ids of the master keys that are configured, and how many tenants are under which."""
    under: Mapping[str, int] = {}
    async for passed in house.usecases.rotation.rewrap():
        under = passed.under
        seen = sum(under.values())
        typer.echo(f"{seen} tenants seen, {passed.keys} keys wrapped anew, and {passed.chains} keys of audits")
    return list(house.master_keys.keys), under


async def _checked(house: "House") -> None:
    """NotReady, before anything listens, when the database is not fit to serve."""
    import structlog

    try:
        await house.check()
        structlog.get_logger().info("the database is fit to serve")
    finally:
        await house.engine.dispose()


def _settle_heap() -> None:
    """Spare the garbage collector what start-up made, which stays: walking it took a quarter of the time of every call.

    Calls leave few cycles behind, so what they make is looked at less often, too.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    gc.enable()


def _settings() -> "Settings":
    """From the environment; ends the command with a sentence per setting that is wrong."""
    from pydantic import ValidationError

    from infrastructure.logs import configure_logs
    from infrastructure.settings import Settings

    try:
        settings = Settings()
    except ValidationError as wrong:
        problems = wrong.errors(include_url=False, include_input=False, include_context=False)
        _stop("\n".join(f"PORTUNUS_{'.'.join(map(str, p['loc'])).upper()}: {p['msg']}" for p in problems))
    configure_logs(settings.log_level)
    return settings


def _stop(reason: str) -> NoReturn:
    typer.echo(reason, err=True)
    sys.exit(2)


app.add_typer(audit_commands(_done), name="audit")

if __name__ == "__main__":
    app()
