from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeAlias

import pytest
import typer
from typer.testing import CliRunner, Result

import policies
from gateway.cli import importing, seeding
from gateway.database import Database
from gateway.keys import Keyring
from gateway.settings import Settings
from tests.gateway.importing.files import complete, owner, write_csv

EXPORTS = Path(__file__).parent.parent / "importing" / "exports"
Run: TypeAlias = Callable[..., "asyncio.Future[Result]"]


@pytest.fixture
def of_test(settings: Settings, database: Database) -> Settings:
    return settings.model_copy(update={"database_url": database.url})


@pytest.fixture
def run(keys: Keyring, of_test: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command line in a thread, since it has an event loop of its own."""
    app = typer.Typer()
    app.command("import")(importing.import_command)
    app.command("seed")(seeding.seed_command)
    for module in (importing, seeding):
        monkeypatch.setattr(module, "load_settings", lambda: of_test)
        monkeypatch.setattr(module, "load_keyring", lambda _settings: keys)

    def call(*arguments: str) -> asyncio.Future[Result]:
        invoke = partial(CliRunner().invoke, app, list(arguments))
        return asyncio.get_running_loop().run_in_executor(None, invoke)

    return call


async def test_exit_code_0_when_every_row_is_stored(tmp_path: Path, run: Run) -> None:
    path = write_csv(tmp_path / "members.csv", [complete(n) for n in range(5)])

    result = await run("import", str(path))
    again = await run("import", str(path))

    assert (result.exit_code, again.exit_code) == (0, 0)
    assert "rows/s" in result.output
    assert "imported before" in again.output


@pytest.mark.clause("R1")
async def test_exit_code_3_when_rows_are_rejected_and_nothing_personal_is_printed(
    tmp_path: Path, run: Run
) -> None:
    path = Path(shutil.copy(EXPORTS / "mailchimp.csv", tmp_path))

    result = await run("import", str(path), "--mapping", "mailchimp")

    assert result.exit_code == 3
    assert "mailchimp.csv.rejects.csv" in result.output
    rejects = path.with_name("mailchimp.csv.rejects.csv").read_text(encoding="utf-8")
    for value in ("mary", "Mary", "not-an-address", "Vaughan", "555", "Langley", "52e230f062"):
        assert value not in result.output
        assert value not in rejects


@pytest.mark.parametrize(
    ("content", "message"),
    [("", "empty"), ("name\nAda\n", "`member.number` looks for"), ('number,email\n1,"', "error: ")],
)
async def test_exit_code_1_when_the_file_cannot_be_used(
    tmp_path: Path, run: Run, content: str, message: str
) -> None:
    path = tmp_path / "members.csv"
    path.write_text(content if not content.endswith('"') else content + "x" * 1_100_000)

    result = await run("import", str(path))

    assert result.exit_code == 1
    assert message in result.output


@pytest.mark.clause("C11")
async def test_opt_ins_without_a_date_are_told_once(tmp_path: Path, run: Run) -> None:
    path = write_csv(tmp_path / "members.csv", [complete(n, consent_date="") for n in range(5)])

    result = await run("import", str(path), "--dry-run")

    assert result.exit_code == 0
    assert " ".join(result.output.split()).count("a yes without a date of its own, in 5 rows") == 1


async def test_a_dry_run_needs_no_database(tmp_path: Path, run: Run, database: Database) -> None:
    path = write_csv(tmp_path / "members.csv", [complete(1), complete(2, email="broken")])

    result = await run("import", str(path), "--dry-run")

    assert result.exit_code == 3
    assert "checked 2 rows" in result.output
    async with owner(database) as connection:
        assert await connection.fetchval("SELECT count(*) FROM member") == 0


@pytest.mark.clause("C17")
@pytest.mark.parametrize("command", ["import", "seed"])
async def test_nothing_is_stored_under_a_policy_that_may_not_be_used(
    tmp_path: Path, run: Run, of_test: Settings, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    shipped = Path(policies.__file__).parent / "shipped"
    shutil.copytree(shipped, tmp_path / "unfit")
    text = (shipped / "sharing.cedar").read_text(encoding="utf-8")
    (tmp_path / "unfit" / "sharing.cedar").write_text(
        text.replace("context.protected", "false"), encoding="utf-8"
    )
    unfit = of_test.model_copy(update={"policy_dir": tmp_path / "unfit"})
    for module in (importing, seeding):
        monkeypatch.setattr(module, "load_settings", lambda: unfit)
    path = write_csv(tmp_path / "members.csv", [complete(1)])

    result = await run(command, *([str(path), "--dry-run"] if command == "import" else ["--members", "1"]))

    assert result.exit_code == 1
    assert "C17" in result.output


async def test_seed_adds_what_is_missing(run: Run, database: Database) -> None:
    first = await run("seed", "--members", "30")
    second = await run("seed", "--members", "50")

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "20 members added" in second.output
    async with owner(database) as connection:
        assert await connection.fetchval("SELECT count(*) FROM member") == 50
