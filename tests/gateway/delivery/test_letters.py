from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from gateway.delivery.letters import Letterhead, UndeliverableError, compose, greeted, read_letterhead
from gateway.delivery.texts import TEXTS, Leads
from gateway.web.addresses import Addresses
from policies.notice_texts import draft_transfer
from resolvers.outbox import Announcement, MailedNotice, MailFacts, NewsletterText
from resolvers.tokens import SealedTokens, TokenUse
from schema.categories import DataCategory
from schema.errors import SettingsError
from schema.tables.mail import ANNOUNCEMENTS, LetterKind
from schema.vocabulary import Language
from tests.gateway.delivery.conftest import parsed
from tests.world import NOW

TOKENS = SealedTokens(bytes(64))
HEAD = read_letterhead("Shop <members@shop.example>", Addresses("https://shop.example", None, TOKENS))
MEMBER = UUID(int=7)
LINK = UUID(int=9)
ISSUE = NewsletterText("News", "First line.\n\nA line of more than any width " + "that is shown " * 20)


SOON = NOW + timedelta(days=30)
OFFERS = MailedNotice("New: offers", "We want to share more.", SOON, refusable=True)
TAKEN_OVER = MailedNotice("New: transfers", "The acquirer is given more.", SOON, refusable=False)


def announcement(kind: LetterKind, language: Language = Language.EN) -> Announcement:
    """What a letter of the kind tells."""
    if kind is LetterKind.NEW_PRACTICE:
        return Announcement(language, 2, (OFFERS,))
    text = draft_transfer("Bolt", [DataCategory.NAME], SOON).texts[language]
    return Announcement(language, None, (MailedNotice(text.title, text.body, SOON, refusable=False),))


def facts(kind: LetterKind = LetterKind.WELCOME, **other: Any) -> MailFacts:
    given: dict[str, Any] = {
        "id": UUID(int=1),
        "kind": kind,
        "recipient": "ada@example.org",
        "created_at": NOW,
        "attempts": 0,
        "member_id": MEMBER,
        "given_name": "Ada",
        "link_id": LINK,
        "link_expires_at": NOW + timedelta(hours=1),
        "newsletter": ISSUE if kind is LetterKind.NEWSLETTER else None,
        "superseded": False,
        "announcement": announcement(kind) if kind in ANNOUNCEMENTS else None,
    }
    return MailFacts(**{**given, **other})


def content(made: Any) -> str:
    return str(parsed(made.data).get_content()).replace("\r\n", "\n")


def test_every_kind_of_letter_has_a_text() -> None:
    assert {*TEXTS, *ANNOUNCEMENTS, LetterKind.NEWSLETTER} == set(LetterKind)


@pytest.mark.parametrize("kind", LetterKind)
def test_every_letter_says_who_writes_to_whom_and_why(kind: LetterKind) -> None:
    made = compose(facts(kind), HEAD, NOW)
    message = parsed(made.data)

    assert message["To"] == "ada@example.org"
    assert message["From"] == "Shop <members@shop.example>"
    assert message["Subject"]
    assert message["Date"].datetime == NOW
    assert message["Message-ID"] == f"<{UUID(int=1)}@shop.example>"
    assert message.get_content_type() == "text/plain"
    assert message.get_content_charset() == "utf-8"
    assert "Shop sends you this" in content(made)
    assert not message.defects
    assert made.data.isascii()
    assert max(len(line) for line in made.data.split(b"\r\n")) < 900


@pytest.mark.parametrize("kind", [kind for kind, text in TEXTS.items() if text.leads is not Leads.NOWHERE])
def test_a_letter_with_a_link_holds_its_token_and_how_long_it_works(kind: LetterKind) -> None:
    text = content(compose(facts(kind), HEAD, NOW))

    page = "reset" if kind is LetterKind.RESET_PASSWORD else "confirm"
    (token,) = re.findall(rf"^https://shop\.example/{page}/(\S+)$", text, re.MULTILINE)
    assert TOKENS.open(TokenUse.LINK, token) == LINK.bytes
    assert "works once, until 23 November 2026, 13:00 UTC" in text
    with pytest.raises(UndeliverableError):
        compose(facts(kind, link_id=None), HEAD, NOW)


