"""The addresses that stand in mails. Each holds a token, which stands in no table and no log line."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from gateway.settings import Settings
from resolvers.commands.practices import practice_token
from resolvers.commands.refusing import refusal_token
from resolvers.commands.unsubscribing import unsubscribe_token
from resolvers.tokens import SealedTokens, TokenUse


@dataclass(frozen=True, slots=True)
class Addresses:
    """Makes them. Links lead to the company's front-end if it has one; unsubscribing is always ours."""

    public_url: str
    front_end_url: str | None
    tokens: SealedTokens

    def confirm(self, link_id: UUID) -> str:
        """Where a link is followed."""
        return self._link("confirm", link_id)

    def reset(self, link_id: UUID) -> str:
        """Where a new password is set."""
        return self._link("reset", link_id)

    def unsubscribe(self, member_id: UUID) -> str:
        """Where the newsletter is left, by a person or by the program that shows the mail (RFC 8058)."""
        return f"{self.public_url}/unsubscribe/{unsubscribe_token(self.tokens, member_id)}"

    def refuse_practices(self, member_id: UUID, version: int) -> str:
        """Where a member refuses what a version of the policy opens, without signing in (C16)."""
        return f"{self.public_url}/refuse/{practice_token(self.tokens, member_id, version)}"

    def refuse(self, address: str) -> str:
        """Where whoever gets mail at this address, a member or not, refuses promotional mail there."""
        return f"{self.public_url}/unsubscribe/{refusal_token(self.tokens, address)}"

    def _link(self, page: str, link_id: UUID) -> str:
        token = self.tokens.seal(TokenUse.LINK, link_id.bytes)
        if self.front_end_url is None:
            return f"{self.public_url}/{page}/{token}"
        return f"{self.front_end_url}/{page}?token={token}"


def addresses_of(settings: Settings, tokens: SealedTokens) -> Addresses:
    """The addresses of this installation."""
    front_end = None if settings.front_end_url is None else str(settings.front_end_url).rstrip("/")
    return Addresses(str(settings.public_url).rstrip("/"), front_end, tokens)
