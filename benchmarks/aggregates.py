"""How near counts are, by epsilon, for groups as large as those of 100,000 seeded members.

python -m benchmarks.aggregates

Draws noise as the gateway does, writes `docs/img/aggregate-accuracy.svg` and prints the table of the page.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from gateway.seeding.people import draw_person, outline
from policies.age import age_date, band
from policies.privacy_budget import Thousandths
from resolvers.commands.member_writes import MEMBER_COLUMNS
from resolvers.noise import add_noise

MEMBERS: Final = 100_000
SEED: Final = 1
NOW: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)
DRAWS: Final = 4_000
EPSILONS: Final = (10, 15, 22, 32, 46, 68, 100, 150, 220, 320, 460, 680, 1_000)
TOLD: Final = (10, 50, 100, 200, 500, 1_000)
PICTURE: Final = Path("docs/img/aggregate-accuracy.svg")

WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 250, 20, 50
LEAST, MOST = 0.0001, 10.0
COLOURS = ("#1b4f72", "#117a65", "#b9770e", "#a93226", "#6c3483")


def group_sizes() -> dict[str, int]:
    """Groups of the seeded members, named, from large to small."""
    today = age_date(NOW)
    regions: Counter[str] = Counter()
    both: Counter[tuple[str, str]] = Counter()
    for index in range(MEMBERS):
        person = draw_person(SEED, index, outline(SEED, index), NOW)
        row = dict(zip(MEMBER_COLUMNS, person.member, strict=True))
        age, region = band(row["birth_date"], today), row["region"]
        if row["status"] != "ACTIVE" or age is None:
            continue
        regions[region] += 1
        both[region, age.value] += 1
    states = [region for region, _ in regions.most_common() if region.startswith("US-")]
    middle, last = states[len(states) // 2], states[-1]
    return {
        "everybody": regions.total(),
        "country GB": regions["GB"],
        f"median state, {middle}": regions[middle],
        f"35 to 44 in {middle}": both[middle, "AGE_35_44"],
        f"65 and over in {last}": both[last, "AGE_65_PLUS"],
    }


def error_of(size: int, thousandths: int) -> float:
    """By which part of the group's size the count is off at most, 19 times of 20, as drawn."""
    noisy = add_noise([size] * DRAWS, None, sensitivity=1, paid=Thousandths(thousandths))
    off = sorted(abs(count - size) for count in noisy.groups)
    return off[int(DRAWS * 0.95)] / size


def picture(groups: dict[str, int], errors: Mapping[str, Sequence[float]]) -> str:
    """The lines of every group, both axes logarithmic, as SVG."""
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
            ' font-family="sans-serif" font-size="12">'
        ),
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
    ]
    for power in range(-4, 2):
        y = _y(10.0**power)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{10.0**power:.6g}</text>')
    for thousandths in (10, 20, 50, 100, 200, 500, 1_000):
        x = _x(thousandths)
        parts.append(f'<path d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#ddd"/>')
        label = f"{thousandths / 1_000:g}"
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{label}</text>')
    for colour, (name, size) in zip(COLOURS, groups.items(), strict=True):
        points = [(_x(one), _y(error)) for one, error in zip(EPSILONS, errors[name], strict=True)]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        x, y = points[-1]
        parts.append(f'<text x="{x + 8:.1f}" y="{y + 4:.1f}" fill="{colour}">{name}: {size:,}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(
        f'<text x="{middle:.0f}" y="{HEIGHT - 10}" text-anchor="middle">epsilon of one answer</text>'
    )
    parts.append(
        f'<text transform="translate(14 {HEIGHT / 2:.0f}) rotate(-90)" text-anchor="middle">'
        "error as a part of the count, 19 times of 20 at most</text></svg>"
    )
    return "\n".join(parts) + "\n"


def _x(thousandths: int) -> float:
    least, most = math.log10(EPSILONS[0]), math.log10(EPSILONS[-1])
    return LEFT + (math.log10(thousandths) - least) / (most - least) * (WIDTH - LEFT - RIGHT)


def _y(error: float) -> float:
    least, most = math.log10(LEAST), math.log10(MOST)
    part = (math.log10(min(max(error, LEAST), MOST)) - least) / (most - least)
    return HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM)


def main() -> None:
    """Draw, write the picture, print the table."""
    groups = group_sizes()
    errors = {name: [error_of(size, one) for one in EPSILONS] for name, size in groups.items()}
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(picture(groups, errors), encoding="utf-8")
    print("| group | members | " + " | ".join(f"{one / 1_000:g}" for one in TOLD) + " |")
    print("|---" * (2 + len(TOLD)) + "|")
    for name, size in groups.items():
        cells = " | ".join(f"{error_of(size, one):.2%}" for one in TOLD)
        print(f"| {name} | {size:,} | {cells} |")


if __name__ == "__main__":
    main()
