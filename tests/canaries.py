"""Session-wide search for secrets (R1): whatever left the program in this run is searched for each of them.

A canary is every telephone number that was sealed in the run and every password hash that was stored,
besides those of the demonstration. What left is every HTTP answer with its headers, every log line as
it is written, what tests printed, what commands and subprocesses gave out, and what tests hand over with
`leave`: dumps of tables, a server's log. Found at the end of the session, the run fails.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
import re
import subprocess
from collections.abc import Awaitable, Iterable, Iterator
from typing import Any, Final
from urllib.parse import unquote_plus

import httpx
import phonenumbers
import pytest
import typer.testing

from gateway.http.graphql import GraphQLEndpoint
from gateway.seeding import seeded_password_hashes, seeded_phone_numbers
from gateway.telemetry import JsonLines
from resolvers.commands import member_secrets
from resolvers.sealing import PhoneSealer

WINDOW: Final = 12
"""Characters of an encoded secret that are enough to give it away: 48 bits and more."""

LOCAL: Final = 7
"""Digits of a number without its area code."""

SHOWN: Final = 160
"""Characters of a text in which something was found that tell where to look."""

DEMONSTRATION: Final = (1, 2_000)
"""Seed value and members of `gateway demo`, which runs as a process of its own."""

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_STAMP: Final = re.compile(
    r'"(?:request_id|requestId)": ?"[0-9a-f]{16}"|x-request-id: [0-9a-f]{16}'
    r'|"operation": "[0-9a-f]{12}"|"time": "[0-9T:.+-]+"'
    r'|";r=[0-9]+;t=[0-9]+|"remaining": ?[0-9]+'
)
"""What names a request, a document or a moment, or counts down what a partner has left of millions: of such
digits, some spell a number every few runs."""

_RUN: Final = re.compile(r"[0-9](?:[ .\-/()_,\u00a0]{0,3}[0-9]){7,}")
_SHORT: Final = re.compile(r"(?<![0-9A-Za-z])[0-9]{3}[ .\-]?[0-9]{4}(?![0-9A-Za-z])")
_TOKEN: Final = re.compile(rf"[A-Za-z0-9+/_=$-]{{{WINDOW},}}")
_DIGIT: Final = re.compile(r"[0-9]")
_NOT_DIGIT: Final = re.compile(r"[^0-9]+")
_ESCAPE: Final = re.compile(r"\\u([0-9a-fA-F]{4})")


class Detector:
    """Finds secrets in texts, in many spellings. What it names them by are their numbers of arrival."""

    def __init__(self) -> None:
        self.spellings = 0
        self.secrets = 0
        self._known: set[str] = set()
        self._digits: dict[str, str] = {}
        self._lengths: tuple[int, ...] = ()
        self._locals: dict[str, str] = {}
        self._windows: dict[str, str] = {}

    def add_number(self, e164: str) -> None:
        """Search for this telephone number from now on."""
        if not self._is_new(e164):
            return
        name = f"number {self.secrets}"
        digits = e164.lstrip("+")
        try:
            national = str(phonenumbers.parse(e164).national_number)
        except phonenumbers.NumberParseException:
            national = digits
        spellings = (digits, f"00{digits}", national, f"0{national}")
        # The shortest national numbers have four digits, which stand in anything by chance.
        written = {text for text in spellings if len(text) >= LOCAL}
        for text in written:
            for spelling, how in ((text, "digits"), (text[::-1], "digits reversed")):
                self._digits[spelling] = f"{name} as {how}"
        self._lengths = tuple(sorted({*self._lengths, *(len(text) for text in written)}))
        self._locals[digits[-LOCAL:]] = f"{name} as its last {LOCAL} digits"
        # A run of digits is read through all that parts it: these are the same four spellings, parted.
        self.spellings += len(written) * 2 + 1 + len(_PARTED) * len(written)
        for text in (e164, *written):
            self._add_encodings(text, name)

    def add_secret(self, text: str) -> None:
        """Search for this text, such as a password hash, and for its parts."""
        if not self._is_new(text):
            return
        name = f"secret {self.secrets}"
        for part in (text, *text.split("$")):
            if len(part) >= WINDOW and not part.startswith(("m=", "v=")):
                self._add_windows(part.removeprefix(_ARGON_PREFIX), f"{name} in part")
        self._add_encodings(text, name)

    def search(self, text: str) -> list[str]:
        """What is found in `text`, each with the way in which it is written."""
        found: dict[str, None] = {}
        for variant in _variants(text):
            for hit in (*self._numbers_in(variant), *self._encoded_in(variant)):
                found[hit] = None
        return list(found)

    def _is_new(self, secret: str) -> bool:
        if secret in self._known:
            return False
        self._known.add(secret)
        self.secrets += 1
        return True

    def _add_encodings(self, text: str, name: str) -> None:
        data = text.encode()
        for algorithm in ("sha256", "sha1", "md5"):
            digest = hashlib.new(algorithm, data, usedforsecurity=False)
            self._add_windows(digest.hexdigest(), f"{name} as {algorithm}")
            self._add_windows(digest.hexdigest().upper(), f"{name} as {algorithm}")
            for encoded in _base64(digest.digest()):
                self._add_windows(encoded, f"{name} as {algorithm}")
        for encoded in _base64(data):
            self._add_windows(encoded, f"{name} as base64")
        self._add_windows(data.hex(), f"{name} as hex")

    def _add_windows(self, text: str, name: str) -> None:
        """Every `WINDOW`-th window: whoever shows twice as many characters of it shows one of them."""
        self.spellings += 1
        for start in range(0, len(text) - WINDOW + 1, WINDOW):
            self._windows[text[start : start + WINDOW]] = name

    def _numbers_in(self, text: str) -> Iterator[str]:
        for run in _RUN.finditer(text):
            digits = _NOT_DIGIT.sub("", run.group())
            for length in self._lengths:
                for start in range(len(digits) - length + 1):
                    hit = self._digits.get(digits[start : start + length])
                    if hit is not None:
                        yield hit
        for short in _SHORT.finditer(text):
            hit = self._locals.get(_NOT_DIGIT.sub("", short.group()))
            if hit is not None:
                yield hit

    def _encoded_in(self, text: str) -> Iterator[str]:
        for token in _TOKEN.finditer(text):
            characters = token.group()
            for start in range(len(characters) - WINDOW + 1):
                hit = self._windows.get(characters[start : start + WINDOW])
                if hit is not None:
                    yield hit


_ARGON_PREFIX: Final = "$argon2id$v=19$m=65536,t=3,p=4"
_PARTED: Final = (" ", ".", "-", "/", "()", "_")


def _base64(data: bytes) -> Iterator[str]:
    """What base64 may make of `data`, wherever in a text it stands: the characters made of it alone."""
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + data)
        own = whole.rstrip(b"=")[(shift * 8 + 5) // 6 :]
        own = own[: (len(data) * 8 - (6 - shift * 8 % 6) % 6) // 6]
        yield own.decode()
        yield own.translate(bytes.maketrans(b"+/", b"-_")).decode()


def _variants(text: str) -> Iterator[str]:
    """The text without ids and stamps, as it is and with its escapes undone."""
    text = _STAMP.sub(" ", _UUID.sub(" ", text))
    yield text
    if "%" in text:
        yield unquote_plus(text)
    if "\\u" in text:
        yield _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)


def _masked(text: str) -> str:
    """A text in which nothing can be recognised but where it came from."""
    return _DIGIT.sub("#", _TOKEN.sub("…", text))


class Watch:
    """What left in this session, each text once, and what must not have."""

    def __init__(self) -> None:
        self.detector = Detector()
        self.bytes = 0
        self.left: dict[str, int] = {}
        self._texts: dict[bytes, tuple[str, str]] = {}

    def leave(self, source: str, data: bytes | str) -> None:
        """Keep what left through `source` for the search."""
        raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
        if not raw:
            return
        key = hashlib.blake2b(raw, digest_size=16).digest()
        if key not in self._texts:
            self._texts[key] = (source, raw.decode("utf-8", "replace"))
            self.bytes += len(raw)
            self.left[source] = self.left.get(source, 0) + 1

    def leave_headers(self, source: str, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Keep headers, without those that change with each answer and say nothing."""
        lines = (name + b": " + value for name, value in headers if name.lower() not in _TECHNICAL)
        self.leave(source, b"\n".join(lines))

    def found(self) -> list[str]:
        """Every secret that left, with the way it took. Empties the watch."""
        if "subprocess" in self.left:
            for number in seeded_phone_numbers(*DEMONSTRATION):
                self.detector.add_number(number)
            for password_hash in seeded_password_hashes(*DEMONSTRATION):
                self.detector.add_secret(password_hash)
        hits: dict[str, None] = {}
        for source, text in self._texts.values():
            for hit in self.detector.search(text):
                hits[f"{hit} left by {source}: {_masked(text[:SHOWN])}"] = None
        self._texts.clear()
        return list(hits)


