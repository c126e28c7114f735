"""Partners, agreements and clients in the officer's contract: the operations of `resolvers.officers`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, Final
from uuid import UUID

import strawberry
from strawberry import UNSET, Info

from policies.officers import Act
from resolvers.commands.agreement_changes import Changes
from resolvers.commands.client_credentials import ClientView
from resolvers.commands.fetched import Use
from resolvers.commands.partners import AgreementView
from resolvers.mutations.payload import stated
from resolvers.officers import agreements, clients, partners
from resolvers.shares import ShareChanges
from resolvers.staff.common import asks, at_desk, at_long_desk, concluded, does, id_of, shown_as
from schema.categories import Basis, Purpose
from schema.types.staff.agreements import (
    AgreementInput,
    AgreementPayload,
    CategoriesInput,
    ChangeAgreementInput,
    ClientInput,
    ClientType,
    CreateAgreementInput,
    CreateClientInput,
    CreatePartnerInput,
    CredentialType,
    GroundType,
    ReasonInput,
    RotateSecretInput,
    SecretPayload,
    StaffAgreementType,
    StaffPartnerType,
    StateReasonsInput,
    UseType,
)
from schema.types.staff.common import DonePayload
from schema.vocabulary import AgreementStatus

OVERLAP: Final = 24
"""Hours that a secret counts beside its successor, if nothing else is said: a working day anywhere."""

NEVER: Final = -1
"""Of days, in `Changes`."""

AgreementId = Annotated[strawberry.ID, strawberry.argument(description="The id of an agreement.")]
PartnerName = Annotated[str | None, strawberry.argument(description="Only of this partner.")]
Days = Annotated[int | None, strawberry.argument(description="How far back to look; 90, if not given.")]
ClientName = Annotated[strawberry.ID, strawberry.argument(description="The id of a client.")]


async def _partners(info: Info[Any, Any]) -> list[StaffPartnerType]:
    return [shown_as(StaffPartnerType, found) for found in await at_desk(info, partners.list_partners)]


async def _agreements(info: Info[Any, Any], partner: PartnerName = UNSET) -> list[StaffAgreementType]:
    name = partner if isinstance(partner, str) else None
    return [_shown(v) for v in await at_desk(info, lambda desk: agreements.list_agreements(desk, name))]


async def _agreement(info: Info[Any, Any], id: AgreementId) -> StaffAgreementType:  # noqa: A002 - GraphQL's
    agreement_id = id_of(id, "id")
    return _shown(await at_desk(info, lambda desk: agreements.show_agreement(desk, agreement_id)))


async def _report(
    info: Info[Any, Any],
    id: AgreementId,  # noqa: A002 - the GraphQL name
    days: Days = UNSET,
) -> list[UseType]:
    agreement_id = id_of(id, "id")
    since = timedelta(days=min(max(days, 0), 100_000) if isinstance(days, int) else 90)
    uses = await at_desk(info, lambda desk: agreements.report_use(desk, agreement_id, since))
    return [_use(use) for use in uses]


async def _client(info: Info[Any, Any], id: ClientName) -> ClientType:  # noqa: A002 - the GraphQL name
    return _client_shown(await at_desk(info, lambda desk: clients.show_client(desk, id)))


async def _create_partner(info: Info[Any, Any], input: CreatePartnerInput) -> DonePayload:  # noqa: A002
    async def steps() -> Mapping[str, Any]:
        await at_desk(
            info,
            lambda desk: partners.create_partner(desk, name=input.name, display_name=input.display_name),
        )
        return {}

    return await concluded(DonePayload, steps())


async def _create_agreement(
    info: Info[Any, Any],
    input: CreateAgreementInput,  # noqa: A002 - the GraphQL name
) -> AgreementPayload:
    async def steps() -> Mapping[str, Any]:
        agreement_id = await at_desk(
            info,
            lambda desk: agreements.create_agreement(
                desk,
                partner=input.partner,
                basis=Basis(input.basis),
                purpose=Purpose(input.purpose),
                reasons=_reasons(input.grounds),
                valid_from=input.valid_from or None,
                valid_until=input.valid_until or None,
                draft=input.draft,
            ),
        )
        if input.draft:
            return await _as_it_stands(info, agreement_id)
        return await _activated(info, agreement_id)

    return await concluded(AgreementPayload, steps())


async def _state_reasons(info: Info[Any, Any], input: StateReasonsInput) -> AgreementPayload:  # noqa: A002
    async def steps() -> Mapping[str, Any]:
        agreement_id, reasons = id_of(input.agreement, "agreement"), _reasons(input.grounds)
        await at_desk(info, lambda desk: agreements.state_reasons(desk, agreement_id, reasons))
        return await _as_it_stands(info, agreement_id)

    return await concluded(AgreementPayload, steps())


async def _approve(info: Info[Any, Any], input: CategoriesInput) -> AgreementPayload:  # noqa: A002
    async def steps() -> Mapping[str, Any]:
        agreement_id, keys = id_of(input.agreement, "agreement"), input.categories or ()
        await at_desk(info, lambda desk: agreements.approve_grounds(desk, agreement_id, keys))
        return await _as_it_stands(info, agreement_id)

    return await concluded(AgreementPayload, steps())


async def _narrow(info: Info[Any, Any], input: CategoriesInput) -> AgreementPayload:  # noqa: A002
    async def steps() -> Mapping[str, Any]:
        agreement_id, keys = id_of(input.agreement, "agreement"), input.categories or ()
        changes = await at_desk(info, lambda desk: agreements.narrow_agreement(desk, agreement_id, keys))
        return await _as_it_stands(info, agreement_id, changes)

    return await concluded(AgreementPayload, steps())


async def _change(info: Info[Any, Any], input: ChangeAgreementInput) -> AgreementPayload:  # noqa: A002
    async def steps() -> Mapping[str, Any]:
        agreement_id, wanted = id_of(input.agreement, "agreement"), _changes(stated(input))
        changes = await at_desk(info, lambda desk: agreements.change_agreement(desk, agreement_id, wanted))
        return await _as_it_stands(info, agreement_id, changes)

    return await concluded(AgreementPayload, steps())


async def _activate(info: Info[Any, Any], input: AgreementInput) -> AgreementPayload:  # noqa: A002
    async def steps() -> Mapping[str, Any]:
        return await _activated(info, id_of(input.agreement, "agreement"))

    return await concluded(AgreementPayload, steps())


async def _suspend(info: Info[Any, Any], input: AgreementInput) -> AgreementPayload:  # noqa: A002
    return await _stopped(info, input, AgreementStatus.SUSPENDED)


async def _end(info: Info[Any, Any], input: AgreementInput) -> AgreementPayload:  # noqa: A002
    return await _stopped(info, input, AgreementStatus.ENDED)


async def _create_client(info: Info[Any, Any], input: CreateClientInput) -> SecretPayload:  # noqa: A002
    async def steps() -> Mapping[str, Any]:
        agreement_id = id_of(input.agreement, "agreement")
        secret = await at_desk(
            info,
            lambda desk: clients.create_client(
                desk, client_id=input.client_id, agreement_id=agreement_id, keys=(), dpop=input.dpop
            ),
        )
        return {"client_id": input.client_id, "secret": secret}

    return await concluded(SecretPayload, steps())


async def _rotate(info: Info[Any, Any], input: RotateSecretInput) -> SecretPayload:  # noqa: A002
    async def steps() -> Mapping[str, Any]:
        hours = input.overlap_hours if isinstance(input.overlap_hours, int) else OVERLAP
        overlap = timedelta(hours=min(max(hours, -1), 1_000_000))
        secret = await at_desk(info, lambda desk: clients.rotate_secret(desk, input.client_id, overlap))
        return {"client_id": input.client_id, "secret": secret}

    return await concluded(SecretPayload, steps())


async def _revoke(info: Info[Any, Any], input: ClientInput) -> DonePayload:  # noqa: A002 - the GraphQL name
    async def steps() -> Mapping[str, Any]:
        await at_desk(info, lambda desk: clients.revoke_client(desk, input.client_id))
        return {}

    return await concluded(DonePayload, steps())


async def _activated(info: Info[Any, Any], agreement_id: UUID) -> Mapping[str, Any]:
    changes = await at_long_desk(info, lambda desk: agreements.activate_agreement(desk, agreement_id))
    return await _as_it_stands(info, agreement_id, changes)


async def _stopped(info: Info[Any, Any], given: AgreementInput, status: AgreementStatus) -> AgreementPayload:
    async def steps() -> Mapping[str, Any]:
        agreement_id = id_of(given.agreement, "agreement")
        changes = await at_long_desk(info, lambda desk: agreements.stop_agreement(desk, agreement_id, status))
        return await _as_it_stands(info, agreement_id, changes)

    return await concluded(AgreementPayload, steps())


async def _as_it_stands(
    info: Info[Any, Any], agreement_id: UUID, changes: ShareChanges | None = None
) -> Mapping[str, Any]:
    shown = _shown(await at_desk(info, lambda desk: agreements.show_agreement(desk, agreement_id)))
    done = changes or ShareChanges()
    return {
        "agreement": shown,
        "opened": done.opened,
        "changed": done.changed,
        "withdrawn": done.withdrawn,
    }


def _reasons(grounds: Sequence[ReasonInput]) -> dict[str, str]:
    return {ground.category.strip(): ground.reason.strip() for ground in grounds}


def _changes(given: Mapping[str, Any]) -> Changes:
    def days(name: str) -> int | None:
        if name not in given:
            return None
        return NEVER if given[name] is None else max(given[name], 0)

    return Changes(
        valid_from=given.get("valid_from"),
        valid_until=given.get("valid_until"),
        endless="valid_until" in given and given["valid_until"] is None,
        deletion_days=given.get("deletion_days"),
        narrow_after_days=days("narrow_after_days"),
        suspend_after_days=days("suspend_after_days"),
    )


def _shown(view: AgreementView) -> StaffAgreementType:
    terms, duties = view.terms, view.duties
    return StaffAgreementType(
        id=strawberry.ID(str(terms.id)),
        partner=view.partner,
        basis=terms.basis,
        purpose=terms.purpose,
        status=terms.status,
        version=terms.version,
        categories=sorted(category.value for category in terms.categories),
        valid_from=terms.valid_from,
        valid_until=terms.valid_until,
        deletion_days=duties.deletion_days,
        narrow_after_days=duties.narrow_after_days,
        suspend_after_days=duties.suspend_after_days,
        restriction=duties.restriction,
        active_clients=list(view.active_clients),
        revoked_clients=list(view.revoked_clients),
        members=view.members,
        grounds=[shown_as(GroundType, ground) for ground in view.grounds],
    )


def _use(use: Use) -> UseType:
    return UseType(
        category=use.ground.category.value,
        reason=use.ground.reason,
        responses=use.responses,
        last_at=use.last_at,
        fetched=[key.value for key in use.fetched],
    )


def _client_shown(view: ClientView) -> ClientType:
    held = [shown_as(CredentialType, each, name=each.name or None) for each in view.credentials]
    return shown_as(ClientType, view, credentials=held)


@strawberry.type
class StaffAgreementQuery:
    """What officers read of partners."""

    partners: list[StaffPartnerType] = asks(Act.PARTNER_READ, "Every partner, by name.", _partners)
    agreements: list[StaffAgreementType] = asks(
        Act.AGREEMENT_READ, "Agreements, by partner and age.", _agreements
    )
    agreement: StaffAgreementType = asks(
        Act.AGREEMENT_READ, "One agreement, with its reasons and approvals.", _agreement
    )
    agreement_report: list[UseType] = asks(
        Act.AGREEMENT_READ, "What an agreement grants against what was fetched.", _report
    )
    client: ClientType = asks(
        Act.CLIENT_READ, "How a client proves who it is, and until when its credentials count.", _client
    )


@strawberry.type
class StaffAgreementMutation:
    """What officers change of partners."""

    create_partner: DonePayload = does(
        Act.PARTNER_CREATE, "Add a partner. It receives nothing before it has an agreement.", _create_partner
    )
    create_agreement: AgreementPayload = does(
        Act.AGREEMENT_CREATE, "Make an agreement, as a draft or counting at once.", _create_agreement
    )
    state_reasons: AgreementPayload = does(
        Act.AGREEMENT_CHANGE, "Write down the partner's reasons.", _state_reasons
    )
    approve_categories: AgreementPayload = does(
        Act.AGREEMENT_APPROVE, "Approve categories in your name; without any, all that wait.", _approve
    )
    narrow_agreement: AgreementPayload = does(Act.AGREEMENT_CHANGE, "Take categories back, at once.", _narrow)
    change_agreement: AgreementPayload = does(
        Act.AGREEMENT_CHANGE, "Change dates, or how long the partner may take to delete.", _change
    )
    activate_agreement: AgreementPayload = does(
        Act.AGREEMENT_STATUS, "Let a draft or suspended agreement count.", _activate
    )
    suspend_agreement: AgreementPayload = does(
        Act.AGREEMENT_STATUS, "Stop an agreement at once; it can be activated again.", _suspend
    )
    end_agreement: AgreementPayload = does(
        Act.AGREEMENT_STATUS, "Stop an agreement at once and for good.", _end
    )
    create_client: SecretPayload = does(
        Act.CLIENT_CREATE,
        "Let a program act under an agreement; shows its secret this once.",
        _create_client,
    )
    rotate_client_secret: SecretPayload = does(
        Act.CLIENT_CREDENTIALS, "Give a client a new secret, shown this once.", _rotate
    )
    revoke_client: DonePayload = does(
        Act.CLIENT_REVOKE, "Refuse a client and every token it has, at once and for good.", _revoke
    )
