"""Whether a policy may be used: every fault that an officer must mend, and what to do about it.

The matrix holds the prohibitions by itself (`policies.matrix`). This check asks the *file*, over every
cell there is, so that a file which relies on the program's help is refused before anybody
publishes it. The steps of `check`:

1. The texts parse and validate, and every category key exists.
2. Every rule has an id of its own, a clause, and a text in every language that there are texts in; it is no
   template. Every text is of a rule.
3. No sealed category is permitted, in no context whatever (R1, C10, C14).
4. No protected member is shared on a basis other than LEGAL (C17).
5. Nothing is presumed that may not be shared, and nothing at all on MEMBER_REQUEST (C8 d).
6. Warnings: a basis that permits nothing; LEGAL or INSOLVENCY sharing what it does not presume; a permit
   that names what is never shared, because its author expects something of it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from itertools import product
from typing import Final

from policies.choices import BASES_WITHOUT_CHOICE
from policies.directory import PolicyDirectory
from policies.engine import Action, Answer, Cell, Engine, load
from policies.free_text import find_phone_number
from policies.matrix import Matrix, compile_loaded
from policies.officer_lines import has_control
from policies.rules import PolicySource, Rule
from schema.categories import CATEGORY_LABELS, SEALED, SHAREABLE, Basis, DataCategory, Purpose
from schema.errors import PolicyError
from schema.vocabulary import Language


class Severity(StrEnum):
    """An ERROR refuses the policy; a WARNING is probably not what was meant."""

    ERROR = "ERROR"
    WARNING = "WARNING"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend. `rule` is the rule's id or place, or None where no single rule is at fault."""

    severity: Severity
    rule: str | None
    message: str


def check(source: PolicySource) -> tuple[Finding, ...]:
    """Find everything that is wrong with `source`, in the order of the steps above; empty: it may be used.

    CLAUSE (C8, C10, C14, C17): a file of rules that would share what may not be shared is refused before it
    counts.
    """
    # 1.
    try:
        engine = load(source)
    except PolicyError as error:
        return tuple(_error(None, line) for line in str(error).splitlines())
    return _check_loaded(source, engine)


def check_languages(directory: PolicyDirectory) -> Iterator[Finding]:
    """Warn of each language that the program's pages speak and the policy has no texts in (C16)."""
    spoken = {language.partition("-")[0] for language in directory.languages}
    for language in Language:
        if language not in spoken:
            yield Finding(
                Severity.WARNING,
                None,
                f"there is no `texts/{language}.toml`: who reads `{language}` is shown the rules in"
                f" `{directory.language}`",
            )


@lru_cache(maxsize=4)
def checked_matrix(source: PolicySource) -> Matrix:
    """Compile a policy that passes the check: what a server starts with.

    It takes a third of a second, so the same texts are not checked a second time in a process.

    Raises:
        PolicyError: one line for each error that `check` finds. Warnings do not raise.

    """
    engine = load(source)
    errors = [found for found in _check_loaded(source, engine) if found.severity is Severity.ERROR]
    if errors:
        raise PolicyError("\n".join(found.message for found in errors))
    return compile_loaded(engine, source.digest)


def _check_loaded(source: PolicySource, engine: Engine) -> tuple[Finding, ...]:
    findings = [*_annotations(engine.rules)]  # 2.
    if all(rule.id is None or _ID.fullmatch(rule.id) for rule in engine.rules):
        findings += _translations(source, engine.rules)
    try:
        answers = _every_answer(engine)
    except PolicyError as error:
        return (*findings, _error(None, str(error)))
    findings += _sealed(answers)  # 3.
    findings += _protected(answers)  # 4.
    findings += _presumptions(answers)  # 5.
    findings += [*_warnings(answers), *_in_vain(engine.rules)]  # 6.
    return tuple(findings)


_CLAUSE: Final = re.compile(r"C([1-9]|1[0-7])")
_ID: Final = re.compile(r"[a-z][a-z0-9-]{0,63}")

LONGEST_TEXT: Final = 500
"""Characters of what is said of a rule: it is one sentence."""


def _annotations(rules: Iterable[Rule]) -> Iterator[Finding]:
    rules = tuple(rules)
    seen = Counter(rule.id for rule in rules if rule.id)
    for rule in rules:
        if rule.id is None:
            yield _error(rule.name, 'has no id; write @id("...") above it')
        elif not _ID.fullmatch(rule.id):
            place = replace(rule, id=None).name  # what is no id might be anything, and is not repeated
            yield _error(place, "has an id of another form; use lower-case words joined by hyphens")
        elif seen[rule.id] > 1:
            yield _error(rule.name, "is the id of more than one rule; give each an id of its own")
        if rule.clause is None or not _CLAUSE.fullmatch(rule.clause):
            yield _error(rule.name, 'names no clause of the privacy policy; write @clause("C8") above it')
        if rule.text is None:
            yield _error(rule.name, 'has no text; say what it does in one sentence, @text("...")')
        for text in (rule.text, *rule.translations.values()):
            if text is not None and (fault := _unreadable(text)) is not None:
                yield _error(rule.name, fault)
        if rule.is_template:
            yield _error(rule.name, "is a template and permits nothing; replace ?principal and ?resource")


