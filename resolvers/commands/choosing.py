"""A member chooses who may see what (C9, C11): one entry of the ledger, and the shares that follow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policies.agreement import parse_categories
from policies.choices import validate_request_date
from resolvers.commands.correction import lock_member
from resolvers.context import Work
from resolvers.shares import refresh_shares
from schema.categories import Purpose
from schema.errors import FieldErrors, FieldProblem, InputError
from schema.ids import new_id
from schema.vocabulary import ChoiceSource, Direction


async def choose(work: Work, given: Mapping[str, Any], source: ChoiceSource) -> None:
    """Append a choice, and decide the member's shares again.

    An entry that arrives late changes nothing that a later request decided: its date decides.

    Raises:
        FieldErrors: nothing was changed.
    """
    member = await lock_member(work, None)
    problems: list[FieldProblem] = []
    requested_at, categories = work.now, None
    if given.get("requested_at") is not None:
        try:
            requested_at = validate_request_date(given["requested_at"], work.now)
        except InputError as error:
            problems.append(FieldProblem(("requestedAt",), "BAD_DATE", str(error)))
    if given.get("categories") is not None:
        try:
            categories = sorted(parse_categories(given["categories"]))
        except InputError as error:
            problems.append(FieldProblem(("categories",), "UNKNOWN_CATEGORY", str(error)))
        else:
            if not categories:
                message = "`categories` is empty: leave it out to mean all of them"
                problems.append(FieldProblem(("categories",), "REQUIRED", message))
    partner_id = None
    if given.get("partner") is not None:
        partner_id = await work.connection.fetchval(
            "SELECT id FROM partner WHERE name = $1", given["partner"]
        )
        if partner_id is None:
            message = "there is no partner of that name: see `me.shares`"
            problems.append(FieldProblem(("partner",), "UNKNOWN_PARTNER", message))
    if problems:
        raise FieldErrors(problems)
    purpose = given.get("purpose")
    await work.connection.execute(
        "INSERT INTO choice (id, member_id, requested_at, received_at, direction, source, partner_id,"
        " purpose, categories) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        new_id(),
        member["id"],
        requested_at,
        work.now,
        Direction(given["direction"]).value,
        source.value,
        partner_id,
        None if purpose is None else Purpose(purpose).value,
        categories,
    )
    await refresh_shares(work.connection, work.matrix, now=work.now, members=[member["id"]])
