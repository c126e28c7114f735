from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from gateway.importing.mapping import load_mapping
from gateway.importing.problems import Outcome, Problem, ProblemCode
from gateway.importing.reading import SourceRow
from gateway.importing.rows import CheckedRow, RowChecker
from policies.choices import CLOCK_TOLERANCE
from resolvers.commands.member_records import AddressRecord, BillingRecord, ChoiceEntry, MemberRecord
from resolvers.sealing import PhoneSealer
from schema.categories import Purpose
from schema.vocabulary import Direction
from tests.gateway.importing.files import COMPLETE

NOW = datetime(2025, 1, 15, tzinfo=UTC)
FILE_DATE = datetime(2024, 12, 1, tzinfo=UTC)
SEALER = PhoneSealer(X25519PrivateKey.generate().public_key(), "test")
ARGON2ID = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHRzYWx0c2E$" + "aGFzaA" * 7
BCRYPT = "$2b$12$" + "abcdefghijklmnopqrstuv" + "A" * 31
CARD = "4242 4242 4242 4242"


def check(cells: dict[str, str], absent: tuple[str, ...] = ()) -> CheckedRow:
    mapping = load_mapping("default").mapping
    checker = RowChecker(mapping, absent=absent, sealer=SEALER, dated=FILE_DATE)
    return checker.check(SourceRow(2, cells), NOW)


def changed(**changes: str) -> CheckedRow:
    return check(COMPLETE | changes)


def record(row: CheckedRow) -> MemberRecord:
    assert row.record is not None
    return row.record


def codes(row: CheckedRow) -> list[tuple[str, ProblemCode]]:
    return [(problem.field, problem.code) for problem in row.problems]


@pytest.mark.clause("C1")
def test_a_complete_row_is_accepted_as_it_stands() -> None:
    row = changed()

    assert (row.outcome, row.problems) == (Outcome.ACCEPTED, ())
    member = record(row)
    assert member.complete
    assert member.email == "ada.lovelace@example.com"
    assert member.birth_date == date(1985, 12, 10)
    assert member.region == "US-CA"
    assert member.interests == ("chess", "gardening")
    assert member.billing == BillingRecord("Visa", "4242", 12, 2029)
    address = AddressRecord("1600 Amphitheatre Pkwy", None, "Mountain View", "CA", "94043-1351", "US")
    assert member.address == address
    assert [phone.label for phone in member.phones] == ["home"]
    assert b"5550132" not in member.phones[0].ciphertext


@pytest.mark.clause("C1")
@pytest.mark.parametrize(
    ("column", "field"),
    [
        ("given_name", "member.given_name"),
        ("family_name", "member.family_name"),
        ("line1", "address.line1"),
        ("city", "address.city"),
        ("country", "address.country"),
        ("postal_code", "address.postal_code"),
        ("phone", "phones"),
    ],
)
def test_each_mandatory_datum_that_is_missing_makes_the_member_invited(column: str, field: str) -> None:
    row = changed(**{column: " ", "phone": "" if column == "phone" else "+14155550132"})

    assert row.outcome is Outcome.INVITED
    assert codes(row) == [(field, ProblemCode.MISSING)]
    assert not record(row).complete


@pytest.mark.clause("C1")
@pytest.mark.parametrize("column", ["card_brand", "card_last_four", "card_expiry"])
def test_incomplete_billing_information_makes_the_member_invited(column: str) -> None:
    row = changed(**{column: ""})

    assert (row.outcome, codes(row)) == (Outcome.INVITED, [("billing", ProblemCode.BAD_BILLING)])
    assert record(row).billing is None


def test_a_postal_code_is_not_asked_for_where_there_are_none() -> None:
    row = changed(country="HK", state="", postal_code="", phone="+85223456789")

    assert row.outcome is Outcome.ACCEPTED


