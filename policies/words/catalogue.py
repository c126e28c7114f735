"""What has to be said in each language, about the policy and to whom it matters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from policies.table import Mark
from schema.categories import Basis, DataCategory, Purpose
from schema.vocabulary import Language


class Stay(StrEnum):
    """How long a record is kept. What has `{time}` in its words depends on a duration of the program's."""

    ACCOUNT = "ACCOUNT"
    REMOVABLE = "REMOVABLE"
    AFTER_DONE = "AFTER_DONE"
    AFTER_ENDED = "AFTER_ENDED"
    AFTER_EXPIRED = "AFTER_EXPIRED"
    AFTER_DELIVERED = "AFTER_DELIVERED"
    UNTIL_SENT = "UNTIL_SENT"
    UNTIL_DELETED_THERE = "UNTIL_DELETED_THERE"
    WHILE_REFUSED = "WHILE_REFUSED"
    RECORD = "RECORD"
    COMPANY = "COMPANY"
    STAFF = "STAFF"


@dataclass(frozen=True, slots=True)
class Words:
    """All words of one language. Phrases with `{name}` are filled in by whoever uses them."""

    language: Language
    name: str
    months: tuple[str, ...]
    day: str
    days: str
    hours: str
    minutes: str
    conjunction: str

    # Vocabularies
    categories: Mapping[DataCategory, str]
    whom: Mapping[Basis, str]
    basis: Mapping[Basis, str]
    uses: Mapping[Purpose, str]
    marks: Mapping[Mark, str]
    regions: Mapping[str, str]
    records: Mapping[str, str]
    stays: Mapping[Stay, str]

    # The text for members (`policies.member_text`)
    text_title: str
    text_intro: str
    in_force: str
    in_force_unnamed: str
    fingerprint: str
    coming: str
    coming_intro: str
    announced: str
    about: str
    refusable: str
    not_refusable: str
    changed: str
    shared: str
    shared_for: str
    decided_by: str
    no_choice: str
    until_refused: str
    until_refused_but: str
    if_asked: str
    only_requested: str
    in_region: str
    minors: str
    minors_text: str
    never: str
    never_text: str
    kept_back: str
    choice: str
    choice_text: str
    choice_signal: str
    access: str
    access_text: str
    rules: str
    rules_intro: str
    rules_waiting: str
    rules_waiting_intro: str
    permits: str
    forbids: str

    # The matrix (`policies.render`)
    matrix_title: str
    matrix_intro: str
    matrix_caption: str
    matrix_data: str
    sealed_note: str

    # The data map (`gateway.datamap`)
    data_title: str
    data_intro: str
    data_overview: str
    data_caption: str
    data_head: tuple[str, str, str, str]
    data_you: str
    data_staff: str
    data_everybody: str
    data_nobody: str
    data_sealed: str
    data_as: str
    data_everyone: str
    data_columns: str
    data_legend: tuple[str, str, str, str]
    data_column_head: tuple[str, str, str]

    # The frame of the pages (`gateway.web.policy`)
    nav_label: str
    nav_text: str
    nav_matrix: str
    nav_data: str
    nav_machine: str
    nav_home: str
    machine_text: str
    home_title: str
    home_intro: str
    nothing_announced: str

    # Notices (`policies.notice_texts`)
    notice_title: str
    notice_shared: str
    notice_presumed: str
    notice_regions: str
    transfer_title: str
    transfer_text: str

    # The mail about notices (`gateway.delivery.notice_letters`)
    hello: str
    hello_named: str
    practice_subject: str
    practice_why: str
    transfer_subject: str
    transfer_why: str
    begins: str
    refuse_by_link: str
    mail_pages: str
    mail_choices: str
    mail_account: str

    # The page that refuses them (`gateway.web.practices`)
    refuse_title: str
    refuse_text: str
    refuse_rest: str
    refuse_button: str
    refused_title: str
    refused_text: str
    refused_rest: str
    broken_link_title: str
    broken_link_text: str

    def date(self, moment: datetime) -> str:
        """A day, as the language writes it."""
        return self.day.format(day=moment.day, month=self.months[moment.month - 1], year=moment.year)

    def duration(self, time: timedelta) -> str:
        """A time in the largest unit that measures it whole."""
        minutes = int(time.total_seconds()) // 60
        for unit, size in ((self.days, 24 * 60), (self.hours, 60)):
            if minutes > size and minutes % size == 0:
                return unit.format(number=minutes // size)
        return self.minutes.format(number=minutes)

    def enumerated(self, parts: Sequence[str]) -> str:
        """Parts of a sentence: `one, two and three`."""
        *first, last = parts
        return f"{', '.join(first)}{self.conjunction}{last}" if first else last

    def region(self, region: str) -> str:
        """A region of the policy; codes of countries are their own words."""
        return self.regions.get(region, region)