_TECHNICAL: Final = frozenset({b"date", b"content-length", b"x-request-id"})

WATCH: Final = Watch()
"""The one of this process."""


# -- the ways out


def _watch_answers(patch: pytest.MonkeyPatch) -> None:
    serve, read, aread = GraphQLEndpoint.__call__, httpx.Response.read, httpx.Response.aread

    async def served(self: GraphQLEndpoint, scope: Any, receive: Any, send: Any) -> None:
        async def sent(message: Any) -> None:
            WATCH.leave_headers("headers", message.get("headers", ()))
            WATCH.leave("answer", message.get("body", b""))
            await send(message)

        await serve(self, scope, receive, sent)

    def keep(response: httpx.Response, body: bytes) -> bytes:
        WATCH.leave_headers("headers", response.headers.raw)
        WATCH.leave("answer", body)
        return body

    async def received(self: httpx.Response) -> bytes:
        return keep(self, await aread(self))

    patch.setattr(GraphQLEndpoint, "__call__", served)
    patch.setattr(httpx.Response, "read", lambda self: keep(self, read(self)))
    patch.setattr(httpx.Response, "aread", received)


def _watch_commands(patch: pytest.MonkeyPatch) -> None:
    run, invoke = subprocess.run, typer.testing.CliRunner.invoke
    communicate = asyncio.subprocess.Process.communicate

    def ran(*arguments: Any, **options: Any) -> Any:
        done: Any = run(*arguments, **options)
        for output in (done.stdout, done.stderr):
            if isinstance(output, bytes | str):
                WATCH.leave("subprocess", output)
        return done

    async def communicated(self: Any, *arguments: Any) -> Any:
        outputs = await communicate(self, *arguments)
        for output in outputs:
            WATCH.leave("subprocess", output or b"")
        return outputs

    def invoked(*arguments: Any, **options: Any) -> Any:
        result = invoke(*arguments, **options)
        WATCH.leave("command", result.stdout_bytes)
        WATCH.leave("command", result.stderr_bytes or b"")
        return result

    patch.setattr(subprocess, "run", ran)
    patch.setattr(asyncio.subprocess.Process, "communicate", communicated)
    patch.setattr(typer.testing.CliRunner, "invoke", invoked)


