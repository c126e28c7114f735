"""English."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from policies.table import Mark
from policies.words.catalogue import Stay, Words
from schema.categories import CATEGORY_LABELS, Basis, Purpose
from schema.vocabulary import Language

ENGLISH: Final = Words(
    language=Language.EN,
    name="English",
    months=(
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
    day="{day} {month} {year}",
    days="{number} days",
    hours="{number} hours",
    minutes="{number} minutes",
    conjunction=" and ",
    categories=CATEGORY_LABELS,
    whom=MappingProxyType(
        {
            Basis.STRATEGIC: "Companies with which we work closely",
            Basis.MARKETING: "Companies with which we advertise",
            Basis.LEGAL: "Courts and authorities, where the law requires it",
            Basis.INSOLVENCY: "Whoever takes over our business if we become insolvent",
            Basis.MEMBER_REQUEST: "A company from which you asked for something",
        }
    ),
    basis=MappingProxyType(
        {
            Basis.STRATEGIC: "strategic partners",
            Basis.MARKETING: "marketing partners",
            Basis.LEGAL: "courts and authorities",
            Basis.INSOLVENCY: "the acquirer at insolvency",
            Basis.MEMBER_REQUEST: "the company you asked",
        }
    ),
    uses=MappingProxyType(
        {
            Purpose.PARTNER_OFFERS: "offers that suit you",
            Purpose.PARTNER_EMAIL: "offers by e-mail",
            Purpose.JOINT_SERVICE: "a service that we provide together",
            Purpose.MEMBER_ASKED: "what you asked for",
            Purpose.LEGAL_OBLIGATION: "what the law requires",
            Purpose.BUSINESS_TRANSFER: "going on with the business",
            Purpose.OWN_OFFERS: "our own offers",
            Purpose.PERSONALISATION: "showing what suits you",
            Purpose.REPORTING: "statistics",
        }
    ),
    marks=MappingProxyType(
        {
            Mark.UNTIL_OPT_OUT: "until opt-out",
            Mark.ON_REQUEST: "on request",
            Mark.ALWAYS: "always",
            Mark.NEVER: "never",
        }
    ),
    regions=MappingProxyType(
        {"EU": "the European Union", "EEA": "the European Economic Area", "OTHER": "everywhere else"}
    ),
    records=MappingProxyType(
        {
            "billing_method": "ways to pay",
            "cart": "carts",
            "cart_item": "what is in a cart",
            "choice": "your choices",
            "communication": "messages between you and us",
            "customer_order": "orders",
            "deletion": "what a company has to delete",
            "disclosure": "what was disclosed to a company",
            "interaction": "forms, surveys, sweepstakes and e-mails",
            "member": "your profile",
            "member_request": "what you asked of us",
            "officer_action": "what our officers did",
            "one_time_link": "links that were mailed to you",
            "order_line": "what was ordered",
            "outgoing_mail": "mail on its way to you",
            "page_view": "pages that you looked at",
            "pairwise_subject": "the id by which a company knows you",
            "phone": "which telephone numbers are on file",
            "postal_address": "postal addresses",
            "refused_address": "addresses that want no mail",
            "session": "where you are signed in",
            "share": "what a company may see of you",
            "share_change": "what changed for a company",
            "suppression": "refused mail, as a company can compare it",
            "visit": "visits",
            "webhook_message": "what a company was told to delete",
            "vault.billing_token": "the payment processor's names for your ways to pay",
            "vault.client_secret": "secrets of companies' programs",
            "vault.officer_credential": "the passwords of our staff, as hashes",
            "vault.officer_recovery": "recovery codes of our staff, as digests",
            "vault.credential": "the password, as a hash",
            "vault.sealed_phone": "telephone numbers, encrypted",
        }
    ),
    stays=MappingProxyType(
        {
            Stay.ACCOUNT: "as long as the account",
            Stay.REMOVABLE: "until you remove it, or as long as the account",
            Stay.AFTER_DONE: "{time} after it was done",
            Stay.AFTER_ENDED: "{time} after it ended",
            Stay.AFTER_EXPIRED: "{time} after it expired",
            Stay.AFTER_DELIVERED: "{time} after it arrived",
            Stay.UNTIL_SENT: "until it is sent, {time} at most",
            Stay.UNTIL_DELETED_THERE: "until the company has confirmed that it deleted",
            Stay.WHILE_REFUSED: "while the refusal stands",
            Stay.RECORD: "for good; when the account is erased, nothing tells any more whom it was about",
            Stay.COMPANY: "while the company works with us",
            Stay.STAFF: "while the officer works with us",
        }
    ),
    text_title="Your data, and who may see it",
    text_intro=(
        "This is what may be shared about you with others, with whom and why. What is not listed here is not"
        " shared. Telephone numbers and passwords are never shared with anybody."
    ),
    in_force="Version {version} of our policy on sharing, in force since {date}.",
    in_force_unnamed="In force since {date}.",
    fingerprint="Fingerprint of its text: `{digest}`",
    coming="What will change",
    coming_intro=(
        "We announce a new use of data before it begins, and say of each how you can refuse it, or that you"
        " cannot."
    ),
    announced="Announced on {announced}; in effect from {effective}.",
    about="What it is about: {categories}. What for: {use}. Who receives it: {whom}.",
    refusable=(
        "To refuse it, go to your account page: a refusal counts from the first day, whenever you send it."
    ),
    not_refusable="This does not depend on your choices.",
    changed="What has changed",
    shared="What is shared",
    shared_for="For {uses}: {categories}.",
    decided_by="Decided by {rules}.",
    no_choice="This does not depend on your choices. A case, or the transfer, names what is disclosed.",
    until_refused="Until you refuse.",
    until_refused_but="Until you refuse: {categories}. The rest only if you agree to it.",
    if_asked="Only if you agree to it.",
    only_requested="Only what you asked to have shared, until it is done or you withdraw it.",
    in_region="If you live in {region}: {how}",
    minors="People under 18",
    minors_text=(
        "Nothing is shared about anybody under 18, unless the law requires it. Who has told us no birth date"
        " counts as under 18."
    ),
    never="What is never shared",
    never_text="{categories}: with nobody, whatever a rule says. The program has no way to share them.",
    kept_back="{categories}: with no company, unless the law requires it or our business is taken over.",
    choice="Your choice",
    choice_text=(
        "On your account page you see what each company may get about you and what it got. You can refuse all"
        " of it, one company, one purpose or one kind of data, and take a refusal back. Of several requests"
        " of yours, the one with the latest date counts."
    ),
    choice_signal=(
        "If your browser sends the signal Global Privacy Control while you are signed in, we take it as a"
        " refusal of all sharing."
    ),
    access="What you can ask of us",
    access_text=(
        "You can read everything that we keep about you, correct it, ask for a copy, ask us a question, and"
        " erase your account, on your account page."
    ),
    rules="The rules, word by word",
    rules_intro=(
        "Our officers write these rules, and the program decides by them. What no rule permits is not shared,"
        " and a prohibition beats any permission."
    ),
    rules_waiting="Rules that were announced",
    rules_waiting_intro=(
        "These do not count yet. They begin on the days that are named under what will change; until then the"
        " rules above decide."
    ),
    permits="Permitted: {text}",
    forbids="Forbidden: {text}",
    matrix_title="Who may get which data",
    matrix_intro=(
        "Down are kinds of data, across are those who may get it and what for. Until opt-out: it is shared"
        " until you refuse. On request: it is shared only if you agree or ask for it. Always: it does not"
        " depend on your choices."
    ),
    matrix_caption=(
        "Which data may be shared, on which basis and for which purpose. Members under 18 are shared where"
        " the law requires it and not otherwise."
    ),
    matrix_data="data",
    sealed_note="sealed by the program: it leaves through no path, whatever a rule says (C10, C14)",
    data_title="What we keep, and who may read it",
    data_intro=(
        "This is written by the program from its own tables. Every column has a data category, and who may"
        " read it follows from the contracts that the program serves. What companies get of it is narrowed by"
        " their agreements and by your choices."
    ),
    data_overview="In words",
    data_caption="Every kind of record that holds something about a person",
    data_head=("record", "data", "who may read it", "how long it is kept"),
    data_you="you",
    data_staff="our staff, for a reason that is written down",
    data_everybody="everybody",
    data_nobody="nobody: no answer holds it",
    data_sealed="nobody: it is sealed",
    data_as="{who}, as {category}",
    data_everyone="every kind of recipient",
    data_columns="Column by column",
    data_legend=(
        (
            "Category is a key of the Fides data taxonomy. Read by names each GraphQL field whose value comes"
            " from the column, and in whose contract it stands; where the field tells less than the column,"
            " it has a category of its own. A `MemberFilter` entry narrows a list by the value."
        ),
        (
            "visitor, member: that audience. preview: the member, as one agreement would see them. officer:"
            " staff in a role that may; of a member, for a reason that is written down first and that she"
            " reads."
        ),
        (
            "STRATEGIC and the other bases: partners with an agreement on that basis, scopes that name the"
            " category, and members who do not withhold it. every basis is all five."
        ),
        "sealed: no contract can name it (R1, C10, C14). A dash: no field reads it.",
    ),
    data_column_head=("column", "category", "read by"),
    nav_label="About the policy",
    nav_text="In words",
    nav_matrix="As a table",
    nav_data="What we keep",
    nav_machine="For programs",
    nav_home="Start",
    home_title="Your data with us",
    home_intro=(
        "Who may see which of your data is decided by one policy, the same for everybody. The pages above"
        " show it in words and as a table, and say what we keep about you. Telephone numbers and passwords"
        " are never shared with anybody."
    ),
    nothing_announced="No new use of your data is announced at the moment.",
    notice_title="New: {use} ({whom})",
    notice_shared="We want to give {whom} more about you: {categories}. It is for {use}.",
    notice_presumed=(
        "We want to give {whom} {categories} without asking each member first. It is for {use}. So far they"
        " received it only of members who had agreed."
    ),
    notice_regions="This concerns members in {regions}.",
    transfer_title="{acquirer} takes over the business",
    transfer_text=(
        "From {date} on, {acquirer} receives the data of members of age, as our privacy policy says for this"
        " case. Telephone numbers and passwords are not among it, and members under 18 are not either. This"
        " is not a choice about sharing: who does not want it can close the account before."
    ),
    hello="Hello,",
    hello_named="Hello {name},",
    practice_subject="What we may share about you is about to change",
    practice_why="We want to use data about you in a way that is new.",
    transfer_subject="Another company is to take over our business",
    transfer_why="Our business is to pass to another company, and with it the data of our members.",
    begins="This begins on {date}, and not before.",
    refuse_by_link=(
        "If you do not want this, open this link; you need not sign in. You can refuse now or later, and"
        " nothing else changes if you do:"
    ),
    mail_pages="What is shared about you, with whom and why, stands on our pages at any time:",
    mail_choices="On your account page you choose for each company and each purpose.",
    mail_account=(
        "{sender} sends you this mail because it concerns your account, whatever you chose about newsletters."
        " We never ask for your password."
    ),
    refuse_title="Refuse what is new?",
    refuse_text="Press the button, and what the mail announced is not done with data about you.",
    refuse_rest=(
        "You need not sign in. What was shared before, and your other choices, stay as they are. What does"
        " not depend on your choices stays as announced."
    ),
    refuse_button="I refuse",
    refused_title="You have refused",
    refused_text=(
        "What the mail announced, and said that you can refuse, is not done with data about you, neither now"
        " nor later."
    ),
    refused_rest="If you change your mind, choose it on your account page.",
    broken_link_title="This link is not complete",
    broken_link_text="Open the link in the mail again, or copy all of it. Nothing was changed.",
    machine_text=(
        "GraphQL is spoken at `/graphql`, where `policy` says the same. `/policy.json` says it without"
        " GraphQL."
    ),
)
