"""The clauses of the company's privacy policy, and what has to be found for each: rules, code, tests.

In come the marks that `gateway.clause_marks` reads from a checkout; out comes what each clause rests on, and
which of them lacks something. The words are ours: what members were promised, and what the program does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Kind(StrEnum):
    """What can bear a mark. RULE: of the policy. CODE: a docstring. TEST: a test, or a table of cases."""

    RULE = "rule"
    CODE = "code"
    TEST = "test"


_PROGRAM: Final = frozenset({Kind.CODE, Kind.TEST})
_SHARING: Final = frozenset(Kind)
"""Who may see what is decided by rules as well, so one of them must say it."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause. `title` names it, `promise` is what members are told, `kept` what the program does."""

    id: str
    title: str
    promise: str
    kept: str
    needs: frozenset[Kind] = _PROGRAM


_ALL: Final = (
    Clause(
        "R1",
        "No telephone number and no password leaves",
        "No telephone number and no password, nor a digest, hint or part of one, leaves through the gateway.",
        "Both are sealed into a part of the database that no answer is read from. No field, scope, filter,"
        " order, count, message or time depends on them.",
    ),
    Clause(
        "R2",
        "Recorded before it leaves",
        "Nothing leaves to a partner unless a durable record of that disclosure exists first.",
        "The record is committed before the first byte goes. Where it cannot be, the request fails.",
    ),
    Clause(
        "C1",
        "Registering needs mandatory data",
        "Registering needs name, address, e-mail, telephone numbers and billing information.",
        "A registration that lacks something is refused with one error for everything that it lacks, and"
        " nothing of it is stored.",
    ),
    Clause(
        "C2",
        "Data from interactions",
        "Forms, surveys, sweepstakes, received e-mails and other interactions bring more data.",
        "They are stored as interactions, with kind, source, date and content. The member reads them, and no"
        " partner's contract has a field for them.",
    ),
    Clause(
        "C3",
        "Technical data of visits",
        "Use of the site leaves technical data: address, browser, pages and the time on each.",
        "It is stored as visits and page views, with the visitor's consent. The member reads them, and no"
        " partner's contract has a field for them.",
    ),
    Clause(
        "C4",
        "Cookies may be declined",
        "Cookies recognise a visitor, who may decline them; some parts then do not work.",
        "Without the visitor's consent no trail is kept. A browser's Global Privacy Control declines it, and"
        " opts its member out of sharing.",
    ),
    Clause(
        "C5",
        "Aggregates tell of nobody",
        "Aggregates may be used and given away if they tell of no one person.",
        "Counts of the audience carry noise, hide small groups and are paid for of a budget. No other"
        " contract computes anything over members.",
    ),
    Clause(
        "C6",
        "Carts, orders and purchases",
        "Personal data adapts the site and records carts, the status of orders and the purchases made.",
        "Each member reads carts, orders and their status.",
    ),
    Clause(
        "C7",
        "Each sharing has a purpose",
        "Personal data serves marketing: to tell of what is new, and for offers of ours and of partners.",
        "Each agreement, decision and record of a disclosure names one purpose of a closed list, and a choice"
        " may be about one.",
    ),
    Clause(
        "C8",
        "Five reasons to share, and no other",
        "Personal data goes to others only (a) in a strategic or marketing relationship, (b) as the law"
        " requires, (c) at insolvency, (d) to the company from which the member asked for something.",
        "Exactly five bases exist. What no rule permits on one of them, for the purpose, is denied.",
        _SHARING,
    ),
    Clause(
        "C9",
        "Promotional mail can be refused",
        "Mail about the account is always sent. Promotional mail can be refused at registration, on the"
        " profile page and by the link in each mail.",
        "Three doors lead into one ledger, which is asked again before each mail. The link works in one"
        " click, without signing in, and tells nobody whose it is.",
    ),
    Clause(
        "C10",
        "Telephone numbers stay here",
        "Telephone numbers serve contact about the account and are given to no other organisation.",
        "A number is encrypted on arrival to a key that the service does not hold. No rule, agreement or"
        " token can name it.",
        _SHARING,
    ),
    Clause(
        "C11",
        "The latest request wins",
        "Of several requests to opt in or out the one with the most recent date counts.",
        "Choices are a ledger that is only added to, in order of the dates of the requests. At equal dates"
        " the opt-out wins, and a date to come is refused.",
    ),
    Clause(
        "C12",
        "Access to everything stored",
        "Members get access to what is stored about them, on the account page and on request.",
        "Everything stored about a member but what is sealed is in the member's own contract, disclosures"
        " included. An archive can be asked for.",
    ),
    Clause(
        "C13",
        "Members may correct it",
        "Members may correct contact and financial data, identifiers, transaction data and communications.",
        "What is the member's to change has a mutation. A record of fact is corrected on request, and the"
        " outcome is told.",
    ),
    Clause(
        "C14",
        "Passwords and encryption",
        "Accounts have passwords, which nobody ever asks for, and transmission is encrypted.",
        "Passwords are stored as Argon2id hashes and read back by nothing. Attempts are counted, and without"
        " TLS the gateway serves its own machine only.",
        _SHARING,
    ),
    Clause(
        "C15",
        "Questions are answered",
        "Questions go through a contact section.",
        "Members and visitors write through a mutation, into a queue that officers work off.",
    ),
    Clause(
        "C16",
        "New uses are announced first",
        "A new use is announced on the home page or by mail, members may opt out of it, and the policy can be"
        " reviewed at any time.",
        "The policy in force and the notices are everybody's to read. An answer to a notice is a choice like"
        " any other, and covers the new use from its first moment.",
    ),
    Clause(
        "C17",
        "Under 18",
        "Members under 18 use the site under supervision.",
        "A member under 18, or of unknown age, is shared where the law requires it and otherwise with nobody."
        " This is no setting.",
        _SHARING,
    ),
)

