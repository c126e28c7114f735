"""How notices are listed: for people at a terminal, and for programs."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from gateway.cli.counting import counted
from gateway.cli.policy_publish import notice_lines
from resolvers.policy_publishing import NoticeView
from schema.categories import Basis, DataCategory, Purpose
from tests.world import NOW

NOTICE = NoticeView(
    id=UUID(int=7),
    version=2,
    title="New: offers",
    body="We want to.",
    basis=Basis.MARKETING,
    purpose=Purpose.PARTNER_EMAIL,
    categories=(DataCategory.NAME, DataCategory.EMAIL),
    regions=("EU",),
    published_at=NOW,
    effective_at=NOW + timedelta(days=30),
    withdrawn_at=None,
    refused=1_000,
)


def test_where_it_is_piped_a_notice_is_one_line_cut_by_tabs() -> None:
    (line,) = notice_lines([NOTICE], NOW, for_people=False)
    facts = ("version 2", "New: offers", "MARKETING PARTNER_EMAIL", "user.name, user.contact.email")
    assert line.split("\t") == [str(NOTICE.id), *facts, "begins 2026-12-23 12:00 UTC", "1,000 refused"]


def test_on_a_terminal_no_line_of_a_notice_is_wider_than_a_terminal() -> None:
    lines = list(notice_lines([NOTICE], NOW, for_people=True))
    assert lines == [
        "New: offers",
        "  version 2, begins 2026-12-23 12:00 UTC, 1,000 refused",
        "  MARKETING PARTNER_EMAIL, in EU",
        "    user.name, user.contact.email",
        f"  id {NOTICE.id}",
    ]


@pytest.mark.parametrize(("number", "said"), [(0, "0 notices"), (1, "1 notice"), (1_000, "1,000 notices")])
def test_one_thing_is_not_called_several(number: int, said: str) -> None:
    assert counted(number, "notice") == said
