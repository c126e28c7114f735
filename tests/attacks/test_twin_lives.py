"""R1: one and the same life, from the registration to the erasure, leaves the twin worlds alike.

The numbers that are typed are on file already, for other members, in one of the worlds and not in the other.
Every answer, log line and row outside the vault is compared.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from gateway.keys import Keyring
from gateway.seeding import seeded_phone_numbers
from resolvers.tokens import SealedTokens, TokenUse
from tests.attacks.comparing import send, shape
from tests.attacks.generator import Wire
from tests.attacks.test_twins import Ids, _dump, ids, lines, log_lines
from tests.attacks.twins import SECRET_VALUES, SEED_VALUE, Twins
from tests.attacks.wire import Answer, Line

__all__ = ["ids", "lines", "log_lines"]

EMAIL = "twin@example.org"
PASSWORD = "seven lanterns drift over quiet orchards"
_OWN = re.compile(rb'"accessToken":"[^"]+"|"expiresAt":"[^"]+"')
"""What no two sign-ins have in common: a token has an id and a time of its own."""

_NUMBER = re.compile(r"M-[0-9]{9}")
"""A new member number is drawn at random."""

_BY_CHANCE = re.compile(r"(?<=,)(?:[0-9]+|[0-9a-f-]{36})\)$")
"""What the database makes up at the end of a row: the log's name of a member, a transaction's number."""


class Life:
    """Sends the same to both worlds, compares what comes back, and gives the left one's answer."""

    def __init__(self, twins: Twins, lines: tuple[Line, Line], ids: Ids, keys: Keyring, log: Any) -> None:
        self._worlds = (twins.left, twins.right)
        self._lines = lines
        self._ids = ids
        self._log = log
        self._tokens = SealedTokens(keys.token_key)
        self._steps = 0
        self.access: tuple[str | None, str | None] = (None, None)

    async def step(
        self, document: str, given: Any = None, *, token: str | None = None, **headers: str
    ) -> Any:
        self._steps += 1
        body = json.dumps({"query": document, "variables": {"i": given}}).encode()
        wire = Wire("POST", "", (("content-type", "application/json"), *headers.items()), body)
        answers: list[Answer] = []
        logged = []
        self._log()
        for line, access in zip(self._lines, self.access, strict=True):
            self._ids.start(7 << 40 | self._steps)
            answers.append(await send(line, wire, token or access))
            logged.append(self._log())
        left, right = (_told(answer) for answer in answers)
        assert left == right, document
        assert logged[0] == logged[1], document
        assert answers[0].status == 200, answers[0].body
        granted = [answer.json["data"].get("signIn", {}).get("accessToken") for answer in answers]
        if granted[0] is not None:
            self.access = (granted[0], granted[1])
        return answers[0].json["data"]

    async def link(self, kind: str) -> str:
        """The token in the newest mail of this kind: in both worlds the same."""
        tokens = set()
        for world in self._worlds:
            found: UUID = await world.database.app.fetchval(
                "SELECT link_id FROM outgoing_mail WHERE kind = $1 AND link_id IS NOT NULL", kind
            )
            tokens.add(self._tokens.seal(TokenUse.LINK, found.bytes))
        assert len(tokens) == 1
        return tokens.pop()

    async def compare_rows(self) -> None:
        """But for records of disclosures and quotas, which other tests use as well."""
        left, right = [
            sorted(
                _BY_CHANCE.sub("", row)
                for row in _NUMBER.sub("", await _dump(world)).splitlines()
                if not row.startswith(("public.disclosure", "public.quota", "public.suppression_due"))
            )
            for world in self._worlds
        ]
        assert [row for row in left if row not in set(right)] == []
        assert len(left) == len(right)


def _told(answer: Answer) -> tuple[Any, ...]:
    status, headers, body = shape(answer)
    technical = {b"content-length"}
    return status, [header for header in headers if header[0] not in technical], _OWN.sub(b"", body)


def command(name: str, kind: str | None = None, shown: str = "errors { path code message }") -> str:
    kind = f"{name[0].upper()}{name[1:]}Input!" if kind is None else kind
    return f"mutation ($i: {kind}) {{ {name}(input: $i) {{ {shown} }} }}"


