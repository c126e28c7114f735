"""Where a policy does not parse: the line and the rule, though the parser says neither."""

from __future__ import annotations

from dataclasses import replace

import pytest

from policies.engine import load
from policies.rules import PolicySource
from schema.errors import PolicyError

FIRST = (
    '// Words; "and" more.\n@id("first")\n@text("One; \\"two\\".")\npermit (principal, action, resource);\n'
)


@pytest.mark.parametrize(
    ("second", "place"),
    [
        (
            '@id("second")\npermit (principal,\n  action == , resource);',
            "line 7, rule `second`: unexpected token `,`",
        ),
        ('@id("second")\npermti (principal, action, resource);\n@id("third")', "line 6, rule `second`: "),
        (
            "\n\npermit (principal, action, resource)\nwen { true };",
            "line 8, rule 2: invalid policy condition",
        ),
        ('@id("second") permit (principal, action,\nresource)', "line 6, rule `second`: unexpected end"),
        ("// a comment\nfoo;", "line 6, rule 2: "),
        (
            '@id("second")\n@id("third")\npermit (principal, action, resource);',
            "line 6, rule `second`: duplicate annotation",
        ),
        (
            '@id("second")\n@text("Not closed.)\npermit (principal, action == Action::"share", resource);',
            "line 6, rule `second`: ",
        ),
        ('@id("Ä +1 415 555 0132") +14155550132;', "line 5, rule 2: "),
    ],
)
def test_the_rules_are_refused_with_file_line_and_rule(source: PolicySource, second: str, place: str) -> None:
    with pytest.raises(PolicyError) as caught:
        load(replace(source, rules=FIRST + second))
    assert str(caught.value).startswith("the rules do not parse: `sharing.cedar`, ")
    assert place in str(caught.value)
    assert "0132" not in str(caught.value)


def test_a_schema_is_refused_with_file_and_line(source: PolicySource) -> None:
    schema = source.schema.replace("entity Region enum [", "entity Region enum (")
    line = schema[: schema.index("enum (")].count("\n") + 1
    with pytest.raises(PolicyError, match=rf"does not parse: `sharing.cedarschema`, line {line}: unexpected"):
        load(replace(source, schema=schema))
    with pytest.raises(PolicyError, match=r"`sharing.cedarschema`, failed to resolve type"):
        load(replace(source, schema=source.schema + "\nentity Other in [Nothing];"))
