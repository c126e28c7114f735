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
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; }
nav a { display: inline-block; padding: .3rem 0; color: inherit; }
nav a[aria-current] { font-weight: 600; text-decoration: none; border-bottom: 2px solid; }
main ul, main ol { padding-left: 1.25rem; margin: 0 0 1rem; }
main nav ul { padding: 0; margin: 0 0 2rem; }
li { margin: 0 0 .35rem; }
nav li { margin: 0; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.wide { overflow-x: auto; margin: 0 0 1rem; }
table { border-collapse: collapse; width: 100%; font-size: .9375rem; line-height: 1.4; }
caption { text-align: left; max-width: calc(100vw - 2.5rem); opacity: .8; padding: 0 0 .5rem; }
th, td { text-align: left; vertical-align: top; padding: .45rem .75rem .45rem 0;
  border-bottom: 1px solid #8884; }
thead th { border-bottom: 2px solid #8888; }
tbody th { font-weight: 600; }
th:first-child { position: sticky; left: 0; background: Canvas; }
main.broad { max-width: 64rem; }
.broad p, .broad li { max-width: 40rem; }
@media (max-width: 40rem) {
  main { padding: 1.5rem 1rem 3rem; }
  .wide table { min-width: 40rem; }
  th:first-child { min-width: 6.5rem; hyphens: auto; }
}
@media print {
  :root { color-scheme: light; }
  nav { display: none; }
  main, main.broad { max-width: none; padding: 0; }
  .wide { overflow: visible; }
  .wide table { min-width: 0; font-size: .75rem; }
  h2, h3 { break-after: avoid; }
  tr { break-inside: avoid; }
}
"""

_CSP: Final = (
    "default-src 'none'; style-src 'sha256-"
    + b64encode(sha256(_STYLE.encode()).digest()).decode()
    + "'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

HEADERS: Final = (
    (b"content-security-policy", _CSP.encode()),
    # Not `no-referrer`: browsers would then send `Origin: null` with our own forms (Fetch standard), which
    # nobody can tell from a form elsewhere. Nothing on a page leads or loads from anywhere else.
    (b"referrer-policy", b"same-origin"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
"""Of every page."""

HTML: Final = b"text/html; charset=utf-8"
UNKEPT: Final = ((b"cache-control", b"no-store"), (b"x-robots-tag", b"noindex, nofollow"))
"""Of a page that is somebody's, or changes something."""

KEPT: Final = ((b"cache-control", b"public, no-cache"), (b"vary", b"accept-language"))
"""Of a page that is everybody's: whoever keeps it asks each time whether it still holds (`ETag`)."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page as it is answered."""

    title: str
    content: Html
    status: int = HTTPStatus.OK
    headers: Sequence[tuple[bytes, bytes]] = ()
    code: str | None = None
    language: str = "en"
    navigation: Html = Html("")
    broad: bool = False
    """It has tables, and takes more of a wide screen."""
    public: bool = False
    """It is everybody's, and may be kept and found."""
    data: bytes | None = None
    """JSON, for programs, in place of all of the above."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link to a page of ours. `language` is that of the other page, if it is another than here."""

    label: str
    address: str
    current: bool = False
    language: str | None = None


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


def links(label: str, entries: Sequence[Link]) -> Html:
    """Links to other pages of ours; the one that is shown is marked."""
    items = "".join(f"<li>{_link(entry)}</li>" for entry in entries)
    return Html(f'<nav aria-label="{escape(label)}"><ul>{items}</ul></nav>')


def _link(entry: Link) -> str:
    current = ' aria-current="page"' if entry.current else ""
    spoken = "" if entry.language is None else f' lang="{entry.language}" hreflang="{entry.language}"'
    return f'<a href="{escape(entry.address)}"{current}{spoken}>{escape(entry.label)}</a>'


def joined(*parts: Html) -> Html:
    """Parts, one after the other."""
    return Html("\n".join(parts))


def rendered(page: Page, site: str) -> bytes:
    """The whole document. `site` is who runs it."""
    if page.data is not None:
        return page.data
    return (
        f'<!doctype html>\n<html lang="{escape(page.language)}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(page.title)} – {escape(site)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f'<body>\n<main{" class=broad" if page.broad else ""}>\n<p class="site">{escape(site)}</p>\n'
        f"{page.navigation}\n<h1>{escape(page.title)}</h1>\n{page.content}\n</main>\n</body>\n</html>\n"
    ).encode()


def _sentence(message: str) -> str:
    """A message of ours, which is made for programs, as a sentence."""
    plain = message.replace("`newPassword`", "the password").replace("`", "")
    return f"{plain[:1].upper()}{plain[1:]}."
