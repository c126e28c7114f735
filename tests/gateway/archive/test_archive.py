"""What is inside: the document for programs and its description, the page for people, long lists, memory."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import AsyncIterator
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from uuid import UUID

import asyncpg
import orjson
import pytest
from jsonschema import Draft202012Validator, FormatChecker
from pyrage.x25519 import Identity

from gateway.archive import page
from gateway.archive.description import data_schema
from gateway.archive.encryption import ToKeys
from gateway.database import Database
from schema.archive import SECTIONS
from schema.ids import new_id
from tests import world
from tests.conftest import MakeDatabase
from tests.gateway.archive.opening import REQUEST, Opened, archive_of, make

ADA: Final = world.person("ada").id
LOCK: Final = ToKeys([str(Identity.generate().to_public())])
HOSTILE: Final = "<script>alert('x')</script>\"&\u202e"


@pytest.fixture(scope="module")
async def made(read_only_world: Database, tmp_path_factory: pytest.TempPathFactory) -> Opened:
    return await archive_of(read_only_world, ADA, tmp_path_factory.mktemp("archive"))


@pytest.mark.clause("C12")
def test_the_document_is_what_its_description_says(made: Opened) -> None:
    described = orjson.loads(made.files["schema.json"])
    assert described == data_schema()
    Draft202012Validator.check_schema(described)
    Draft202012Validator(described, format_checker=FormatChecker()).validate(made.data)
    wrong = {**made.data, "profile": {**made.data["profile"], "surplus": 1}}
    assert not Draft202012Validator(described).is_valid(wrong)


@pytest.mark.clause("C12")
def test_every_value_says_what_kind_of_data_it_is(made: Opened) -> None:
    profile = orjson.loads(made.files["schema.json"])["properties"]["profile"]["properties"]
    assert profile["birth_date"]["x-data-category"] == "user.demographic.date_of_birth"
    assert profile["birth_date"]["x-data-category-label"] == "birth date"
    assert profile["given_name"]["description"] == "First name"


@pytest.mark.clause("C12")
def test_the_document_holds_records_with_what_belongs_to_them(made: Opened) -> None:
    data = made.data
    assert (data["schema_version"], data["request_id"]) == ("1", str(REQUEST))
    assert data["made_at"] == world.NOW.isoformat()
    assert data["profile"]["given_name"] == "Ada"
    assert [len(order["lines"]) for order in data["orders"]] == [1, 2, 0]
    assert data["orders"][1]["lines"][0]["unit_price"] == "20.25"
    assert [len(visit["page_views"]) for visit in data["visits"]] == [2, 3]
    assert [disclosure["partner"] for disclosure in data["disclosures"]] == ["Bolt", "Acme"]
    (share, *_) = data["shares"]
    assert share["agreement"]["partner"] == "Acme"
    assert "user.contact.email" in share["categories"]
    assert data["ids_at_partners"][0]["subject"] == str(world.subject("acme", "ada"))


@pytest.mark.clause("C11", "C12")
async def test_each_choice_has_its_receipt(read_only_world: Database, tmp_path: Path) -> None:
    made = await archive_of(read_only_world, world.person("hal").id, tmp_path)
    assert [choice["direction"] for choice in made.data["choices"]] == ["OUT", "IN"]
    assert [choice["partner"] for choice in made.data["choices"]] == [None, "Acme"]
    for choice in made.data["choices"]:
        assert choice["receipt"]["record_id"] == choice["id"]
        assert choice["receipt"]["party_identification"][0]["party_name"] == "Shop & Sons"
    Draft202012Validator(data_schema()).validate(made.data)


class Reading(HTMLParser):
    """Which elements a page has, with their attributes, and what leads where."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.feed(text)
        assert self.open == [], "every element is ended"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_has_no_script_and_loads_nothing(made: Opened) -> None:
    reading = Reading(made.page)
    assert not {"script", "img", "link", "iframe", "form", "object"} & set(reading.tags)
    assert not [
        name for _, name, _ in reading.attributes if name.startswith("on") or name in ("src", "style")
    ]
    assert all((value or "").startswith("#") for _, name, value in reading.attributes if name == "href")
    (policy,) = [
        value for _, name, value in reading.attributes if name == "content" and "-src" in (value or "")
    ]
    assert (policy or "").startswith("default-src 'none'; style-src 'sha256-")
    assert reading.tags.count("h1") == 1
    assert ("html", "lang", "en") in reading.attributes
    ids = [value for _, name, value in reading.attributes if name == "id"]
    assert [f"#{each}" for each in ids] == [value for _, name, value in reading.attributes if name == "href"]


