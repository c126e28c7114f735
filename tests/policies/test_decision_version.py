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
PINNED = (3, "d03d992ed741ac3b3c908fa8b8f4f74405be5d5b9e11859cb134937104c094a2")


def test_another_way_of_deciding_has_another_version() -> None:
    """Pin a change of these files; raise `DECISION_VERSION` first if it may decide anything otherwise."""
    digest = hashlib.sha256()
    for name in DECIDING:
        digest.update((ROOT / name).read_bytes())
    assert (DECISION_VERSION, digest.hexdigest()) == PINNED
