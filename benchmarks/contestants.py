"""Who takes part in the benchmark, and the protocol by which they do.

A contestant is one process, started by the harness and pinned to one core, that answers GraphQL.

**What it is given**, as environment variables:

| variable | what it is |
|---|---|
| `BENCH_PORT` | where to listen, on 127.0.0.1 |
| `BENCH_DATABASE_URL` | PostgreSQL, on a Unix socket, under the role `bench`; also as `PGHOST`, `PGUSER`, `PGPASSWORD`, `PGDATABASE` |
| `BENCH_CONNECTIONS` | the size of its pool, no more and no less |
| `BENCH_PUBLIC_KEY` | PEM file with the Ed25519 key that tokens are signed with |
| `BENCH_ISSUER`, `BENCH_AUDIENCE` | what `iss` and `aud` have to be |
| `BENCH_DOCUMENTS` | folder with the documents that are asked: `benchmarks/documents` |
| `BENCH_STATEMENTS` | folder with the statements written by hand, for whoever wants them: `benchmarks/statements` |

The role `bench` may read `member`, `postal_address`, `share`, `agreement`, `partner_client`, `partner` and
`bench.standing`, and may do what `statements/correction.sql` does.

**What it answers.** `GET /healthz` with 200 as soon as it is ready. `POST /graphql` with `query`, `variables`
and sometimes `operationName` as JSON, with the header `Authorization: Bearer TOKEN`, by `application/json` or
`application/graphql-response+json` and status 200. `data` is equal, as JSON, to that of the gateway for the
same document, variables and token. Errors are not compared: nothing that is measured has any.

**What it checks**, as everybody does:

1. the token's signature (`alg` is `EdDSA`), `typ` is `at+jwt`, `iss`, `aud`, `exp` with 30 s of leeway. What was
   verified may be remembered, by at most 10,000 tokens, until it expires; `exp` is looked at each time.
2. `kind` is `member`: `sub` is the id of the member, who reads `me` and writes `correctProfile`.
   `kind` is `partner`: `client_id` is a client of `bench.standing (client_id, agreement_id, mask)`, who reads
   `members`. That row may be remembered for as long as the process lives.
   Nobody else is answered: 401, or an error of GraphQL.
3. of members a partner sees the rows of `share` of its agreement with `mask & standing.mask <> 0` which have not
   ended (`ends_at`), in the order of `subject`, after the cursor. `id` is `share.subject`. Each value
   is shown where its bit in `share.mask & standing.mask` is set, and is null elsewhere:
   `name` 1 (1 << 0), `email` 8, `address` 16 with `city` 64 and `country` 512, `region` 1024, `ageBand` 2048,
   `interests` 4096. `ageBand` is the age on this day as in `statements/page.sql`. `address` is the primary one.
4. a cursor is a text of the contestant's own making: it is taken from `pageInfo.endCursor` of the page before, and
   is the one thing that is not compared. `first` is at most 500.
5. a correction is one committed transaction that does what `statements/correction.sql` does. `errors` is `[]`.

Names are those of the gateway's schema (`gateway schema print`); the subset that is asked is

    type Query { me: Member, members(first: Int, after: String): SharedMemberConnection }
    type Mutation { correctProfile(input: CorrectProfileInput!): ProfilePayload }
    input CorrectProfileInput { givenName: String, familyName: String, interests: [String!] }
    type ProfilePayload { errors: [FieldError!]!, me: Member }
    type FieldError { path: [String!]!, code: String!, message: String! }
    type Member {
      number: String!, givenName: String, familyName: String, email: String!, birthDate: Date, region: String,
      interests: [String!]!, addresses(first: Int, after: String): PostalAddressConnection!
    }
    type PostalAddress { line1: String!, line2: String, city: String!, postalCode: String, country: String! }
    type SharedMember {
      id: ID!, name: String, email: String, region: String, ageBand: AgeBand, interests: [String!],
      address: SharedAddress
    }
    type SharedAddress { city: String!, country: String! }

with connections of Relay (`edges { node }`, `pageInfo { hasNextPage endCursor }`), `Date` as `2001-02-03`. Documents are those of
`benchmarks/documents`, and others with any subset of these fields under any operation name: everything has to be parsed, validated
and answered as it comes, and what a contestant remembers of documents is bounded at 1,000.

**To try one:** `python -m benchmarks.population --members 2000 -- COMMAND` runs a command with these variables on
a small population; `python -m benchmarks.check --members 2000 NAME` compares its answers with the gateway's.

**To add one** that is no Python module: an entry `{"name": ..., "command": [...], "version": ..., "peer": true}` in
`benchmarks/peers/contestants.json`, the command relative to the top of the project. `workloads` in it lists those that it takes part in, by name,
where it is not all of `profile`, `page-50`, `page-500`, `correction`, `first-time`, `rotation` and `partners`.
"""  # noqa: E501 - a table

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
PEERS: Final = ROOT / "benchmarks" / "peers" / "contestants.json"

REQUESTS: Final = ("profile", "page-50", "page-500", "correction", "first-time", "rotation", "partners")
"""The workloads that are requests to `/graphql`."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """How one is started, and what it takes part in. `peer`: users would pick it in place of the gateway."""

    name: str
    command: Sequence[str]
    version: str = ""
    workloads: frozenset[str] = frozenset(REQUESTS)
    peer: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)


def _python(module: str, *arguments: str) -> Sequence[str]:
    return (sys.executable, "-m", module, *arguments)


OURS: Final = (
    Contestant("limit", _python("benchmarks.limit"), workloads=frozenset(REQUESTS) - {"first-time"}),
    Contestant("gateway", (str(Path(sys.executable).parent / "gateway"), "serve")),
    Contestant("gateway-unlogged", _python("benchmarks.unlogged")),
    Contestant("naive", _python("benchmarks.naive")),
)


def peers(listing: Path = PEERS) -> Sequence[Contestant]:
    """Those that are listed beside their programs; none where `make peers` has installed nothing."""
    if not listing.exists() or not (listing.parent / "node_modules").exists():
        return ()
    return tuple(
        Contestant(
            name=entry["name"],
            command=tuple(entry["command"]),
            version=entry.get("version", ""),
            workloads=frozenset(entry.get("workloads", REQUESTS)),
            peer=entry.get("peer", True),
            environment=entry.get("environment", {}),
        )
        for entry in json.loads(listing.read_text(encoding="utf-8"))
    )


def contestants() -> Mapping[str, Contestant]:
    """Everybody, by name."""
    return {contestant.name: contestant for contestant in (*OURS, *peers())}
