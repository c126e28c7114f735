"""How long it takes to scrub a list of a million addresses, of a gateway with 100,000 opt-outs.

Run `.venv/bin/python -m benchmarks.suppressions [ADDRESSES]`. It makes a database of its own, serves from a
process of its own, and prints figures: the first key of a partner, a scrub of a list never brought before,
the same list again, checks of 1,000, and how the server's memory grew.
"""

from __future__ import annotations

import asyncio
import hmac
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx

from gateway.app import load_product, open_gateway
from gateway.database import open_pools, owner_url
from gateway.event_loop import run
from gateway.identity.tokens import SubjectKind, mint
from gateway.keys import Keyring, load_keyring
from gateway.migrations import migrate
from gateway.serving import listen, serve
from gateway.settings import Settings
from gateway.setup import ensure_keys
from resolvers.commands.clients import create_client
from resolvers.commands.partners import create_agreement, create_partner
from resolvers.commands.refusing import make_key
from resolvers.suppressions import settle
from schema.categories import Basis, Purpose
from schema.vocabulary import AgreementStatus

MEMBERS: Final = 100_000
SENT_AT_ONCE: Final = 1_000


def main() -> None:
    """Measure."""
    addresses = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder) / "data", port=0)
        keys = ensure_keys(settings, Path(folder) / "officer-key.pem")
        run(_measure(settings, keys, addresses))


async def _measure(settings: Settings, keys: Keyring, addresses: int) -> None:
    async with owner_url(settings, keys) as url:
        await migrate(url, keys.role_passwords)
        key = await _fill(url, settings, keys)
        listening = listen("127.0.0.1", 0)
        served = multiprocessing.get_context("fork").Process(
            target=_serve, args=(settings.model_copy(update={"database_url": url}), listening)
        )
        served.start()
        pid = served.pid
        try:
            await _ask(
                f"http://127.0.0.1:{listening.getsockname()[1]}", settings, keys, key, addresses, pid or 0
            )
        finally:
            served.terminate()
            served.join()


def _serve(settings: Settings, listening: Any) -> None:
    async def work() -> None:
        async with open_gateway(settings, load_keyring(settings)) as gateway:
            await serve(gateway.app, listening)

    run(work())


async def _fill(url: str, settings: Settings, keys: Keyring) -> bytes:
    owner = await asyncpg.connect(url)
    await owner.execute(
        "INSERT INTO member (id, number, status, given_name, family_name, email, birth_date, interests,"
        " purchase_categories, joined_at, updated_at, version)"
        " SELECT gen_random_uuid(), 'M' || n, 'ACTIVE', 'A', 'B', 'm' || n || '@example.org', '1980-01-01',"
        " '{}', '{}', now(), now(), 1 FROM generate_series(1, $1::int) n",
        MEMBERS,
    )
    await owner.execute(
        "INSERT INTO choice (id, member_id, requested_at, received_at, topic, direction, source)"
        " SELECT gen_random_uuid(), id, now(), now(), 'SHARING', 'OUT', 'MAIL' FROM member"
    )
    await owner.execute("ANALYZE")
    await owner.close()
    matrix, now = load_product(settings).matrix, datetime.now(UTC)
    async with open_pools(url, settings, keys) as database:
        async with database.transaction() as connection:
            await create_partner(connection, name="mailer", display_name="Mailer", now=now)
            agreement_id, _ = await create_agreement(
                connection, matrix, partner="mailer", basis=Basis.MARKETING, purpose=Purpose.PARTNER_EMAIL,
                categories=["user.contact.email"], valid_from=now, valid_until=None,
                status=AgreementStatus.ACTIVE, now=now, reasons={"user.contact.email": "to write"},
                officer="bench",
            )  # fmt: skip
            await create_client(connection, client_id="mailer", agreement_id=agreement_id, now=now)
            await settle(connection, keys.suppression_key, now)
        started = time.perf_counter()
        async with database.transaction() as connection:
            made = await make_key(connection, "mailer", rotate=False, overlap=timedelta(), now=now)
            await settle(connection, keys.suppression_key, now)
        _say(f"a key for a partner, of {MEMBERS:,} members who opted out", time.perf_counter() - started)
    return keys.suppression_key(made.partner_id, made.generation)


async def _ask(url: str, settings: Settings, keys: Keyring, key: bytes, addresses: int, pid: int) -> None:
    minted = mint(
        settings, keys, kind=SubjectKind.PARTNER, subject="mailer", client_id="mailer",
        scopes=["user.contact.email"], lifetime=3_600,
    )  # fmt: skip
    headers = {"authorization": f"Bearer {minted.token}"}
    lines = [_digest(key, number, addresses) for number in range(addresses)]
    chunks = [
        "".join(f"{digest}\n" for digest in lines[start : start + SENT_AT_ONCE]).encode()
        for start in range(0, addresses, SENT_AT_ONCE)
    ]

    async def body() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=120) as client:
        for _ in range(100):
            try:
                await client.post("/partner/suppressions/check", json={"digests": lines[:1]})
                break
            except httpx.ConnectError:
                await asyncio.sleep(0.1)
        for what in ("a list never brought before", "the same list again"):
            before, started = _memory(pid), time.perf_counter()
            answer = await client.post(
                "/partner/suppressions/scrub", content=body(), headers={"content-type": "text/plain"}
            )
            _say(f"{addresses:,} addresses, {what}", time.perf_counter() - started)
            grown = (_memory(pid) - before) // 1024
            sys.stdout.write(f"{answer.text.splitlines()[-1]}; the server grew by {grown:,} MiB\n")
        started = time.perf_counter()
        for number in range(20):
            digests = lines[number * 1_000 : (number + 1) * 1_000]
            await client.post("/partner/suppressions/check", json={"digests": digests})
        _say("a check of 1,000", (time.perf_counter() - started) / 20)


def _digest(key: bytes, number: int, addresses: int) -> str:
    """Every tenth is a member who opted out; of the others nobody has heard."""
    known = number % 10 == 0 and number // 10 < min(MEMBERS, addresses)
    address = f"m{number // 10 + 1}@example.org" if known else f"s{number}@example.net"
    return hmac.digest(key, address.encode(), "sha256").hex()


def _memory(pid: int) -> int:
    """KiB that the process has ever needed at once."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])


def _say(what: str, seconds: float) -> None:
    sys.stdout.write(f"{seconds:8.2f} s  {what}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    os.environ.pop("GATEWAY_DATABASE_URL", None)
    main()
