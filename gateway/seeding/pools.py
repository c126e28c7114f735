"""Names and places to draw from, made by Faker once for each seed value: drawing is fast, Faker is not."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from faker import Faker

NAMES: Final = 250
PLACES: Final = 120
STREETS: Final = 200


@dataclass(frozen=True, slots=True)
class Land:
    """A country that members come from. `weight` is its share of them."""

    country: str
    locale: str
    weight: int
    house_first: bool


LANDS: Final = (
    Land("US", "en_US", 52, house_first=True),
    Land("GB", "en_GB", 14, house_first=True),
    Land("CA", "en_CA", 9, house_first=True),
    Land("DE", "de_DE", 9, house_first=False),
    Land("FR", "fr_FR", 7, house_first=True),
    Land("AU", "en_AU", 5, house_first=True),
    Land("SE", "sv_SE", 4, house_first=False),
)


@dataclass(frozen=True, slots=True)
class Pool:
    """What members of one country are made of. `places` are city, state (or None), postal code."""

    land: Land
    given_names: tuple[str, ...]
    family_names: tuple[str, ...]
    streets: tuple[str, ...]
    places: tuple[tuple[str, str | None, str], ...]


@lru_cache(maxsize=8)
def pools(seed_value: int) -> tuple[Pool, ...]:
    """The pools of every country, in the order of `LANDS`."""
    return tuple(_pool(land, seed_value) for land in LANDS)


def _pool(land: Land, seed_value: int) -> Pool:
    from faker import Faker  # noqa: PLC0415 - only the commands that seed need it

    faker = Faker(land.locale, use_weighting=False)
    faker.seed_instance(f"{seed_value}/{land.country}")
    return Pool(
        land=land,
        given_names=tuple(faker.first_name() for _ in range(NAMES)),
        family_names=tuple(faker.last_name() for _ in range(NAMES)),
        streets=tuple(faker.street_name() for _ in range(STREETS)),
        places=tuple(_place(faker, land) for _ in range(PLACES)),
    )


def _place(faker: Faker, land: Land) -> tuple[str, str | None, str]:
    match land.country:
        case "US":
            state = faker.state_abbr(include_territories=False, include_freely_associated_states=False)
            return faker.city(), state, faker.zipcode_in_state(state)
        case "CA":
            state = faker.province_abbr()
            return faker.city(), state, faker.postcode_in_province(state)
        case "AU":
            return faker.city(), faker.state_abbr(), faker.postcode()
        case _:
            return faker.city(), None, faker.postcode()


INTERESTS: Final = (
    "astronomy", "baking", "board games", "camping", "chess", "cinema", "classical music", "climbing",
    "coffee", "comics", "cooking", "crafts", "cycling", "dancing", "design", "diving", "fashion",
    "fishing", "football", "gardening", "guitar", "hiking", "history", "horses", "jazz", "knitting",
    "languages", "literature", "motorcycles", "museums", "opera", "painting", "photography", "pottery",
    "programming", "running", "sailing", "skiing", "swimming", "tennis", "theatre", "travel",
    "volunteering", "wine", "woodwork", "yoga",
)  # fmt: skip

PRODUCTS: Final = (
    ("books", "Hardcover novel", 1_900), ("books", "Travel guide", 2_400),
    ("books", "Cookery book", 2_900), ("clothing", "Rain jacket", 8_900),
    ("clothing", "Wool jumper", 6_500), ("clothing", "Linen shirt", 4_900),
    ("electronics", "Noise-cancelling headphones", 19_900), ("electronics", "Desk lamp", 5_400),
    ("electronics", "Portable charger", 3_900), ("garden", "Pruning shears", 2_700),
    ("garden", "Seed box", 1_500), ("garden", "Watering can", 2_100), ("home", "Cotton bedding", 7_900),
    ("home", "Cast-iron pan", 5_900), ("home", "Wall clock", 3_400), ("music", "Vinyl record", 2_800),
    ("music", "Ukulele", 6_900), ("sports", "Running shoes", 11_900), ("sports", "Yoga mat", 3_200),
    ("sports", "Trekking poles", 5_700), ("toys", "Building blocks", 3_600),
    ("toys", "Wooden train", 4_400), ("travel", "Cabin suitcase", 12_900),
    ("travel", "Neck pillow", 1_900),
)  # fmt: skip
"""Category, name, price in hundredths."""

PAGES: Final = (
    "/", "/offers", "/new", "/books", "/garden", "/sports", "/travel", "/music", "/cart", "/checkout",
    "/account", "/help", "/stores", "/search", "/gift-cards", "/privacy",
)  # fmt: skip
REFERRERS: Final = (
    None,
    None,
    "https://search.example/",
    "https://social.example/feed",
    "https://news.example/deals",
)
BROWSERS: Final = (
    "Firefox on Linux",
    "Safari on macOS",
    "Chrome on Windows",
    "Safari on iOS",
    "Chrome on Android",
)
PROVIDERS: Final = ("fibre.example", "cable.example", "mobile.example", "campus.example", None)

SURVEY: Final = ("very satisfied", "satisfied", "neither", "dissatisfied")
CONTENTS: Final = {
    "PURCHASE_FORM": "Gift wrapping: {yes}. Delivery to a neighbour: {yes}. Heard of us through {who}.",
    "SURVEY": "With the last order I was {mood}. I would like to see more about {topic}.",
    "SWEEPSTAKES": "Entry for the {topic} prize draw. Answer: {topic}.",
    "RECEIVED_EMAIL": "I am {mood} with my order and would like to know when you have more for {topic}.",
    "OTHER": "Asked in the shop for a leaflet on {topic}.",
}
MESSAGES: Final = (
    ("TO_MEMBER", "Welcome", "Thank you for joining us. Your account is ready."),
    ("TO_MEMBER", "Your order is on its way", "We handed your parcel to the carrier today."),
    (
        "FROM_MEMBER",
        "Where is my parcel?",
        "The carrier's page has not changed for some days. Can you have a look?",
    ),
    ("FROM_MEMBER", "Exchange", "The size does not fit. May I exchange it for a larger one?"),
    ("TO_MEMBER", "Our answer to your question", "Of course: the return label is in your account."),
)
