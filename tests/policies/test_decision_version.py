from __future__ import annotations

import hashlib
from pathlib import Path

from policies.sharing import DECISION_VERSION

ROOT = Path(__file__).resolve().parents[2]
DECIDING = (
    "policies/age.py",
    "policies/agreement.py",
    "policies/choices.py",
    "policies/matrix.py",
    "policies/regions.py",
    "policies/sharing.py",
    "schema/categories.py",
)
PINNED = (3, "c0b50239a262c9b7ca3339bc9ec433e781c526b5c946042c9e223d8f38b6191b")


def test_another_way_of_deciding_has_another_version() -> None:
    """Pin a change of these files; raise `DECISION_VERSION` first if it may decide anything otherwise."""
    digest = hashlib.sha256()
    for name in DECIDING:
        digest.update((ROOT / name).read_bytes())
    assert (DECISION_VERSION, digest.hexdigest()) == PINNED
