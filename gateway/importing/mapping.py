"""Which column of a foreign file holds which fact of a member: the mapping files and their check.

A mapping is TOML: tables `member`, `address`, `billing`, `choices` of `target = column`, or a list of
columns of which the first that is not blank counts; `[[phones]]` with a label each; `[words]` for other
ways to say yes and no; `[dates]` for other ways to write a birth date. docs/importing.md has them all.
Column names are compared without regard to case and surrounding space.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from schema.errors import InputError


def heading(name: str) -> str:
    """The form in which column names are compared."""
    return name.strip().casefold()


def _as_columns(value: object) -> object:
    names = [value] if isinstance(value, str) else value
    if isinstance(names, list) and all(isinstance(name, str) for name in names):
        return tuple(heading(name) for name in names)
    return names


Columns = Annotated[tuple[str, ...], BeforeValidator(_as_columns)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MemberColumns(_Section):
    """Columns of the member itself. `number` and `email` are needed in every mapping."""

    number: Annotated[Columns, Field(min_length=1)]
    email: Annotated[Columns, Field(min_length=1)]
    given_name: Columns = ()
    family_name: Columns = ()
    username: Columns = ()
    birth_date: Columns = ()
    interests: Columns = ()
    purchase_categories: Columns = ()
    joined_at: Columns = ()
    password_hash: Columns = ()


class AddressColumns(_Section):
    """Columns of the primary postal address; `packed` is one column for all (Mailchimp)."""

    line1: Columns = ()
    line2: Columns = ()
    city: Columns = ()
    state: Columns = ()
    postal_code: Columns = ()
    country: Columns = ()
    packed: Columns = ()


class PhoneColumns(_Section):
    """Columns of one telephone number, and the label that the member will see for it."""

    label: Annotated[str, Field(pattern=r"^[a-z][a-z -]{0,19}$")]
    columns: Annotated[Columns, Field(min_length=1)]


class BillingColumns(_Section):
    """Columns of the billing method; the expiry is one column or two."""

    brand: Columns = ()
    last_four: Columns = ()
    expiry: Columns = ()
    expiry_month: Columns = ()
    expiry_year: Columns = ()
    token: Columns = ()


class ChoiceColumns(_Section):
    """Columns of consent: a yes or no with its date, or dates of opting in and out."""

    newsletter: Columns = ()
    sharing: Columns = ()
    requested_at: Columns = ()
    opted_in_at: Columns = ()
    opted_out_at: Columns = ()


class Words(_Section):
    """What says yes and what says no, compared without regard to case."""

    yes: frozenset[str] = frozenset({"yes", "y", "true", "t", "1", "subscribed", "on"})
    no: frozenset[str] = frozenset({"no", "n", "false", "f", "0", "unsubscribed", "off"})


class Dates(_Section):
    """Ways to write a birth date besides ISO 8601, as `strptime` formats with day, month and full year."""

    birth_date: tuple[str, ...] = ()


class ColumnMapping(_Section):
    """A whole mapping file."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
    member: MemberColumns
    address: AddressColumns = AddressColumns()
    phones: tuple[PhoneColumns, ...] = ()
    billing: BillingColumns = BillingColumns()
    choices: ChoiceColumns = ChoiceColumns()
    words: Words = Words()
    dates: Dates = Dates()

    def targets(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Each target that has columns, as `section.name`, with its columns."""
        for section_name in ("member", "address", "billing", "choices"):
            section: _Section = getattr(self, section_name)
            for field in type(section).model_fields:
                columns: tuple[str, ...] = getattr(section, field)
                if columns:
                    yield f"{section_name}.{field}", columns
        for phone in self.phones:
            yield f"phones.{phone.label}", phone.columns


@dataclass(frozen=True, slots=True)
class LoadedMapping:
    """A mapping and the key under which import jobs remember it: its name and a digest of its text."""

    mapping: ColumnMapping
    key: str


SHIPPED: Final = ("default", "shopify", "mailchimp")


def load_mapping(name_or_path: str) -> LoadedMapping:
    """The shipped mapping of that name, or the one in that file.

    Raises:
        InputError: there is none, it is not TOML, or it has an unknown or malformed key; names the key.
    """
    text = _read(name_or_path)
    try:
        mapping = ColumnMapping.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"the mapping is not valid TOML: {error}") from error
    except ValidationError as error:
        raise InputError(
            "; ".join(_problem(detail["loc"], detail["type"]) for detail in error.errors())
        ) from error
    return LoadedMapping(mapping, f"{mapping.name}@{hashlib.sha256(text.encode()).hexdigest()[:12]}")


def check_header(mapping: ColumnMapping, header: Collection[str]) -> tuple[str, ...]:
    """The targets for which a file with these columns has none.

    Raises:
        InputError: `member.number` or `member.email` is among them; names the columns looked for.
    """
    absent = {target: columns for target, columns in mapping.targets() if not set(columns) & set(header)}
    needed = [target for target in ("member.number", "member.email") if target in absent]
    if needed:
        listed = "; ".join(
            f"`{target}` looks for " + ", ".join(f"`{c}`" for c in absent[target]) for target in needed
        )
        raise InputError(f"the file has no column for {listed}: choose another --mapping or write one")
    return tuple(absent)


def _read(name_or_path: str) -> str:
    if name_or_path in SHIPPED:
        return (resources.files("gateway") / "mappings" / f"{name_or_path}.toml").read_text("utf-8")
    path = Path(name_or_path)
    if not path.is_file():
        listed = ", ".join(f"`{name}`" for name in SHIPPED)
        raise InputError(f"`--mapping`: there is none of that name: give a file, or one of {listed}")
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("`--mapping`: the file cannot be read as UTF-8 text") from error


def _problem(location: tuple[int | str, ...], kind: str) -> str:
    name = ".".join(str(part) for part in location)
    match kind:
        case "extra_forbidden":
            return f"`{name}` is not a target of a mapping: see docs/importing.md for those there are"
        case "missing" | "too_short":
            return f"`{name}` must name at least one column"
        case _:
            return f"`{name}` is malformed: a column name or a list of column names goes there"
