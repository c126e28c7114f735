from __future__ import annotations

import pytest

from policies.decision import Allow, Decision, Deny, Reason, Withhold


@pytest.mark.parametrize("kind", [Allow, Withhold, Deny])
def test_a_decision_has_no_truth_value(kind: type[Allow | Withhold | Deny]) -> None:
    decision: Decision = kind(Reason.POLICY)
    with pytest.raises(TypeError, match="match"):
        bool(decision)


def test_decisions_are_values() -> None:
    assert len({Deny(Reason.POLICY), Deny(Reason.POLICY), Withhold(Reason.POLICY)}) == 2
