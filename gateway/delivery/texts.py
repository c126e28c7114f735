"""What each kind of letter says. No text holds anything of a member: `letters` puts in names and links."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from schema.tables.mail import LetterKind


class Leads(StrEnum):
    """Where the link of a letter leads: nowhere, to following it, or to setting a password."""

    NOWHERE = "NOWHERE"
    CONFIRM = "CONFIRM"
    RESET = "RESET"


@dataclass(frozen=True, slots=True)
class Text:
    """One letter. `why` says why it came, `action` stands above the link, `otherwise` ends it.

    `named` is false where the name may be a stranger's words to a stranger: whoever registers types both the
    name and the address that the letter goes to.
    """

    subject: str
    why: str
    action: str | None = None
    leads: Leads = Leads.NOWHERE
    otherwise: str | None = None
    named: bool = True


_NOT_YOU: Final = "If it was not you, do nothing: without the link nothing happens."

TEXTS: Final[Mapping[LetterKind, Text]] = MappingProxyType(
    {
        LetterKind.CONFIRM_REGISTRATION: Text(
            "Please confirm your registration",
            "Somebody, most likely you, has registered with us under this e-mail address.",
            "To confirm that the address is yours, open this link:",
            Leads.CONFIRM,
            f"{_NOT_YOU} The registration is then deleted.",
            named=False,
        ),
        LetterKind.CONFIRM_SUPERVISION: Text(
            "A young person named you as the supervising adult",
            "Somebody under 18 has an account with us, or wants one, and named this e-mail address as that of"
            " the adult who supervises the use of the account. We share nothing about people under 18 with"
            " other companies, unless the law requires it.",
            "If you are that adult and agree, open this link:",
            Leads.CONFIRM,
            "If you are not, or do not agree, do nothing: without the link a new account is not opened, and"
            " you do not count as that adult.",
            named=False,
        ),
        LetterKind.ALREADY_REGISTERED: Text(
            "You already have an account",
            "Somebody, most likely you, wanted to register with us under this e-mail address. You have an"
            " account already, and nothing about it was changed.",
            "To use it, sign in as always; if you forgot the password, ask for a new one where you sign in.",
            otherwise="If it was not you, there is nothing to do: whoever it was has not been told that you"
            " have an account.",
        ),
        LetterKind.WELCOME: Text(
            "Your account is open",
            "Your registration is complete, and you can sign in.",
            "Your account page shows what is stored about you, who may see it, and who has seen it. You can"
            " change your choices there at any time.",
        ),
        LetterKind.RESET_PASSWORD: Text(
            "A new password",
            "Somebody, most likely you, has asked for a new password for your account.",
            "To set one, open this link:",
            Leads.RESET,
            "If it was not you, do nothing: your password stays as it is.",
        ),
        LetterKind.PASSWORD_CHANGED: Text(
            "Your password was changed",
            "The password of your account was changed.",
            otherwise="If it was not you, ask for a new password where you sign in, at once, then end all"
            " sessions on your account page and write to us.",
        ),
        LetterKind.CONFIRM_EMAIL: Text(
            "Please confirm your new e-mail address",
            "A member wants to use this e-mail address for an account with us.",
            "If that is you, open this link to confirm it:",
            Leads.CONFIRM,
            "If it is not, do nothing: without the link the address is not used.",
            named=False,
        ),
        LetterKind.EMAIL_CHANGING: Text(
            "Your e-mail address is about to change",
            "Another e-mail address was given for your account, and has yet to be confirmed. Until then this"
            " one stays in use.",
            otherwise="If it was not you, change your password and end all sessions on your account page.",
        ),
        LetterKind.EMAIL_CHANGED: Text(
            "Your e-mail address was changed",
            "Your account now uses another e-mail address. This one gets no more mail about it.",
            otherwise="If it was not you, write to us at once.",
        ),
        LetterKind.EMAIL_TAKEN: Text(
            "This e-mail address is in use already",
            "Somebody wanted to use this e-mail address for another account. It belongs to yours, and nothing"
            " was changed.",
            otherwise="If it was you, use another address for that account. If it was not, there is nothing"
            " to do.",
        ),
        LetterKind.REQUEST_RECEIVED: Text(
            "We have your request",
            "Your request has arrived, and somebody will work on it.",
            "If you have an account, its page shows the request, when an answer is due, and the answer.",
            otherwise="If you did not ask us for anything, write to us.",
            named=False,
        ),
        LetterKind.REQUEST_ANSWERED: Text(
            "We have answered your request",
            "Your request has been answered.",
            "Sign in to read the answer on your account page.",
        ),
        LetterKind.ERASURE_SCHEDULED: Text(
            "Your account is closed and will be erased",
            "As you asked, your account is closed. What we store about you is erased when the time for"
            " changing your mind is over.",
            "Until then, this link opens the account again:",
            Leads.CONFIRM,
            "If it was not you who asked, open the link now, then set a new password.",
        ),
        LetterKind.ERASURE_CANCELLED: Text(
            "Your account is open again",
            "The erasure of your account was cancelled, and nothing was erased. You can sign in as before.",
            otherwise="If it was not you, ask for a new password where you sign in, at once.",
        ),
        LetterKind.ERASURE_DONE: Text(
            "Your account has been erased",
            "As you asked, what we stored about you has been erased, and this address with it: this is the"
            " last mail that you get from us. What the law makes us keep names you no more.",
        ),
    }
)
"""Every kind but the newsletter, which says what its issue says, and the letters about notices, which are
written in the company's language (`gateway.delivery.notice_letters`)."""
