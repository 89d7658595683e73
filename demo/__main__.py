"""`python -m demo`: start everything, tell the story, keep serving (or end, with DEMO_EXIT=1)."""

import argparse
import base64
import contextlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from demo import partner, story
from demo.client import Application
from demo.servers import MODEL_KEY, ROOT, has_real_model, is_taken, model_server, running, wait_for


def environment(home: Path, chat_url: str, port: int) -> dict[str, str]:
    """A fresh master key, an embedded database, and the platform's own key for the trial."""
    platform = {"openai": {"openai_api_key": MODEL_KEY, "openai_api_base": chat_url}}
    return {
        "PORTUNUS_DATABASE_URL": f"sqlite:///{home / 'portunus.db'}",
        "PORTUNUS_MASTER_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
        "PORTUNUS_PLATFORM_KEYS": json.dumps(platform),
        "PORTUNUS_TRIAL_CALLS": str(story.TRIAL_CALLS),
        "PORTUNUS_ALLOWED_NETWORKS": "127.0.0.0/8",
        "PORTUNUS_IDE": "true",
        "PORTUNUS_ISSUER": f"http://127.0.0.1:{port}",
    }


def portunus(environment: Mapping[str, str], *arguments: str) -> str:
    """The output of one `portunus` command."""
    command = [sys.executable, "-m", "api.cli", *arguments]
    done = subprocess.run(command, env={**os.environ, **environment}, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr or done.stdout)
    return done.stdout


def open_tenant(environment: Mapping[str, str], url: str, name: str) -> tuple[dict[str, str], Application]:
    opened = json.loads(portunus(environment, "open-tenant", name, "--json"))
    app = Application(url, opened["client_id"], opened["client_secret"])
    story.tell(
        f"The operator opens the tenant {name}; its service gets a token by OAuth client credentials",
        f"client {opened['client_id'][:18]}…, token for {app.token['expires_in']} s, scopes: {app.token['scope']}",
    )
    return opened, app


def tell(environment: Mapping[str, str], url: str, chat_url: str, embed_url: str) -> dict[str, str]:
    opened, acme = open_tenant(environment, url, "Acme")
    credential = story.bring_a_key(acme, chat_url)
    story.bring_a_model(acme, embed_url)
    story.chat(acme)
    story.embed(acme)
    story.spend_the_trial(acme)
    story.account(acme)
    partner.let_a_partner_in(acme, url)
    _, globex = open_tenant(environment, url, "Globex")
    story.look_from_next_door(globex, credential)
    return opened


def goodbye(url: str, opened: Mapping[str, str]) -> None:
    token = f"""curl -s -u '{opened["client_id"]}:{opened["client_secret"]}' \\
    -d grant_type=client_credentials {url}/oauth/token"""
    print(f"\nGraphQL   {url}/graphql   (in a browser: GraphiQL)\nReady     {url}/readyz\n")
    print("A token, then a first call:\n")
    print(f"  TOKEN=$({token} | python3 -c 'import json,sys; print(json.load(sys.stdin)[\"access_token\"])')")
    query = json.dumps({"query": "{ tenant { name } providers(first: 5) { nodes { name configured } } }"})
    print(
        f"  curl -s {url}/graphql -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json' -d '{query}'"
    )


def run(port: int, home: Path, *, stub: bool) -> None:
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    url = f"http://127.0.0.1:{port}"
    if stub:
        print("A stub answers in place of a real model: llama.cpp's wheel is not installed here.")
    with contextlib.ExitStack() as stack:
        chat_url = stack.enter_context(model_server(home / "chat.log", embed=False, stub=stub))
        embed_url = stack.enter_context(model_server(home / "embed.log", embed=True, stub=stub))
        settings = environment(home, chat_url, port)
        story.tell("The embedded database is migrated", portunus(settings, "migrate").strip())
        serve = ["-m", "api.cli", "serve", "--host", "127.0.0.1", "--port", str(port)]
        stack.enter_context(running(serve, settings, home / "portunus.log"))
        wait_for(f"{url}/readyz", home / "portunus.log")
        server = "a stub" if stub else "llama.cpp"
        stands_in = f"{server} answers for OpenAI here, whatever model is named: its address is the tenant's to give"
        story.tell(f"Portunus and {server} are up", f"{url} and {chat_url}", stands_in)
        opened = tell(settings, url, chat_url, embed_url)
        goodbye(url, opened)
        if os.environ.get("DEMO_EXIT") != "1":
            print("\nServing until Ctrl-C.")
            with contextlib.suppress(KeyboardInterrupt):
                while True:
                    time.sleep(3600)


def main() -> int:
    parser = argparse.ArgumentParser(prog="demo", description=__doc__)
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument(
        "--home", type=Path, default=ROOT / ".demo", help="where its database and logs go; emptied first"
    )
    parser.add_argument("--stub", action="store_true", help="do without the real model server")
    arguments = parser.parse_args()
    port: int = arguments.port
    if is_taken(port):
        print(f"Port {port} is taken. Choose another: DEMO_PORT={port + 10} make demo", file=sys.stderr)
        return 1
    try:
        run(port, arguments.home, stub=arguments.stub or not has_real_model())
    except KeyboardInterrupt:
        return 130
    except RuntimeError as failure:
        print(f"\nThe demo stopped: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
