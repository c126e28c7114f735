"""What a rule says, in the language of whoever reads it."""

from __future__ import annotations

from policies.rules import Rule
from schema.vocabulary import Language


def rule_text(rule: Rule, language: Language) -> str:
    """The rule's sentence for members and officers; as its author wrote it where nobody translated it."""
    return rule.text_in(str(language))
