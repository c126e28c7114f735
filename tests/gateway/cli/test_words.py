"""A word of a closed vocabulary has one spelling in the pages, and is understood in every usual one."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Any, get_args

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from gateway.cli.main import app
from gateway.cli.words import one_of, spelt, typed
from schema.errors import InputError


def options(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every parameter of every command, with the words that lead to it."""
    for name, child in getattr(command, "commands", {}).items():
        yield from options(child, (*path, name))
    yield from ((path, option) for option in command.params)


def vocabulary(option: Any) -> type[StrEnum] | None:
    """The vocabulary of which an option takes a word."""
    found = option.type_descriptor.annotation
    kinds = [
        kind for kind in (found, *get_args(found)) if isinstance(kind, type) and issubclass(kind, StrEnum)
    ]
    return kinds[0] if kinds else None


WORDS = [(path, option, kind) for path, option in options(get_command(app)) if (kind := vocabulary(option))]
KINDS = sorted({kind for _, _, kind in WORDS}, key=lambda kind: kind.__name__)


@pytest.mark.parametrize("kind", KINDS)
def test_a_word_is_understood_in_each_spelling(kind: type[StrEnum]) -> None:
    for member in kind:
        for text in {spelt(member), member.name, member.value, member.name.replace("_", "-").lower()}:
            for written in (text, text.upper(), f" {text.title()}"):
                assert one_of(kind)(written) is member
                assert typed(kind, written, "--x") is member


@pytest.mark.parametrize("kind", KINDS)
def test_another_word_is_refused_with_those_there_are_and_not_repeated(kind: type[StrEnum]) -> None:
    with pytest.raises(typer.BadParameter) as used_wrongly:
        one_of(kind)("nonsense")
    with pytest.raises(InputError) as error:
        typed(kind, "nonsense", "--x")
    for said in (str(error.value), used_wrongly.value.message):
        assert all(spelt(member) in said for member in kind)
        assert "nonsense" not in said


@pytest.mark.parametrize(("path", "option", "kind"), WORDS, ids=[" ".join(path) for path, _, _ in WORDS])
def test_every_option_that_takes_a_word_reads_it_here(
    path: tuple[str, ...], option: Any, kind: type[StrEnum]
) -> None:
    ended = CliRunner().invoke(app, [*path, option.opts[-1], "nonsense"], env={"COLUMNS": "2000"})
    said = " ".join(ended.output.split())
    assert ended.exit_code == 2
    assert "Value error" not in said
    assert f"one of {', '.join(map(spelt, kind))}." in said
    assert "nonsense" not in said