def test_a_birth_date_is_optional() -> None:
    assert changed(birth_date="").outcome is Outcome.ACCEPTED
    assert codes(changed(birth_date="2031-01-01")) == [("member.birth_date", ProblemCode.BAD_DATE)]
    assert codes(changed(birth_date="04/09")) == [("member.birth_date", ProblemCode.BAD_DATE)]


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"member_number": ""}, "member.number", ProblemCode.BAD_NUMBER),
        ({"member_number": "a b"}, "member.number", ProblemCode.BAD_NUMBER),
        ({"email": "ada@@example.com"}, "member.email", ProblemCode.BAD_EMAIL),
        ({"email": "ada..x@example.com"}, "member.email", ProblemCode.BAD_EMAIL),
        ({"password_hash": "hunter2"}, "member.password_hash", ProblemCode.PASSWORD_NOT_HASHED),
        ({"password_hash": "5f4dcc3b5aa765d6"}, "member.password_hash", ProblemCode.PASSWORD_NOT_HASHED),
        ({"family_name": BCRYPT}, "member.family_name", ProblemCode.CREDENTIAL_IN_TEXT),
        ({"card_last_four": CARD}, "", ProblemCode.CARD_NUMBER),
        ({"remarks": "card " + CARD.replace(" ", "-")}, "", ProblemCode.CARD_NUMBER),
        ({"given_name": "A\0da"}, "", ProblemCode.CONTROL_CHARACTER),
        ({"given_name": "A" * 101}, "member.given_name", ProblemCode.TOO_LONG),
        ({"member_number": "4155550132"}, "member.number", ProblemCode.PHONE_AS_NUMBER),
    ],
)  # fmt: skip
def test_what_rejects_a_row(changes: dict[str, str], field: str, code: ProblemCode) -> None:
    row = changed(**changes)

    assert row.outcome is Outcome.REJECTED
    assert row.record is None
    assert (field, code) in codes(row)


def test_all_problems_of_a_row_are_collected() -> None:
    row = changed(member_number="", email="nobody", country="Atlantis", phone="12", birth_date="soon")

    assert {problem.code for problem in row.problems} >= {
        ProblemCode.BAD_NUMBER,
        ProblemCode.BAD_EMAIL,
        ProblemCode.BAD_COUNTRY,
        ProblemCode.BAD_PHONE,
        ProblemCode.BAD_DATE,
    }


@pytest.mark.clause("R1")
@pytest.mark.parametrize(
    ("column", "field", "outcome"),
    [
        ("given_name", "member.given_name", Outcome.INVITED),
        ("line1", "address.line1", Outcome.INVITED),
        ("line2", "address.line2", Outcome.ACCEPTED),
        ("username", "member.username", Outcome.ACCEPTED),
        ("interests", "member.interests", Outcome.ACCEPTED),
        ("state", "address.state", Outcome.ACCEPTED),
    ],
)
def test_a_number_typed_into_a_text_withholds_the_text(column: str, field: str, outcome: Outcome) -> None:
    row = changed(**{column: "415-555-0199"})

    assert row.outcome is outcome
    assert codes(row) == [(field, ProblemCode.PHONE_IN_TEXT)]
    assert "555-0199" not in repr(row)


GERMAN = {"country": "DE", "state": "", "postal_code": "10117"}


@pytest.mark.clause("R1")
@pytest.mark.parametrize(
    ("phone", "number", "address"),
    [
        ("+1 415 555 2671", "4155552671", {}),
        ("(415) 555-2671", "1-415-555-2671", {}),
        ("+1 415 555 2671", "5552671", {}),
        ("+49 30 231250000", "030231250000", GERMAN),
        ("030 231250000", "4930231250000", GERMAN),
        ("415 555 2671", "14155552671", {"country": ""}),
    ],
)
def test_the_rows_own_number_is_no_member_number_however_it_is_spelt(
    phone: str, number: str, address: dict[str, str]
) -> None:
    row = changed(**address, phone=phone, member_number=number)

    assert row.outcome is Outcome.REJECTED
    assert ("member.number", ProblemCode.PHONE_AS_NUMBER) in codes(row)


@pytest.mark.clause("R1")
@pytest.mark.parametrize(
    ("phone", "name", "address"),
    [("+1 415 555 2671", "ada_5552671", {}), ("+49 30 231250000", "231250000", GERMAN)],
)
def test_the_rows_own_number_is_no_user_name_however_it_is_spelt(
    phone: str, name: str, address: dict[str, str]
) -> None:
    row = changed(**address, phone=phone, username=name)

    assert row.outcome is Outcome.ACCEPTED
    assert record(row).username is None
    assert codes(row) == [("member.username", ProblemCode.PHONE_IN_TEXT)]


