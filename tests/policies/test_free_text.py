from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.free_text import find_phone_number, fold, refuse_phone_numbers
from schema.errors import FreeTextPhoneError

NUMBERS = [
    ("+1 415 555 0132", "US"),
    ("(415) 555-0132", "US"),
    ("415.555.0132", "US"),
    ("415 / 555 / 0132", "US"),
    ("415_555_0132", "US"),
    ("4·1·5·5·5·5·0·1·3·2", "US"),
    ("4 1 5 5 5 5 0 1 3 2", "US"),
    ("Jane, call 4155550132now", "US"),
    ("tel4155550132", "US"),
    ("Suite 12 - 415 555 0132", "US"),
    ("555-0132", "US"),
    ("４１５５５５０１３２", "US"),
    ("٤١٥٥٥٥٠١٣٢", "US"),
    ("𝟒𝟏𝟓𝟓𝟓𝟓𝟎𝟏𝟑𝟐", "US"),
    ("①④①⑤⑤⑤⑤⓪①③②", "US"),
    ("4\u200b1\u200b5\u200b5\u200b5\u200b5\u200b0132", "US"),
    ("415\u00ad555\u00ad0132", "US"),
    ("\ufe0f\u20e3".join("4155550132"), "US"),
    ("415-555-O132", "US"),
    ("4l5-555-0l32", "US"),
    ("415-555-О132", "US"),  # a Cyrillic letter
    ("four one five five five five zero one three two", "US"),
    ("four-one-five-five-five-five-oh", None),
    ("415 five five five 0132", "US"),
    ("4 one 5 double 5 5 0132", "US"),
    ("415    555    0132", "US"),
    ("415 --- 555 --- 0132", "US"),
    ("415 dash 555 dot 0132", "US"),
    ("415x555x0132", "US"),
    ("(4)(1)(5)(5)(5)(5)(0)(1)(3)(2)", "US"),
    ("wa.me/14155550132", "US"),
    ("vier eins fünf fünf fünf fünf null eins", "US"),
    ("quatre un cinq cinq cinq cinq zéro un", None),
    ("cuatro-uno-cinco-cinco-cinco-cinco-cero", "US"),
    ("fyra ett fem fem fem fem noll", "SE"),
    ("+44 20 7946 0958", None),
    ("0044 20 7946 0958", None),
    ("020 7946 0958", "GB"),
    ("44 20 7946 0958", "US"),
    ("+49 (0)30 23125 000", "FR"),
    ("030 23125000", "DE"),
    ("01 99 00 12 34", None),
    ("08-465 004 50", "SE"),
]  # fmt: skip

TEXTS = [
    ("", "US"),
    ("Ada", "US"),
    ("Jean-François O'Hara III", "FR"),
    ("1600 Amphitheatre Pkwy", "US"),
    ("94043-1351", "US"),
    ("Apt 12, 94043-1351", "US"),
    ("12345 Main St 94043", "US"),
    ("350 5th Ave Fl 21, New York 10118-2100", "US"),
    ("37-12 82nd Street", "US"),
    ("PO Box 1234567", "US"),
    ("Flat 4, 221B Baker Street", "GB"),
    ("Bahnhofstraße 17, 80335 München", "DE"),
    ("Room 4, Floor 12, Building 3", "US"),
    ("KM 12.5 Carretera 200", "MX"),
    ("Order 1002003", "US"),
    ("One Two Three Street", "US"),
    ("Five Guys Nine", "US"),
    ("1970-01-01", "US"),
    ("2024-11-23 10:22", "US"),
    ("Solo Olo Lol Ill", "US"),
    ("Un Deux Trois Quatre", "FR"),
    ("Sex and the City 1998 - 2004", "US"),
    ("Sei Otto Nove, 20121 Milano", "IT"),
    ("Neun Linden 12, 10115", "DE"),
    ("4 x 100 m, 4 x 400 m", "US"),
    ("90x200 cm", "DE"),
    ("Point 12 dot 5", "US"),
    ("room 100 ... floor 200", "US"),
    ("chess, gardening, 1980s music", "US"),
]

