from __future__ import annotations

import pytest

from gateway.http.exchange import MAX_COOKIES, origin_of, read_exchange, set_cookie_headers
from gateway.refusals import RequestRefused
from resolvers.exchange import Cookie, Exchange

OURS = "https://members.example"
ORIGINS = frozenset({OURS, "https://app.example"})


def exchange(*headers: tuple[str, str], client: tuple[str, int] | None = ("192.0.2.1", 1)) -> Exchange:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    return read_exchange({"type": "http", "headers": raw, "client": client}, ORIGINS)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("__Host-refresh=abc", {"refresh": "abc"}),
        ("a=1; __Host-refresh=abc; __Host-choice=x; theme=dark", {"refresh": "abc", "choice": "x"}),
        ('analytics={"a": [1]}; __Host-refresh=abc; odd', {"refresh": "abc"}),
        ("refresh=abc", {}),
        ("__Secure-refresh=abc", {}),
        ("__host-refresh=abc", {}),
        ("__Host-refresh=", {"refresh": ""}),
        ("", {}),
        (";;;", {}),
        ("__Host-refresh=abc; " + "x" * MAX_COOKIES, {}),
    ],
)
def test_cookies_of_ours_are_known_by_their_prefix(text: str, found: dict[str, str]) -> None:
    assert dict(exchange(("cookie", text)).cookies) == found


def test_a_browser_may_send_its_cookies_in_several_headers() -> None:
    assert exchange(("cookie", "a=1"), ("cookie", "__Host-refresh=abc")).cookies == {"refresh": "abc"}


@pytest.mark.clause("C14")
@pytest.mark.parametrize(
    ("headers", "admitted"),
    [
        ({}, True),
        ({"origin": OURS}, True),
        ({"origin": "https://app.example"}, True),
        ({"origin": "https://APP.example"}, True),
        ({"origin": "https://app.example:8443"}, False),
        ({"origin": "http://app.example"}, False),
        ({"origin": "https://app.example.evil.example"}, False),
        ({"origin": "https://evil.example"}, False),
        ({"origin": "null"}, False),
        ({"origin": ""}, False),
        ({"origin": "https://evil.example", "host": "evil.example"}, False),
        ({"origin": "https://evil.example", "sec-fetch-site": "same-origin"}, False),
        ({"origin": OURS, "sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "whatever"}, False),
    ],
)
def test_pages_of_admitted_origins_and_programs_may_use_cookies(
    headers: dict[str, str], admitted: bool
) -> None:
    assert exchange(*headers.items()).origin_admitted is admitted


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ("8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"),
        ('"8e03978e"', "8e03978e"),
        ("x" * 255, "x" * 255),
    ],
)
def test_an_idempotency_key_is_a_short_printable_text(value: str, key: str) -> None:
    assert exchange(("idempotency-key", value)).idempotency_key == key


@pytest.mark.parametrize("value", ["", '""', "x" * 256, "\u00e9", "a\tb", "a\x00b"])
def test_anything_else_is_refused_as_a_key(value: str) -> None:
    with pytest.raises(RequestRefused) as refused:
        exchange(("idempotency-key", value))
    assert not value or value not in str(refused.value)


@pytest.mark.clause("C4")
@pytest.mark.parametrize(("value", "opts_out"), [("1", True), ("0", False), ("true", False), ("", False)])
def test_global_privacy_control_is_the_value_1(value: str, opts_out: bool) -> None:
    assert exchange(("sec-gpc", value)).opts_out is opts_out
    assert exchange().opts_out is False


def test_the_address_is_the_connections() -> None:
    assert exchange().ip_address == "192.0.2.1"
    assert exchange(client=None).ip_address is None


def test_what_a_browser_calls_itself_is_kept_short_and_printable() -> None:
    assert exchange(("user-agent", "Fire\x1bfox \u00e9" + "x" * 400)).user_agent == "Firefox " + "x" * 292


@pytest.mark.clause("C14")
def test_a_cookie_is_for_this_host_over_tls_and_sent_by_our_own_pages_only() -> None:
    told = Exchange()
    told.set_cookie(Cookie("refresh", "first", 10))
    told.set_cookie(Cookie("choice", "yes", 20, readable_by_scripts=True))
    told.set_cookie(Cookie("refresh", "last", 30))
    assert set_cookie_headers(told) == [
        (b"set-cookie", b"__Host-choice=yes; Path=/; Max-Age=20; Secure; SameSite=Strict"),
        (b"set-cookie", b"__Host-refresh=last; Path=/; Max-Age=30; Secure; HttpOnly; SameSite=Strict"),
    ]


def test_no_repr_shows_a_cookie() -> None:
    told = exchange(("cookie", "__Host-refresh=secret"))
    told.set_cookie(Cookie("refresh", "secret", 10))
    assert "secret" not in repr(told)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Members.Example/graphql", "https://members.example"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("https://members.example:8443/x?y", "https://members.example:8443"),
    ],
)
def test_an_origin_is_written_as_browsers_write_it(url: str, origin: str) -> None:
    assert origin_of(url) == origin
