"""Commands of a member on the own profile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import strawberry

from resolvers.commands.birth_date import set_birth_date
from resolvers.commands.choosing import choose
from resolvers.commands.correction import correct_profile
from resolvers.context import Work
from resolvers.mutations.payload import ProfilePayload, member_command
from schema.types.commands import ChooseInput, CorrectProfileInput
from schema.types.contact_data import SetBirthDateInput
from schema.vocabulary import ChoiceSource


async def _choose(work: Work, given: Mapping[str, Any]) -> None:
    await choose(work, given, ChoiceSource.PROFILE_PAGE)


@strawberry.type
class ProfileMutation:
    """What a member may change about the own person, and who may see it."""

    correct_profile: ProfilePayload = member_command(
        correct_profile, CorrectProfileInput, "Correct your names, user name or interests (C13)."
    )
    set_birth_date: ProfilePayload = member_command(
        set_birth_date, SetBirthDateInput, "Tell your birth date, if it is not known yet (C13, C17)."
    )
    choose: ProfilePayload = member_command(
        _choose,
        ChooseInput,
        "Opt in or out, as a whole or for a partner, a purpose or data categories (C9, C11).",
    )