POSTAL_CODES = [
    "DE 10117",
    "GB SW1A 1AA",
    "FR 75008",
    "NL 1012 AB",
    "JP 150-0001",
    "BR 01310-100",
    "PL 00-950",
    "PT 1000-001",
    "SG 238823",
    "IN 560001",
    "CN 100000",
    "RU 101000",
    "SE 111 52",
    "CA M5V 2T6",
    "CH 8001",
    "AT 1010",
    "IE D02 X285",
    "KR 04524",
    "AU 2000",
    "DK 2100",
    "NO 0150",
    "ES 28013",
    "IT 00184",
    "CL 8320000",
    "AR C1425",
    "RO 010011",
    "KZ 050000",
    "VN 700000",
    "TR 34000",
    "IL 6100000",
    "TW 100005",
    "US 10118",
]


@pytest.mark.clause("R1")
@pytest.mark.parametrize(("text", "region"), NUMBERS)
def test_finds_a_number_however_it_is_written(text: str, region: str | None) -> None:
    assert find_phone_number(text, region=region)


@pytest.mark.parametrize(("text", "region"), TEXTS)
def test_leaves_believable_texts_alone(text: str, region: str) -> None:
    assert not find_phone_number(text, region=region)


@pytest.mark.parametrize("postal", POSTAL_CODES)
def test_a_postal_code_is_no_number_of_its_country(postal: str) -> None:
    country, code = postal.split(" ", 1)

    assert not find_phone_number(code, region=country)


EXAMPLES = [
    number
    for region in sorted(phonenumbers.SUPPORTED_REGIONS)
    for kind in (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE)
    if (number := phonenumbers.example_number_for_type(region, kind)) is not None
    and len(str(number.national_number)) > 5
]
FORMATS = (
    phonenumbers.PhoneNumberFormat.E164,
    phonenumbers.PhoneNumberFormat.INTERNATIONAL,
    phonenumbers.PhoneNumberFormat.NATIONAL,
)


@given(
    number=st.sampled_from(EXAMPLES),
    form=st.sampled_from(FORMATS),
    before=st.sampled_from(("", "Jane ", "c/o ", "tel:", "→")),
    after=st.sampled_from(("", " Doe", ", please", "!")),
    hidden=st.sampled_from(("", "\u200b", "\u2060", "\u00ad")),
)
def test_finds_the_numbers_of_every_country(
    number: phonenumbers.PhoneNumber, form: int, before: str, after: str, hidden: str
) -> None:
    region = phonenumbers.region_code_for_number(number)
    written = hidden.join(phonenumbers.format_number(number, form))

    assert find_phone_number(f"{before}{written}{after}", region=region)


@given(
    house=st.integers(1, 9999),
    street=st.sampled_from(("Main St", "Elm Street", "Highway", "Rue de Rivoli", "Avenida")),
    unit=st.integers(1, 999),
    zip_code=st.integers(501, 99950),
)
def test_house_numbers_units_and_postal_codes_in_one_line_are_no_number(
    house: int, street: str, unit: int, zip_code: int
) -> None:
    assert not find_phone_number(f"{house} {street} {unit}, Springfield {zip_code:05d}", region="US")


@given(st.text())
def test_reads_any_text_without_an_error(text: str) -> None:
    assert find_phone_number(text, region="US") in {True, False}
    fold(text)


def test_the_refusal_names_the_fields_and_never_the_text() -> None:
    fields = {"given_name": "Ada", "line1": "call 415 555 0132", "username": "4155550132", "line2": None}

    with pytest.raises(FreeTextPhoneError) as refusal:
        refuse_phone_numbers(fields, "US")

    assert "`line1`, `username`" in str(refusal.value)
    assert "0132" not in str(refusal.value)
    assert "given_name" not in str(refusal.value)
    refuse_phone_numbers({"given_name": "Ada"}, "US")
