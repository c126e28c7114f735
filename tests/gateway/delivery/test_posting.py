from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from gateway.delivery import posting
from gateway.delivery.posting import Poster
from policies.destinations import Address, Rules
from schema.errors import InputError
from tests.gateway.delivery.receivers import OK, Receiver, receiving, status

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
NAME = "hooks.example.org"


class Names:
    """A resolver: each look gives the next of `answers`, and the last one for ever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, _port: int) -> Sequence[Address]:
        self.asked.append(host)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [ip_address(text) for text in answer]


def loopback(port: int) -> Rules:
    return Rules.of(["127.0.0.0/8"], [port])


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The receiver's context, for `NAME` only, and that of who trusts it."""
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    folder: Path = tmp_path_factory.mktemp("tls")
    (folder / "cert.pem").write_bytes(made.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return serving, ssl.create_default_context(cafile=str(folder / "cert.pem"))


async def test_the_connection_goes_to_the_address_that_was_checked_and_tls_to_the_name(
    tls: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    async with receiving(tls[0]) as receiver:
        names = Names(["127.0.0.1"])
        poster = Poster(loopback(receiver.port), resolve=names, trust=tls[1])
        answer = await poster.post(f"https://{NAME}:{receiver.port}/a?b=c", b"{}", {"webhook-id": "1"}, NOW)

    assert answer.taken
    (got,) = receiver.got
    assert (got.target, got.headers["host"], got.body) == ("/a?b=c", f"{NAME}:{receiver.port}", b"{}")
    assert names.asked == [NAME], "nobody resolves the name a second time"
    assert {"cookie", "authorization"}.isdisjoint(got.headers)


async def test_a_certificate_for_another_name_is_refused(tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    async with receiving(tls[0]) as receiver:
        poster = Poster(loopback(receiver.port), resolve=Names(["127.0.0.1"]), trust=tls[1])
        for host in ("other.example.org", "127.0.0.1"):
            answer = await poster.post(f"https://{host}:{receiver.port}/", b"{}", {}, NOW)
            assert (answer.status, answer.cause) == (None, "ConnectError")
    assert receiver.got == []


async def test_a_name_that_points_inside_after_it_was_registered_is_not_followed(
    tls: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    async with receiving(tls[0]) as receiver:
        rules = Rules.of([], [receiver.port])
        poster = Poster(rules, resolve=Names(["93.184.215.14"], ["127.0.0.1"]), trust=tls[1])
        url = f"https://{NAME}:{receiver.port}/"
        await poster.check(url)
        answer = await poster.post(url, b"{}", {}, NOW)
    assert (answer.status, answer.cause, receiver.connections) == (None, "not admitted", 0)


@pytest.mark.parametrize(
    "inside", ["10.0.0.1", "::1", "::ffff:10.0.0.1", "169.254.169.254", "64:ff9b::a00:1"]
)
async def test_one_address_inside_among_public_ones_is_enough_to_refuse(inside: str) -> None:
    poster = Poster(Rules(), resolve=Names(["93.184.215.14", inside]))
    with pytest.raises(InputError, match="not public"):
        await poster.check(f"https://{NAME}/")
    assert (await poster.post(f"https://{NAME}/", b"{}", {}, NOW)).cause == "not admitted"


async def test_without_tls_only_this_machine_is_spoken_to() -> None:
    rules = Rules.of(["10.0.0.0/8", "127.0.0.0/8"], [80])
    with pytest.raises(InputError, match="https"):
        await Poster(rules, resolve=Names(["10.0.0.1"])).check("http://localhost/")


async def test_what_cannot_be_resolved_is_refused() -> None:
    async def fails(_host: str, _port: int) -> Sequence[Address]:
        raise OSError

    with pytest.raises(InputError, match="resolved"):
        await Poster(Rules(), resolve=fails).check(f"https://{NAME}/")


async def test_the_next_address_is_tried_while_nothing_was_sent(
    tls: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    async with receiving(tls[0]) as receiver:
        names = Names(["::1", "127.0.0.1"])
        rules = Rules.of(["127.0.0.0/8", "::1/128"], [receiver.port])
        poster = Poster(rules, resolve=names, trust=tls[1])
        assert (await poster.post(f"https://{NAME}:{receiver.port}/", b"{}", {}, NOW)).taken
    assert len(receiver.got) == 1


async def posted(receiver: Receiver) -> posting.Answer:
    return await Poster(loopback(receiver.port)).post(receiver.url, b"{}", {}, NOW)


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(code: int) -> None:
    async with receiving() as elsewhere, receiving() as receiver:
        receiver.answer = lambda _: status(code, f"location: http://127.0.0.1:{elsewhere.port}/")
        answer = await Poster(Rules.of(["127.0.0.0/8"], [receiver.port, elsewhere.port])).post(
            receiver.url, b"{}", {}, NOW
        )
    assert (answer.status, answer.taken, elsewhere.connections) == (code, False, 0)


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiving() as proxy, receiving() as receiver:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert (await posted(receiver)).taken
    assert proxy.connections == 0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        ("Mon, 23 Nov 2026 12:01:00 GMT", 60),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("9" * 400, 999_999_999),
    ],
)
async def test_retry_after_is_read_as_seconds_or_a_date(text: str, seconds: int | None) -> None:
    async with receiving() as receiver:
        receiver.answer = lambda _: status(503, f"retry-after: {text}")
        answer = await posted(receiver)
    assert answer.retry_after == (None if seconds is None else timedelta(seconds=seconds))


async def test_a_receiver_that_never_answers_or_drips_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "TOTAL_TIMEOUT", 0.2)
    async with receiving() as receiver:
        receiver.answer = lambda _: None
        assert (await posted(receiver)).cause == "timeout"
        receiver.answer = lambda _: b"HTTP/1.1 200 OK\r\nx: "
        assert (await posted(receiver)).status is None


@pytest.mark.parametrize(
    "body", [b"content-length: 99999999\r\n\r\n" + b"x" * 200_000, b"content-length: 5\r\n\r\nx"]
)
async def test_a_body_that_is_long_or_never_ends_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    monkeypatch.setattr(posting, "BODY_TIMEOUT", 0.1)
    async with receiving() as receiver:
        receiver.answer = lambda _: b"HTTP/1.1 200 OK\r\n" + body
        assert (await posted(receiver)).taken


@pytest.mark.parametrize("rubbish", [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 abc\r\n\r\n", b"x" * 200_000])
async def test_what_is_no_http_is_a_failure(rubbish: bytes) -> None:
    async with receiving() as receiver:
        receiver.answer = lambda _: rubbish
        assert (await posted(receiver)).status is None
        receiver.answer = lambda _: OK
        assert (await posted(receiver)).taken


async def test_the_system_resolves_names() -> None:
    found = await posting.resolve("localhost", 443)
    assert found
    assert all(address.is_loopback for address in found)
    with pytest.raises(OSError):  # noqa: PT011 - whichever the system says
        async with asyncio.timeout(20):
            await posting.resolve("nowhere.invalid", 443)
