"""What each partner may get of one member, and why: for the member.

What leaves is read from `share`, as every answer to a partner is; each reason is `policies.explain`'s, which
asks the decision itself. Both are read at one moment. They differ only when time alone has changed something
(a birthday, an agreement that begins) and `share` is about to follow: the reason is then CHANGING.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from policies.agreement import AgreementTerms
from policies.choices import Choice
from policies.decision import Allow, Reason
from policies.explain import Explanation, explain
from policies.matrix import Matrix
from policies.sharing import EVERYTHING, MemberFacts, share_end
from resolvers.commands.grounds import Ground, read_grounds
from resolvers.connection import Link
from resolvers.decision_facts import read_choices, read_facts, read_named, read_terms
from schema.categories import CATEGORY_LABELS, SHARE_BITS, Basis, DataCategory, categories_of, expand
from schema.errors import UnauthenticatedError
from schema.vocabulary import AgreementStatus

CHANGING: Final = "CHANGING"

MESSAGES: Final = {
    Reason.PRESUMED: "the policy shares it until you opt out",
    Reason.REQUESTED: "you asked for it",
    Reason.NOT_IN_FORCE: "the agreement is not in force",
    Reason.POLICY: "the policy shares it for this purpose with nobody",
    Reason.AGREEMENT: "the agreement does not name all of it",
    Reason.NOT_NAMED: "no legal case names you",
    Reason.INACTIVE: "your membership is not active",
    Reason.PROTECTED: "members under 18, or of unknown age, are not shared (C17)",
    Reason.REFUSED: "you opted out",
    Reason.NOT_REQUESTED: "it needs an opt-in of yours, and there is none",
}
_CHANGING_MESSAGE: Final = "this is changing at the moment: ask again shortly"

_EVIDENCE: Final = {Reason.PRESUMED: (Reason.NOT_REQUESTED,), Reason.REQUESTED: (Reason.REFUSED,)}
"""The steps that an Allow rests on; a refusal rests on the step of its own reason."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of one category."""

    category: DataCategory
    reason: str
    message: str
    evidence: tuple[str, ...]

    @property
    def label(self) -> str:
        """The category in words."""
        return CATEGORY_LABELS[self.category]


@dataclass(frozen=True, slots=True)
class AppliedAgreement:
    """An agreement, and what it does with each category that it names."""

    terms: AgreementTerms
    in_force: bool
    leaves: tuple[Outcome, ...]
    withheld: tuple[Outcome, ...]
    grounds: tuple[Ground, ...] = ()
    """Why the partner needs each category that the agreement names."""
    ends_at: datetime | None = None
    """When what leaves ends by the member's own request."""


@dataclass(frozen=True, slots=True)
class PartnerView:
    """A partner as a member sees it."""

    name: str
    display_name: str
    agreements: tuple[AppliedAgreement, ...]


async def one_moment(connection: Link) -> None:
    """Let everything that this transaction reads be of one moment, and let it write nothing."""
    await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


async def view_partners(
    connection: Link, matrix: Matrix, member_id: UUID, now: datetime
) -> Sequence[PartnerView]:
    """Every partner by name, with its agreements that are in force or begin later.

    INVARIANT (deferred-unseen): of legal cases, those that name her and are not deferred; and an authority
    only with such a case.

    Raises:
        UnauthenticatedError: there is no such member any more.
    """
    row = await connection.fetchrow("SELECT birth_date, region, status FROM member WHERE id = $1", member_id)
    if row is None:
        raise UnauthenticatedError("this account does not exist any more: sign in again")
    named = (await read_named(connection, [member_id])).get(member_id, frozenset())
    facts = read_facts(row, named)
    choices: Sequence[Choice] = (await read_choices(connection, [member_id])).get(member_id, ())
    masks = {
        share["agreement_id"]: share["mask"]
        for share in await connection.fetch(
            "SELECT agreement_id, mask FROM share WHERE member_id = $1 AND (ends_at IS NULL OR ends_at > $2)",
            member_id,
            now,
        )
    }
    applied: dict[UUID, list[AppliedAgreement]] = {}
    for agreement in await connection.fetch(
        "SELECT id, partner_id, basis, purpose, categories, valid_from, valid_until, status, version"
        " FROM agreement WHERE status = $1 AND (valid_until IS NULL OR valid_until > $2)"
        " AND (deferred_until IS NULL OR deferred_until <= $2) ORDER BY id",
        AgreementStatus.ACTIVE.value,
        now,
    ):
        terms = read_terms(agreement)
        if terms.basis is Basis.LEGAL and terms.id not in named:
            continue  # a case is the business of those whom it names
        mask = masks.get(terms.id, 0)
        grounds = tuple(await read_grounds(connection, terms.id))
        shown = replace(apply(matrix, terms, facts, choices, mask, now), grounds=grounds)
        applied.setdefault(terms.partner_id, []).append(shown)
    return [
        PartnerView(partner["name"], partner["display_name"], tuple(applied.get(partner["id"], ())))
        for partner in await connection.fetch(
            "SELECT id, name, display_name, authority FROM partner ORDER BY name"
        )
        if partner["id"] in applied or not partner["authority"]
    ]


def apply(
    matrix: Matrix,
    terms: AgreementTerms,
    facts: MemberFacts,
    choices: Sequence[Choice],
    mask: int,
    now: datetime,
) -> AppliedAgreement:
    """What this agreement does with each category that it names. `mask` is of the member's row in `share`."""
    moment = max(now, terms.valid_from)
    leaving = categories_of(mask)
    leaves: list[Outcome] = []
    withheld: list[Outcome] = []
    for category in sorted((expand(terms.categories) | leaving) & SHARE_BITS.keys()):
        explanation = explain(matrix, terms, EVERYTHING, facts, choices, category=category, now=moment)
        shown = _outcome(explanation, shared=category in leaving)
        (leaves if category in leaving else withheld).append(shown)
    ends_at = share_end(terms, choices, moment) if mask else None
    return AppliedAgreement(terms, terms.in_force(now), tuple(leaves), tuple(withheld), ends_at=ends_at)


def _outcome(explanation: Explanation, *, shared: bool) -> Outcome:
    reason = explanation.verdict.reason
    if isinstance(explanation.verdict, Allow) is not shared:
        return Outcome(explanation.category, CHANGING, _CHANGING_MESSAGE, ())
    rests_on = _EVIDENCE.get(reason, (reason,))
    evidence = tuple(line for step in explanation.steps if step.reason in rests_on for line in step.evidence)
    return Outcome(explanation.category, reason.value, MESSAGES[reason], evidence)