@pytest.mark.clause("C12")
def test_people_read_plain_words(made: Opened) -> None:
    for words in (
        "What Shop &amp; Sons stores about you",
        "Ada",
        "1 May 1980",
        "Acme: companies with which we work closely, for offers that suit you",
        "e-mail address",
        "Nothing is stored.",
        "the hash of a password is never read back (R1, C14)",
    ):
        assert words in made.page
    assert "user.contact" not in made.page
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-7", made.page), "names of rows are for programs"


async def test_what_members_wrote_is_text_and_never_markup(own_world: Database, tmp_path: Path) -> None:
    owner = await asyncpg.connect(own_world.url)
    await owner.execute("UPDATE communication SET body = $1, subject = $1", HOSTILE)
    await owner.execute("UPDATE partner SET display_name = $1", HOSTILE)
    await owner.execute("UPDATE member SET number = $1 WHERE id = $2", HOSTILE, ADA)
    await owner.close()
    made = await archive_of(own_world, ADA, tmp_path, member_number=HOSTILE)
    assert "script" not in Reading(made.page).tags
    assert "&lt;script&gt;alert" in made.page
    assert made.data["communications"][0]["body"] == HOSTILE


MANY: Final = 2_450


@pytest.fixture(scope="module")
async def crowded(make_database: MakeDatabase, world_template: str) -> AsyncIterator[Database]:
    """Ada has 2,450 disclosures more, each with a name of its own."""
    async with make_database(template=world_template) as database:
        await disclose(database, MANY)
        yield database


async def disclose(database: Database, count: int) -> None:
    terms = world.AGREEMENTS["acme"]
    owner = await asyncpg.connect(database.url)
    start = await owner.fetchval("SELECT max(position) FROM disclosure")
    await owner.copy_records_to_table(
        "disclosure",
        columns=(
            "id", "recorded_at", "partner_id", "agreement_id", "client_id", "token_id", "operation_name",
            "operation_hash", "basis", "purpose", "categories", "members", "writer", "position", "digest",
        ),
        records=[
            (
                new_id(), world.NOW + timedelta(seconds=number), terms.partner_id, terms.id, "acme", "t",
                f"Page{number}x", "0" * 64, terms.basis.value, terms.purpose.value, ["user.name"],
                [world.person("ada").log_id], UUID(int=1), start + number, b"d",
            )
            for number in range(1, count + 1)
        ],
    )  # fmt: skip
    await owner.close()


@pytest.mark.clause("C12")
async def test_a_long_list_goes_on_in_further_files_and_nothing_is_lost(
    crowded: Database, tmp_path: Path
) -> None:
    made = await archive_of(crowded, ADA, tmp_path)
    further = [name for name in made.files if name.startswith("more/")]
    assert further == [f"more/disclosures-{number}.html" for number in (2, 3, 4)]
    assert len(made.data["disclosures"]) == MANY + 2
    pages = [made.page, *(made.files[name].decode() for name in further)]
    found = [re.findall(r"Page(\d+)x", text) for text in pages]
    assert [len(each) for each in found] == [page.ON_PAGE, 1_000, 1_000, MANY - page.ON_PAGE - 2_000]
    assert [int(number) for each in found for number in each] == list(range(MANY, 0, -1)), "newest first"
    for name in further:
        assert f'href="{name}"' in made.page
        Reading(made.files[name].decode())


@pytest.mark.parametrize(("count", "files"), [(0, 0), (200, 0), (201, 1), (1_200, 1), (1_201, 2)])
def test_no_further_file_is_empty(count: int, files: int) -> None:
    assert page.further_pages(count) == files


def test_names_of_sections_are_names_of_files() -> None:
    assert all(re.fullmatch(r"[a-z_]+", section.name) for section in SECTIONS)


@pytest.mark.clause("C12")
async def test_memory_does_not_grow_with_what_a_member_has(
    make_database: MakeDatabase, world_template: str, tmp_path: Path
) -> None:
    async def peak(database: Database) -> int:
        tracemalloc.start()
        await make(database, ADA, tmp_path / new_id().hex, LOCK)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    async with make_database(template=world_template) as database:
        await disclose(database, 500)
        small = await peak(database)
    async with make_database(template=world_template) as database:
        await disclose(database, 2_500)
        large = await peak(database)
    assert large < small + 400_000
