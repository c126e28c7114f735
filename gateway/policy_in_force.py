"""The compiled policy that decides now: one holder for a gateway, asked anew by each request.

Publishing replaces what it holds, in every replica, without a restart; who asked before goes on with what it
was given, as a request does that began before.
"""

from __future__ import annotations

from policies.matrix import Matrix


class PolicyInForce:
    """Call it for the compiled policy of this moment."""

    def __init__(self, matrix: Matrix) -> None:
        self._matrix = matrix

    def __call__(self) -> Matrix:
        """The policy that decides now."""
        return self._matrix

    def replace(self, matrix: Matrix) -> None:
        """Decide by this one from now on."""
        self._matrix = matrix
