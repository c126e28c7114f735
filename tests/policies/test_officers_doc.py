from __future__ import annotations

import re
from pathlib import Path

from policies.officers import RULES, Act, Role, Rule

PAGE = Path(__file__).resolve().parents[2] / "docs" / "officers.md"


def test_the_page_says_of_each_act_who_may_do_it() -> None:
    rows = re.findall(r"^\| `([a-z-]+\.[a-z-]+)` \| (.*) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    told = {}
    for act, rest in rows:
        officer, support, auditor, note = (cell.strip() for cell in rest.split("|"))
        roles = {
            role
            for role, cell in zip(
                (Role.PRIVACY_OFFICER, Role.SUPPORT, Role.AUDITOR), (officer, support, auditor), strict=True
            )
            if cell == "yes"
        }
        told[Act(act)] = Rule(frozenset(roles), "for a reason" in note, "the member reads" in note)
    assert told == RULES
