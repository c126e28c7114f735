from __future__ import annotations

import asyncio
import re
import stat
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import asyncpg
import pytest
from typer.testing import CliRunner

from gateway.cli.main import app, main
from gateway.keys import Keyring
from schema.errors import GatewayError
from tests.databases import TestServer

UUID_PATTERN = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


class Terminal:
    """Runs commands as a shell would, and keeps what came out."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch
        self.out = ""
        self.err = ""

    def run(self, *arguments: str) -> int:
        self._monkeypatch.setattr("sys.argv", ["gateway", *arguments])
        self._capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        self.out, self.err = self._capsys.readouterr()
        return code

    def done(self, *arguments: str) -> str:
        assert self.run(*arguments) == 0, self.err
        return self.out


@pytest.fixture
def terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """With settings of its own, and no database yet."""
    monkeypatch.setenv("GATEWAY_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    return Terminal(capsys, monkeypatch)


@pytest.fixture
async def url(test_server: TestServer, template: str) -> AsyncIterator[str]:
    async with test_server.database_url(template) as made:
        yield made


@pytest.fixture
def office(
    terminal: Terminal, url: str, keys: Keyring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Terminal:
    """Initialised, on a migrated database. The secret is the test server's, whose roles it opens."""
    secret = tmp_path / "secret"
    secret.write_bytes(keys.secret)
    secret.chmod(0o600)
    monkeypatch.setenv("GATEWAY_SECRET_FILE", str(secret))
    monkeypatch.setenv("GATEWAY_DATABASE_URL", url)
    monkeypatch.setenv("GATEWAY_OFFICER", "olga")
    terminal.done("init")
    return terminal


def agreement_of(office: Terminal, *options: str) -> str:
    office.done("partner", "create", "acme", "--display-name", "Acme")
    created = office.done(
        "agreement", "create", "acme", "--basis", "strategic", "--purpose", "partner-offers",
        "--category", "user.name=to address letters", *options,
    )  # fmt: skip
    assert re.fullmatch(UUID_PATTERN, created.strip())
    return created.strip()


def test_help_names_every_command() -> None:
    listed = CliRunner().invoke(app, ["--help"]).output
    for name in ("demo", "serve", "init", "migrate", "doctor", "import", "seed", "partner", "agreement",
                 "client", "token", "policy", "schema", "documents"):  # fmt: skip
        assert name in listed


def test_an_unknown_command_is_used_wrongly(terminal: Terminal) -> None:
    assert terminal.run("nonsense") == 2


def test_our_errors_are_one_line_and_no_traceback(terminal: Terminal) -> None:
    assert terminal.run("partner", "list") == 1
    assert re.fullmatch(r"error: .*run `gateway init`\n", terminal.err)


