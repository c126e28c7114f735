from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.free_text import find_phone_number
from resolvers.browsers import browser_of

_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.clause("C3")
@pytest.mark.parametrize(
    ("user_agent", "called"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0", "Firefox 143, Linux"),
        (
            f"Mozilla/5.0 (Windows NT 10.0) {_WEBKIT} Chrome/142.0.7444.59 Safari/537.36",
            "Chrome 142, Windows",
        ),
        (f"Mozilla/5.0 (Windows NT 10.0) {_WEBKIT} Chrome/142.0.0.0 Edg/142.0.0.0", "Edge 142, Windows"),
        (f"Mozilla/5.0 (Linux; Android 10; K) {_WEBKIT} Chrome/142.0.0.0 Mobile", "Chrome 142, Android"),
        (
            f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) {_WEBKIT} Version/18.6 Safari/604.1",
            "Safari 18, iOS",
        ),
        ("python-httpx/0.28", "another browser"),
        ("call +1 202 555 0143", "another browser"),
        ("Firefox/2025550143", "another browser"),
        ("", "another browser"),
        (None, None),
    ],
)
def test_a_browser_is_called_by_name_version_and_system(user_agent: str | None, called: str | None) -> None:
    assert browser_of(user_agent) == called


@pytest.mark.clause("R1")
@given(
    parts=st.lists(
        st.sampled_from(["Firefox/", "Version/", "Safari/", "Linux", "202", "555", "0143", "+1", " ", "-"])
    )
)
def test_what_it_is_called_never_holds_a_number(parts: list[str]) -> None:
    assert not find_phone_number(browser_of("".join(parts)) or "", region="US")
