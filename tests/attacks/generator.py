"""Random requests over a caller's own contract: well-formed ones, hostile ones, and all between.

Deterministic: the same contract, pool and seed give the same request. The pool holds what earlier
answers gave away, ids and cursors, so that they are tried again with other callers and lists.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLString,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_required_input_field,
)

OF_THE_MOMENT: Final = frozenset({("Quota", "remaining"), ("Quota", "resetsAt")})
"""What the clock decides, and what a replica knows at that moment: two gateways need not say the same."""

MOST_KEPT: Final = 400
CHANGING: Final = 0.3
"""How many requests of a caller who may change something do so."""

UNKNOWN: Final = (
    "phone", "phoneNumber", "phoneNumbers", "telephone", "mobile", "number", "e164", "password",
    "passwordHash", "password_hash", "hash", "credential", "credentials", "sealedPhone", "sealed_phone",
    "ciphertext", "vault", "billingToken", "token", "secret", "contact", "node", "nodes", "_entities",
    "_service", "users", "allMembers", "membersConnection", "aggregate", "groupBy", "orderBy",
)  # fmt: skip
"""Fields that nobody has, as attackers guess them."""

SIZES: Final = (
    0,
    1,
    2,
    3,
    5,
    7,
    20,
    50,
    150,
    499,
    500,
    501,
    -1,
    2**31 - 1,
    2**31,
    2**63,
    None,
    "5",
    1.5,
    True,
)
MOMENTS: Final = (
    "2025-05-31T00:00:00Z", "2025-06-01T12:00:00Z", "2025-06-01T11:59:59.999999Z",
    "2019-01-01T00:00:00+14:00", "1970-01-01T00:00:00Z", "2025-06-01", "2025-06-01T12:00:00",
    "infinity", "-infinity", "now", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00",
    "10000-01-01T00:00:00Z", "-0044-03-15T00:00:00Z", "0", 0, 1e308, None,
)  # fmt: skip
WORDS: Final = (
    "US-CA", "US-NY", "US", "GB", "DE", "CA-ON", "FR", "chess", "travel", "wine", "jazz", "cooking",
    "' OR 1=1 --", "'; DROP TABLE member; --", "%", "_", "\\", "$1", "NULL", "{US}", "", " ", "Ünïcødé 𝟒𝟏𝟓",
)  # fmt: skip
BANDS: Final = (
    "AGE_18_24", "AGE_25_34", "AGE_35_44", "AGE_45_54", "AGE_55_64", "AGE_65_PLUS", "AGE_0_17", "18-24",
)  # fmt: skip


@dataclass(slots=True)
class Pool:
    """What callers can know. `numbers` are secrets of one world, as guesses."""

    numbers: Sequence[str] = ()
    ids: list[str] = field(default_factory=list)
    cursors: list[str] = field(default_factory=list)

    def learn(self, answer: Any) -> None:
        """Keep the ids and cursors in an answer."""
        match answer:
            case dict():
                for value in answer.values():
                    self.learn(value)
            case list():
                for value in answer[:20]:
                    self.learn(value)
            case str():
                kept = self.ids if len(answer) == 36 and answer.count("-") == 4 else self.cursors
                if kept is self.ids or (
                    len(answer) > 40 and answer.replace("-", "").replace("_", "").isalnum()
                ):
                    kept.append(answer)
                    del kept[:-MOST_KEPT]


@dataclass(frozen=True, slots=True)
class Wire:
    """A request as it is sent, but for its credential."""

    method: str
    query_string: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Template:
    """A document made before, to be sent again with other values. `variables`: argument and type of each."""

    document: str
    variables: Mapping[str, tuple[str, Any]]


class Generator:
    """Makes one request, of a document of its own or of a `template`. Not to be used twice."""

    def __init__(
        self, rng: random.Random, schema: GraphQLSchema, pool: Pool, template: Template | None = None
    ) -> None:
        self.template = template
        self._rng = rng
        self._schema = schema
        self._pool = pool
        self._variables: dict[str, tuple[str, Any]] = {}
        self._redrawn: dict[str, tuple[str, Any]] = {}
        self._fragments: list[str] = []
        self._hostile = rng.random() < 0.3
        self._strange = rng.random() < 0.15

    def wire(self) -> Wire:
        """The request."""
        rng = self._rng
        parameters = self._parameters()
        if self._chance(0.02):
            parameters = rng.choice(
                ({}, {"query": 7}, {"query": "{"}, {"query": "{ viewer { audience } }", "variables": []})
            )
        accept = rng.choice(
            (
                "application/json",
                "application/graphql-response+json",
                "*/*",
                "application/graphql-response+json, */*;q=0.5",
            )
        )
        headers = [("accept", "text/html" if self._chance(0.03) else accept)]
        if rng.random() < 0.3:
            pairs = {
                name: value if isinstance(value, str) else json.dumps(value)
                for name, value in parameters.items()
            }
            return Wire("GET", urlencode(pairs), tuple(headers), b"")
        headers.append(("content-type", "text/plain" if self._chance(0.03) else "application/json"))
        return Wire("POST", "", tuple(headers), json.dumps(parameters).encode())

    def _parameters(self) -> dict[str, Any]:
        rng = self._rng
        draw = rng.random()
        if draw < 0.04:
            return {
                "documentId": rng.choice(("mine", "page", "who", "absent", "sha256:" + "0" * 64)),
                "variables": {"n": rng.choice(SIZES)},
            }
        if draw < 0.05:
            return {
                "extensions": {"persistedQuery": {"version": 1, "sha256Hash": rng.choice(("0" * 64, "x"))}}
            }
        if self.template is None:
            document = self._document()
            self.template = Template(document, self._redrawn)
        else:
            document = self.template.document
            for name, (argument, kind) in self.template.variables.items():
                self._variables[name] = (str(kind), self._value(argument, kind))
        parameters: dict[str, Any] = {"query": document}
        if self._variables:
            given = {name: value for name, (_, value) in self._variables.items()}
            if self._chance(0.2):
                given.pop(rng.choice(sorted(given)), None)
            parameters["variables"] = given
        if rng.random() < 0.1:
            parameters["operationName"] = rng.choice(("Asked", "Absent", ""))
        return parameters

    def _document(self) -> str:
        rng = self._rng
        commands = self._schema.mutation_type
        changes = commands is not None and rng.random() < CHANGING
        body = self._selections(commands if changes else self._schema.query_type, 0)
        word = "mutation" if changes else "query"
        declared = ", ".join(f"${name}: {kind}" for name, (kind, _) in self._variables.items())
        if declared:
            operation = f"{word} Asked({declared}) {body}"
        else:
            operation = body if not changes and rng.random() < 0.5 else f"{word} Asked {body}"
        return " ".join([operation, *self._fragments])

    def _selections(self, kind: GraphQLNamedType | None, depth: int) -> str:
        assert isinstance(kind, GraphQLObjectType)
        rng = self._rng
        usable = [
            (name, definition)
            for name, definition in kind.fields.items()
            if (depth < 5 or is_leaf_type(get_named_type(definition.type)))
            and (kind.name, name) not in OF_THE_MOMENT
        ]
        chosen = rng.sample(usable, min(len(usable), rng.choice((1, 2, 3, 4, 6))))
        parts = [self._field(name, definition, depth) for name, definition in chosen]
        if not parts or rng.random() < 0.15:
            parts.append("__typename")
        if self._chance(0.15):
            parts.append(rng.choice(UNKNOWN) + rng.choice(("", "", " { id }", "(id: 1)")))
        if depth == 0 and rng.random() < 0.03:
            parts.append(
                rng.choice(
                    ("__schema { types { name fields { name } } }", '__type(name: "SealedPhone") { name }')
                )
            )
        rng.shuffle(parts)
        return "{ " + " ".join(self._wrapped(part, kind.name) for part in parts) + " }"

    def _wrapped(self, part: str, type_name: str) -> str:
        """The part itself, or within a fragment, or switched by a directive."""
        draw = self._rng.random()
        if draw < 0.06:
            return f"... on {type_name} {{ {part} }}"
        if draw < 0.09:
            name = f"F{len(self._fragments)}"
            self._fragments.append(f"fragment {name} on {type_name} {{ {part} }}")
            return f"...{name}"
        if draw < 0.12:
            return f"... {self._switch()} {{ {part} }}"
        if draw < 0.13 and self._strange:
            name = f"F{len(self._fragments)}"
            self._fragments.append(f"fragment {name} on {type_name} {{ {part} ...{name} }}")
            return f"...{name}"
        return part

    def _switch(self) -> str:
        value = self._rng.random() < 0.7
        literal = (
            self._variable("if", GraphQLNonNull(GraphQLBoolean), value)
            if self._rng.random() < 0.5
            else str(value).lower()
        )
        return f"@{'include' if value else 'skip'}(if: {literal})"

    def _field(self, name: str, definition: GraphQLField, depth: int) -> str:
        rng = self._rng
        alias = (
            f"{rng.choice(('a', 'password', 'phone', '_x'))}{rng.randrange(100)}: "
            if rng.random() < 0.15
            else ""
        )
        given = [
            f"{argument}: {value}"
            for argument, described in definition.args.items()
            if (value := self._argument(argument, described.type)) is not None
        ]
        if self._chance(0.05):
            given.append(f"{rng.choice(('orderBy', 'phone', 'last', 'skip'))}: 1")
        arguments = f"({', '.join(given)})" if given else ""
        named = get_named_type(definition.type)
        below = "" if is_leaf_type(named) else " " + self._selections(named, depth + 1)
        return f"{alias}{name}{arguments}{below}"

    def _argument(self, name: str, kind: Any) -> str | None:
        """A literal or a variable for an argument; None leaves it out."""
        required = str(kind).endswith("!")
        if not required and self._rng.random() < 0.5:
            return None
        value = self._value(name, kind)
        if self._rng.random() < 0.7:
            return self._variable(name, GraphQLString if self._chance(0.1) else kind, value)
        return _literal(value, kind)

    def _variable(self, argument: str, kind: Any, value: Any) -> str:
        name = f"v{len(self._variables)}"
        self._variables[name] = (str(kind), value)
        self._redrawn[name] = (argument, kind)
        return f"${name}"

    def _value(self, name: str, kind: Any) -> Any:
        rng = self._rng
        named, plain = get_named_type(kind), get_nullable_type(kind)
        if self._chance(0.08):
            return rng.choice(
                (None, 7, "x", True, [], {}, [None], {"x": 1}, -0.5, rng.choice(self._pool.numbers or ("x",)))
            )
        if is_list_type(plain):
            return [self._value(name, plain.of_type) for _ in range(rng.choice((0, 1, 1, 2, 3, 20)))]
        if isinstance(named, GraphQLInputObjectType):
            required = {name for name, given in named.fields.items() if is_required_input_field(given)}
            chosen = sorted(
                required | set(rng.sample(sorted(named.fields), rng.randrange(len(named.fields) + 1)))
            )
            return {field: self._value(field, named.fields[field].type) for field in chosen}
        return self._scalar(name, named)

    def _scalar(self, name: str, named: GraphQLNamedType) -> Any:
        rng = self._rng
        if name == "after":
            return self._cursor()
        if named.name == "ID":
            return self._id()
        if name == "number" and self._pool.numbers:
            # Of a telephone: one that is on file in one world and not in the other.
            return rng.choice(self._pool.numbers)
        choices: tuple[Any, ...]
        if isinstance(named, GraphQLEnumType):
            choices, tame = (*named.values, *BANDS), len(named.values)
        elif named.name == "Int":
            choices, tame = SIZES, 9
        elif named.name == "DateTime":
            choices, tame = MOMENTS, 5
        elif named.name == "Boolean":
            choices, tame = (True, False), 2
        else:
            choices, tame = (*WORDS, *self._pool.numbers), 12
        return rng.choice(choices if self._hostile else choices[:tame])

    def _cursor(self) -> str:
        rng = self._rng
        known = self._pool.cursors
        cursor = rng.choice(known) if known else "AAAA"
        if self._hostile:
            place = rng.randrange(len(cursor))
            tampered = cursor[:place] + rng.choice("AZaz09-_=") + cursor[place + 1 :]
            return rng.choice((tampered, cursor[:-1], cursor * 9, "", *self._pool.numbers[:2]))
        return cursor

    def _id(self) -> str:
        rng = self._rng
        known = rng.choice(self._pool.ids) if self._pool.ids else "00000000-0000-4000-8000-000000000000"
        if self._hostile:
            return rng.choice((known.upper(), known[:-1], f"{{{known}}}", "", "1", *self._pool.numbers[:2]))
        return known

    def _chance(self, probability: float) -> bool:
        """Now and then, and only in a request that asks for what is not there."""
        return self._strange and self._rng.random() < probability * 4


def _literal(value: Any, kind: Any) -> str:
    """The value as GraphQL writes it; enum values bare where an enum is expected."""
    named = get_named_type(kind)
    match value:
        case Mapping():
            fields = named.fields if isinstance(named, GraphQLInputObjectType) else {}
            parts = (
                f"{name}: {_literal(v, fields[name].type) if name in fields else 1}"
                for name, v in value.items()
            )
            return "{" + ", ".join(parts) + "}"
        case list():
            return "[" + ", ".join(_literal(v, kind) for v in value) + "]"
        case str() if isinstance(named, GraphQLEnumType) and value.isidentifier():
            return value
        case _:
            return json.dumps(value, ensure_ascii=False)
