"""The decision tables as values: those that ship beside the policy, and those beside this file.

The same rows run through every entry point. Ours are about the shipped policy with `added_rules`, Cedar text
to append.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from gateway.policy_source import load_shipped_directory
from policies.decision_tables import (
    AGREEMENT,
    OTHER_PARTNER,
    THIS_PARTNER,
    DecisionRow,
    read_tables,
)
from policies.decision_tables import AS_OF as NOW

__all__ = ["AGREEMENT", "NOW", "OTHER_PARTNER", "THIS_PARTNER", "DecisionCase", "load_cases"]


@dataclass(frozen=True)
class DecisionCase(DecisionRow):
    """A row, and the rules that the policy has besides the shipped ones."""

    added_rules: str = ""


def load_cases() -> list[DecisionCase]:
    """Every row of every table."""
    cases = [DecisionCase(**vars(row)) for row in read_tables(load_shipped_directory().tables)]
    for path in sorted(Path(__file__).parent.glob("*.yaml")):
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        added = document.pop("added_rules")
        rows = read_tables({path.name: yaml.safe_dump(document, sort_keys=False)})
        cases += [DecisionCase(**vars(row), added_rules=added) for row in rows]
    return cases