def test_an_interrupt_ends_with_130(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("gateway.cli.partners.in_office", interrupted)
    assert terminal.run("partner", "list") == 130


def test_each_line_of_an_error_is_marked(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(_: object) -> None:
        raise GatewayError("one\ntwo")

    monkeypatch.setattr("gateway.cli.partners.in_office", failing)
    assert terminal.run("partner", "list") == 1
    assert terminal.err == "error: one\nerror: two\n"


def test_init_says_where_the_officers_key_went_and_can_be_repeated(
    terminal: Terminal, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "safe" / "key.pem"
    assert str(elsewhere) in terminal.done("init", "--officer-key", str(elsewhere))
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o600
    before = elsewhere.read_bytes()
    terminal.done("init", "--officer-key", str(elsewhere))
    assert elsewhere.read_bytes() == before


def test_a_partner_from_its_creation_to_its_end(office: Terminal) -> None:
    agreement = agreement_of(office, "--until", "2099-01-31")
    office.done("client", "create", "acme-api", "--agreement", agreement)
    shown = office.done("partner", "show", "acme")
    assert "acme-api" in shown
    assert "until 2099-01-31 00:00 UTC" in shown
    assert "acme" in office.done("partner", "list")

    token = office.done("token", "partner", "acme").strip()
    assert token.count(".") == 2
    assert "jti" in office.err

    assert "SUSPENDED" in office.done("agreement", "suspend", agreement)
    assert office.run("token", "partner", "acme") == 1
    office.done("agreement", "activate", agreement)
    office.done("token", "partner", "acme", "--client", "acme-api", "--scope", "user.name")
    office.done("client", "revoke", "acme-api")
    assert office.run("token", "partner", "acme") == 1
    office.done("agreement", "end", agreement)
    assert office.run("agreement", "activate", agreement) == 1
    assert "for good" in office.err
    assert "ENDED" in office.done("agreement", "show", agreement)
    assert "ENDED" in office.done("agreement", "list", "--partner", "acme")


REFUSED = {
    "partner name": ("partner", "create", "Acme!", "--display-name", "Acme"),
    "display name": ("partner", "create", "other", "--display-name", " "),
    "taken name": ("partner", "create", "acme", "--display-name", "Acme"),
    "no such partner": ("partner", "show", "nobody"),
    "sealed category": ("agreement", "create", "acme", "--basis", "strategic", "--purpose", "partner-offers",
                        "--category", "user.contact.phone_number"),
    "dates the wrong way": ("agreement", "create", "acme", "--basis", "strategic", "--purpose",
                            "partner-offers", "--category", "user.name=x", "--until", "2001-01-01"),
    "no reason": ("agreement", "create", "acme", "--basis", "strategic", "--purpose", "partner-offers",
                  "--category", "user.name"),
    "a number as a reason": ("agreement", "create", "acme", "--basis", "strategic", "--purpose",
                             "partner-offers", "--category", "user.name=call 415-555-0132"),
    "no date": ("agreement", "create", "acme", "--basis", "strategic", "--purpose", "partner-offers",
                "--category", "user.name", "--until", "soon"),
    "no agreement id": ("agreement", "show", "1"),
    "no such agreement": ("agreement", "end", "01a20ac4-370b-7bef-8f06-938acc011a8c"),
    "client of no agreement": ("client", "create", "x1", "--agreement",
                               "01a20ac4-370b-7bef-8f06-938acc011a8c"),
    "no such client": ("client", "revoke", "nobody"),
    "no such member": ("token", "member", "nobody"),
    "no token id": ("token", "revoke", "not an id"),
    "unknown scope": ("token", "partner", "acme", "--scope", "user.nonsense"),
}  # fmt: skip


def test_what_cannot_be_done_is_refused_with_advice_and_changes_nothing(office: Terminal) -> None:
    agreement = agreement_of(office)
    office.done("client", "create", "acme-api", "--agreement", agreement)
    before = office.done("partner", "show", "acme")
    for name, arguments in REFUSED.items():
        assert office.run(*arguments) == 1, name
        assert office.err.startswith("error: "), name
        assert "Traceback" not in office.err, name
    assert office.run("client", "create", "acme-api", "--agreement", agreement) == 1
    assert office.done("partner", "show", "acme") == before


def test_a_draft_counts_only_when_it_is_activated(office: Terminal) -> None:
    agreement = agreement_of(office, "--draft")
    office.done("client", "create", "acme-api", "--agreement", agreement)
    assert office.run("token", "partner", "acme") == 1
    office.done("agreement", "approve", agreement)
    office.done("agreement", "activate", agreement)
    office.done("token", "partner", "acme")


def test_a_token_can_be_taken_back_by_its_id(office: Terminal) -> None:
    agreement = agreement_of(office)
    office.done("client", "create", "acme-api", "--agreement", agreement)
    office.done("token", "partner", "acme")
    found = re.search(r"jti (\S+),", office.err)
    assert found
    assert office.done("token", "revoke", found[1]) == "token: revoked\n"


def test_the_doctor_finds_a_healthy_installation_healthy(office: Terminal) -> None:
    report = office.done("doctor")
    assert "FAIL" not in report
    for name in ("keys", "policy", "migrations", "reader is kept from the vault", "nobody selects sealed"):
        assert f"ok    {name}" in report


def test_migrate_brings_the_database_to_this_version(office: Terminal) -> None:
    assert "at revision" in office.done("migrate")


def test_the_doctor_finds_a_private_key_in_the_data_directory(office: Terminal, tmp_path: Path) -> None:
    (tmp_path / "data" / "copy.pem").write_text("-----BEGIN PRIVATE KEY-----\n")
    assert office.run("doctor") == 1
    assert "FAIL  officer's key is not in the data directory" in office.out


def test_the_doctor_finds_keys_that_others_can_read(office: Terminal, tmp_path: Path) -> None:
    for path in (tmp_path / "data" / "keys").glob("signing-*.json"):
        path.chmod(0o644)
    assert office.run("doctor") == 1
    assert "FAIL  keys" in office.out


GRANTS = {
    "reader is kept from the vault": "GRANT USAGE ON SCHEMA vault TO gateway_reader",
    "reader cannot write": "GRANT DELETE ON member TO gateway_reader",
    "nobody selects sealed numbers": "GRANT SELECT ON vault.sealed_phone TO gateway_vault",
}


@pytest.mark.clause("C10")
@pytest.mark.parametrize("name", GRANTS)
def test_the_doctor_finds_grants_that_were_changed_by_hand(office: Terminal, url: str, name: str) -> None:
    asyncio.run(execute(url, GRANTS[name]))
    assert office.run("doctor") == 1
    assert re.findall(r"FAIL  (.*?):", office.out) == [name]


def test_the_doctor_finds_a_database_of_another_version(office: Terminal, url: str) -> None:
    asyncio.run(execute(url, "UPDATE alembic_version SET version_num = '0001'"))
    assert office.run("doctor") == 1
    assert "FAIL  migrations: at 0001, expected" in office.out


def test_the_doctor_finds_keys_of_another_installation(office: Terminal, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"x" * 32)
    assert office.run("doctor") == 1
    assert "FAIL  database: the database refuses the sign-in: run `gateway migrate`" in office.out


async def execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def test_a_category_is_stated_approved_reported_and_taken_back(office: Terminal) -> None:
    agreement = agreement_of(office, "--category", "user.contact.email", "--draft")
    assert office.run("agreement", "activate", agreement) == 1
    assert "`user.contact.email`, `user.name`: each category needs" in office.err
    office.done("agreement", "state", agreement, "--category", "user.contact.email=to write")
    assert "approved user.contact.email, user.name" in office.done("agreement", "approve", agreement)
    office.done("agreement", "activate", agreement)
    shown = office.done("agreement", "show", agreement)
    assert "user.contact.email: to write (approved by olga" in shown
    assert "within 30 days; overdue: narrowed after 7 days, suspended after 21 days" in shown
    assert f"to end it: gateway agreement end {agreement}" in office.done("agreement", "report", agreement)
    office.done("agreement", "narrow", agreement, "--category", "user.contact.email")
    office.done("agreement", "change", agreement, "--until", "2099-01-01", "--suspend-after", "never")
    shown = office.done("agreement", "show", agreement)
    assert "categories  user.name\n" in shown
    assert "until 2099-01-01" in shown
    assert "suspended after never" in shown
    assert office.run("agreement", "change", agreement, "--narrow-after", "-1") == 1


def test_quotas_are_shown_set_and_reset(office: Terminal) -> None:
    agreement = agreement_of(office)
    office.done("client", "create", "acme-api", "--agreement", agreement)
    assert office.done("agreement", "quota", agreement).splitlines() == [
        "requests per minute: 60000 (setting), 0 taken",
        "members per day: 10000000 (setting), 0 taken",
    ]
    assert "no limit (setting)" in office.done("client", "quota", "acme-api")
    changed = office.done("client", "quota", "acme-api", "--members-per-day", "50")
    assert "members per day: 50, 0 taken" in changed
    assert "requests per minute: 7" in office.done(
        "agreement", "quota", agreement, "--requests-per-minute", "7"
    )
    assert "10000000 (setting)" in office.done("agreement", "quota", agreement)
    assert "60000 (setting)" in office.done("agreement", "quota", agreement, "--reset")
    assert office.run("client", "quota", "nobody") == 1
    assert office.run("agreement", "quota", agreement, "--members-per-day", "-1") == 2
    # Setting a client's quota is no revocation: its tokens go on counting.
    office.done("token", "partner", "acme")


def test_the_document_of_a_bulk_download_can_be_registered(office: Terminal, tmp_path: Path) -> None:
    agreement = agreement_of(office)
    office.done("client", "create", "acme-api", "--agreement", agreement)
    file = tmp_path / "export.graphql"
    file.write_text(office.done("schema", "bulk", "--as", "client:acme-api", "--fields", "id,name"))
    assert "edges { node { id name } }" in file.read_text()
    office.done("documents", "register", "--client", "acme-api", str(file))
    digest = sha256(file.read_bytes()).hexdigest()
    assert digest[:12] in office.done("documents", "list", "--client", "acme-api")
    assert office.run("schema", "bulk", "--as", "client:acme-api", "--fields", "email") == 1
