"""Believable members for demos, benchmarks and tests, the same ones for the same seed value.

INVARIANT (twins): telephone numbers and password hashes come from `secret_value` alone, everything else from
`seed_value` and `now` alone. Two databases seeded alike but for `secret_value` differ in nothing else.
"""

from gateway.seeding.run import SEED_BATCH, seed
from gateway.seeding.secrets import seeded_password_hashes, seeded_phone_numbers

__all__ = ["SEED_BATCH", "seed", "seeded_password_hashes", "seeded_phone_numbers"]