def test_links_lead_to_the_front_end_where_there_is_one() -> None:
    head = Letterhead(HEAD.sender, Addresses("https://api.example", "https://shop.example/app", TOKENS))

    text = content(compose(facts(LetterKind.RESET_PASSWORD), head, NOW))
    assert f"\nhttps://shop.example/app/reset?token={TOKENS.seal(TokenUse.LINK, LINK.bytes)}\n" in text
    issue = parsed(compose(facts(LetterKind.NEWSLETTER), head, NOW).data)
    assert issue["List-Unsubscribe"].startswith("<https://api.example/unsubscribe/")


@pytest.mark.clause("C9")
@pytest.mark.parametrize("kind", [*TEXTS, *sorted(ANNOUNCEMENTS)])
def test_account_mails_cannot_be_unsubscribed_from_and_want_no_automatic_answer(kind: LetterKind) -> None:
    message = parsed(compose(facts(kind), HEAD, NOW).data)

    assert message["Auto-Submitted"] == "auto-generated"
    assert not [name for name in message.keys() if name.lower().startswith("list-")]  # noqa: SIM118


@pytest.mark.clause("C9")
def test_the_newsletter_can_be_left_by_one_click() -> None:
    made = compose(facts(LetterKind.NEWSLETTER), HEAD, NOW)
    data, message = made.data, parsed(made.data)

    # In one line and as it is: programs do not put together what is folded or encoded.
    (url,) = re.findall(rb"\r\nList-Unsubscribe: <(https://shop\.example/unsubscribe/[\w-]+)>\r\n", data)
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["List-Id"] == "<newsletter.shop.example>"
    text = content(made)
    assert url.decode() in text
    assert text.startswith(ISSUE.body.split("\n")[0])
    assert str(MEMBER) not in text
    assert MEMBER.hex not in text


def test_a_name_is_greeted_where_it_is_known_and_reads_as_one() -> None:
    assert content(compose(facts(), HEAD, NOW)).startswith("Hello Ada,\n")
    assert content(compose(facts(given_name=None), HEAD, NOW)).startswith("Hello,\n")
    assert greeted("Jean-Luc") == "Jean-Luc"
    assert greeted("Zoë") == "Zoë"
    assert greeted("अदिति") == "अदिति"
    assert greeted("D’Arcy O'Neil")


@pytest.mark.parametrize(
    "name",
    [
        "Ada\nBcc: x@example.net", "Ada\r\n\r\nWin", "Ada\x00", "www.example.net", "https://example.net", "",
        "Call 2025550143", "A" * 41, "Ada\u2028Win", "Ada\u202eadA", "x@example.net",
    ],
)  # fmt: skip
def test_a_name_that_is_none_is_not_repeated(name: str) -> None:
    assert content(compose(facts(given_name=name), HEAD, NOW)).startswith("Hello,\n")


def test_what_a_stranger_typed_is_not_sent_to_an_address_that_a_stranger_typed() -> None:
    assert "Winner" not in content(
        compose(facts(LetterKind.CONFIRM_REGISTRATION, given_name="Winner"), HEAD, NOW)
    )


@pytest.mark.parametrize(
    "address",
    [
        "ada@example.org\r\nBcc: x@example.net", "ada@example.org\nBcc: x@example.net", "", "ada", "ada@",
        "<ada@example.org>", "Ada <ada@example.org>", "ada@example.org\x00", "ada @example.org",
        "ada@example.org, x@b.c",
    ],
)  # fmt: skip
def test_nothing_but_one_address_gets_into_the_headers(address: str) -> None:
    with pytest.raises(UndeliverableError):
        compose(facts(recipient=address), HEAD, NOW)


