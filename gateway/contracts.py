"""Contracts: the full schema, cut to what one kind of caller may ever use.

A field outside the contract does not exist: not in introspection, not in an error, not in a
suggestion. A contract depends on nothing but the audience and, for a partner, on the mask that
policy, agreement and scopes leave, so partners with the same rights share one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final
from weakref import WeakKeyDictionary

from graphql import GraphQLSchema, print_schema
from graphql.utilities.map_schema_config import MappedSchemaContext, SchemaElementKind, map_schema_config

from gateway.cache import BoundedCache
from policies.matrix import Matrix
from policies.officers import Act, Role, acts_of
from policies.principal import OfficerPrincipal, PartnerPrincipal, Principal, RecipientPrincipal
from policies.suppression import mails
from schema.catalogue import Catalogue, Root, RootKind, category_of
from schema.categories import Audience, DataCategory, closed, mask_of
from schema.vocabulary import DIMENSION_CATEGORIES, AudienceDimension

CACHED_CONTRACTS: Final = 256
"""One for each set of rights in use; a schema object takes about a megabyte."""

_UNGUARDED: Final = frozenset({DataCategory.OPERATIONS, DataCategory.PSEUDONYM})
_ELSEWHERE: Final = frozenset({Audience.OFFICER.value, Audience.ENTRANCE.value})
_MASKED: Final = frozenset({Audience.PARTNER, Audience.RECIPIENT})
"""Whose contract is cut field by field."""
_SHARED_ROOTS: Final = frozenset({RootKind.SHARED_PAGE, RootKind.SHARED_CHANGES, RootKind.SHARED_ONE})


@dataclass(frozen=True, slots=True)
class ContractKey:
    """What a contract depends on.

    `mask` is 0 for all but partners and recipients; `mails` is of who may mail people.
    `roles` are an officer's: what none of them may do is not in the contract.
    """

    audience: Audience
    mask: int
    mails: bool = False
    roles: frozenset[Role] = frozenset()


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Contract:
    """The schema that one kind of caller sees."""

    key: ContractKey
    schema: GraphQLSchema
    ready: WeakKeyDictionary[Any, Any] = field(default_factory=WeakKeyDictionary, compare=False, repr=False)
    """What `gateway.handler` made of remembered bodies. It goes with the contract, whose schema it holds, and
    each entry with its body."""

    @property
    def sdl(self) -> str:
        """The schema definition, with descriptions and data categories, as introspection shows it."""
        return print_schema(self.schema)


class Contracts:
    """Makes and keeps contracts.

    CLAUSE (C2, C3, C8): what a caller may never use is cut out of the schema, and validation knows nothing
    else.
    CLAUSE (C5): a partner's list counts the members that it shows, and computes nothing else over them.
    """

    def __init__(self, schema: GraphQLSchema, catalogue: Catalogue, policy: Callable[[], Matrix]) -> None:
        self._schema = schema
        self._catalogue = catalogue
        self._policy = policy
        self._kept: BoundedCache[ContractKey, Contract] = BoundedCache(CACHED_CONTRACTS)

    @property
    def policy(self) -> Callable[[], Matrix]:
        """What decides, at each moment."""
        return self._policy

    def under(self, policy: Callable[[], Matrix]) -> Contracts:
        """The contracts under another policy. What is cut depends on none, and so is kept together."""
        other = Contracts(self._schema, self._catalogue, policy)
        other._kept = self._kept
        return other

    def key_for(self, principal: Principal) -> ContractKey:
        """The contract key of a caller: agreement AND scopes AND policy."""
        if isinstance(principal, OfficerPrincipal):
            return ContractKey(Audience.OFFICER, 0, roles=principal.officer.roles)
        if isinstance(principal, RecipientPrincipal):
            return ContractKey(Audience.RECIPIENT, principal.mask)
        if not isinstance(principal, PartnerPrincipal):
            return _ALIKE[principal.audience]
        permitted = self._policy().share_mask(principal.basis, principal.purpose, protected=False)
        mask = _closed(principal.mask & permitted)
        return ContractKey(Audience.PARTNER, mask, mails(principal.basis, mask))

    def of(self, principal: Principal) -> Contract:
        """The contract of a caller."""
        key = self.key_for(principal)
        kept = self._kept.get(key)
        if kept is None:
            kept = Contract(key, self._cut(key))
            self._kept.put(key, kept)
        return kept

    def _cut(self, key: ContractKey) -> GraphQLSchema:
        def mappers(_: MappedSchemaContext) -> Any:
            return {
                SchemaElementKind.OBJECT: lambda config: _narrow(
                    config, lambda f: self._shows(key, config["name"], f)
                ),
                SchemaElementKind.INPUT_OBJECT: lambda config: _narrow(
                    config, lambda f: self._narrows(key, config["name"], f)
                ),
                SchemaElementKind.ENUM: lambda config: _dimensions(key, _without_officers(config)),
            }

        config = map_schema_config(self._schema.to_kwargs(), mappers)
        # Only what can be reached from the roots that are left: no list of types of its own.
        mutation, subscription = config["mutation"], config["subscription"]
        return GraphQLSchema(
            query=config["query"],
            mutation=mutation if mutation is not None and mutation.fields else None,
            subscription=subscription if subscription is not None and subscription.fields else None,
            directives=config["directives"],
            description=_DESCRIPTIONS.get(key.audience, f"The contract of a {key.audience.lower()}."),
        )

    def _shows(self, key: ContractKey, type_name: str, field_name: str) -> bool:
        source = self._catalogue.source(type_name, field_name)
        if isinstance(source, Root):
            return _asks(key, source)
        if key.audience not in _MASKED:
            return True
        return _open(key.mask, category_of(source))

    def _narrows(self, key: ContractKey, type_name: str, field_name: str) -> bool:
        narrowing = self._catalogue.filters.get((type_name, field_name))
        if narrowing is None:
            accepted = self._catalogue.accepted.get((type_name, field_name))
            # An input of a command is in the contract exactly when the command is.
            return key.audience is not Audience.RECIPIENT or _open(key.mask, accepted)
        return key.audience is Audience.PARTNER and _open(key.mask, category_of(narrowing))


_DESCRIPTIONS: Final = {
    Audience.OFFICER: "The contract of an officer.",
    Audience.ENTRANCE: "The contract of whoever has not signed in.",
}

_ALIKE: Final = {
    audience: ContractKey(audience, 0) for audience in (Audience.MEMBER, Audience.VISITOR, Audience.ENTRANCE)
}
"""Callers who all have the same contract."""

_closed = lru_cache(maxsize=4096)(closed)
"""Each request asks, and few masks occur."""


def _asks(key: ContractKey, source: Root) -> bool:
    """Whether this caller has that root field."""
    if key.audience not in source.audiences or (source.mailers_only and not key.mails):
        return False
    if source.act is not None and Act(source.act) not in acts_of(key.roles):
        return False
    needs_mask = source.kind in _SHARED_ROOTS or (source.counts and key.audience is Audience.RECIPIENT)
    return key.mask != 0 or not needs_mask


def _open(mask: int, category: DataCategory | None) -> bool:
    if category in _UNGUARDED:
        return True
    return category is not None and bool(mask_of((category,)) & mask)


def _without_officers(config: Any) -> Any:
    """Callers are told of no audience that asks elsewhere: officers have a schema of their own."""
    if config["name"] != "Audience":
        return config
    values = config["values"]
    return {
        **config,
        "values": lambda: {name: value for name, value in values().items() if name not in _ELSEWHERE},
    }


def _dimensions(key: ContractKey, config: Any) -> Any:
    """Of what the audience may be grouped by, a recipient has only what its contract opens."""
    if config["name"] != AudienceDimension.__name__ or key.audience is not Audience.RECIPIENT:
        return config
    return _narrow(
        config, lambda name: _open(key.mask, DIMENSION_CATEGORIES[AudienceDimension(name)]), "values"
    )


def _narrow(config: Any, keep: Callable[[str], bool], what: str = "fields") -> Any:
    named = config[what]
    return {**config, what: lambda: {name: one for name, one in named().items() if keep(name)}}
