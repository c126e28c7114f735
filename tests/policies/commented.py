"""The rules that the shipped policy shows in comments, by id: documentation that tests can run."""

from __future__ import annotations

import re


def commented_rules(text: str) -> dict[str, str]:
    """Every rule that stands in indented comments of `text`, without the comment marks."""
    uncommented = "\n".join(line[5:] for line in text.splitlines() if line.startswith("//   "))
    found = re.finditer(r'@id\("([^"]+)"\).*?;(?=\s*(?:@id|\Z))', uncommented, re.DOTALL)
    return {match[1]: match[0] for match in found}