def test_a_subject_of_two_lines_adds_no_header() -> None:
    with pytest.raises(ValueError, match="linefeed"):
        compose(
            facts(LetterKind.NEWSLETTER, newsletter=NewsletterText("News\r\nBcc: x@b.c", "Text")), HEAD, NOW
        )


def test_addresses_of_every_script_are_written_as_servers_read_them() -> None:
    domain = compose(facts(recipient="ada@exämple.org"), HEAD, NOW)
    assert domain.recipient == "ada@xn--exmple-cua.org"
    assert parsed(domain.data)["To"] == domain.recipient
    local = compose(facts(recipient="zoë@exämple.org"), HEAD, NOW)
    assert "\r\nTo: zoë@xn--exmple-cua.org\r\n".encode() in local.data


def test_a_long_subject_comes_through() -> None:
    subject = "Grüße aus dem schönen Süden " * 6
    made = compose(
        facts(LetterKind.NEWSLETTER, newsletter=NewsletterText(subject.strip(), "Text")), HEAD, NOW
    )
    assert parsed(made.data)["Subject"] == subject.strip()


@pytest.mark.parametrize("sender", ["", "nobody", "a@b.c, d@e.f", "Shop <>", "Shop <a@b.c>\nBcc: d@e.f"])
def test_a_sender_that_is_no_address_is_told_at_the_start(sender: str) -> None:
    with pytest.raises(SettingsError, match="GATEWAY_MAIL_FROM"):
        read_letterhead(sender, HEAD.addresses)


@pytest.mark.clause("C16")
def test_the_announcement_of_a_new_practice_says_what_from_when_and_how_to_refuse() -> None:
    text = content(compose(facts(LetterKind.NEW_PRACTICE), HEAD, NOW))
    assert "We want to share more." in text
    assert "and not before" in text
    assert "/refuse/" in text


@pytest.mark.clause("C8", "C16")
def test_what_cannot_be_refused_has_no_link_and_says_so() -> None:
    told = Announcement(Language.EN, 2, (OFFERS, TAKEN_OVER))
    text = " ".join(content(compose(facts(LetterKind.NEW_PRACTICE, announcement=told), HEAD, NOW)).split())
    assert (
        "The acquirer is given more. This begins on 23 December 2026, and not before. This does not" in text
    )
    assert text.count("This does not depend on your choices.") == text.count("/refuse/") == 1
    told = Announcement(Language.EN, 2, (TAKEN_OVER,))
    text = content(compose(facts(LetterKind.NEW_PRACTICE, announcement=told), HEAD, NOW))
    assert "/refuse/" not in text
    assert "erase your account" in text


@pytest.mark.clause("C8", "C17")
@pytest.mark.parametrize(
    ("language", "said"),
    [
        (Language.EN, ("Hello Ada,", "close the account before", "anybody under 18", "23 December 2026")),
        (Language.DE, ("Guten Tag Ada,", "Konto vorher schließen", "unter 18", "23. Dezember 2026")),
    ],
)
def test_the_letter_about_a_transfer_says_what_a_member_can_do_and_has_nothing_to_refuse(
    language: Language, said: tuple[str, ...]
) -> None:
    kind = LetterKind.BUSINESS_TRANSFER
    text = " ".join(
        content(compose(facts(kind, announcement=announcement(kind, language)), HEAD, NOW)).split()
    )
    for words in ("Bolt", *said):
        assert words in text
    assert "/refuse/" not in text


def test_an_announcement_to_nobody_or_of_nothing_is_not_sent() -> None:
    for nothing in ({"announcement": None}, {"member_id": None}):
        with pytest.raises(UndeliverableError):
            compose(facts(LetterKind.NEW_PRACTICE, **nothing), HEAD, NOW)
