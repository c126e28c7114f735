"""What has to be deleted after a withdrawal: as the partner is told it, and as the member follows it."""

from __future__ import annotations

from datetime import datetime

import strawberry

from schema.catalogue import accepts, computed, derived, related, stored, structural
from schema.categories import Basis, DataCategory, Purpose
from schema.tables import Agreement, Deletion
from schema.types.commands import FieldErrorType
from schema.types.member_agreements import AgreementType

_PREFERENCES = DataCategory.PRIVACY_PREFERENCES


@strawberry.type(name="DeletionObligation", description="What you have to delete of one member.")
class DeletionObligationType:
    """An obligation, told to the partner whatever the scopes of its token."""

    id: strawberry.ID = computed(DataCategory.PSEUDONYM, "The pairwise id of the member.")
    basis: Basis = structural("The basis of the agreement under which it was shared.")
    purpose: Purpose = structural("The purpose of that agreement.")
    categories: list[str] = structural("The data categories to delete: state them in your confirmation.")
    erased: bool = structural("Whether the pairwise id itself has to be deleted as well.")
    withdrawn_at: datetime = structural("When it was withdrawn.")
    due_at: datetime = structural("By when it has to be deleted and confirmed.")
    told_at: datetime | None = structural("When you were first told.")
    confirmed_at: datetime | None = structural("When your statement confirmed it.")
    overdue: bool = structural("Whether it is late.")


@strawberry.input(name="ConfirmDeletionInput", description="Your signed word that something is deleted.")
class ConfirmDeletionInput:
    """The statement holds the ids; `ids` only guards against sending another one by mistake."""

    statement: str = accepts(DataCategory.OPERATIONS, "A JWS, signed with one of your statement keys.")
    ids: list[strawberry.ID] | None = accepts(
        DataCategory.PSEUDONYM, "The pairwise ids in it, if you want them compared.", optional=True
    )


@strawberry.type(name="ConfirmDeletionPayload", description="What came of a statement.")
class ConfirmDeletionPayload:
    """Findings; or of each id in the statement what came of it."""

    errors: list[FieldErrorType] = structural("Why it was refused; empty when it was taken in.")
    statement: strawberry.ID | None = structural("The id under which the statement is kept.")
    confirmed: list[strawberry.ID] = structural("Nothing is left to delete of these members.")
    still_owed: list[strawberry.ID] = structural(
        "Something is: a category that it does not state, or that was withdrawn after its date."
    )
    not_owed: list[strawberry.ID] = structural("Of these ids nothing had to be deleted.")


@strawberry.type(
    name="Withdrawal", description="What a partner may no longer hold of you, and what became of it."
)
class WithdrawalType:
    """One row of `deletion`, read by its member."""

    id: strawberry.ID = stored(Deletion.id, "Names the withdrawal.")
    agreement: AgreementType = related(
        _PREFERENCES, "Under which agreement it was shared.", parent=Deletion.agreement_id, child=Agreement.id
    )
    categories: list[str] = derived(
        "share_categories", _PREFERENCES, "What has to be deleted.", Deletion.mask
    )
    withdrawn_at: datetime = stored(Deletion.withdrawn_at, "When it was withdrawn.")
    due_at: datetime = stored(Deletion.due_at, "By when the partner has to have deleted it.")
    told_at: datetime | None = stored(Deletion.told_at, "When the partner was told; null: not yet.")
    confirmed_at: datetime | None = stored(
        Deletion.confirmed_at, "When the partner confirmed it, by a signed statement; null: not yet."
    )
    late: bool = derived(
        "late",
        _PREFERENCES,
        "Whether the partner should have confirmed it by now and has not.",
        Deletion.due_at,
        Deletion.confirmed_at,
    )
