"""That each DPoP proof counts once, in whichever replica it arrives (RFC 9449, 11.1)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol

from gateway.database import Database
from gateway.identity.dpop import Proof
from gateway.identity.jws import TokenRefusedError
from resolvers.client_credentials import use_once


class ProofBook(Protocol):
    """Where used proofs are noted down."""

    async def use(self, proof: Proof) -> None:
        """Use up a verified proof.

        Raises:
            TokenRefusedError: it was used before.
            UnavailableError: it cannot be found out.
        """


class DatabaseProofs:
    """The book of all replicas: a row in PostgreSQL for each proof, until its age refuses it by itself.

    The commit waits for no disk: a proof is worth nothing without its token, and nothing after a minute.
    A crash of the database server may forget those of its last fraction of a second, a gateway's none.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def use(self, proof: Proof) -> None:
        """Use up a verified proof.

        Raises:
            TokenRefusedError: it was used before.
            UnavailableError: the database does not answer.
        """
        ends = datetime.fromtimestamp(proof.expires_at, UTC)
        async with self._database.connection() as connection:
            first = await use_once(connection, f"proof {proof.thumbprint}", proof.jti, ends, durable=False)
        if not first:
            raise TokenRefusedError("proof was used before")
