"""The program `gateway`: one line for each command, and how it ends.

Exit codes: 0 done; 1 refused or failed, with the reason on standard error; 2 used wrongly; 130 interrupted.
"""

from __future__ import annotations

import sys

import typer

from gateway.cli import (
    aggregates,
    agreements,
    cases,
    clients,
    deletions,
    disclosures,
    documents,
    officers,
    partners,
    requests,
    tokens,
    transfers,
    webhooks,
)
from gateway.cli import schema as schema_commands
from gateway.cli.archives import contact_number_command, fulfil_command
from gateway.cli.clauses import clauses_command
from gateway.cli.demo import demo_command
from gateway.cli.doctor import doctor_command
from gateway.cli.explain import explain_command
from gateway.cli.importing import import_command
from gateway.cli.keys import keys
from gateway.cli.newsletter import newsletter
from gateway.cli.policy import policy
from gateway.cli.policy_compare import compare_command
from gateway.cli.policy_publish import (
    history_command,
    notices_command,
    publish_command,
    rollback_command,
    show_command,
)
from gateway.cli.policy_text import text_command
from gateway.cli.quotas import agreement_quota_command, client_quota_command
from gateway.cli.seeding import seed_command
from gateway.cli.serving import serve_command
from gateway.cli.setup import init_command, migrate_command
from gateway.cli.suppressions import suppressions
from schema.errors import GatewayError

app = typer.Typer(
    help="A GraphQL gateway that decides, field by field, which member data may leave to whom.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

app.command("demo")(demo_command)
app.command("init")(init_command)
app.command("migrate")(migrate_command)
app.command("serve")(serve_command)
app.command("doctor")(doctor_command)
app.add_typer(keys, name="keys")
app.command("import")(import_command)
app.command("seed")(seed_command)
app.add_typer(newsletter, name="newsletter")
app.add_typer(officers.app, name="officer")
app.add_typer(partners.app, name="partner")
agreements.app.command("quota")(agreement_quota_command)
app.add_typer(agreements.app, name="agreement")
clients.app.command("quota")(client_quota_command)
app.add_typer(cases.app, name="case")
app.add_typer(transfers.app, name="transfer")
app.add_typer(aggregates.app, name="aggregates")
app.add_typer(deletions.app, name="deletions")
app.add_typer(clients.app, name="client")
app.add_typer(tokens.app, name="token")
app.add_typer(webhooks.app, name="webhook")
requests.app.command("fulfil")(fulfil_command)
app.add_typer(requests.app, name="requests")
app.command("contact-number")(contact_number_command)
app.add_typer(disclosures.app, name="disclosures")
app.add_typer(suppressions, name="suppressions")
policy.command("explain")(explain_command)
policy.command("clauses")(clauses_command)
policy.command("text")(text_command)
policy.command("compare")(compare_command)
policy.command("publish")(publish_command)
policy.command("history")(history_command)
policy.command("show")(show_command)
policy.command("rollback")(rollback_command)
policy.command("notices")(notices_command)
app.add_typer(policy, name="policy")
app.add_typer(schema_commands.app, name="schema")
app.add_typer(documents.app, name="documents")


def main() -> None:
    """Run the command line."""
    try:
        app()
    except GatewayError as error:
        for line in str(error).splitlines():
            typer.echo(f"error: {line}", err=True)
        sys.exit(1)
