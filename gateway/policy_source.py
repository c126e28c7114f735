"""Where a policy is read from: the directory that ships in `policies`, or an officer's own."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from gateway.settings import Settings
from policies.directory import PolicyDirectory, read_draft
from policies.rules import PolicySource
from schema.errors import PolicyError

DEEPEST: Final = 2
"""A policy has files, and files in folders; nothing below."""


def load_shipped_directory() -> PolicyDirectory:
    """Read the shipped policy."""
    return read_draft(_read(files("policies").joinpath("shipped")))


def load_directory(folder: Path | None) -> PolicyDirectory:
    """Read a policy from its directory; without one, the shipped policy.

    Raises:
        PolicyError: it is no directory, or what is in it is no policy.
    """
    if folder is None:
        return load_shipped_directory()
    if not folder.is_dir():
        raise PolicyError(
            f"`{folder}` is no directory: name one that holds a policy, or compare a version or `current`"
        )
    return read_draft(_read(folder))


def load_policy_of(settings: Settings) -> PolicySource:
    """The policy that a gateway with these settings uses.

    Raises:
        PolicyError: what is in `policy_dir` is no policy.
    """
    return load_directory(settings.policy_dir).source


def _read(folder: Traversable, above: str = "", depth: int = 1) -> dict[str, str]:
    """Every file below the folder, by its path. What begins with a dot, editors left behind.

    Some editors begin a file of UTF-8 with a mark that is no part of the text (`utf-8-sig`).
    """
    found: dict[str, str] = {}
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        path = f"{above}{entry.name}"
        if entry.name.startswith(".") or entry.name == "__pycache__":
            continue
        if entry.is_dir() and depth < DEEPEST:
            found |= _read(entry, f"{path}/", depth + 1)
            continue
        try:
            found[path] = entry.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise PolicyError(f"`{path}` cannot be read as UTF-8 text") from error
    return found
