"""The `portunus` command: what an operator does from a shell."""

import asyncio
import json
import sys
from typing import Annotated

import typer
import uvicorn
from pydantic import ValidationError

from api.main import House, create_app
from domain.model.catalogue import Catalogue
from infrastructure.db.migrate import migrate as bring_up_to_date
from infrastructure.settings import Settings

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


def settings() -> Settings:
    """From the environment; ends the command with a sentence per setting that is wrong or missing."""
    try:
        return Settings()
    except ValidationError as wrong:
        for problem in wrong.errors(include_url=False, include_input=False, include_context=False):
            name = "PORTUNUS_" + "_".join(map(str, problem["loc"])).upper()
            typer.echo(f"{name}: {problem['msg']}", err=True)
        raise typer.Exit(2) from None


@app.command()
def serve(host: str = "127.0.0.1", port: int = 8080) -> None:
    """Serve GraphQL and OAuth until stopped."""
    uvicorn.run(
        create_app(settings()), host=host, port=port, access_log=False, server_header=False, log_config=None, ws="auto"
    )


@app.command()
def migrate() -> None:
    """Bring the database to the newest schema."""
    typer.echo(bring_up_to_date(settings()))


@app.command()
def open_tenant(
    name: str,
    operator: Annotated[bool, typer.Option(help="Let its client open further tenants.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Open a tenant and print its first client; the secret is shown this once."""
    opened = asyncio.run(_open(settings(), name, operator))
    if as_json:
        typer.echo(json.dumps(opened))
    else:
        typer.echo("\n".join(f"{key:<14}{value}" for key, value in opened.items()))


async def _open(chosen: Settings, name: str, operator: bool) -> dict[str, str]:
    async with House(chosen) as house:
        opened = await house.tenants.found(name, operator=operator)
    return {"tenant": str(opened.tenant.id)}


if __name__ == "__main__":
    sys.exit(app())
