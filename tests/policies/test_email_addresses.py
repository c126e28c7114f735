"""The form in which partners and we compare addresses: vectors, properties, and another program's word."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from policies.email_addresses import comparable_email, read_email
from resolvers.suppressions import digest_of

VECTORS: Final[list[dict[str, Any]]] = yaml.safe_load(
    Path(__file__).with_name("comparable_emails.yaml").read_text(encoding="utf-8")
)
KEY: Final = bytes(range(32))
DOCUMENT: Final = Path(__file__).resolve().parents[2] / "docs" / "suppressions.md"

ADDRESSES: Final = st.builds(
    lambda local, domain, space: f"{space}{local}@{domain}{space}",
    st.text(min_size=1, max_size=12),
    st.one_of(
        st.text(min_size=1, max_size=12), st.from_regex(r"[a-zA-Zäßé]{1,8}\.(com|ORG|de)", fullmatch=True)
    ),
    st.sampled_from(["", " ", "\t", "\r\n"]),
)


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["typed"] for vector in VECTORS])
def test_the_vectors(vector: dict[str, Any]) -> None:
    assert comparable_email(vector["typed"]) == vector["form"]


@given(ADDRESSES)
def test_applied_twice_it_changes_nothing_more(address: str) -> None:
    once = comparable_email(address)
    assert once is None or comparable_email(once) == once


@given(st.from_regex(r"[a-zA-Z0-9.+_-]{1,20}@[a-zA-Z0-9-]{1,20}\.[a-z]{2,3}", fullmatch=True))
def test_case_and_space_around_make_no_difference(address: str) -> None:
    assert comparable_email(address) == comparable_email(f" {address.upper()}\n") == address.lower()


@given(st.emails())
def test_whatever_is_registered_can_be_compared_and_stored_or_typed_makes_no_difference(address: str) -> None:
    registered = read_email(address)
    assume(registered is not None)
    assert registered is not None
    assert comparable_email(registered) is not None
    assert comparable_email(registered) == comparable_email(address)


def program(language: str) -> str:
    """The example of that language in the documentation."""
    return DOCUMENT.read_text(encoding="utf-8").split(f"```{language}\n")[1].split("```")[0]


def test_the_documented_programs_compute_the_same_digests() -> None:
    """In Python as a partner would copy it, and in Node, whose Unicode and IDNA are not ours."""
    addresses = [vector["typed"] for vector in VECTORS if vector["form"] is not None]
    ours = [digest_of(KEY, str(comparable_email(address))).hex() for address in addresses]
    names: dict[str, Any] = {}
    exec(program("python"), names)  # noqa: S102 - the documentation's own
    assert [names["digest"](KEY.hex(), address) for address in addresses] == ours
    node = shutil.which("node")
    assert node is not None
    main = "const [key, list] = JSON.parse(process.argv[1]);"
    show = "console.log(JSON.stringify(list.map(a => digest(key, a))));"
    script = "\n".join((program("js"), main, show))
    answer = subprocess.run(  # noqa: S603 - node, found above
        [node, "-e", script, json.dumps([KEY.hex(), addresses])], capture_output=True, check=True, text=True
    )
    assert json.loads(answer.stdout) == ours
