"""How a mail leaves: into a folder, or to a server by SMTP (RFC 5321). By the setting `mail_url`.

Both are used one batch at a time: `async with transport.session() as send: await send(mail)`. A mail that
was taken is never lost by us; one that nobody takes is told apart from one to try again.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import smtplib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol, TypeAlias
from urllib.parse import SplitResult, unquote, urlsplit

from gateway.delivery.letters import Mail, UndeliverableError
from gateway.keys import make_private_dir
from gateway.settings import Settings, is_loopback
from schema.errors import SettingsError

TIMEOUT: Final = 30.0
"""Seconds that one answer of a server may take (RFC 5321, 4.5.3.2, allows minutes)."""

SUBMISSION_PORT: Final = 587
SUBMISSIONS_PORT: Final = 465
"""RFC 8314."""

LOCAL_NAME: Final = "[127.0.0.1]"
"""How a client without a name of its own calls itself (RFC 5321, 4.1.4)."""

_PERMANENT: Final = range(500, 600)

Sending: TypeAlias = Callable[[Mail], Awaitable[None]]


class Transport(Protocol):
    """A way out."""

    def session(self) -> AbstractAsyncContextManager[Sending]:
        """What sends the mails of one batch.

        It raises `UndeliverableError` for a mail that will never be taken, and `OSError` (which those of
        smtplib and ssl are) for one that may be taken later.
        """
        ...


class Folder:
    """Writes each mail into a file `ID.eml`, whole or not at all, readable by this user only."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Sending]:
        """Write into the folder, which is made if it is missing."""
        await asyncio.to_thread(make_private_dir, self._path)

        async def send(mail: Mail) -> None:
            await asyncio.to_thread(self._write, mail)

        yield send

    def _write(self, mail: Mail) -> None:
        draft = self._path / f".{mail.id}.{secrets.token_hex(4)}"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(mail.data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path / f"{mail.id}.eml")


@dataclass(frozen=True, slots=True)
class Server:
    """A server that takes mail. `implicit_tls`: from the first byte on; else by STARTTLS, if `needs_tls`."""

    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    implicit_tls: bool = False
    needs_tls: bool = True


class Smtp:
    """Hands mails to a server, over one connection a batch, in a thread."""

    def __init__(self, server: Server, name: str = LOCAL_NAME, trust: ssl.SSLContext | None = None) -> None:
        self._server = server
        self._name = name
        self._trust = trust or ssl.create_default_context()

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Sending]:
        """Connect, encrypt, sign in."""
        client = await asyncio.to_thread(self._connect)

        async def send(mail: Mail) -> None:
            await asyncio.to_thread(_submit, client, mail)

        try:
            yield send
        finally:
            await asyncio.to_thread(_leave, client)

    def _connect(self) -> smtplib.SMTP:
        server = self._server
        client: smtplib.SMTP
        if server.implicit_tls:
            client = smtplib.SMTP_SSL(
                server.host, server.port, self._name, timeout=TIMEOUT, context=self._trust
            )
        else:
            client = smtplib.SMTP(server.host, server.port, self._name, timeout=TIMEOUT)
        try:
            if server.needs_tls and not server.implicit_tls:
                client.starttls(context=self._trust)  # raises where it is not offered
            if server.user is not None:
                client.login(server.user, server.password or "")
        except BaseException:
            client.close()
            raise
        return client


def _submit(client: smtplib.SMTP, mail: Mail) -> None:
    options = () if mail.recipient.isascii() else ("SMTPUTF8", "BODY=8BITMIME")
    try:
        client.sendmail(mail.sender, [mail.recipient], mail.data, options)
    except smtplib.SMTPRecipientsRefused as refused:
        ((code, _),) = refused.recipients.values()
        if code in _PERMANENT:
            raise UndeliverableError from None
        raise
    except smtplib.SMTPDataError as refused:
        if refused.smtp_code in _PERMANENT:
            raise UndeliverableError from None
        raise
    except smtplib.SMTPNotSupportedError:
        raise UndeliverableError from None


def _leave(client: smtplib.SMTP) -> None:
    with suppress(OSError):
        client.quit()
    client.close()


def open_transport(settings: Settings) -> Transport:
    """The transport of these settings. Nothing is connected yet.

    Raises:
        SettingsError: `mail_url` is not what docs/settings.md says.
    """
    if settings.mail_url is None:
        return Folder(settings.data_dir / "mail")
    host = settings.public_url.host or ""
    named = "." in host and not host.replace(".", "").isdecimal()
    return Smtp(read_mail_url(settings.mail_url.get_secret_value()), host if named else LOCAL_NAME)


def read_mail_url(url: str) -> Server:
    """The server that a `mail_url` names.

    Raises:
        SettingsError: it names none; the message does not repeat it, because it holds a password.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in {"smtp", "smtps"} or _has_rest(parts):
        raise SettingsError(
            "`GATEWAY_MAIL_URL`: `smtp://user:password@host:587` or `smtps://user:password@host:465`; in user"
            " and password, `@`, `:`, `/` and `#` are written as `%40`, `%3A`, `%2F` and `%23`"
        )
    implicit = parts.scheme == "smtps"
    return Server(
        host=host,
        port=port or (SUBMISSIONS_PORT if implicit else SUBMISSION_PORT),
        user=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
        implicit_tls=implicit,
        needs_tls=not is_loopback(host),
    )


def _has_rest(parts: SplitResult) -> bool:
    """Whether more follows the host, as when a `/` or `#` of a password was not encoded."""
    return bool(parts.path.strip("/") or parts.query or parts.fragment)
