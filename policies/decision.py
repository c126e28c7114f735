"""The answer to "may this partner see this of this member": a frozen value with its reason.

Never a truthy thing: take it apart with `match` and `assert_never`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NoReturn, TypeAlias


class Reason(StrEnum):
    """Why a decision fell as it did; in the order in which `policies.sharing` asks."""

    # Deny: outside the contract, the same for every member.
    SEALED = "SEALED"
    NOT_IN_FORCE = "NOT_IN_FORCE"
    POLICY = "POLICY"
    AGREEMENT = "AGREEMENT"
    SCOPE = "SCOPE"
    # Withhold: within the contract, but not of this member.
    NOT_NAMED = "NOT_NAMED"
    INACTIVE = "INACTIVE"
    PROTECTED = "PROTECTED"
    REFUSED = "REFUSED"
    NOT_REQUESTED = "NOT_REQUESTED"
    # Allow.
    PRESUMED = "PRESUMED"
    REQUESTED = "REQUESTED"


class _Untruthy:
    """Refuses `if decision:`, which would take a denial for a yes."""

    __slots__ = ()

    def __bool__(self) -> NoReturn:
        raise TypeError("a decision has no truth value; use `match`")


@dataclass(frozen=True, slots=True)
class Allow(_Untruthy):
    """The partner sees it: PRESUMED (no opt-out, or no choice to make) or REQUESTED (an opt-in)."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Withhold(_Untruthy):
    """The field or row of this member is absent. The partner must not learn which of the reasons it was."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Deny(_Untruthy):
    """Outside the contract: for this caller the field does not exist."""

    reason: Reason


Decision: TypeAlias = Allow | Withhold | Deny
