"""The words of closed vocabularies as they are typed: `privacy-officer`, `PRIVACY_OFFICER` and so on.

In comes a word in any case, with hyphens, underscores or neither; out comes what it names, or an error that
lists the words there are, in the spelling that the pages use. What was typed is not repeated.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Final, TypeVar

import typer

from schema.categories import Purpose
from schema.errors import InputError
from schema.vocabulary import ClientAuth

Word = TypeVar("Word", bound=StrEnum)

_BY_NAME: Final = frozenset({Purpose, ClientAuth})
"""What people know by its name: the values are keys of a taxonomy, and of OAuth."""


def typed(kind: type[Word], text: str, option: str) -> Word:
    """The word of a vocabulary that was typed for `option`. Its value and its name are both good.

    Raises:
        InputError: there is no such word; lists them.
    """
    found = _found(kind, text)
    if found is None:
        raise InputError(f"`{option}`: one of {listed(kind)}")
    return found


def one_of(kind: type[Word]) -> Callable[[str], Word]:
    """What reads an option that takes a word: `typer.Option(..., parser=one_of(Basis))`.

    It is used wrongly, and ends with exit code 2, as with any option that typer reads itself.
    """

    def read(text: str) -> Word:
        found = _found(kind, text)
        if found is None:
            raise typer.BadParameter(f"one of {listed(kind)}.")
        return found

    return read


def listed(kind: type[StrEnum], between: str = ", ") -> str:
    """The words there are, as the pages write them."""
    return between.join(spelt(member) for member in kind)


def spelt(member: StrEnum) -> str:
    """A word as the pages write it: `privacy-officer`; keys stay as they are, `user.contact.phone_number`."""
    if type(member) not in _BY_NAME and "." in member.value:
        return member.value
    word = member.name if type(member) in _BY_NAME else member.value
    return word.lower().replace("_", "-")


def _found(kind: type[Word], text: str) -> Word | None:
    wanted = _plain(text)
    return next((one for one in kind if wanted in {_plain(one.value), _plain(one.name)}), None)


def _plain(text: str) -> str:
    return text.strip().casefold().replace("-", "").replace("_", "")
