"""What a webhook says and how it is signed, after the Standard Webhooks specification.

    webhook-id         the message's id, the same in every attempt: repeats are told by it
    webhook-timestamp  Unix seconds of this attempt
    webhook-signature  `v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`, for each secret that counts

A secret is 32 bytes derived from the master secret for one endpoint and one generation, so that none is
stored; receivers know it as `whsec_` and base64.
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import orjson

from gateway.keys import Keyring
from resolvers.webhook_outbox import WaitingMessage

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - what every secret begins with


def shown_secret(keys: Keyring, endpoint_id: UUID, generation: int) -> str:
    """The secret as the partner gets it. Shown once, by the command that makes it, and written nowhere."""
    return SECRET_PREFIX + b64encode(keys.webhook_key(endpoint_id, generation)).decode()


def payload(message: WaitingMessage) -> bytes:
    """The body: what happened, when, and to whom, by ids that only this partner knows. The same every time.

    Nothing else of a member may ever stand here: no category, no reason, no agreement, no name.
    """
    return orjson.dumps(
        {
            "type": message.kind.value,
            "timestamp": message.occurred_at,
            "data": {"ids": [str(subject) for subject in message.subjects]},
        }
    )


def signed_headers(keys: Keyring, message: WaitingMessage, body: bytes, now: datetime) -> dict[str, str]:
    """The headers of one attempt, signed with the secret and, while a rotation lasts, with the former one."""
    generations = [message.generation]
    if message.former_until is not None and now < message.former_until:
        generations.append(message.generation - 1)
    timestamp = str(int(now.timestamp()))
    secrets = [keys.webhook_key(message.endpoint_id, generation) for generation in generations]
    return {
        "webhook-id": str(message.id),
        "webhook-timestamp": timestamp,
        "webhook-signature": _signatures(secrets, f"{message.id}.{timestamp}.".encode() + body),
    }


def _signatures(secrets: Sequence[bytes], signed: bytes) -> str:
    return " ".join(f"v1,{b64encode(hmac.digest(secret, signed, 'sha256')).decode()}" for secret in secrets)
