"""`gateway aggregates ...`: agreements about counts of the audience, budgets, what was answered (C5, C7)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer

from gateway.account_means import audience_rules
from gateway.cli.listing import print_list
from gateway.cli.office import Office, in_office, parse_id, parse_moment
from gateway.cli.words import listed, one_of, spelt, typed
from policies.audience import Question, ask
from policies.audience_answer import share
from policies.privacy_budget import PrivacyBudget, Thousandths, epsilon_of, loss, period_of, thousandths
from resolvers.commands.audience import Answered
from resolvers.officers.aggregates import (
    AggregateAgreementView,
    AnswerView,
    Budgets,
    ask_internally,
    create_aggregate_agreement,
    end_aggregate_agreement,
    list_aggregate_agreements,
    list_answers,
    read_budgets,
)
from schema.categories import Purpose
from schema.errors import InputError
from schema.vocabulary import AudienceDimension

app = typer.Typer(help="Counts of the audience: who may ask, and what was answered.", no_args_is_help=True)
agreement_app = typer.Typer(help="What a company may ask, and how much.", no_args_is_help=True)
app.add_typer(agreement_app, name="agreement")

HERE = "an aggregate agreement, as `gateway aggregates agreement list`"

Id = Annotated[str, typer.Argument(metavar="ID", help="As `gateway aggregates agreement list` prints it.")]


@agreement_app.command("create")
def create_command(
    partner: Annotated[str, typer.Argument(metavar="PARTNER")],
    purpose: Annotated[
        Purpose,
        typer.Option(
            "--purpose",
            parser=one_of(Purpose),
            metavar="PURPOSE",
            help="reporting, partner-offers or own-offers.",
        ),
    ],
    dimensions: Annotated[
        list[AudienceDimension],
        typer.Option(
            "--dimension",
            parser=one_of(AudienceDimension),
            metavar=listed(AudienceDimension, "|"),
            help="Repeatable.",
        ),
    ],
    budget: Annotated[
        float, typer.Option("--budget", help="Epsilon that it may spend in a month.", metavar="EPSILON")
    ] = 1.0,
    valid_from: Annotated[str | None, typer.Option("--from", help="Default: now.", metavar="DATE")] = None,
    valid_until: Annotated[
        str | None, typer.Option("--until", help="The first moment it does not count.", metavar="DATE")
    ] = None,
) -> None:
    """Let a company ask about the audience, and print the agreement's id."""
    allowed = thousandths(budget)
    if allowed is None:
        raise InputError("`--budget`: an epsilon with at most three decimal places")
    begins, ends = parse_moment(valid_from, "--from"), parse_moment(valid_until, "--until")

    async def work(office: Office) -> UUID:
        return await create_aggregate_agreement(
            office.desk,
            partner=partner,
            purpose=purpose,
            dimensions=dimensions,
            budget=allowed,
            valid_from=begins,
            valid_until=ends,
        )

    agreement_id = in_office(work)
    typer.echo(agreement_id)
    typer.echo(f"next: gateway client create CLIENT_ID --agreement {agreement_id}", err=True)


@agreement_app.command("list")
def list_command(
    partner: Annotated[str | None, typer.Option("--partner", help="Only of this partner.")] = None,
) -> None:
    """List agreements, one a line, with what is left of this month's budgets."""

    async def work(office: Office) -> Sequence[AggregateAgreementView]:
        return await list_aggregate_agreements(office.desk, partner=partner)

    print_list(
        map(_agreement, in_office(work)),
        "there is no aggregate agreement: `gateway aggregates agreement create` makes one",
    )


def _agreement(found: AggregateAgreementView) -> tuple[str, ...]:
    terms = found.terms
    return (str(terms.id), found.partner, terms.purpose.name, terms.status.value, _left(found.budget))


@agreement_app.command("show")
def show_command(agreement: Id) -> None:
    """Show one agreement."""
    wanted = parse_id(agreement, what=HERE)

    async def work(office: Office) -> Sequence[AggregateAgreementView]:
        return await list_aggregate_agreements(office.desk, agreement_id=wanted)

    for found in in_office(work):
        terms = found.terms
        until = "without end" if terms.valid_until is None else f"until {_moment(terms.valid_until)}"
        typer.echo(f"aggregate agreement {terms.id} with {found.partner}: {terms.status}")
        typer.echo(f"  purpose     {terms.purpose.name} ({terms.purpose})")
        typer.echo(f"  dimensions  {', '.join(sorted(terms.dimensions))}")
        typer.echo(f"  scopes      {', '.join(sorted(terms.categories))}")
        typer.echo(f"  budget      {_left(found.budget)}")
        typer.echo(f"  counts      from {_moment(terms.valid_from)} {until}")
        typer.echo(f"  clients     {', '.join(found.clients) or 'none'}")


