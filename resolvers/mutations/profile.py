"""Commands of a member on the own profile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import strawberry

from resolvers.commands.birth_date import set_birth_date
from resolvers.commands.choosing import choose
from resolvers.commands.correction import correct_profile
from resolvers.commands.member_requests import end_sharing, share_with
from resolvers.context import Work
from resolvers.mutations.payload import ProfilePayload, member_command
from schema.types.commands import ChooseInput, CorrectProfileInput, EndSharingInput, ShareWithInput
from schema.types.contact_data import SetBirthDateInput
from schema.vocabulary import ChoiceSource


async def _choose(work: Work, given: Mapping[str, Any]) -> None:
    await choose(work, given, ChoiceSource.PROFILE_PAGE)


async def _share_with(work: Work, given: Mapping[str, Any]) -> None:
    await share_with(work, given, ChoiceSource.PROFILE_PAGE)


async def _end_sharing(work: Work, given: Mapping[str, Any]) -> None:
    await end_sharing(work, given, ChoiceSource.PROFILE_PAGE)


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
    share_with: ProfilePayload = member_command(
        _share_with,
        ShareWithInput,
        "Ask us to share something with one company, for one purpose, until a date (C8).",
    )
    end_sharing: ProfilePayload = member_command(
        _end_sharing, EndSharingInput, "End what you asked us to share with a company, before its date (C8)."
    )
