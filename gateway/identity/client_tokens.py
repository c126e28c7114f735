"""What a verified token says of a company's client: which key it is bound to, which principal it makes."""

from __future__ import annotations

from gateway.identity.tokens import VerifiedToken, refuse
from policies.aggregate_agreement import AggregateTerms, dimension_mask
from policies.agreement import scope_mask
from policies.principal import ClientPrincipal, PartnerPrincipal, RecipientPrincipal
from resolvers.callers import ClientFacts
from schema.vocabulary import Restriction


def binding_of(token: VerifiedToken) -> str | None:
    """The thumbprint of the key that the token is bound to; None for a bearer's.

    Raises:
        UnauthenticatedError: it is bound in a way that we cannot check (RFC 7800).
    """
    if "cnf" not in token.claims:
        return None
    confirmation = token.claims["cnf"]
    if isinstance(confirmation, dict) and confirmation.keys() == {"jkt"}:
        thumbprint = confirmation["jkt"]
        if isinstance(thumbprint, str) and thumbprint:
            return thumbprint
    raise refuse("bound in another way")


def client_principal(token: VerifiedToken, facts: ClientFacts, policy: object) -> ClientPrincipal:
    """The principal of a client with this token, under its terms; `policy` as in `PartnerPrincipal`.

    The caller has made sure that token, client and agreement count now.
    """
    scope = token.claims.get("scope", "")
    scopes = scope.split(" ") if isinstance(scope, str) else ()
    terms, narrowed = facts.terms, facts.restriction is Restriction.NARROWED
    if isinstance(terms, AggregateTerms):
        return RecipientPrincipal(
            partner_id=terms.partner_id,
            agreement_id=terms.id,
            agreement_version=terms.version,
            client_id=token.client_id,
            token_id=token.token_id,
            mask=dimension_mask(terms, scopes),
            issued_at=token.issued_at,
            expires_at=token.expires_at,
        )
    return PartnerPrincipal(
        partner_id=terms.partner_id,
        agreement_id=terms.id,
        agreement_version=terms.version,
        client_id=token.client_id,
        token_id=token.token_id,
        basis=terms.basis,
        purpose=terms.purpose,
        # Narrowed, nothing of any member is left to read: what has to be deleted can be asked and confirmed.
        mask=0 if narrowed else scope_mask(terms, scopes),
        issued_at=token.issued_at,
        expires_at=token.expires_at,
        policy=policy,
    )