@pytest.mark.clause("R1", "C10", "C14")
async def test_a_whole_life_leaves_twin_worlds_alike(
    twins: Twins,
    lines: tuple[Line, Line],
    log_lines: Callable[[], list[dict[str, Any]]],
    ids: Ids,
    keys: Keyring,
) -> None:
    taken, free = (seeded_phone_numbers(SEED_VALUE, 8, value)[0] for value in SECRET_VALUES)
    life = Life(twins, lines, ids, keys, log_lines)
    registration = {
        "email": EMAIL,
        "password": PASSWORD,
        "givenName": "Tova",
        "familyName": "Twin",
        "birthDate": "1990-04-05",
        "address": {
            "line1": "1 Main",
            "city": "Springfield",
            "state": "CA",
            "postalCode": "62701",
            "country": "US",
        },
        "phones": [{"number": taken, "label": "Home"}, {"number": free, "label": "Office"}],
        "billing": {
            "brand": "Visa",
            "lastFour": "4242",
            "expiryMonth": 1,
            "expiryYear": 2031,
            "processorToken": "t",
        },
        "newsletter": True,
    }
    done: dict[str, Any] = {"errors": []}
    for number in (taken, free):
        refused = await life.step(command("register"), {**registration, "givenName": f"call {number}"})
        assert {error["code"] for error in refused["register"]["errors"]} >= {"PHONE_NUMBER_IN_TEXT"}
    for _ in range(2):
        key = {"idempotency-key": "once"}
        assert await life.step(command("register"), registration, **key) == {"register": done}
    followed = await life.step(command("followLink"), {"token": await life.link("CONFIRM_REGISTRATION")})
    assert followed == {"followLink": done}
    sign_in = command("signIn", shown="errors { code } accessToken refreshToken expiresAt")
    for wrong in (taken, free, "not the lanterns we know of"):
        answer = await life.step(sign_in, {"email": EMAIL, "password": wrong})
        assert answer["signIn"]["errors"] == [{"code": "INVALID_CREDENTIALS"}]
    await life.step(sign_in, {"email": EMAIL, "password": PASSWORD, "delivery": "PAYLOAD"})
    assert life.access[0] is not None
    phones = "errors { path code } me { version phones(first: 9) { edges { node { id label } } } }"
    for label, number in (("Third", taken), ("Fourth", free), ("Third", taken)):
        await life.step(command("addPhone", shown=phones), {"number": number, "label": label})
    shown = await life.step("{ me { phones { edges { node { id } } } } }")
    phone = shown["me"]["phones"]["edges"][0]["node"]["id"]
    for number in (free, taken):
        replacing = {"id": phone, "number": number, "label": "Home"}
        assert (await life.step(command("replacePhone", shown=phones), replacing))["replacePhone"][
            "errors"
        ] == []
    for number in (taken, free):
        said = {"subject": "A question", "text": f"please call {number}"}
        assert (await life.step(command("contact"), said))["contact"]["errors"] != []
        wish = {"kind": "MEMBER_NUMBER", "text": f"it is {number}"}
        assert (await life.step(command("requestCorrection"), wish))["requestCorrection"]["errors"] != []
        await life.step(command("requestPasswordReset"), {"email": f"{number[1:]}@example.org"})
    assert await life.step(command("contact"), {"subject": "Hi", "text": "Hello"}) == {"contact": done}
    assert await life.step(command("choose"), {"direction": "OUT", "partner": "alder"}) == {"choose": done}
    await life.step(
        "{ partners { name agreements { leaves { category } withheld { category } } }"
        " me { newsletter sessions { totalCount } requests { totalCount }"
        " choices { edges { node { topic direction source } } } } }"
    )
    page = "{ members(first: 3) { totalCount edges { node { id email } } } }"
    await life.step(page, token=twins.tokens["partner birch all"])
    changed = {"currentPassword": PASSWORD, "newPassword": "eight copper kettles sing at dawn"}
    assert await life.step(command("changePassword"), changed) == {"changePassword": done}
    left = await life.step(command("eraseAccount"), {"password": changed["newPassword"]})
    assert left["eraseAccount"]["errors"] == []
    await life.step(page, token=twins.tokens["partner birch all"])
    life.access = (None, None)
    back = await life.step(command("followLink"), {"token": await life.link("ERASURE_SCHEDULED")})
    assert back == {"followLink": done}
    await life.compare_rows()
