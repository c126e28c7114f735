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
PINNED = (3, "2c8e47ab2e865064b9f5c304c238f67d4434ec8a5abfbc00549e4a0cfd49d00b")


def test_another_way_of_deciding_has_another_version() -> None:
    """Pin a change of these files; raise `DECISION_VERSION` first if it may decide anything otherwise."""
    digest = hashlib.sha256()
    for name in DECIDING:
        digest.update((ROOT / name).read_bytes())
    assert (DECISION_VERSION, digest.hexdigest()) == PINNED
