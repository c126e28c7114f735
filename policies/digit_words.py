"""The words for digits, in the languages of the countries that members come from.

English ones are read among figures, too (`415 five five five 0132`). Those of other languages are common
words as well (`un`, `sex`, `sei`), so only a row of them as long as a number counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

ENGLISH: Final[Mapping[str, str]] = MappingProxyType(
    {
        "zero": "0", "oh": "0", "nought": "0", "one": "1", "two": "2", "three": "3", "four": "4",
        "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9", "niner": "9",
    }
)  # fmt: skip

OTHERS: Final = frozenset(
    {
        "null", "eins", "zwei", "zwo", "drei", "vier", "fünf", "fuenf", "funf", "sechs", "sieben", "acht",
        "neun", "zéro", "un", "deux", "trois", "quatre", "cinq", "sept", "huit", "neuf", "cero", "uno", "dos",
        "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "due", "tre", "quattro", "cinque", "sei",
        "sette", "otto", "nove", "um", "dois", "três", "quatro", "sete", "oito", "nul", "een", "één", "twee",
        "drie", "vijf", "zes", "zeven", "negen", "noll", "ett", "två", "tva", "fyra", "fem", "sex", "sju",
        "åtta", "atta", "nio",
    }
)  # fmt: skip
"""German, French, Spanish, Italian, Portuguese, Dutch, Swedish."""