@pytest.mark.clause("R1")
@pytest.mark.parametrize(
    "email",
    [
        "4155550132@vtext.example.com",
        "14155550132@vtext.example.com",
        "5550132@vtext.example.com",
        "ada.415-555-0132@example.com",
        "4155550199@vtext.example.com",
        "+442079460101@sms.example.com",
    ],
)
def test_an_address_that_is_a_telephone_number_rejects_the_row(email: str) -> None:
    row = changed(email=email)

    assert row.outcome is Outcome.REJECTED
    assert codes(row) == [("member.email", ProblemCode.PHONE_AS_EMAIL)]


@pytest.mark.parametrize("email", ["john1984@example.com", "12345@example.com"])
def test_an_address_with_digits_is_taken(email: str) -> None:
    assert record(changed(email=email)).email == email


@pytest.mark.parametrize("password_hash", [ARGON2ID, BCRYPT])
def test_hashes_that_sign_in_can_verify_are_taken(password_hash: str) -> None:
    assert record(changed(password_hash=password_hash)).password_hash == password_hash


def test_national_numbers_are_read_in_the_country_of_the_address() -> None:
    german = {"country": "Germany", "state": "", "postal_code": "10117", "phone": "030 23125000"}

    assert changed(**german).outcome is Outcome.ACCEPTED
    assert record(changed(**german)).region == "DE"
    assert codes(changed(phone="030 23125000")) == [("phones.home", ProblemCode.BAD_PHONE)]


def test_the_same_number_in_two_columns_is_kept_once() -> None:
    phones = record(changed(mobile_phone="+1 415 555 0132", work_phone="415 555 0133")).phones

    assert [phone.label for phone in phones] == ["home", "work"]


@pytest.mark.clause("C9")
def test_a_yes_is_for_the_company_and_a_no_is_for_partners_too() -> None:
    asked = datetime(2024, 5, 1, 10, tzinfo=UTC)

    assert record(changed()).choices == (ChoiceEntry(asked, Direction.IN, Purpose.OWN_OFFERS),)
    assert record(changed(newsletter="no", sharing="no", consent_date="")).choices == (
        ChoiceEntry(FILE_DATE, Direction.OUT, Purpose.OWN_OFFERS),
        ChoiceEntry(FILE_DATE, Direction.OUT, Purpose.PARTNER_EMAIL),
        ChoiceEntry(FILE_DATE, Direction.OUT, None),
    )


@pytest.mark.clause("C11")
@pytest.mark.parametrize("answer", ["newsletter", "sharing"])
def test_a_yes_without_a_date_of_its_own_is_not_taken_and_is_noted(answer: str) -> None:
    blank = {"newsletter": "", "sharing": "", "consent_date": ""}

    row = changed(**blank | {answer: "yes"})

    assert (row.outcome, row.problems) == (Outcome.ACCEPTED, ())
    assert record(row).choices == ()
    assert row.undated_yes
    assert not changed(**blank | {answer: "no"}).undated_yes
    assert not changed(**{answer: "yes"}).undated_yes


@pytest.mark.clause("C11")
@pytest.mark.parametrize("consent_date", ["2031-01-01", "some day"])
def test_an_answer_with_an_impossible_date_is_not_taken(consent_date: str) -> None:
    row = changed(consent_date=consent_date)

    assert record(row).choices == ()
    assert codes(row) == [("choices.requested_at", ProblemCode.BAD_CONSENT)]


@pytest.mark.clause("C11")
def test_a_consent_of_a_clock_that_runs_ahead_counts_as_now() -> None:
    ahead = NOW + CLOCK_TOLERANCE
    assert record(changed(consent_date=ahead.isoformat())).choices[0].requested_at == NOW


def test_what_the_whole_file_lacks_is_not_repeated_for_each_row() -> None:
    cells = {"member_number": "7", "email": "a@example.com"}
    absent = tuple(
        t for t, _ in load_mapping("default").mapping.targets() if t not in {"member.number", "member.email"}
    )

    row = check(cells, absent)

    assert (row.outcome, row.problems) == (Outcome.INVITED, ())


def test_a_row_that_could_not_be_read_is_rejected_with_that_reason() -> None:
    checker = RowChecker(load_mapping("default").mapping, absent=(), sealer=SEALER, dated=FILE_DATE)

    row = checker.check(SourceRow(9, {}, ProblemCode.RAGGED_ROW), NOW)

    assert row == CheckedRow(9, Outcome.REJECTED, None, (Problem("", ProblemCode.RAGGED_ROW),))
