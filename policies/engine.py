"""The only module that speaks to Cedar: a `PolicySource` becomes an `Engine` that answers cells.

A *cell* is one question: may this basis, for this purpose, share (or presume) this category, of a
protected member or not, in this region. Parsing and validation happen once, in `load`; `answer`
evaluates many cells in one call. Used ahead of time only, never while a request is served.

INVARIANT (no-silent-error): Cedar skips a rule that fails to evaluate, which could skip a
prohibition. So any error in any answer is a `PolicyError`, never a denial to be worked with.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Final

import cedarpy

from policies.cedar_text import fault_of_rules, fault_of_schema
from policies.regions import OTHER_REGION
from policies.rules import KNOWN_KEYS, RULES, SCHEMA, PolicySource, Rule, ancestors
from schema.categories import Basis, DataCategory, Purpose
from schema.errors import PolicyError


class Action(StrEnum):
    """What is asked of the policy. Values are Cedar action ids."""

    SHARE = "share"
    """May the category be shared at all?"""

    PRESUME = "presume"
    """Is it shared until the member opts out? Otherwise only on request."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One question to the policy. `region` is None exactly when `action` is SHARE."""

    action: Action
    basis: Basis
    purpose: Purpose
    category: DataCategory
    protected: bool
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether a cell is permitted, and the names of the rules that determined it.

    For a permitted cell these are its permits, for a prohibited one its forbids, and nothing where
    no rule spoke.
    """

    permitted: bool
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Engine:
    """A parsed and validated policy. Made by `load` only."""

    rules: tuple[Rule, ...]
    regions: tuple[str, ...]
    _policies: cedarpy.PolicySet
    _schema: cedarpy.Schema
    _names: Mapping[str, str]

    def answer(self, cells: Sequence[Cell]) -> list[Answer]:
        """Answer `cells`, in their order.

        Raises:
            PolicyError: Cedar could not evaluate a cell; the schema does not fit the program.

        """
        contexts: dict[tuple[Purpose, bool, str | None], str] = {}
        requests = [_request(cell, contexts) for cell in cells]
        results = cedarpy.is_authorized_batch(requests, self._policies, _entities(), self._schema)
        return [self._read(result) for result in results]

    def _read(self, result: cedarpy.AuthzResult) -> Answer:
        if result.diagnostics.errors or result.decision is cedarpy.Decision.NoDecision:
            reason = "; ".join(result.diagnostics.errors)
            raise PolicyError(
                f"the policy cannot be evaluated: {reason} "
                "(the schema must declare entities and actions as the shipped one does)"
            )
        names = tuple(sorted(self._names[rule] for rule in result.diagnostics.reasons))
        return Answer(permitted=result.allowed, rules=names)


def load(source: PolicySource) -> Engine:
    """Parse and validate `source`.

    1. Both texts parse.
    2. The rules fit the schema.
    3. Every category key that a rule names exists: Cedar cannot tell, and a misspelt key in a
       prohibition would prohibit nothing.

    Raises:
        PolicyError: with one line for each fault.

    """
    # 1.
    try:
        policies, tree = _parsed(source.rules)
    except ValueError as error:
        fault = fault_of_rules(source.rules, _parsed)
        raise PolicyError(f"the rules do not parse: `{RULES}`, {fault}") from error
    try:
        schema = cedarpy.Schema.from_str(source.schema)
    except ValueError as error:
        fault = fault_of_schema(source.schema, cedarpy.Schema.from_str)
        raise PolicyError(f"the schema does not parse: `{SCHEMA}`, {fault}") from error

    told = _told(source)
    numbered = [
        (key, _rule(key, rule, told, is_template=False)) for key, rule in tree.static_policies.items()
    ]
    numbered += [(key, _rule(key, rule, told, is_template=True)) for key, rule in tree.templates.items()]
    numbered.sort(key=lambda pair: pair[1].position)
    names = {key: rule.name for key, rule in numbered}

    # 2. and 3.
    mentioned = cedarpy.pst.entity_uids(tree)
    faults = [
        *_validation_faults(source, schema, names),
        *(
            f"no data category is called `{uid.id}`; `gateway schema data-map` lists the keys"
            for uid in sorted(mentioned, key=str)
            if str(uid.type) == "DataCategory" and uid.id not in KNOWN_KEYS
        ),
    ]
    if faults:
        raise PolicyError("\n".join(faults))

    named = sorted({uid.id for uid in mentioned if str(uid.type) == "Region"} - {OTHER_REGION})
    return Engine(
        rules=tuple(rule for _, rule in numbered),
        regions=(*named, OTHER_REGION),
        _policies=policies,
        _schema=schema,
        _names=names,
    )


def _parsed(rules: str) -> tuple[cedarpy.PolicySet, cedarpy.pst.PolicySet]:
    policies = cedarpy.PolicySet.from_str(rules)
    return policies, policies.to_pst()


def _validation_faults(
    source: PolicySource, schema: cedarpy.Schema, names: Mapping[str, str]
) -> Iterable[str]:
    for error in cedarpy.validate_policies(source.rules, schema).errors:
        # Cedar names rules by its own running number: replace it with the author's id.
        name = names.get(error.policy_id, "the schema")
        yield f"`{name}`: {error.error.removeprefix(f'for policy `{error.policy_id}`').lstrip(':, ')}"


_POSITION: Final = re.compile(r"policy(\d+)")
"""The ids that Cedar gives to the rules of a text, counted from 0 in the order of the text."""


def _told(source: PolicySource) -> dict[str, dict[str, str]]:
    """The texts in other languages, by rule id."""
    told: dict[str, dict[str, str]] = {}
    for language, rule, text in source.translations:
        told.setdefault(rule, {})[language] = text
    return told


def _rule(
    key: str, rule: cedarpy.pst.Template, told: Mapping[str, dict[str, str]], *, is_template: bool
) -> Rule:
    match = _POSITION.fullmatch(key)
    if match is None:  # pragma: no cover - rules read from text are always numbered
        raise PolicyError(f"the rule `{key}` has no place in the file")
    noted = rule.annotations
    return Rule(
        position=int(match[1]) + 1,
        effect=rule.effect,
        id=noted.get("id") or None,
        clause=noted.get("clause") or None,
        text=noted.get("text") or None,
        is_template=is_template,
        translations=told.get(noted.get("id") or "", {}),
        categories=frozenset(
            uid.id for uid in cedarpy.pst.entity_uids(rule) if str(uid.type) == "DataCategory"
        ),
    )


def _request(cell: Cell, contexts: dict[tuple[Purpose, bool, str | None], str]) -> dict[str, Any]:
    key = (cell.purpose, cell.protected, cell.region)
    context = contexts.get(key)
    if context is None:
        fields: dict[str, Any] = {
            "purpose": {"__entity": _uid("Purpose", cell.purpose.name)},
            "protected": cell.protected,
        }
        if cell.region is not None:
            fields["region"] = {"__entity": _uid("Region", cell.region)}
        context = contexts[key] = json.dumps(fields)
    return {
        "principal": _uid("Basis", cell.basis),
        "action": _uid("Action", cell.action),
        "resource": _uid("DataCategory", cell.category),
        "context": context,
    }


def _uid(kind: str, name: str) -> dict[str, str]:
    return {"type": kind, "id": str(name)}


@cache
def _entities() -> cedarpy.Entities:
    """Build the tree of category keys. Each key lists all keys above it as parents."""
    return cedarpy.Entities.from_json_str(
        json.dumps(
            [
                {
                    "uid": _uid("DataCategory", key),
                    "attrs": {},
                    "parents": [_uid("DataCategory", above) for above in ancestors(key)],
                }
                for key in sorted(KNOWN_KEYS)
            ]
        )
    )
