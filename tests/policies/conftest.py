from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import settings

from gateway.policy_source import load_shipped_directory
from policies.matrix import Matrix, compile_matrix
from policies.rules import PolicySource

# A machine that runs other things at the same time is no reason for a red test.
settings.register_profile("policies", deadline=None)
settings.load_profile("policies")


@pytest.fixture(scope="session")
def source() -> PolicySource:
    """The shipped policy in its own language, for tests that add rules to it."""
    return replace(load_shipped_directory().source, translations=())


@pytest.fixture(scope="session")
def matrix() -> Matrix:
    """The shipped policy, compiled."""
    return compile_matrix(load_shipped_directory().source)
