from __future__ import annotations

from dataclasses import replace

from policies.rules import KNOWN_KEYS, PolicySource, Rule, ancestors
from schema.categories import DataCategory


def test_the_digest_changes_with_either_text(source: PolicySource) -> None:
    digests = {
        source.digest,
        replace(source, rules=source.rules + "\n").digest,
        replace(source, schema=source.schema + "\n").digest,
    }
    assert len(digests) == 3


def test_the_digest_knows_where_one_text_ends() -> None:
    assert PolicySource("ab", "c").digest != PolicySource("a", "bc").digest


def test_ancestors_are_the_keys_above() -> None:
    assert ancestors("user.contact.email") == ("user.contact", "user")
    assert ancestors("user") == ()


def test_a_rule_may_name_every_category_and_every_key_above_one() -> None:
    assert set(DataCategory) <= KNOWN_KEYS
    assert {"user", "user.authorization", "user.financial"} <= KNOWN_KEYS


def test_a_rule_without_an_id_is_named_by_its_place() -> None:
    assert Rule(position=3, effect="permit", id=None, clause=None, text=None).name == "rule 3"
