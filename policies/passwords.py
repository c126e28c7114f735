"""Which passwords members may choose (C14), after NIST SP 800-63B-4, section 3.1.1.

In: a password as typed, and what the member told us of herself. Out: why it is refused, or None. Neither is
kept, and no reason repeats any of it.

1. length: at least `SHORTEST` characters, because a password alone lets in; at most `LONGEST`;
2. every character is admitted that can be typed; no character is demanded (no composition rules);
3. it is not one that would be guessed soon: lists of leaked passwords, words, names, dates, keyboards and
   repetitions (zxcvbn, Wheeler, USENIX Security 2016);
4. nor does it become one when the member's own data is left out of it.

What it costs: the estimate takes a few milliseconds of pure computing; `EXAMINED` and `MOST_READINGS`
bound it, because zxcvbn alone takes seconds for a text that is made to keep it busy. Its lists take 13 MB,
and are loaded by the first password that is examined: a process that gets none does without.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any, Final

SHORTEST: Final = 15
"""Characters. NIST SP 800-63B-4, 3.1.1.2: passwords that are used as the only factor."""

LONGEST: Final = 256
"""Characters. NIST asks that at least 64 be admitted; more than this helps nobody."""

FEWEST_GUESSES: Final = 10**8
"""zxcvbn's boundary of what holds against guessing online. Our throttle admits under 10**6 guesses a year."""

EXAMINED: Final = 64
"""Characters at either end that are estimated. If either end is hard to guess, so is the whole."""

MOST_READINGS: Final = 16
"""Ways to read the figures and signs of one text as letters (`p4$$w0rd`). Noise of signs has hundreds."""

SHORTEST_OWN: Final = 3
"""Characters that a datum of the member's has at least to be looked for."""


def password_problems(password: str, own: Sequence[str]) -> tuple[str, str] | None:
    """The code and the message of what is wrong with `password`; None if it may be chosen.

    CLAUSE (C14): a password that would be guessed is refused.

    `own` is the member's data: names, user name, parts of the e-mail address, city.
    """
    if len(password) > LONGEST:  # 1
        return "TOO_LONG", f"the password has more than {LONGEST} characters: shorten it"
    chosen = normalized(password)
    if len(chosen) < SHORTEST:
        return (
            "TOO_SHORT",
            f"the password has fewer than {SHORTEST} characters: several words are easy to keep",
        )
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in chosen):  # 2
        return "CONTROL_CHARACTER", "the password has a control character: remove it"
    if guesses(chosen) < FEWEST_GUESSES:  # 3
        return "GUESSABLE", "the password is easy to guess: take several words that do not belong together"
    rest = _without(chosen, own)
    if rest is not None and guesses(rest) < FEWEST_GUESSES:  # 4
        return "OWN_DATA", "the password is mostly your own data, which others know: take other words"
    return None


def normalized(password: str) -> str:
    """The password as it is measured and hashed: in NFC (NIST SP 800-63B-4, 3.1.1.2), otherwise as typed."""
    return unicodedata.normalize("NFC", password)


def guesses(password: str) -> int:
    """How many tries a guesser needs who knows the lists and the usual tricks."""
    return max(_estimate(end) for end in {password[:EXAMINED], password[-EXAMINED:]})


def _estimate(text: str) -> int:
    from zxcvbn import matching, scoring  # noqa: PLC0415 - few processes need its lists

    # What is only repeated is judged once: zxcvbn itself would look for substitutes in it again and again.
    length = next((n for n in range(1, len(text)) if text[n:] == text[:-n]), len(text))
    if length == 0:
        return 1
    unit, lists = text[:length], matching.RANKED_DICTIONARIES
    signs = matching.relevant_l33t_subtable(unit, matching.L33T_TABLE)
    if len(matching.enumerate_l33t_subs(signs)) > MOST_READINGS:
        unsubstituted = (
            matching.dictionary_match,
            matching.reverse_dictionary_match,
            matching.spatial_match,
            matching.sequence_match,
            matching.regex_match,
            matching.date_match,
        )
        matches = [match for find in unsubstituted for match in find(unit, _ranked_dictionaries=lists)]
        matches.sort(key=lambda match: (match["i"], match["j"]))
    else:
        matches = matching.omnimatch(unit, lists)
    found: dict[str, Any] = scoring.most_guessable_match_sequence(unit, matches)
    return int(found["guesses"]) * (len(text) // length)


def _without(password: str, own: Sequence[str]) -> str | None:
    """The password without the member's data, however spelt; None if it holds none."""
    rest = spelt = _folded(password)
    data = {_folded(part) for text in own for part in (text, *text.split())}
    for datum in sorted(data, key=len, reverse=True):
        if len(datum) >= SHORTEST_OWN:
            rest = rest.replace(datum, "").replace(datum[::-1], "")
    return None if rest == spelt else rest


def _folded(text: str) -> str:
    """Without case, accents and compatibility forms."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in plain if not unicodedata.combining(character))
