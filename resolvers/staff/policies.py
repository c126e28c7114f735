"""Policies in the officer's contract (C16): the operations of `resolvers.officers.policies`.

What an officer sends is bounded before anything reads it, and read beside the requests.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import strawberry
from strawberry import Info

from policies.directory import PolicyDirectory, read_draft
from policies.officers import Act
from resolvers.context import context_of
from resolvers.officers import policies
from resolvers.policy_publishing import Publication
from resolvers.policy_versions import Compiler
from resolvers.staff.common import asks, at_desk, concluded, does, shown_as
from schema.errors import FieldErrors, FieldProblem, InputError, PolicyError
from schema.types.staff.policies import (
    PolicyFileInput,
    PolicyVersionType,
    PublicationPayload,
    PublishPolicyInput,
    RollBackPolicyInput,
    StaffNoticeType,
)

MOST_FILES: Final = 64
MOST_TEXT: Final = 500_000
"""Characters of all files: fifteen times what the shipped policy has."""

LONGEST_PATH: Final = 100
LONGEST_MESSAGE: Final = 4_000
"""Of what is told about a policy that is refused: the first faults lead to the others."""

HIGHEST_NUMBER: Final = 999_999_999


async def _versions(info: Info[Any, Any]) -> list[PolicyVersionType]:
    found = await at_desk(info, policies.list_versions)
    return [shown_as(PolicyVersionType, version) for version in found]


async def _notices(info: Info[Any, Any]) -> list[StaffNoticeType]:
    return [shown_as(StaffNoticeType, notice) for notice in await at_desk(info, policies.list_notices)]


async def _publish(info: Info[Any, Any], input: PublishPolicyInput) -> PublicationPayload:  # noqa: A002
    async def steps() -> Publication:
        files = bounded(input.files)
        directory: PolicyDirectory = await asyncio.to_thread(read_draft, files)
        days = _days(info, input.notice_days)
        compiled = Compiler()
        return await at_desk(
            info,
            lambda desk: policies.publish(
                desk,
                directory,
                notice_days=days,
                effective_at=input.effective_at or directory.begins,
                mailed=input.mailed,
                compiled=compiled,
                reason=input.reason or None,
            ),
        )

    return await concluded(PublicationPayload, _published(steps, "files"))


async def _roll_back(info: Info[Any, Any], input: RollBackPolicyInput) -> PublicationPayload:  # noqa: A002
    async def steps() -> Publication:
        number, days = min(max(input.number, 0), HIGHEST_NUMBER), _days(info, input.notice_days)
        compiled = Compiler()
        return await at_desk(
            info,
            lambda desk: policies.roll_back(
                desk,
                number,
                notice_days=days,
                mailed=input.mailed,
                compiled=compiled,
                reason=input.reason or None,
            ),
        )

    return await concluded(PublicationPayload, _published(steps, "number"))


def bounded(files: Sequence[PolicyFileInput]) -> Mapping[str, str]:
    """The files by path, of a number and a size that may be read.

    Raises:
        InputError: there are too many, they are too long, one is given twice, or one is no text.
    """
    if len(files) > MOST_FILES:
        raise InputError(f"`files`: up to {MOST_FILES}")
    if sum(len(each.text) for each in files) > MOST_TEXT:
        raise InputError(f"`files`: up to {MOST_TEXT:,} characters in all")
    if any(not 0 < len(each.path) <= LONGEST_PATH for each in files):
        raise InputError(f"`path`: 1 to {LONGEST_PATH} characters")
    found = {each.path: each.text for each in files}
    if len(found) < len(files):
        raise InputError("`files`: a path is given twice")
    for position, each in enumerate(files, start=1):
        if not _is_text(each.path) or not _is_text(each.text):
            raise InputError(f"`files`: number {position} holds what is no text")
    return found


def _is_text(given: str) -> bool:
    """Whether it may be stored as text: the database has neither the character 0 nor halves of pairs."""
    return "\x00" not in given and not any("\ud800" <= each <= "\udfff" for each in given)


def _days(info: Info[Any, Any], given: int | None) -> int:
    return given if isinstance(given, int) else context_of(info).means.notice_days


async def _published(steps: Callable[[], Awaitable[Publication]], field: str) -> Mapping[str, Any]:
    """What came of a publication. Of a policy that may not be used, its author is told why."""
    try:
        done = await steps()
    except PolicyError as refused:
        why = str(refused)[:LONGEST_MESSAGE]
        raise FieldErrors([FieldProblem((field,), refused.code, why)]) from refused
    return {
        "number": done.number,
        "effective_at": done.effective_at,
        "opens_at": done.opens_at,
        "notices": len(done.notices),
        "taken_back": len(done.withdrawn),
        "dropped_languages": list(done.dropped_languages),
        "opened": done.changes.opened,
        "changed": done.changes.changed,
        "withdrawn": done.changes.withdrawn,
    }


@strawberry.type
class StaffPolicyQuery:
    """What officers read of policies."""

    policy_versions: list[PolicyVersionType] = asks(
        Act.POLICY_READ, "Every policy that was published, the latest first.", _versions
    )
    notices: list[StaffNoticeType] = asks(
        Act.NOTICE_READ,
        "What has been announced, newest first, and how many members refused (C16).",
        _notices,
    )


@strawberry.type
class StaffPolicyMutation:
    """What officers do with policies."""

    publish_policy: PublicationPayload = does(
        Act.POLICY_PUBLISH,
        "Check and test a policy, put it in force, and announce what it newly opens.",
        _publish,
    )
    roll_back_policy: PublicationPayload = does(
        Act.POLICY_PUBLISH,
        "Publish an earlier version again. What it opens again is announced like anything new.",
        _roll_back,
    )
