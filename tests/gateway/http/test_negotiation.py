from __future__ import annotations

import pytest

from gateway.http.negotiation import negotiate

MODERN = "application/graphql-response+json"
JSON = "application/json"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (MODERN, MODERN),
        (f"{MODERN}, {JSON};q=0.9", MODERN),
        (f"{JSON};q=0.9, {MODERN}", MODERN),
        (f"{MODERN};q=0.5, {JSON}", JSON),
        (f"{MODERN}, {JSON}", MODERN),
        (f"{JSON}, {MODERN}", JSON),
        (f"{MODERN}, */*", MODERN),
        (f"{JSON};q=0, */*", MODERN),
        (f"{MODERN};q=0, {JSON};q=0", None),
        ("*/*;q=0", None),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", JSON),
        (f"{MODERN}; charset=utf-8, {JSON}; charset=utf-8", MODERN),
        (f"{JSON}; charset=latin-1", None),
        ("text/html", None),
        ("APPLICATION/JSON", JSON),
        (f"{JSON};q=nonsense", None),
        (f"{JSON};q=nan", None),
        ("nonsense", None),
        (",,,", None),
        (f"{JSON};q=0.5;ext=charset=latin-1", JSON),
    ],
)
def test_the_media_type_that_the_caller_prefers(accept: str | None, expected: str | None) -> None:
    assert negotiate(accept) == expected
