"""One row of a foreign file, checked whole: a member to store, or the reasons why not.

The steps, in this order; all problems of a row are collected:
1. The row: control characters, full card numbers, password hashes in texts.
2. The key: member number, e-mail.
3. Address, whose country reads national telephone numbers; telephone numbers, sealed at once, none of which
   may stand in the key.
4. Texts that others may read: a telephone number in one withholds it (R1).
5. Billing method, birth date, password hash, choices.
6. What of C1 is missing decides between ACTIVE and INVITED.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from gateway.importing import fields
from gateway.importing.cells import Cells, first_cell
from gateway.importing.mapping import ColumnMapping
from gateway.importing.parts import read_address, read_billing, read_choices, read_phones
from gateway.importing.problems import REJECTING, Outcome, Problem, ProblemCode
from gateway.importing.reading import SourceRow
from policies.card_numbers import has_card_number
from policies.own_numbers import email_holds_number, holds_own_number
from policies.registration import Mandatory, missing_mandatory, region_of
from resolvers.commands.member_records import MemberRecord
from resolvers.sealing import PhoneSealer
from schema.ids import new_id


@dataclass(frozen=True, slots=True)
class CheckedRow:
    """What became of a row by itself. `record` is None where it is rejected.

    `undated_yes`: a yes of the row was not taken because it bears no date.
    """

    number: int
    outcome: Outcome
    record: MemberRecord | None
    problems: tuple[Problem, ...]
    undated_yes: bool = False


class RowChecker:
    """Checks the rows of one file under one mapping, each as of the time at which it is checked.

    `absent` are the targets for which the file has no column. `dated` is the date of an opt-out
    that bears none: when the file was written, but never later than the check.
    """

    def __init__(
        self,
        mapping: ColumnMapping,
        *,
        absent: tuple[str, ...],
        sealer: PhoneSealer,
        dated: datetime,
        make_id: Callable[[], UUID] = new_id,
    ) -> None:
        self._mapping = mapping
        self._columns = {target: columns for target, columns in mapping.targets() if target not in absent}
        self._sealer = sealer
        self._dated = dated
        self._make_id = make_id

    def number_of(self, row: SourceRow) -> str | None:
        """The member number of a row, if it has one that can be read."""
        return fields.member_number(first_cell(row.cells, self._columns["member.number"]))

    def check(self, row: SourceRow, now: datetime) -> CheckedRow:
        """The row as a member to store, with everything that is wrong with it."""
        if row.problem is not None:
            return CheckedRow(row.number, Outcome.REJECTED, None, (Problem("", row.problem),))
        cells = Cells(row.cells, self._columns, now)
        _check_whole(cells)  # 1
        record = self._record(row.number, cells)
        if any(problem.code in REJECTING for problem in cells.problems):
            return CheckedRow(row.number, Outcome.REJECTED, None, cells.problems)
        outcome = Outcome.ACCEPTED if record.complete else Outcome.INVITED
        return CheckedRow(row.number, outcome, record, cells.problems, cells.undated_yes)

    def _record(self, row: int, cells: Cells) -> MemberRecord:
        """Steps 2 to 6. Only meaningful where no problem rejects the row."""
        number = _required(cells, "member.number", fields.member_number, ProblemCode.BAD_NUMBER)  # 2
        email = _required(cells, "member.email", fields.email, ProblemCode.BAD_EMAIL)
        address, country = read_address(cells)  # 3
        phones, own = read_phones(cells, self._mapping.phones, country, self._sealer, self._make_id)
        if holds_own_number(number, own):
            cells.fault("member.number", ProblemCode.PHONE_AS_NUMBER)
        if email_holds_number(email, own, region=country):
            cells.fault("member.email", ProblemCode.PHONE_AS_EMAIL)
        names = {name: cells.text(name, country) for name in ("member.given_name", "member.family_name")}  # 4
        given_name, family_name = cells.together(names, country)
        username = _username(cells, country, own)
        interests = cells.labels("member.interests", country)
        purchases = cells.labels("member.purchase_categories", country)
        billing = read_billing(cells, country)  # 5
        present = {
            Mandatory.NUMBER: number,
            Mandatory.EMAIL: email,
            Mandatory.GIVEN_NAME: given_name,
            Mandatory.FAMILY_NAME: family_name,
            Mandatory.LINE1: address,
            Mandatory.CITY: address,
            Mandatory.COUNTRY: address,
            Mandatory.POSTAL_CODE: address and address.postal_code,
            Mandatory.PHONES: phones,
            Mandatory.BRAND: billing,
            Mandatory.LAST_FOUR: billing,
            Mandatory.EXPIRY: billing,
        }
        missing = missing_mandatory({part for part, value in present.items() if value}, country=country)  # 6
        _report_missing(cells, missing)
        return MemberRecord(
            row=row,
            number=number,
            email=email,
            complete=not missing,
            given_name=given_name,
            family_name=family_name,
            username=username,
            birth_date=self._birth_date(cells),
            region=region_of(address.country, address.state) if address else None,
            interests=interests,
            purchase_categories=purchases,
            joined_at=cells.instant("member.joined_at", ProblemCode.BAD_DATE),
            address=address,
            billing=billing,
            phones=phones,
            choices=read_choices(cells, self._mapping.words, min(self._dated, cells.now)),
            password_hash=_password_hash(cells),
        )

    def _birth_date(self, cells: Cells) -> date | None:
        """The birth date. Without it nobody shares the member, so a doubtful one is left out."""
        raw = cells.raw("member.birth_date")
        born = fields.birth_date(raw, self._mapping.dates.birth_date, cells.now.date()) if raw else None
        if raw and born is None:
            cells.fault("member.birth_date", ProblemCode.BAD_DATE)
        return born


_BETWEEN_CELLS: Final = " / "
"""Printable, and nothing that a card number may have inside."""


def _check_whole(cells: Cells) -> None:
    """Step 1, over every cell of the row, mapped or not."""
    joined = _BETWEEN_CELLS.join(cells.cells.values())
    if fields.has_control(joined):
        cells.fault("", ProblemCode.CONTROL_CHARACTER)
    if has_card_number(joined):
        cells.fault("", ProblemCode.CARD_NUMBER)
    if "$" in joined:
        for target in cells.columns:
            if target != "member.password_hash" and fields.CREDENTIAL.search(cells.raw(target)):
                cells.fault(target, ProblemCode.CREDENTIAL_IN_TEXT)


def _required(cells: Cells, target: str, read: Callable[[str], str | None], code: ProblemCode) -> str:
    value = read(cells.raw(target))
    if value is None:
        cells.fault(target, code)
    return value or ""


def _username(cells: Cells, country: str | None, own: frozenset[str]) -> str | None:
    username = cells.text("member.username", country)
    if username is None:
        return None
    if holds_own_number(username, own):
        cells.fault("member.username", ProblemCode.PHONE_IN_TEXT)
        return None
    if not fields.is_username(username):
        cells.fault("member.username", ProblemCode.BAD_USERNAME)
        return None
    return username


def _password_hash(cells: Cells) -> str | None:
    raw = cells.raw("member.password_hash")
    checked = fields.password_hash(raw) if raw else None
    if raw and checked is None:
        cells.fault("member.password_hash", ProblemCode.PASSWORD_NOT_HASHED)
    return checked


def _report_missing(cells: Cells, missing: tuple[Mandatory, ...]) -> None:
    """Report what the row lacks, unless the whole file lacks it or it was called faulty already."""
    faulty = {problem.field for problem in cells.problems}
    for part in missing:
        section = part.value.partition(".")[0]
        said = {part.value, section, f"{section}.packed"} & faulty
        said |= {name for name in faulty if name.startswith(f"{part.value}.")}
        if not said and cells.has_column(part.value) and not cells.raw(part.value):
            cells.fault(part.value, ProblemCode.MISSING)
