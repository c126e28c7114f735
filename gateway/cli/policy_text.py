"""`gateway policy text`: a policy as members read it at `/policy`."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.cli.policy import Directory
from gateway.cli.words import listed, one_of
from gateway.policy_source import load_directory
from gateway.settings import load_settings
from policies.document import document_markdown
from policies.matrix import compile_matrix
from policies.member_text import member_text
from policies.words import WORDS
from schema.vocabulary import Language


def text_command(
    directory: Directory = None,
    language: Annotated[
        Language,
        typer.Option(
            "--language", parser=one_of(Language), metavar=listed(Language, "|"), help="In which language."
        ),
    ] = Language.EN,
) -> None:
    """Print what members read about the policy, as Markdown: who receives what, and what they can do."""
    matrix = compile_matrix(load_directory(directory or load_settings().policy_dir).source)
    typer.echo(document_markdown(member_text(matrix, WORDS[language])), nl=False)
