"""`gateway demo`: everything from nothing, calls to paste, and the server. `--check` calls once and ends."""

from __future__ import annotations

import contextlib
import json
import logging
import shlex
import socket
import subprocess
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import httpx
import typer

from gateway.app import at_work, compose, load_product, utc_now
from gateway.cli.office import policy_of
from gateway.cli.progress import ProgressBar
from gateway.database import open_pools, owner_url
from gateway.demo import MEMBERS, DemoCall, calls, make_world
from gateway.event_loop import run
from gateway.keys import Keyring, load_keyring
from gateway.migrations import migrate
from gateway.serving import listen, serve, served
from gateway.settings import Settings, load_settings, require_tls
from gateway.telemetry import configure_logging
from resolvers.policy_versions import Compiler
from resolvers.sealing import PhoneSealer
from schema.errors import SettingsError, UnavailableError

SHOWN_CHARACTERS = 600
"""How much of an answer `--check` prints: enough to recognise it."""


def demo_command(
    check: Annotated[
        bool, typer.Option("--check", help="Make one call for each kind of caller, print the answers, end.")
    ] = False,
) -> None:
    """Make a world of believable members and three partners, print calls to paste, and serve."""
    settings = load_settings().model_copy(update={"officer_contract": True})
    require_tls(settings)
    run(_demo(settings, _keys(settings), check=check))


async def _demo(settings: Settings, keys: Keyring, *, check: bool) -> None:
    product = load_product(settings)
    # Before anything is started: a port that is taken is told at once.
    listening = listen(settings.host, 0 if check else settings.port)
    sealer = PhoneSealer(keys.phone_public_key.public_key, keys.phone_public_key.key_id)
    async with owner_url(settings, keys) as url:
        typer.echo("database: migrating", err=True)
        await migrate(url, keys.role_passwords)
        async with open_pools(url, settings, keys) as database:
            async with database.transaction() as connection:
                matrix = (await policy_of(connection, settings, utc_now())).matrix(Compiler())
            with ProgressBar(f"{MEMBERS:,} members", MEMBERS) as bar:
                await make_world(database, matrix, sealer, now=utc_now(), on_progress=bar.show)
            configure_logging(logging.WARNING if check else logging.INFO)
            async with compose(settings, keys, database, product) as gateway, at_work(gateway):
                paste = await calls(database, settings, keys)
                if check:
                    async with served(gateway.app, listening) as base:
                        await _check(base, paste)
                else:
                    _print_calls(_base(listening), paste)
                    if settings.mail_url is None:
                        typer.echo(f"mail: each letter is a file in {settings.data_dir / 'mail'}", err=True)
                    await serve(gateway.app, listening)
                    typer.echo("stopped", err=True)


def _keys(settings: Settings) -> Keyring:
    """The keys, made in a process of their own: the one that serves never holds the key that opens numbers.

    Raises:
        SettingsError: the keys there are cannot be used; what is wrong stands in the lines above.
    """
    with contextlib.suppress(SettingsError):  # missing or unfinished: `init` makes or names what is
        return load_keyring(settings)
    init = [sys.executable, "-c", "from gateway.cli.main import main; main()", "init"]
    if subprocess.run(init, stdout=sys.stderr, check=False).returncode:  # noqa: S603 - our own program
        raise SettingsError("the keys could not be made: mend what `gateway init` says")
    return load_keyring(settings)


def _base(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://{host}:{port}"


def _print_calls(base: str, paste: Sequence[DemoCall]) -> None:
    for call in paste:
        typer.echo(f"\n# {call.title}")
        if call.client is not None:
            typer.echo(_token_by_curl(base, *call.client))
        parts = ["curl", "-sS", f"{base}{call.path}", "-H", "content-type: application/json"]
        if call.token is not None:
            parts += ["-H", f"authorization: Bearer {call.token}"]
        parts += ["--data", json.dumps({"query": call.query})]
        # The shell puts the token in: double quotes, and nothing else in this argument.
        bearer = ' -H "authorization: Bearer $TOKEN"' if call.client is not None else ""
        typer.echo(shlex.join(parts) + bearer)
    typer.echo(f"\nserving at {base}/graphql; Ctrl-C stops the gateway and its database", err=True)


def _token_by_curl(base: str, client_id: str, secret: str) -> str:
    """Lines for a shell that put a token into `TOKEN`."""
    grant = ["curl", "-sS", "-u", f"{client_id}:{secret}", "-d", "grant_type=client_credentials"]
    read = "import json, sys; print(json.load(sys.stdin)['access_token'])"
    return f"TOKEN=$({shlex.join([*grant, f'{base}/oauth/token'])} | {shlex.join(['python3', '-c', read])})"


async def _token_of(client: httpx.AsyncClient, base: str, call: DemoCall) -> str | None:
    """The token that goes with a call, got for a secret where the call has one."""
    if call.client is None:
        return call.token
    grant = {"grant_type": "client_credentials"}
    answer = await client.post(f"{base}/oauth/token", data=grant, auth=call.client)
    token: str | None = answer.json().get("access_token")
    return token


async def _check(base: str, paste: Sequence[DemoCall]) -> None:
    """Make every call over HTTP.

    Raises:
        UnavailableError: one of them was not answered with data and without errors.
    """
    async with httpx.AsyncClient() as client:
        for call in paste:
            token = await _token_of(client, base, call)
            headers = {} if token is None else {"authorization": f"Bearer {token}"}
            response = await client.post(f"{base}{call.path}", json={"query": call.query}, headers=headers)
            answer: dict[str, Any] = response.json()
            text = json.dumps(answer, ensure_ascii=False)
            shown = text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + " ..."
            typer.echo(f"\n# {call.title}: HTTP {response.status_code}\n{shown}")
            if "errors" in answer or not answer.get("data"):
                raise UnavailableError(f"the call of {call.title} was not answered as it should be")
    typer.echo("\nall callers were answered")