CLAUSES: Final[Mapping[str, Clause]] = MappingProxyType({clause.id: clause for clause in _ALL})
"""All of them, by id: first the two rules above the clauses, then the clauses in order."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Where something says that it keeps clauses: `name`, which may be empty, within `path`.

    `words` is what it says, and `ids` are as they stand there, known or not.
    """

    kind: Kind
    ids: tuple[str, ...]
    path: str
    name: str
    line: int
    words: str = ""


@dataclass(frozen=True, slots=True)
class Upheld:
    """A clause and everything that bears its mark, in order of place."""

    clause: Clause
    marks: tuple[Mark, ...]

    def of(self, kind: Kind) -> Sequence[Mark]:
        """Those of one kind."""
        return [mark for mark in self.marks if mark.kind is kind]

    @property
    def lacking(self) -> Sequence[Kind]:
        """The kinds that the clause needs and has not."""
        return [kind for kind in Kind if kind in self.clause.needs and not self.of(kind)]


def upheld(marks: Iterable[Mark]) -> Sequence[Upheld]:
    """What each clause rests on, in the order of `CLAUSES`. Marks with other ids count for nothing."""
    ordered = sorted(marks, key=lambda mark: (mark.path, mark.line, mark.name))
    return [
        Upheld(clause, tuple(mark for mark in ordered if clause.id in mark.ids))
        for clause in CLAUSES.values()
    ]


def faults(found: Sequence[Upheld], marks: Iterable[Mark]) -> Sequence[str]:
    """What is to be mended: clauses that nothing enforces, and marks that name no clause."""
    unknown = [
        f"`{mark.path}:{mark.line}` names `{given}`, which is no clause: see `gateway policy clauses`"
        for mark in marks
        for given in mark.ids
        if given not in CLAUSES
    ]
    lacking = [
        f"{entry.clause.id} ({entry.clause.title.lower()}) has no {kind}: mark what enforces it, or build it"
        for entry in found
        for kind in entry.lacking
    ]
    return [*unknown, *lacking]
