from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Iterator

import bcrypt
import pytest

from resolvers.passwords import LONGEST_TYPED, OWASP_FLOOR, PasswordHasher, Verdict
from schema.errors import SettingsError, UnavailableError

PASSWORD = "violet harbour seven kettles"


@pytest.fixture(scope="module")
def hasher() -> Iterator[PasswordHasher]:
    made = PasswordHasher(memory=19_456, passes=2, threads=2, queue=64)
    yield made
    made.close()


@pytest.mark.clause("C14")
async def test_a_hash_is_argon2id_with_the_parameters_set_and_fits_its_password_only(
    hasher: PasswordHasher,
) -> None:
    made = await hasher.hash(PASSWORD)
    assert made.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await hasher.hash(PASSWORD) != made, "salted"
    assert await hasher.verify(made, PASSWORD) == Verdict(fits=True)
    for other in ("", PASSWORD.upper(), f"{PASSWORD} ", PASSWORD[:-1], f"{PASSWORD}\0"):
        assert await hasher.verify(made, other) == Verdict(fits=False)


@pytest.mark.clause("C14")
@pytest.mark.parametrize(("memory", "passes"), [(46_080, 1), (18_432, 2), (7_168, 4), (6_000, 100)])
def test_parameters_below_the_floor_are_refused(memory: int, passes: int) -> None:
    with pytest.raises(SettingsError, match="GATEWAY_PASSWORD_MEMORY"):
        PasswordHasher(memory=memory, passes=passes, threads=1, queue=1)


@pytest.mark.parametrize(("memory", "passes"), OWASP_FLOOR)
def test_parameters_of_the_floor_are_admitted(memory: int, passes: int) -> None:
    PasswordHasher(memory=memory, passes=passes, threads=1, queue=1).close()


async def test_a_hash_of_other_parameters_is_outdated(hasher: PasswordHasher) -> None:
    stronger = PasswordHasher(memory=19_456, passes=3, threads=1, queue=1)
    made = await stronger.hash(PASSWORD)
    stronger.close()
    assert await hasher.verify(made, PASSWORD) == Verdict(fits=True, outdated=True)
    assert not (await hasher.verify(made, "other")).fits


@pytest.mark.parametrize("prefix", [b"2a", b"2b", b"2y"])
async def test_an_imported_bcrypt_hash_fits_and_is_outdated(hasher: PasswordHasher, prefix: bytes) -> None:
    made = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).replace(b"$2b$", b"$" + prefix + b"$").decode()
    assert await hasher.verify(made, PASSWORD) == Verdict(fits=True, outdated=True)
    assert not (await hasher.verify(made, "other")).fits
    assert not (await hasher.verify(made, f"{PASSWORD}\0")).fits


async def test_what_bcrypt_never_looked_at_does_not_count(hasher: PasswordHasher) -> None:
    made = bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4)).decode()
    assert (await hasher.verify(made, "x" * 80)).fits


@pytest.mark.parametrize("damaged", ["", "nonsense", "$argon2id$", "$2b$04$short", "$2b$99$" + "a" * 53])
async def test_a_damaged_hash_and_none_fit_nothing(hasher: PasswordHasher, damaged: str) -> None:
    assert await hasher.verify(damaged, PASSWORD) == Verdict(fits=False, outdated=damaged.startswith("$2b$"))
    assert await hasher.verify(None, PASSWORD) == Verdict(fits=False)
    assert not (await hasher.verify(None, "a password that nobody has")).fits


async def test_both_spellings_of_a_character_are_one_password(hasher: PasswordHasher) -> None:
    made = await hasher.hash("zw\u00f6lf k\u00f6rbe \u00e4pfel")
    assert (await hasher.verify(made, unicodedata.normalize("NFD", "zw\u00f6lf k\u00f6rbe \u00e4pfel"))).fits


async def test_a_text_too_long_to_be_a_password_is_not_even_looked_at(hasher: PasswordHasher) -> None:
    """Bringing it to NFC would take seconds, and keep everybody waiting."""
    tower = "a" + "\u0301\u0323" * 40_000
    async with asyncio.timeout(2):
        assert not (await hasher.verify(await hasher.hash(PASSWORD), tower)).fits
    longest = "x" * LONGEST_TYPED
    assert (await hasher.verify(await hasher.hash(longest), longest)).fits


async def test_the_loop_goes_on_while_passwords_are_hashed(hasher: PasswordHasher) -> None:
    """Other requests are answered meanwhile: something else in the loop gets its turns."""
    beats = 0
    done = asyncio.Event()

    async def beat() -> None:
        nonlocal beats
        while not done.is_set():
            beats += 1
            await asyncio.sleep(0.001)

    beating = asyncio.create_task(beat())
    await asyncio.sleep(0)
    await asyncio.gather(*(hasher.hash(PASSWORD) for _ in range(20)))
    done.set()
    await beating
    assert beats > 20, "several for each hash"


async def test_more_than_may_wait_are_turned_away() -> None:
    narrow = PasswordHasher(memory=19_456, passes=2, threads=1, queue=2)
    found = await asyncio.gather(*(narrow.hash(PASSWORD) for _ in range(5)), return_exceptions=True)
    assert [isinstance(each, UnavailableError) for each in found] == [False] * 3 + [True] * 2
    assert (await narrow.hash(PASSWORD)).startswith("$argon2id$")
    narrow.close()
