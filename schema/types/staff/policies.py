"""Policies as officers publish and read them (C16)."""

from __future__ import annotations

from datetime import datetime

import strawberry

from schema.catalogue import accepts, structural
from schema.categories import Basis, DataCategory, Purpose
from schema.types.commands import FieldErrorType

_OPS = DataCategory.OPERATIONS
_REASON = "Why. It is kept with the version and in the log of actions."


@strawberry.type(name="PolicyVersion", description="A policy that was published.")
class PolicyVersionType:
    """One row of `policy_version`."""

    number: int = structural("Its number. The latest has the highest.")
    title: str = structural("Its title, as in `policy.toml`.")
    digest: str = structural("Of rules, schema and texts: what decides alike is equal.")
    published_at: datetime = structural("When.")
    published_by: str = structural("The officer who published it.")
    effective_at: datetime = structural("From when on it decides.")
    notice_days: int = structural("How long before it opened what was announced, in days.")
    rolled_back_to: int | None = structural("The earlier version that it is again; null: it is a new one.")
    notices: int = structural("How many notices announced it.")
    mailed: int | None = structural("How many members a mail about it was made for; null: none was to be.")
    reason: str | None = structural("Why, as it was written down; null: nobody said.")


@strawberry.type(name="StaffNotice", description="The announcement of a new practice, with its refusals.")
class StaffNoticeType:
    """One row of `notice`, and what members answered."""

    id: strawberry.ID = structural("Names the notice.")
    version: int | None = structural("The version of the policy that it announced; null: something else.")
    title: str = structural("What it is about.")
    body: str = structural("What is new.")
    basis: Basis = structural("Why data may leave.")
    purpose: Purpose = structural("What it is used for.")
    categories: list[str] = structural("The data categories that it opens.")
    regions: list[str] = structural("Where alone it opens them; empty: everywhere.")
    published_at: datetime = structural("When it was announced.")
    effective_at: datetime = structural("From when on it is applied to who did not opt out.")
    withdrawn_at: datetime | None = structural("When it was taken back.")
    refused: int = structural("How many members refuse it, by the latest answer of each.")


@strawberry.type(name="PublicationPayload", description="What came of a publication.")
class PublicationPayload:
    """The version, its notices and the shares that changed with it; or findings."""

    errors: list[FieldErrorType] = structural("Why it was refused; empty when it was done.")
    number: int | None = structural("Of the new version; null when refused.", default=None)
    effective_at: datetime | None = structural("From when on it decides.", default=None)
    opens_at: datetime | None = structural(
        "When what is new opens; null: nothing is newly opened.", default=None
    )
    notices: int = structural("How many notices it made.", default=0)
    taken_back: int = structural(
        "How many notices of before it took back: what they announced does not open.", default=0
    )
    dropped_languages: list[str] = structural(
        "In which the version before has texts and this one has not.", default_factory=list
    )
    opened: int = structural("Shares of members that it opened at once.", default=0)
    changed: int = structural("Shares that it changed at once.", default=0)
    withdrawn: int = structural("Shares that it withdrew at once.", default=0)


@strawberry.input(name="PolicyFileInput", description="A file of a policy.")
class PolicyFileInput:
    """Its path below the directory, and its text."""

    path: str = accepts(_OPS, "As `sharing.cedar` or `texts/de.toml`.")
    text: str = accepts(_OPS, "What is in it.")


@strawberry.input(name="PublishPolicyInput", description="A policy, and how it is announced.")
class PublishPolicyInput:
    """Its files, the notice period, its date."""

    files: list[PolicyFileInput] = accepts(_OPS, "All its files, its decision tables among them.")
    notice_days: int | None = accepts(_OPS, "Of the notice period; not given: as set up.", optional=True)
    effective_at: datetime | None = accepts(
        _OPS, "When it begins to decide; not given: as in `policy.toml`, or at once.", optional=True
    )
    mailed: bool = accepts(_OPS, "Whether members are told by mail as well.")
    reason: str | None = accepts(_OPS, _REASON, optional=True)


@strawberry.input(name="RollBackPolicyInput", description="An earlier version, and how it is announced.")
class RollBackPolicyInput:
    """Its number, and the notice period."""

    number: int = accepts(_OPS, "The `number` in `policyVersions`.")
    notice_days: int | None = accepts(_OPS, "Of the notice period; not given: as set up.", optional=True)
    mailed: bool = accepts(_OPS, "Whether members are told by mail as well.")
    reason: str | None = accepts(_OPS, _REASON, optional=True)
