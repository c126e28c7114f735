from __future__ import annotations

import asyncio
import ssl
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from smtplib import SMTPException, SMTPNotSupportedError
from typing import Any
from uuid import UUID

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from gateway.delivery.letters import Mail, UndeliverableError
from gateway.delivery.sender import FIRST_WAIT
from gateway.delivery.transports import Folder, Server, Smtp, open_transport, read_mail_url
from gateway.settings import Settings
from schema.errors import SettingsError
from schema.tables.mail import LetterKind
from tests.gateway.delivery.conftest import Outbox, eml_files, parsed

MAIL = Mail(
    UUID(int=3),
    "members@shop.example",
    "ada@example.org",
    b"From: members@shop.example\r\nSubject: Hello\r\n\r\nText\r\n.a line with a dot\r\n",
)


class Mailroom:
    """What a mail server was told. `answers` are given in place of 250."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, list[str], bytes]] = []
        self.answers: dict[str, str] = {}
        self.encrypted: list[bool] = []
        self.users: list[bytes] = []
        self.sessions: set[int] = set()

    async def handle_MAIL(  # noqa: N802 - the name that it is called by
        self, _server: SMTP, _session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if "MAIL" in self.answers:
            return self.answers["MAIL"]
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - the name that it is called by
        self, _server: SMTP, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        self.sessions.add(id(session))
        if "RCPT" in self.answers:
            return self.answers["RCPT"]
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - the name that it is called by
        self, _server: SMTP, session: Any, envelope: Any
    ) -> str:
        if "DATA" in self.answers:
            return self.answers["DATA"]
        self.encrypted.append(session.ssl is not None)
        self.taken.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
        return "250 OK"

    def authenticate(
        self, _server: Any, _session: Any, _envelope: Any, _mechanism: Any, data: Any
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.users.append(data.login)
        # Not `handled`: the server says no by itself; else nobody does, and the client waits half a minute.
        return AuthResult(success=data.password == b"p@ss/word", handled=False)


@asynccontextmanager
async def mail_server(
    mailroom: Mailroom, *, from_the_first_byte: ssl.SSLContext | None = None, **options: Any
) -> AsyncIterator[Server]:
    """A real server on this machine; where to find it."""
    loop = asyncio.get_running_loop()

    sessions: list[SMTP] = []

    def session() -> SMTP:
        sessions.append(SMTP(mailroom, hostname="mx.test", loop=loop, **options))
        return sessions[-1]

    listening = await loop.create_server(session, "127.0.0.1", 0, ssl=from_the_first_byte)
    try:
        yield Server("127.0.0.1", listening.sockets[0].getsockname()[1], needs_tls=False)
    finally:
        listening.close()
        for opened in sessions:
            if opened.transport is not None:
                opened.transport.close()
        await asyncio.sleep(0.01)


@pytest.fixture
def mailroom() -> Mailroom:
    return Mailroom()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The server's context, and that of a client who trusts it."""
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mx.test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    (folder / "cert.pem").write_bytes(made.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return serving, ssl.create_default_context(cafile=str(folder / "cert.pem"))


def with_tls(server: Server, *, implicit: bool = False, **login: str) -> Server:
    return Server(server.host, server.port, implicit_tls=implicit, needs_tls=True, **login)


async def deliver(transport: Any, *mails: Mail) -> None:
    async with transport.session() as send:
        for mail in mails:
            await send(mail)


async def test_a_folder_gets_one_private_file_for_each_mail(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "mail"
    await deliver(Folder(folder), MAIL)
    await deliver(Folder(folder), MAIL)

    (file,) = eml_files(folder)
    assert file.name == f"{MAIL.id}.eml"
    assert file.read_bytes() == MAIL.data
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert list(folder.iterdir()) == [file], "no draft is left"


async def test_a_server_gets_the_bytes_as_they_are(mailroom: Mailroom) -> None:
    async with mail_server(mailroom) as server:
        await deliver(Smtp(server), MAIL, MAIL)

    assert mailroom.taken == [("members@shop.example", ["ada@example.org"], MAIL.data)] * 2
    assert len(mailroom.sessions) == 1, "one connection for a batch"


async def test_without_tls_nothing_is_sent_where_tls_is_needed(mailroom: Mailroom) -> None:
    async with mail_server(mailroom) as server:
        with pytest.raises(SMTPNotSupportedError):
            await deliver(Smtp(with_tls(server, user="u", password="p")), MAIL)

    assert not mailroom.taken
    assert not mailroom.users


async def test_a_certificate_that_nobody_trusts_is_refused(mailroom: Mailroom, certificate: Any) -> None:
    async with mail_server(mailroom, tls_context=certificate[0]) as server:
        with pytest.raises(ssl.SSLCertVerificationError):
            await deliver(Smtp(with_tls(server, user="u", password="p")), MAIL)

    assert not mailroom.taken
    assert not mailroom.users


async def test_starttls_then_sign_in_then_mail(mailroom: Mailroom, certificate: Any) -> None:
    serving, trusting = certificate
    options = {"tls_context": serving, "require_starttls": True, "auth_required": True}
    async with mail_server(mailroom, authenticator=mailroom.authenticate, **options) as server:
        login = with_tls(server, user="shop", password="p@ss/word")
        await deliver(Smtp(login, trust=trusting), MAIL)
        with pytest.raises(SMTPException):
            await deliver(Smtp(with_tls(server, user="shop", password="wrong"), trust=trusting), MAIL)

    assert mailroom.encrypted == [True]
    assert mailroom.users[0] == b"shop"


async def test_tls_from_the_first_byte(mailroom: Mailroom, certificate: Any) -> None:
    serving, trusting = certificate
    async with mail_server(mailroom, from_the_first_byte=serving) as server:
        await deliver(Smtp(with_tls(server, implicit=True), trust=trusting), MAIL)

    assert len(mailroom.taken) == 1


@pytest.mark.parametrize("step", ["RCPT", "DATA"])
async def test_a_busy_server_is_asked_again_and_a_refusal_is_final(
    outbox: Outbox, mailroom: Mailroom, step: str
) -> None:
    async with mail_server(mailroom) as server:
        sender = outbox.sender(Smtp(server))
        await outbox.post(LetterKind.WELCOME)
        mailroom.answers[step] = "451 later"
        assert await sender.drain() == 0
        assert await outbox.waiting() == 1
        mailroom.answers.clear()
        outbox.now += FIRST_WAIT
        assert await sender.drain() == 1
        await outbox.post(LetterKind.WELCOME)
        mailroom.answers[step] = "550 no such person"
        assert await sender.drain() == 0

    assert await outbox.waiting() == 0
    ((_, recipients, data),) = mailroom.taken
    assert recipients == ["ada@example.org"]
    assert parsed(data)["Subject"] == "Your account is open"


async def test_a_server_that_refuses_the_sender_may_change_its_mind(
    outbox: Outbox, mailroom: Mailroom
) -> None:
    """What is wrong then is our setting, and no mail is lost by it."""
    await outbox.post(LetterKind.WELCOME)
    mailroom.answers["MAIL"] = "550 not from you"
    async with mail_server(mailroom) as server:
        assert await outbox.sender(Smtp(server)).drain() == 0
    assert await outbox.waiting() == 1


async def test_an_address_beyond_ascii_needs_a_server_that_knows_such(mailroom: Mailroom) -> None:
    mail = Mail(MAIL.id, MAIL.sender, "zoë@example.org", "To: zoë@example.org\r\n\r\nText\r\n".encode())
    async with mail_server(mailroom, enable_SMTPUTF8=True) as server:
        await deliver(Smtp(server), mail)
    async with mail_server(mailroom, enable_SMTPUTF8=False) as server:
        with pytest.raises(UndeliverableError):
            await deliver(Smtp(server), mail)

    assert mailroom.taken == [(mail.sender, [mail.recipient], mail.data)]


def test_a_mail_url_says_all() -> None:
    assert read_mail_url("smtp://shop:p%40ss%2Fword@mx.example") == Server(
        "mx.example", 587, "shop", "p@ss/word", implicit_tls=False, needs_tls=True
    )
    assert read_mail_url("smtps://mx.example:2465") == Server("mx.example", 2465, implicit_tls=True)
    assert read_mail_url("smtp://localhost:25").needs_tls is False
    assert read_mail_url("smtp://[::1]:25").needs_tls is False
    assert read_mail_url("smtp://127.0.0.1.example.org").needs_tls is True
    assert "p@ss" not in repr(read_mail_url("smtp://shop:p%40ss@mx.example"))


@pytest.mark.parametrize(
    "url",
    [
        "", "mx.example", "http://mx.example", "smtp://", "smtp://mx.example:99999", "smtp://u:se#cret@mx.example",
        "smtp://u:se/cret@mx.example", "smtp://mx.example?x=1", "smtp://[::1", "smtp://mx.example/box",
    ],
)  # fmt: skip
def test_a_wrong_mail_url_is_told_at_the_start_without_its_password(url: str, settings: Settings) -> None:
    with pytest.raises(SettingsError, match="GATEWAY_MAIL_URL") as caught:
        open_transport(settings.model_copy(update={"mail_url": SecretStr(url)}))
    assert "cret" not in str(caught.value)


def test_without_a_mail_url_there_is_a_folder(settings: Settings) -> None:
    assert isinstance(open_transport(settings), Folder)
    assert isinstance(
        open_transport(settings.model_copy(update={"mail_url": SecretStr("smtps://mx.example")})), Smtp
    )
