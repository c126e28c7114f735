"""The detector of secrets must be able to go red, for every spelling that it claims to know."""

from __future__ import annotations

import base64
import hashlib
import json
import logging
from urllib.parse import quote

import httpx
import pytest

from gateway.seeding import seeded_password_hashes, seeded_phone_numbers
from gateway.telemetry import event
from tests.canaries import Detector, Watch

NUMBER = "+14155550132"
HASH = seeded_password_hashes(5, 1)[0]
_, _, _, _, SALT, DIGEST = HASH.split("$")

SPELLINGS = [
    NUMBER,
    "14155550132",
    "0014155550132",
    "4155550132",
    "+1 415 555 0132",
    "(415) 555-0132",
    "415.555.0132",
    "415-555-0132",
    "415/555/0132",
    "4 1 5 5 5 5 0 1 3 2",
    "555-0132",
    "5550132",
    "555 0132",
    NUMBER[::-1],
    "2310555514",
    quote(NUMBER),
    quote("(415) 555-0132"),
    json.dumps(NUMBER).replace("4", "\\u0034"),
    base64.b64encode(NUMBER.encode()).decode(),
    base64.b64encode(b"tel:" + NUMBER.encode() + b";").decode(),
    base64.urlsafe_b64encode(b"phone=" + NUMBER.encode()).decode(),
    NUMBER.encode().hex(),
    hashlib.sha256(NUMBER.encode()).hexdigest(),
    hashlib.sha256(NUMBER.encode()).hexdigest().upper(),
    hashlib.sha256(NUMBER.encode()).hexdigest()[:12],
    hashlib.sha256(b"4155550132").hexdigest()[:24],
    base64.b64encode(hashlib.sha256(NUMBER.encode()).digest()).decode(),
    base64.urlsafe_b64encode(hashlib.sha256(NUMBER.encode()).digest()).decode().rstrip("="),
    hashlib.md5(NUMBER.encode(), usedforsecurity=False).hexdigest(),
    f"tel{NUMBER[1:]}now",
    f'{{"data":{{"a":"x{NUMBER}y"}}}}',
]
SECRET_SPELLINGS = [
    HASH,
    SALT,
    DIGEST,
    DIGEST[7:34],
    quote(HASH),
    base64.b64encode(HASH.encode()).decode(),
    hashlib.sha256(HASH.encode()).hexdigest(),
    json.dumps({"error": f"duplicate key ({HASH})"}),
]
INNOCENT = [
    "",
    "2025-06-01T10:22:33.123456+00:00",
    '{"id":"4155550133aa"}',
    "019c1415-5550-7132-8415-555013200000",
    "v=19$m=65536,t=3,p=4",
    "$argon2id$v=19$m=65536,t=3,p=4$",
    "55501321",
    "a5550132b",
    "S1-000123, 0132, 415",
]


@pytest.fixture
def detector() -> Detector:
    made = Detector()
    made.add_number(NUMBER)
    made.add_secret(HASH)
    return made


@pytest.mark.clause("R1")
@pytest.mark.parametrize("text", [*SPELLINGS, *SECRET_SPELLINGS])
def test_a_secret_is_found_in_every_spelling(detector: Detector, text: str) -> None:
    assert detector.search(text)
    assert detector.search(f"<<{text}>>")


@pytest.mark.parametrize("text", INNOCENT)
def test_what_is_no_secret_is_left_alone(detector: Detector, text: str) -> None:
    assert detector.search(text) == []


@pytest.mark.clause("R1")
def test_every_seeded_number_is_found_among_all_others() -> None:
    detector = Detector()
    numbers = seeded_phone_numbers(3, 200)
    for number in numbers:
        detector.add_number(number)

    assert all(detector.search(f"x {number} y") for number in numbers)
    assert all(detector.search(number[-4:] + " " + number[:6]) == [] for number in numbers)


def test_a_finding_never_shows_the_secret(detector: Detector) -> None:
    (hit,) = detector.search("tel:+14155550132!")

    assert "0132" not in hit


@pytest.mark.clause("R1")
def test_a_request_id_that_happens_to_spell_a_number_is_none() -> None:
    watch = Watch()
    watch.detector.add_number("+4712345678")
    watch.leave("log", '{"time": "2026-11-24T01:12:34.567+00:00", "request_id": "ab12345678cdef90"}')
    watch.leave("answer", '{"extensions":{"requestId":"1234567812345678"}}')
    assert watch.found() == []


@pytest.mark.clause("R1")
def test_what_is_left_of_a_quota_that_happens_to_spell_a_number_is_none() -> None:
    watch = Watch()
    watch.detector.add_number("+12029998123")
    watch.leave(
        "headers", 'ratelimit-policy: "members";q=10000000;w=86400\nratelimit: "members";r=9998123;t=7'
    )
    watch.leave("answer", '{"data":{"quota":{"remaining":9998123}}}')
    assert watch.found() == []
    watch.leave("headers", 'x-hint: "members";n=9998123;t=7')
    assert watch.found()


def test_a_finding_says_where_and_shows_neither_digits_nor_tokens() -> None:
    watch = Watch()
    watch.detector.add_number(NUMBER)
    watch.detector.add_secret(HASH)
    watch.leave("log", f'{{"event": "refused", "reason": "{NUMBER} {HASH}"}}')
    found = watch.found()
    assert found
    assert all('"event": "refused"' in line for line in found)
    assert not Detector.search(watch.detector, "".join(found))


async def test_the_watch_sees_answers_and_log_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Through the very hooks of this session, on a watch of its own."""
    watch = Watch()
    watch.detector.add_number(NUMBER)
    monkeypatch.setattr("tests.canaries.WATCH", watch)

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"x-hint": "555-0132"}, text=f"call {NUMBER}")

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        await client.get("http://gateway.test/")
    httpx.Response(200, stream=httpx.ByteStream(NUMBER.encode()[::-1])).read()
    event("row", logging.WARNING, value=f"tel {NUMBER}")

    found = watch.found()

    assert {hit.partition(" left by ")[2].partition(":")[0] for hit in found} == {"answer", "headers", "log"}
    assert watch.found() == []
