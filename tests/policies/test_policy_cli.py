from __future__ import annotations

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


@pytest.mark.clause("C10", "C17")
def test_findings_are_listed_and_the_exit_code_tells(tmp_path: Path) -> None:
    rules = tmp_path / "rules.cedar"
    rules.write_text("permit(principal, action, resource);", encoding="utf-8")
    result = RUN.invoke(policy, ["check", "--rules", str(rules)])
    assert result.exit_code == 1
    assert "error: `rule 1` permits `user.authorization.credentials`" in result.stdout
    assert "may be used" not in result.stdout


def test_warnings_are_listed_and_do_not_refuse(tmp_path: Path, source: PolicySource) -> None:
    rules = tmp_path / "rules.cedar"
    rules.write_text(
        source.rules.replace('Purpose::"BUSINESS_TRANSFER"', 'Purpose::"REPORTING"'), encoding="utf-8"
    )
    result = RUN.invoke(policy, ["check", "--rules", str(rules)])
    assert result.exit_code == 0
    rules.write_text("", encoding="utf-8")
    result = RUN.invoke(policy, ["check", "--rules", str(rules)])
    assert result.exit_code == 0
    assert result.stdout.count("warning: ") == 5


@pytest.mark.parametrize("form", list(TableFormat))
def test_the_matrix_is_written_in_each_form(matrix: Matrix, form: TableFormat) -> None:
    result = RUN.invoke(policy, ["matrix", "--format", form])
    assert result.exit_code == 0
    assert result.stdout == render(sharing_table(matrix), form)


@pytest.mark.parametrize("command", ["check", "matrix"])
def test_a_file_that_is_not_there_is_named(command: str, tmp_path: Path) -> None:
    result = RUN.invoke(policy, [command, "--schema", str(tmp_path / "none")])
    assert result.exit_code == 1
    assert "cannot be read" in result.stderr


def test_a_policy_that_does_not_parse_has_no_matrix(tmp_path: Path) -> None:
    rules = tmp_path / "rules.cedar"
    rules.write_text("permit(", encoding="utf-8")
    result = RUN.invoke(policy, ["matrix", "--rules", str(rules)])
    assert result.exit_code == 1
    assert "do not parse" in result.stderr
