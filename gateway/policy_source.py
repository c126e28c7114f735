"""Where the sharing policy is read from: the files shipped in `policies`, or an officer's own."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from gateway.settings import Settings
from policies.rules import PolicySource
from schema.errors import PolicyError

_RULES = "sharing.cedar"
_SCHEMA = "sharing.cedarschema"


def load_default_policy() -> PolicySource:
    """Read the shipped policy."""
    shipped = files("policies")
    return PolicySource(
        rules=shipped.joinpath(_RULES).read_text(encoding="utf-8"),
        schema=shipped.joinpath(_SCHEMA).read_text(encoding="utf-8"),
    )


def load_policy(rules: Path | None, schema: Path | None) -> PolicySource:
    """Read a policy from files; what is not given is the shipped one.

    Raises:
        PolicyError: a file cannot be read as UTF-8 text.

    """
    default = load_default_policy()
    return PolicySource(
        rules=default.rules if rules is None else _read(rules),
        schema=default.schema if schema is None else _read(schema),
    )


def load_policy_of(settings: Settings) -> PolicySource:
    """The policy that a gateway with these settings uses.

    Raises:
        PolicyError: `policy_dir` lacks a file, or holds one that cannot be read.
    """
    folder = settings.policy_dir
    if folder is None:
        return load_default_policy()
    return load_policy(folder / _RULES, folder / _SCHEMA)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"`{path}` cannot be read as UTF-8 text; name an existing policy file") from error
