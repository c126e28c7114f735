"""The boundary at which the database driver's errors end. What leaves here is ours and quotes nothing.

A driver's error may quote a value (`Key (email)=(...) already exists`), so its text goes nowhere: not into
our message, and not as the cause either, because a log prints causes. Its SQLSTATE is what remains.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import asyncpg
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from schema.errors import GatewayError, UnavailableError

_TRANSIENT_CLASSES: Final = frozenset({"08", "40", "53", "55", "57"})
"""SQLSTATE classes that may pass: connection, rollback, resources, object state, intervention."""

_REFUSED_CLASSES: Final = frozenset({"28", "3D"})
"""SQLSTATE classes of a server that does not let us in: authorisation, no such database."""

_PRIVILEGE: Final = "42501"

_DRIVER_ERRORS: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""The last is what asyncpg raises when the server ends a connection between two messages of a statement."""


class _DriverError(Exception):
    """Stands for a driver's error in a traceback: its class and SQLSTATE, without its text."""


@contextmanager
def translate_driver_errors() -> Iterator[None]:
    """Turn errors of the driver, the network and SQLAlchemy into ours.

    Raises:
        UnavailableError: the database does not answer, refuses the sign-in, or asks to try again.
        GatewayError: anything else: a bug of ours or a conflict that the caller did not expect.
    """
    try:
        yield
    except GatewayError:
        raise
    except DBAPIError as error:
        failure = translated(error.orig if error.orig is not None else error)
        raise failure from failure.__cause__
    except (*_DRIVER_ERRORS, SQLAlchemyError, OSError, TimeoutError) as error:
        failure = translated(error)
        raise failure from failure.__cause__


def translated(error: BaseException) -> GatewayError:
    """Our error for the driver's `error`, with a cause that names the kind of error only."""
    state = getattr(error, "sqlstate", None)
    state = state if isinstance(state, str) else ""
    result: GatewayError
    if state[:2] in _REFUSED_CLASSES:
        result = UnavailableError(
            "the database refuses the sign-in: run `gateway migrate` with the keys and the"
            " `GATEWAY_DATABASE_URL` that belong together"
        )
    elif state[:2] in _TRANSIENT_CLASSES or isinstance(
        error, asyncpg.InterfaceError | asyncpg.InternalClientError | OSError | TimeoutError
    ):
        result = UnavailableError("the database does not answer: try again")
    elif state == _PRIVILEGE:
        result = GatewayError("the database role may not do this: run `gateway doctor`")
    else:
        result = GatewayError("the database refused a statement: see the log for its code")
    result.__cause__ = _DriverError(f"{type(error).__name__} {state or 'without SQLSTATE'}")
    return result