@agreement_app.command("end")
def end_command(agreement: Id) -> None:
    """Stop an agreement at once and for good."""
    agreement_id = parse_id(agreement, what=HERE)

    async def work(office: Office) -> None:
        await end_aggregate_agreement(office.desk, agreement_id)

    in_office(work)
    typer.echo(f"aggregate agreement {agreement_id}: ENDED")


@app.command("list")
def answers_command(
    agreement: Annotated[
        str | None, typer.Option("--agreement", help="Only what was answered under it.", metavar="ID")
    ] = None,
    first: Annotated[int, typer.Option("--first", min=1, max=10_000, help="At most so many.")] = 100,
) -> None:
    """List what was answered, the latest first: when, to whom, at what loss, to which question."""
    wanted = None if agreement is None else parse_id(agreement, what=HERE)

    async def work(office: Office) -> Sequence[AnswerView]:
        return await list_answers(office.desk, agreement_id=wanted, limit=first)

    print_list(map(_answer, in_office(work)), "nothing was answered yet")


def _answer(view: AnswerView) -> tuple[str, ...]:
    paid = f"epsilon {epsilon_of(view.epsilon):g}"
    return (_moment(view.answered_at), view.asker, view.account, paid, _question(view.question))


def _question(text: str) -> str:
    """The recorded question as `gateway aggregates ask` takes it; of everybody, it takes nothing."""
    asked = json.loads(text)
    by = [f"--by {spelt(AudienceDimension(name))}" for name in asked["groupBy"]]
    where = [
        f"--where {spelt(AudienceDimension(name))}={','.join(values)}"
        for name, values in asked["where"].items()
    ]
    return " ".join([*by, *where]) or "everybody"


@app.command("budgets")
def budgets_command() -> None:
    """Show what is left in this month: for everyone together, and for the company itself."""

    async def work(office: Office) -> Budgets:
        return await read_budgets(office.desk, audience_rules(office.settings))

    budgets = in_office(work)
    typer.echo(f"everyone\t{_left(budgets.everyone)}")
    typer.echo(f"internal\t{_left(budgets.internal)}")


@app.command("ask")
def ask_command(
    by: Annotated[
        list[AudienceDimension] | None,
        typer.Option(
            "--by",
            parser=one_of(AudienceDimension),
            metavar=listed(AudienceDimension, "|"),
            help="A dimension that groups are made of; up to two.",
        ),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option("--where", help="Such as region=US,CA; repeatable.", metavar="NAME=VALUES"),
    ] = None,
    epsilon: Annotated[
        float, typer.Option("--epsilon", help="What the answer may cost, from 0.01 to 1.")
    ] = 0.1,
) -> None:
    """Ask for the company's own use; the answer costs of its own budget and everyone's."""
    dimensions, only, wanted = by or [], _only(where or ()), loss(epsilon)

    async def work(office: Office) -> tuple[Question, Answered, int]:
        rules = audience_rules(office.settings)
        question = ask(rules.vocabulary(period_of(office.now)), dimensions, only, wanted)
        return question, await ask_internally(office.desk, question, rules), rules.minimum_cohort

    question, answered, minimum = in_office(work)
    audience = answered.audience
    for cell, count in zip(question.cells, audience.groups, strict=True):
        part = share(count, audience.total)
        shown = f"fewer than {minimum}, maybe" if count is None else str(count)
        typer.echo("\t".join((*(cell or ("all",)), shown, "" if part is None else f"{part:.2%}")))
    typer.echo(
        f"within {audience.bound} with 95 % confidence; counted {_moment(answered.as_of)};"
        f" paid {epsilon_of(answered.paid):g}, {_left(answered.budget)}",
        err=True,
    )


def _only(conditions: Sequence[str]) -> Mapping[AudienceDimension, Sequence[str]]:
    only: dict[AudienceDimension, Sequence[str]] = {}
    for condition in conditions:
        name, equals, values = condition.partition("=")
        dimension = typed(AudienceDimension, name, "--where NAME=VALUE,VALUE")
        if not equals or dimension in only:
            raise InputError("`--where`: NAME=VALUE,VALUE, each name once")
        only[dimension] = [value.strip() for value in values.split(",") if value.strip()]
    return only


def _left(budget: PrivacyBudget) -> str:
    left, allowed = Thousandths(budget.left), budget.allowed
    return f"{epsilon_of(left):g} of {epsilon_of(allowed):g} left until {_moment(budget.resets_at)}"


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
