"""What a partner sees of a member. Everything but the pairwise id may be withheld: then it is null."""

from __future__ import annotations

from datetime import date, datetime

import strawberry

from schema.catalogue import Derived, FilterOperator, Stored, derived, narrows, related, source_of, stored
from schema.categories import DataCategory
from schema.tables import Member, PostalAddress, Share
from schema.vocabulary import AgeBand


@strawberry.type(name="SharedAddress", description="The member's primary postal address.")
class SharedAddressType:
    """The primary row of `postal_address`, without its id."""

    line1: str = stored(PostalAddress.line1, "Street and number.")
    line2: str | None = stored(PostalAddress.line2, "Second address line.")
    city: str = stored(PostalAddress.city, "City.")
    state: str | None = stored(PostalAddress.state, "State or province.")
    postal_code: str | None = stored(PostalAddress.postal_code, "Postal code.")
    country: str = stored(PostalAddress.country, "Country, ISO 3166-1 alpha-2.")


@strawberry.type(
    name="SharedMember",
    description="A member, as far as policy, agreement, scopes and the member's own choices allow. "
    "A field that the member withholds is null; a member who withholds everything is absent.",
)
class SharedMemberType:
    """One row of `share` with what it opens of `member`."""

    id: strawberry.ID = stored(Share.subject, "Names this member to you, and to nobody else.")
    name: str | None = derived(
        "full_name", DataCategory.NAME, "First and last name.", Member.given_name, Member.family_name
    )
    given_name: str | None = stored(Member.given_name, "First name.")
    family_name: str | None = stored(Member.family_name, "Last name.")
    username: str | None = stored(Member.username, "User name.")
    email: str | None = stored(Member.email, "E-mail address.")
    address: SharedAddressType | None = related(
        DataCategory.ADDRESS,
        "Primary postal address.",
        parent=Member.id,
        child=PostalAddress.member_id,
        only=PostalAddress.is_primary,
    )
    region: str | None = stored(Member.region, "Region: country and state.")
    age_band: AgeBand | None = derived(
        "age_band", DataCategory.AGE_RANGE, "Age, as a band.", Member.birth_date
    )
    birth_date: date | None = stored(Member.birth_date, "Birth date.")
    interests: list[str] | None = stored(Member.interests, "Interests.")
    purchase_categories: list[str] | None = stored(Member.purchase_categories, "Kinds of things bought.")
    member_number: str | None = stored(Member.number, "Member number.")
    joined_at: datetime | None = stored(Member.joined_at, "When the member joined.")


def _shown(field: str) -> Stored | Derived:
    """The source of a field of `SharedMember`: a filter narrows by exactly what the field shows."""
    definition = SharedMemberType.__strawberry_definition__  # type: ignore[attr-defined]
    for candidate in definition.fields:
        source = source_of(candidate)
        if candidate.python_name == field and isinstance(source, Stored | Derived):
            return source
    raise LookupError(field)


@strawberry.input(
    name="MemberFilter",
    description="Narrows a list. A member who withholds a value is never found by it.",
)
class MemberFilter:
    """All given conditions must hold."""

    region: list[str] | None = narrows(FilterOperator.ANY_OF, "In any of these regions.", _shown("region"))
    age_band: list[AgeBand] | None = narrows(
        FilterOperator.ANY_OF, "In any of these age bands.", _shown("age_band")
    )
    interests: list[str] | None = narrows(
        FilterOperator.OVERLAPS, "With any of these interests.", _shown("interests")
    )
    changed_since: datetime | None = narrows(
        FilterOperator.CHANGED_SINCE, "With a change, since then, in something that you may see."
    )


__all__ = ["MemberFilter", "SharedAddressType", "SharedMemberType"]