def _unreadable(text: str) -> str | None:
    """Why a rule's text may not be shown to everybody."""
    if not 0 < len(text.strip()) <= LONGEST_TEXT:
        return f"has a text of another length; 1 to {LONGEST_TEXT} characters"
    if has_control(text):
        return "has a text with a control character; remove it"
    if find_phone_number(text, region=None):
        return "has a text with a telephone number in it; leave it out (R1)"
    return None


def _translations(source: PolicySource, rules: Iterable[Rule]) -> Iterator[Finding]:
    known = {rule.name: rule for rule in rules}
    for language in source.languages:
        for rule in known.values():
            if language not in rule.translations:
                yield _error(
                    rule.name, f"has no text in `texts/{language}.toml`; add one sentence under its id"
                )
    for language, name, _ in source.translations:
        if name not in known:
            yield _error(
                None,
                f"`texts/{language}.toml` has a text for `{name}`, which no rule is called; correct the id",
            )


def _every_answer(engine: Engine) -> dict[Cell, Answer]:
    """Ask the file about every cell, sealed categories and protected members included."""
    asked = [category for category in DataCategory if category in SHAREABLE or category in SEALED]
    cells = [
        Cell(action, basis, purpose, category, protected, region)
        for basis, purpose, category, protected in product(Basis, Purpose, asked, (False, True))
        for action, region in (
            (Action.SHARE, None),
            *((Action.PRESUME, region) for region in engine.regions),
        )
    ]
    return dict(zip(cells, engine.answer(cells), strict=True))


def _sealed(answers: Mapping[Cell, Answer]) -> Iterator[Finding]:
    reached = _permits_of(answers, lambda cell: cell.category in SEALED)
    for rule, cells in reached.items():
        keys = ", ".join(sorted({f"`{cell.category}`" for cell in cells}))
        yield _error(
            rule, f"permits {keys}, which leaves by no path (C10, C14); name narrower categories or forbid it"
        )


def _protected(answers: Mapping[Cell, Answer]) -> Iterator[Finding]:
    reached = _permits_of(
        answers,
        lambda cell: cell.protected and cell.basis is not Basis.LEGAL and cell.category not in SEALED,
    )
    for rule, cells in reached.items():
        bases = ", ".join(sorted({cell.basis for cell in cells}))
        yield _error(
            rule,
            f"shares members under 18 on the basis {bases} (C17); forbid it when context.protected is true",
        )


def _presumptions(answers: Mapping[Cell, Answer]) -> Iterator[Finding]:
    presumed = _permits_of(answers, lambda cell: cell.action is Action.PRESUME)
    for rule, cells in presumed.items():
        if any(cell.basis is Basis.MEMBER_REQUEST for cell in cells):
            yield _error(
                rule,
                "presumes what only the member can ask for (C8); permit MEMBER_REQUEST the action share only",
            )
        unshared = sorted({CATEGORY_LABELS[cell.category] for cell in cells if not _shared(answers, cell)})
        if unshared:
            yield _error(
                rule, f"presumes what no rule shares: {', '.join(unshared)}; permit the action share as well"
            )


def _warnings(answers: Mapping[Cell, Answer]) -> Iterator[Finding]:
    permitted = [cell for cell, answer in answers.items() if answer.permitted]
    for basis in Basis:
        if all(cell.basis is not basis for cell in permitted):
            yield Finding(
                Severity.WARNING,
                None,
                f"the basis {basis} permits nothing, so its agreements share nothing; permit something, or "
                "leave it so on purpose",
            )
    presumed = {_share_of(cell) for cell in permitted if cell.action is Action.PRESUME}
    for basis in sorted(BASES_WITHOUT_CHOICE):
        if any(
            cell.basis is basis for cell in permitted if cell.action is Action.SHARE and cell not in presumed
        ):
            yield Finding(
                Severity.WARNING,
                None,
                f"the basis {basis} shares what it does not presume, and no member can request it; "
                "permit the action presume as well",
            )


def _in_vain(rules: Iterable[Rule]) -> Iterator[Finding]:
    """Permits that name a sealed key. Step 3 finds none where a prohibition stands beside them."""
    for rule in rules:
        keys = ", ".join(f"`{key}`" for key in sorted(rule.categories) if _is_sealed(key))
        if rule.effect == "permit" and keys:
            message = (
                f"`{rule.name}` names {keys}, which is never shared, whatever the rule says; take it out"
            )
            yield Finding(Severity.WARNING, rule.name, message)


def _is_sealed(key: str) -> bool:
    below = {category for category in DataCategory if f"{category}.".startswith(f"{key}.")}
    return bool(below) and below <= SEALED


def _permits_of(
    answers: Mapping[Cell, Answer], concerns: Callable[[Cell], bool]
) -> dict[str | None, list[Cell]]:
    """Collect the permitted cells of concern under the name of each rule that permits them."""
    found: defaultdict[str | None, list[Cell]] = defaultdict(list)
    for cell, answer in answers.items():
        if answer.permitted and concerns(cell):
            for rule in answer.rules:
                found[rule].append(cell)
    return found


def _share_of(cell: Cell) -> Cell:
    return Cell(Action.SHARE, cell.basis, cell.purpose, cell.category, cell.protected)


def _shared(answers: Mapping[Cell, Answer], cell: Cell) -> bool:
    return answers[_share_of(cell)].permitted


def _error(rule: str | None, message: str) -> Finding:
    return Finding(Severity.ERROR, rule, message if rule is None else f"`{rule}` {message}")
