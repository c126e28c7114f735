"""What a browser is called: its name, main version and system, out of words of ours.

In: the header `User-Agent`. Out: text such as `Firefox 143, Linux`. The header itself is kept nowhere: it
is the caller's text and may say anything, and one whole tells visitors apart better than its purpose needs.
"""

from __future__ import annotations

import re
from typing import Final

OTHER: Final = "another browser"

_BROWSERS: Final = (
    # In this order: most of them call themselves all that stand below them as well.
    ("Edge", re.compile(r"\bEdg(?:e|A|iOS)?/([0-9]{1,3})\b")),
    ("Opera", re.compile(r"\b(?:OPR|Opera)/([0-9]{1,3})\b")),
    ("Samsung Internet", re.compile(r"\bSamsungBrowser/([0-9]{1,3})\b")),
    ("Firefox", re.compile(r"\b(?:Firefox|FxiOS)/([0-9]{1,3})\b")),
    ("Chrome", re.compile(r"\b(?:Chrome|CriOS|Chromium)/([0-9]{1,3})\b")),
    ("Safari", re.compile(r"\bVersion/([0-9]{1,3})\b.*\bSafari/")),
)

_SYSTEMS: Final = (
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def browser_of(user_agent: str | None) -> str | None:
    """The browser and its system; None if the request did not say."""
    if user_agent is None:
        return None
    system = next((f", {name}" for word, name in _SYSTEMS if word in user_agent), "")
    for name, pattern in _BROWSERS:
        found = pattern.search(user_agent)
        if found is not None:
            return f"{name} {found.group(1)}{system}"
    return f"{OTHER}{system}"
