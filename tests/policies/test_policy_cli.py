from __future__ import annotations

import shutil
from importlib.resources import as_file, files
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli.policy import policy
from policies.matrix import Matrix
from policies.render import TableFormat, render
from policies.rules import PolicySource
from policies.table import sharing_table

RUN = CliRunner()


def test_the_shipped_policy_may_be_used() -> None:
    result = RUN.invoke(policy, ["check"])
    assert (result.exit_code, result.stdout) == (0, "the policy may be used\n")


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the shipped policy, to be changed."""
    with as_file(files("policies").joinpath("shipped")) as shipped:
        return Path(shutil.copytree(shipped, tmp_path / "policy"))


def write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


@pytest.mark.clause("C10", "C17")
def test_findings_are_listed_and_the_exit_code_tells(copied: Path) -> None:
    write(copied / "sharing.cedar", "permit(principal, action, resource);")
    result = RUN.invoke(policy, ["check", str(copied)])
    assert result.exit_code == 1
    assert "error: `rule 1` permits `user.authorization.credentials`" in result.stdout
    assert "may be used" not in result.stdout


def test_what_reads_otherwise_than_it_counts_is_refused(copied: Path) -> None:
    with (copied / "sharing.cedar").open("a", encoding="utf-8") as rules:
        rules.write("// \u2066turned around\n")
    result = RUN.invoke(policy, ["check", str(copied)])
    assert result.exit_code == 1
    assert "a control character" in result.output


def test_warnings_are_listed_and_do_not_refuse(copied: Path, source: PolicySource) -> None:
    changed = source.rules.replace('Purpose::"BUSINESS_TRANSFER"', 'Purpose::"REPORTING"')
    write(copied / "sharing.cedar", changed)
    assert RUN.invoke(policy, ["check", str(copied)]).exit_code == 0
    write(copied / "sharing.cedar", "")
    (copied / "texts" / "de.toml").unlink()
    result = RUN.invoke(policy, ["check", str(copied)])
    assert result.exit_code == 0
    assert result.stdout.count("warning: ") == 6, "five bases, and no German texts"


@pytest.mark.parametrize("form", list(TableFormat))
def test_the_matrix_is_written_in_each_form(matrix: Matrix, form: TableFormat) -> None:
    result = RUN.invoke(policy, ["matrix", "--format", form])
    assert result.exit_code == 0
    assert result.stdout == render(sharing_table(matrix), form)


@pytest.mark.parametrize("command", ["check", "matrix", "test"])
def test_a_directory_that_is_not_there_is_named(command: str, tmp_path: Path) -> None:
    result = RUN.invoke(policy, [command, str(tmp_path / "none")])
    assert result.exit_code == 1
    assert "is no directory" in result.stderr


def test_a_policy_that_does_not_parse_has_no_matrix(copied: Path) -> None:
    write(copied / "sharing.cedar", "permit(")
    result = RUN.invoke(policy, ["matrix", str(copied)])
    assert result.exit_code == 1
    assert "do not parse" in result.stderr


def test_the_tables_of_the_shipped_policy_hold_and_meet_every_rule() -> None:
    result = RUN.invoke(policy, ["test", "--strict"])
    assert result.exit_code == 0
    assert result.stderr == ""
    assert " rows hold\n" in result.stdout


def test_a_row_that_falls_otherwise_is_explained(copied: Path) -> None:
    rules = (copied / "sharing.cedar").read_text(encoding="utf-8")
    turned = (
        rules
        + """
        @id("marketing-opt-in") @clause("C8") @text("Only of members who opted in.")
        forbid (principal == Basis::"MARKETING", action == Action::"presume", resource);
    """
    )
    write(copied / "sharing.cedar", turned)
    result = RUN.invoke(policy, ["test", str(copied)])
    assert result.exit_code == 1
    assert "FAILED topics: leaving the newsletter stops no sharing" in result.stdout
    assert "expected allow (PRESUMED), and it is withhold (NOT_REQUESTED)" in result.stdout
    assert "forbid marketing-opt-in (C8): Only of members who opted in." in result.stdout


def test_a_rule_that_no_row_meets_is_named_and_refused_when_strict(copied: Path) -> None:
    for table in (copied / "decisions").iterdir():
        if table.stem != "minors":
            table.unlink()
    assert RUN.invoke(policy, ["test", str(copied)]).exit_code == 0
    result = RUN.invoke(policy, ["test", "--strict", str(copied)])
    assert result.exit_code == 1
    assert "error: no row meets the rule `no-credentials`: write one" in result.stderr


def test_a_policy_without_tables_has_nothing_to_hold_to(copied: Path) -> None:
    shutil.rmtree(copied / "decisions")
    result = RUN.invoke(policy, ["test", str(copied)])
    assert result.exit_code == 1
    assert "has no decision tables" in result.stderr


def test_a_file_may_begin_as_some_editors_begin_it(copied: Path) -> None:
    for path in (path for path in copied.rglob("*") if path.is_file()):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert RUN.invoke(policy, ["check", str(copied)]).stdout == "the policy may be used\n"
    assert RUN.invoke(policy, ["test", str(copied)]).exit_code == 0
