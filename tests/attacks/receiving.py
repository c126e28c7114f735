"""A partner's client in a process of its own: `python -m tests.attacks.receiving URL TOKEN PREFIX`.

Asks several times at once, each time by another operation name, until its input ends. Prints the name of
every answer that arrived with data, as soon as it has arrived.
"""

from __future__ import annotations

import asyncio
import itertools
import sys

import httpx

AT_ONCE = 8


async def main(url: str, token: str, prefix: str) -> None:
    numbers = itertools.count()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin, stop.set)
    headers = {"authorization": f"Bearer {token}", "accept": "application/graphql-response+json"}

    async def ask(client: httpx.AsyncClient) -> None:
        while not stop.is_set():
            name = f"{prefix}x{next(numbers)}"
            query = f"query {name} {{ members(first: 5) {{ edges {{ node {{ id name }} }} }} }}"
            try:
                answer = await client.post(url, json={"query": query}, headers=headers)
            except httpx.HTTPError:
                await asyncio.sleep(0.02)
                continue
            if answer.status_code == 200 and answer.json().get("data"):
                sys.stdout.write(f"{name}\n")
                sys.stdout.flush()

    async with httpx.AsyncClient(timeout=10) as client:
        await asyncio.gather(*(ask(client) for _ in range(AT_ONCE)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4]))
