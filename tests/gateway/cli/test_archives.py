"""Access requests fulfilled, and numbers opened, as an officer does it at a terminal."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import asyncpg
import pytest
from pyrage.x25519 import Identity

from gateway.keys import read_phone_public_key
from resolvers.sealing import PhoneSealer
from schema.ids import new_id
from tests.canaries import Detector
from tests.gateway.archive.opening import Opened, opened
from tests.gateway.cli.test_main import Terminal, office, terminal, url

__all__ = ["office", "terminal", "url"]

IDENTITY: Final = Identity.generate()
KEY: Final = str(IDENTITY.to_public())
NUMBER: Final = "+14155550132"


class Scene:
    """A member with a sealed number, who asked for access."""

    def __init__(self, terminal: Terminal, url: str, folder: Path) -> None:
        self.terminal, self.url, self.folder = terminal, url, folder
        self.key = folder / "officer" / "phone-private-key.pem"
        self.out = folder / "archive.zip.age"
        self.request, self.member, self.log_id = new_id(), new_id(), new_id()

    def fulfil(self, *options: str) -> int:
        to = ("--out", str(self.out))
        return self.terminal.run("requests", "fulfil", str(self.request), *to, *options)

    def fetch(self, query: str) -> list[tuple[Any, ...]]:
        async def run() -> list[tuple[Any, ...]]:
            connection = await asyncpg.connect(self.url)
            try:
                return [tuple(row) for row in await connection.fetch(query)]
            finally:
                await connection.close()

        return asyncio.run(run())

    @property
    def status(self) -> str:
        return str(self.fetch("SELECT status FROM member_request")[0][0])

    @property
    def acts(self) -> list[str]:
        return [row[0] for row in self.fetch("SELECT act FROM officer_action ORDER BY seq")]

    @property
    def archive(self) -> Opened:
        return opened(self.out, IDENTITY)

    def left(self) -> list[str]:
        """Whatever an archive has left in the folder."""
        return [path.name for path in self.folder.iterdir() if "archive" in path.name]


async def _open(scene: Scene, public_key: Path, recipient: str | None) -> None:
    now = datetime.now(UTC)
    connection = await asyncpg.connect(scene.url)
    await connection.execute(
        "INSERT INTO member (id, log_id, number, status, email, interests, purchase_categories, joined_at,"
        " updated_at, version) VALUES ($1, $2, 'M-7', 'INVITED', 'ada@example.org', '{}', '{}', $3, $3, 1)",
        scene.member,
        scene.log_id,
        now,
    )
    await connection.execute(
        "INSERT INTO member_request (id, member_id, kind, status, subject, body, recipient, opened_at,"
        " due_at) VALUES ($1, $2, 'ACCESS', 'OPEN', 'Access to your data', '', $3, $4, $5)",
        scene.request,
        scene.member,
        recipient,
        now,
        now + timedelta(days=30),
    )
    phone, key = new_id(), read_phone_public_key(public_key)
    sealed = PhoneSealer(key.public_key, key.key_id).seal(NUMBER, phone)
    await connection.execute(
        "INSERT INTO phone (id, member_id, label, added_at) VALUES ($1, $2, 'mobile', $3)",
        phone,
        scene.member,
        now,
    )
    await connection.execute(
        "INSERT INTO vault.sealed_phone (phone_id, member_id, key_id, ciphertext) VALUES ($1, $2, $3, $4)",
        phone,
        scene.member,
        key.key_id,
        sealed,
    )
    await connection.close()


@pytest.fixture(params=[KEY], ids=["with a key"])
def scene(office: Terminal, url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Scene:
    made = Scene(office, url, tmp_path)
    public = tmp_path / "data" / "keys" / "phone-public-key.pem"
    asyncio.run(_open(made, public, request.param))
    return made


@pytest.mark.clause("C12")
def test_a_request_from_the_list_to_the_opened_archive(scene: Scene) -> None:
    assert scene.fulfil() == 0, scene.terminal.err
    assert scene.terminal.out == f"request {scene.request}: DONE\n"
    assert scene.archive.data["profile"]["email"] == "ada@example.org"
    assert [action["act"] for action in scene.archive.data["staff_actions"]] == ["request.fulfil"]
    assert scene.acts == ["request.fulfil", "request.answer"]
    ((log_id,),) = set(scene.fetch("SELECT DISTINCT member_log_id FROM officer_action"))
    assert log_id == scene.log_id
    letters = scene.fetch("SELECT kind, recipient FROM outgoing_mail")
    assert letters == [("REQUEST_ANSWERED", "ada@example.org")]
    assert "age -d -i" in scene.terminal.done("requests", "show", str(scene.request))
    before = scene.out.read_bytes()
    assert scene.fulfil() == 1
    assert "is over" in scene.terminal.err
    assert scene.out.read_bytes() == before


@pytest.mark.clause("R1", "C10", "C12")
def test_numbers_are_in_it_with_the_officers_key_and_not_without(scene: Scene) -> None:
    detector = Detector()
    detector.add_number(NUMBER)
    assert scene.fulfil() == 0, scene.terminal.err
    assert not any(detector.search(data.decode()) for data in scene.archive.files.values())
    assert "without the key" in scene.terminal.err
    scene.out.unlink()
    asyncio.run(_reopen(scene))
    assert scene.fulfil("--officer-key", str(scene.key)) == 0, scene.terminal.err
    (phone,) = scene.archive.data["telephone_numbers"]
    assert phone["number"] == NUMBER
    assert detector.search(scene.terminal.out + scene.terminal.err) == []


async def _reopen(scene: Scene) -> None:
    connection = await asyncpg.connect(scene.url)
    await connection.execute("UPDATE member_request SET status = 'OPEN', outcome = NULL")
    await connection.close()


@pytest.mark.parametrize("scene", [None], indirect=True, ids=["without"])
def test_without_a_key_of_the_members_one_says_how_it_is_encrypted(scene: Scene) -> None:
    assert scene.fulfil() == 1
    assert "`--passphrase-file`" in scene.terminal.err
    assert (scene.status, scene.acts, scene.left()) == ("OPEN", [], [])
    keys = scene.folder / "keys.txt"
    keys.write_text(f"# Ada's\n{KEY}\n", encoding="utf-8")
    assert scene.fulfil("--recipient-file", str(keys)) == 0, scene.terminal.err
    assert scene.archive.data["profile"]["number"] == "M-7"


def test_a_new_passphrase_is_printed_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[str] = []

    def encrypt(plain: bytes, passphrase: str) -> bytes:
        given.append(passphrase)
        return b"sealed" + bytes(len(plain))

    monkeypatch.setattr("pyrage.passphrase.encrypt", encrypt)
    assert scene.fulfil("--new-passphrase") == 0, scene.terminal.err
    (passphrase,) = given
    assert re.fullmatch(r"([a-hjkmnp-z]{6}-){3}[a-hjkmnp-z]{6}", passphrase)
    assert scene.terminal.out.count(passphrase) == 1
    assert passphrase not in scene.terminal.err
    assert passphrase not in scene.terminal.done("requests", "show", str(scene.request))


@pytest.mark.clause("C12")
@pytest.mark.parametrize(
    "failing", ["gateway.archive.fulfilling.make_archive", "gateway.archive.fulfilling.close_fulfilled"]
)
def test_what_fails_half_way_leaves_the_request_open_and_no_file(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(failing, fail)
        with pytest.raises(ZeroDivisionError):
            scene.fulfil()
    assert (scene.status, scene.left()) == ("IN_PROGRESS", [])
    assert scene.acts == ["request.fulfil"], "that the data were read is written down all the same"
    assert scene.fulfil() == 0, scene.terminal.err
    assert scene.status == "DONE"


def test_what_cannot_be_used_is_refused_before_anything_is_read(scene: Scene) -> None:
    short = scene.folder / "short"
    short.write_text("Shangri-La\n", encoding="utf-8")
    short.chmod(0o600)
    loose = scene.folder / "loose"
    loose.write_text("nine copper kettles sing before dawn\n", encoding="utf-8")
    loose.chmod(0o644)
    identity = scene.folder / "identity.txt"
    identity.write_text(f"# created: 2027-01-01T10:00:00Z\n{IDENTITY}\n", encoding="utf-8")
    identity.chmod(0o600)
    inside = scene.folder / "data" / "key.pem"
    inside.write_bytes(scene.key.read_bytes())
    inside.chmod(0o600)
    for options in (
        ("--recipient", str(IDENTITY)),
        ("--recipient", KEY, "--new-passphrase"),
        ("--passphrase-file", str(short)),
        ("--passphrase-file", str(loose)),
        ("--passphrase-file", str(scene.folder / "none")),
        ("--passphrase-file", str(scene.key)),
        ("--passphrase-file", str(identity)),
        ("--officer-key", str(inside)),
        ("--officer-key", str(short)),
        ("--officer-key", str(scene.folder / "none")),
    ):
        assert scene.fulfil(*options) == 1, options
        assert scene.terminal.err.startswith("error: `--") or "say one of" in scene.terminal.err
        assert not any(secret in scene.terminal.err for secret in (str(IDENTITY), "kettles", "Shangri"))
    assert (scene.status, scene.acts, scene.left()) == ("OPEN", [], [])


def contact(scene: Scene, *options: str, reason: str = "Her parcel came back") -> int:
    return scene.terminal.run(
        "contact-number", "--member", "M-7", "--reason", reason, "--officer-key", str(scene.key), *options
    )


@pytest.mark.clause("C10")
def test_staff_see_a_number_for_a_reason_that_is_written_down_and_that_she_reads(scene: Scene) -> None:
    assert contact(scene, "--print") == 0, scene.terminal.err
    assert scene.terminal.out == f"mobile\t{NUMBER}\n"
    lines = scene.fetch("SELECT act, reason, member_log_id, told FROM officer_action")
    assert lines == [("contact-number.read", "Her parcel came back", scene.log_id, True)]


@pytest.mark.clause("R1", "C10")
def test_no_number_is_shown_without_a_line_in_the_log(scene: Scene) -> None:
    asyncio.run(_forbid(scene.url))
    assert contact(scene, "--print") == 1
    assert scene.terminal.out == ""
    assert "0132" not in scene.terminal.err


async def _forbid(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("REVOKE INSERT ON officer_action FROM gateway_app")
    await connection.close()


@pytest.mark.clause("R1", "C10")
def test_a_number_is_not_printed_into_a_file_by_chance_nor_without_a_reason(scene: Scene) -> None:
    assert contact(scene) == 1
    assert "`--print`" in scene.terminal.err
    assert contact(scene, "--print", reason=" ") == 1
    assert contact(scene, "--print", reason="call 415 555 0199") == 1
    assert "0199" not in scene.terminal.err
    assert scene.terminal.run("contact-number", "--member", "M-7", "--reason", "a", "--print") == 1
    assert "`--officer-key`" in scene.terminal.err
    assert scene.acts == []