def _watch_log(patch: pytest.MonkeyPatch) -> None:
    """Every record, formatted as the program writes it, whatever handlers a test sets."""
    handle, formatter = logging.Logger.handle, JsonLines()

    def handled(self: logging.Logger, record: logging.LogRecord) -> None:
        WATCH.leave("log", formatter.format(record))
        handle(self, record)

    patch.setattr(logging.Logger, "handle", handled)


def _watch_secrets(patch: pytest.MonkeyPatch) -> None:
    seal, write = PhoneSealer.seal, member_secrets._write_passwords

    def sealed(self: PhoneSealer, number_e164: str, phone_id: Any) -> bytes:
        ciphertext = seal(self, number_e164, phone_id)
        WATCH.detector.add_number(number_e164)
        return ciphertext

    def written(connection: Any, passwords: Any, now: Any) -> Awaitable[None]:
        for _, password_hash in passwords:
            WATCH.detector.add_secret(password_hash)
        return write(connection, passwords, now)

    patch.setattr(PhoneSealer, "seal", sealed)
    patch.setattr(member_secrets, "_write_passwords", written)


# -- pytest


FOUND: Final = pytest.StashKey[list[str]]()
_PATCH: Final = pytest.StashKey[pytest.MonkeyPatch]()


def pytest_configure(config: pytest.Config) -> None:
    patch = config.stash[_PATCH] = pytest.MonkeyPatch()
    _watch_log(patch)
    _watch_answers(patch)
    _watch_commands(patch)
    _watch_secrets(patch)
    config.stash[FOUND] = []


def pytest_unconfigure(config: pytest.Config) -> None:
    if _PATCH in config.stash:
        config.stash[_PATCH].undo()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.passed:
        WATCH.leave("standard output", report.capstdout)
        WATCH.leave("standard error", report.capstderr)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    found = session.config.stash[FOUND]
    found += WATCH.found()
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["canaries"] = found
    if found and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """A worker of a split run has ended: what it found counts for the whole run."""
    del error
    node.config.stash[FOUND] += getattr(node, "workeroutput", {}).get("canaries", [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    detector = WATCH.detector
    ways = ", ".join(f"{count} by {source}" for source, count in sorted(WATCH.left.items()))
    terminalreporter.write_line(
        f"canaries: {detector.secrets} secrets in {detector.spellings} spellings searched for in"
        f" {WATCH.bytes} bytes ({ways or 'nothing left'})"
    )
    for hit in config.stash[FOUND]:
        terminalreporter.write_line(f"canaries: {hit}", red=True)
