"""The gateway's processor time for all members: by bulk download, and by paging.

    python -m benchmarks.bulk [MEMBERS]

The caller is a process of its own, so that only the gateway is measured.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import time

import httpx

from benchmarks.scratch import scratch
from gateway.app import compose
from gateway.bulk import PATH
from gateway.bulk_document import bulk_document
from gateway.demo import PARTNERS
from gateway.event_loop import run
from gateway.identity.tokens import SubjectKind, mint
from gateway.serving import listen, served
from policies.agreement import parse_categories
from policies.principal import PartnerPrincipal
from schema.categories import closed, expand, mask_of

MEMBERS = 100_000


def take_all(url: str, token: str) -> None:
    """Download everything, and throw it away."""
    headers = {"authorization": f"Bearer {token}"}
    with httpx.stream("GET", f"{url}{PATH}", headers=headers, timeout=60) as answer:
        size = sum(len(part) for part in answer.iter_raw())
    print(f"{size:,} bytes", file=sys.stderr)


def page_all(url: str, token: str, size: str, document: str) -> None:
    """Page through everything, without reading more of an answer than where to go on."""
    after = None
    with httpx.Client(headers={"authorization": f"Bearer {token}"}, timeout=60) as client:
        while True:
            variables = {"first": int(size), "after": after}
            answer = client.post(f"{url}/graphql", json={"query": document, "variables": variables})
            text = answer.text
            if '"hasNextPage":false' in text[-300:]:
                return
            after = text.rpartition('"endCursor":"')[2].partition('"')[0]


async def measured(name: str, *arguments: str) -> None:
    """Run one of the callers above and print what the gateway used."""
    used, began = time.process_time(), time.perf_counter()
    caller = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.bulk", name, *arguments[1:]
    )
    await caller.wait()
    processor, elapsed = time.process_time() - used, time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{arguments[0]:<16} {processor:6.2f} s of processor, {elapsed:6.2f} s, peak {peak:.0f} MB")


async def main(members: int) -> None:
    """Serve, and measure each way."""
    async with (
        scratch(members) as (settings, keys, database, product),
        compose(settings, keys, database, product) as gateway,
        served(gateway.app, listen("127.0.0.1", 0)) as url,
    ):
        partner = PARTNERS[0]
        minted = mint(
            settings,
            keys,
            kind=SubjectKind.PARTNER,
            subject=partner.client_id,
            client_id=partner.client_id,
            scopes=partner.categories,
            lifetime=3_600,
        )
        terms = await database.app.fetchrow("SELECT id, partner_id FROM agreement")
        assert terms is not None  # noqa: S101 - made above
        mask = closed(mask_of(expand(parse_categories(partner.categories))))
        principal = PartnerPrincipal(
            terms["partner_id"], terms["id"], 1, partner.client_id, "", partner.basis, partner.purpose, mask
        )
        document = bulk_document(product.contracts.of(principal).schema)
        for _ in range(2):
            await measured("take", "bulk", url, minted.token)
        for size in ("500", "100", "20"):
            await measured("page", f"pages of {size}", url, minted.token, size, document)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["take", url, token]:
            take_all(url, token)
        case ["page", url, token, size, document]:
            page_all(url, token, size, document)
        case rest:
            run(main(int(rest[0]) if rest else MEMBERS))
