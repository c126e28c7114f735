"""Who is asking, after identity has been established and before anything is looked up.

A `Principal` is made in one place, `gateway/identity`; whoever holds one may rely on its facts being
verified. Nothing of a person is in it beyond ids.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from policies.officers import Officer
from schema.categories import Audience, Basis, Purpose


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody without a credential."""

    @property
    def audience(self) -> Audience:
        """The contract family of this caller."""
        return Audience.VISITOR


@dataclass(frozen=True, slots=True)
class MemberPrincipal:
    """A signed-in member. `client_id` names the front-end that the token was given to.

    `session_id` is the sign-in that the token belongs to; None if it was not got by signing in.
    """

    member_id: UUID
    client_id: str
    token_id: str
    session_id: UUID | None = None

    @property
    def audience(self) -> Audience:
        """The contract family of this caller."""
        return Audience.MEMBER


@dataclass(frozen=True, slots=True)
class PartnerPrincipal:
    """A partner's API client under one agreement.

    `mask` is what the agreement AND the token's scopes grant, closed under composition
    (`schema.categories.closed`). What the policy and the member's choices leave of it is in the
    `share` row of each member and is applied in the statement. `issued_at` and `expires_at`, in Unix
    seconds, are the token's. `policy` stands for what the policy said about basis and purpose when the
    request began; before anything leaves it is asked whether it still says so.
    """

    partner_id: UUID
    agreement_id: UUID
    agreement_version: int
    client_id: str
    token_id: str
    basis: Basis
    purpose: Purpose
    mask: int
    issued_at: float = 0.0
    expires_at: float = math.inf
    policy: object = None

    @property
    def audience(self) -> Audience:
        """The contract family of this caller."""
        return Audience.PARTNER


@dataclass(frozen=True, slots=True)
class RecipientPrincipal:
    """A company's API client under an agreement about aggregates (C5): it sees counts and no member.

    `mask` has the bits of the dimensions that the agreement AND the token's scopes leave.
    """

    partner_id: UUID
    agreement_id: UUID
    agreement_version: int
    client_id: str
    token_id: str
    mask: int
    issued_at: float = 0.0
    expires_at: float = math.inf
    policy: None = None
    """The sharing policy decides nothing about counts."""

    @property
    def audience(self) -> Audience:
        """The contract family of this caller."""
        return Audience.RECIPIENT


@dataclass(frozen=True, slots=True)
class OfficerPrincipal:
    """Somebody on the company's staff who has signed in with a password and a second factor."""

    officer: Officer
    officer_id: UUID
    session_id: UUID
    client_id: str
    token_id: str
    display_name: str = ""

    @property
    def audience(self) -> Audience:
        """The contract family of this caller."""
        return Audience.OFFICER


@dataclass(frozen=True, slots=True)
class Entrance:
    """Somebody at the officers' entrance who has not signed in."""

    client_id: str = "officers"

    @property
    def audience(self) -> Audience:
        """The contract family of this caller."""
        return Audience.ENTRANCE


ClientPrincipal: TypeAlias = PartnerPrincipal | RecipientPrincipal
"""A company's API client, under an agreement of either kind."""

Principal: TypeAlias = (
    Visitor | MemberPrincipal | PartnerPrincipal | RecipientPrincipal | OfficerPrincipal | Entrance
)
