"""What everybody may read: the policy in force, and who the gateway takes the caller for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

import strawberry

from schema.catalogue import structural
from schema.categories import Audience, Basis, Purpose
from schema.vocabulary import AgreementStatus, Language, Restriction


@strawberry.type(name="SharingRule", description="What one basis may share for one purpose.")
class SharingRuleType:
    """A row of the compiled policy."""

    basis: Basis = structural("Why data may leave.")
    purpose: Purpose = structural("What it is used for.")
    categories: list[str] = structural("The data categories that may leave at all.")
    until_opt_out: list[str] = structural(
        "Those that leave until the member opts out; the rest needs an opt-in."
    )


@strawberry.type(name="PolicySection", description="What the policy says under one heading.")
class PolicySectionType:
    """A part of the text for members."""

    level: int = structural("1: the title; 2 and 3: headings below it.")
    title: str = structural("The heading.")
    paragraphs: list[str] = structural("What stands below it. Between backticks is the name of a rule.")


@strawberry.type(name="PolicyRule", description="A rule of the policy, as an officer wrote it.")
class PolicyRuleType:
    """One rule."""

    id: str = structural("The name by which the text and explanations cite it.")
    effect: str = structural(
        "`permit` or `forbid`. What no rule permits is denied, and a forbid beats every permit."
    )
    clause: str | None = structural("The clause of the privacy policy that it follows.")
    text: str = structural("What it says, in one sentence.")


async def _since(root: strawberry.Parent[PolicyType]) -> datetime | None:
    return (await root.standing())[1]


async def _version(root: strawberry.Parent[PolicyType]) -> str | None:
    return (await root.standing())[0]


async def _text(
    root: strawberry.Parent[PolicyType], language: Language = Language.EN
) -> list[PolicySectionType]:
    return await root.in_words(Language(language))


def _rule_texts(
    root: strawberry.Parent[PolicyType], language: Language = Language.EN
) -> list[PolicyRuleType]:
    return root.of_rules(Language(language))  # as sent it is only equal to one


@strawberry.type(name="Policy", description="The sharing policy in force.")
class PolicyType:
    """The compiled policy, for people and programs."""

    digest: str = structural("SHA-256 of the policy's text: changes whenever the policy does.")
    rules: list[SharingRuleType] = structural("What may be shared. What is not listed is not shared.")
    standing: strawberry.Private[Callable[[], Awaitable[tuple[str | None, datetime | None]]]]
    """Its version, and since when."""
    in_words: strawberry.Private[Callable[[Language], Awaitable[list[PolicySectionType]]]]
    of_rules: strawberry.Private[Callable[[Language], list[PolicyRuleType]]]
    version: str | None = structural("The number of its publication.", resolver=_version)
    in_force_since: datetime | None = structural("When it took effect.", resolver=_since)
    text: list[PolicySectionType] = structural(
        "All of it in words for members, with what will change: the text of the page `/policy`.",
        resolver=_text,
    )
    rule_texts: list[PolicyRuleType] = structural("The rules, word by word.", resolver=_rule_texts)


@strawberry.type(name="Viewer", description="Who the gateway takes you for.")
class ViewerType:
    """The caller's own identity, as far as the caller may know it."""

    audience: Audience = structural("Visitor, member, partner or recipient of aggregates.")
    scopes: list[str] = structural("The data categories that your contract opens; empty for visitors.")


@strawberry.type(name="CategoryTerms", description="A category of your agreement, and why it was granted.")
class CategoryTermsType:
    """Only categories that the contract opens something of."""

    category: str = structural("The key of the data category.")
    reason: str | None = structural("The reason that you stated.")


@strawberry.type(name="Quota", description="What one quota still allows.")
class QuotaType:
    """Of the agreement's quota and the client's, the one with less left."""

    limit: int = structural("How much of it there is in each window.")
    remaining: int = structural("How much of it is left now; another replica may have used a little more.")
    resets_at: datetime = structural("When there is `limit` again.")


@strawberry.type(name="Budget", description="What you may still use. Null: nothing limits it.")
class BudgetType:
    """What `RateLimit` tells in each answer, for programs that ask."""

    requests: QuotaType | None = structural("Requests of this minute.")
    members: QuotaType | None = structural("Members that may be delivered today.")


async def _budget(root: strawberry.Parent[AgreementTermsType]) -> BudgetType:
    return await root.left()


@strawberry.type(name="AgreementTerms", description="The terms under which you receive data.")
class AgreementTermsType:
    """A partner's own agreement."""

    basis: Basis = structural("Why data may leave to you.")
    purpose: Purpose = structural("What you may use it for.")
    categories: list[str] = structural("The data categories that agreement and scopes open.")
    reasons: list[CategoryTermsType] = structural("What you stated that you need them for.")
    status: AgreementStatus = structural("Where the agreement stands.")
    in_force: bool = structural("Whether it counts now.")
    valid_from: datetime = structural("Its first moment.")
    valid_until: datetime | None = structural("The first moment it does not count; null: until ended.")
    deletion_days: int = structural("Within how many days what is withdrawn has to be deleted and confirmed.")
    narrow_after_days: int | None = structural(
        "Days overdue after which your tokens open nothing of any member; null: never."
    )
    suspend_after_days: int | None = structural(
        "Days overdue after which your tokens are refused; null: never."
    )
    restriction: Restriction = structural("What overdue deletions have done to your tokens.")
    left: strawberry.Private[Callable[[], Awaitable[BudgetType]]]
    """Asks for the budget: only of who wants to know."""
    budget: BudgetType = structural("What you may still use.", resolver=_budget)
