"""HTML by hand: small pages that work without scripts, in any browser, read aloud or enlarged.

INVARIANT (escaped): a text gets into a page through the functions here, which escape it; `Html` has been.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from http import HTTPStatus
from typing import Final, NewType

Html = NewType("Html", str)

_STYLE: Final = """
:root { color-scheme: light dark; }
body { font: 1.0625rem/1.6 system-ui, sans-serif; margin: 0; }
main { box-sizing: border-box; max-width: 40rem; margin: 0 auto; padding: 3rem 1.25rem 4rem; }
.site { margin: 0 0 2.5rem; opacity: .75; }
h1 { font-size: 1.75rem; line-height: 1.25; margin: 0 0 1rem; }
h2 { font-size: 1.25rem; line-height: 1.3; margin: 2.5rem 0 .5rem; }
h3 { font-size: 1.0625rem; margin: 1.5rem 0 .25rem; }
p { margin: 0 0 1rem; }
label { display: block; font-weight: 600; margin: 1.5rem 0 .25rem; }
input { box-sizing: border-box; width: 100%; font: inherit; padding: .6rem .75rem;
  border: 1px solid GrayText; border-radius: .4rem; }
button { font: inherit; font-weight: 600; margin: 1.25rem 0 0; padding: .65rem 1.4rem; border: 0;
  border-radius: .4rem; background: #1d4ed8; color: #fff; cursor: pointer; }
button:hover { background: #1e40af; }
:focus-visible { outline: 3px solid #f59e0b; outline-offset: 2px; }
.wrong { border-left: .3rem solid #dc2626; padding: .25rem 0 .25rem 1rem; }
.wrong p { margin: 0; }
.quiet { font-size: .9375rem; opacity: .8; }
input + .quiet { margin-top: .5rem; }
form + .quiet { margin-top: 1.5rem; }
code { overflow-wrap: anywhere; }
"""

_CSP: Final = (
    "default-src 'none'; style-src 'sha256-"
    + b64encode(sha256(_STYLE.encode()).digest()).decode()
    + "'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

HEADERS: Final = (
    (b"content-type", b"text/html; charset=utf-8"),
    (b"content-security-policy", _CSP.encode()),
    # Not `no-referrer`: browsers would then send `Origin: null` with our own forms (Fetch standard), which
    # nobody can tell from a form elsewhere. Nothing on a page leads or loads from anywhere else.
    (b"referrer-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"x-robots-tag", b"noindex, nofollow"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
"""Of every page."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page as it is answered."""

    title: str
    content: Html
    status: int = HTTPStatus.OK
    headers: Sequence[tuple[bytes, bytes]] = ()
    code: str | None = None


def text(words: str, *, tag: str = "p", kind: str | None = None) -> Html:
    """A paragraph, or another element, that holds nothing but text."""
    classed = "" if kind is None else f' class="{escape(kind)}"'
    return Html(f"<{tag}{classed}>{escape(words)}</{tag}>")


def problems(messages: Sequence[str]) -> Html:
    """What went wrong: read aloud at once, and without the marks that programs get."""
    said = joined(*(text(_sentence(message)) for message in messages))
    return Html(f'<div class="wrong" role="alert">{said}</div>' if messages else "")


def button(label: str) -> Html:
    """A form that says nothing but that its button was pressed; it goes to the address that it stands at."""
    return Html(f'<form method="post"><button>{escape(label)}</button></form>')


def password_form(label: str, hint: str, action: str, *, new: bool = True) -> Html:
    """A form for a password, which goes to the address that it stands at. It never holds one."""
    return Html(
        f'<form method="post"><label for="password">{escape(label)}</label>'
        f'<input id="password" name="password" type="password" autocomplete="{"new" if new else "current"}'
        '-password" required'
        f' autofocus aria-describedby="hint"><p class="quiet" id="hint">{escape(hint)}</p>'
        f"<button>{escape(action)}</button></form>"
    )


def joined(*parts: Html) -> Html:
    """Parts, one after the other."""
    return Html("\n".join(parts))


def rendered(page: Page, site: str) -> bytes:
    """The whole document. `site` is who runs it."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(page.title)} – {escape(site)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f'<body>\n<main>\n<p class="site">{escape(site)}</p>\n<h1>{escape(page.title)}</h1>\n'
        f"{page.content}\n</main>\n</body>\n</html>\n"
    ).encode()


def _sentence(message: str) -> str:
    """A message of ours, which is made for programs, as a sentence."""
    plain = message.replace("`newPassword`", "the password").replace("`", "")
    return f"{plain[:1].upper()}{plain[1:]}."
