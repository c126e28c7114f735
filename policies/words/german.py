"""German."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from policies.table import Mark
from policies.words.catalogue import Stay, Words
from schema.categories import Basis, DataCategory, Purpose
from schema.vocabulary import Language

GERMAN: Final = Words(
    language=Language.DE,
    name="Deutsch",
    months=(
        *("Januar", "Februar", "März", "April", "Mai", "Juni"),
        *("Juli", "August", "September", "Oktober", "November", "Dezember"),
    ),
    day="{day}. {month} {year}",
    days="{number} Tage",
    hours="{number} Stunden",
    minutes="{number} Minuten",
    conjunction=" und ",
    categories=MappingProxyType(
        {
            DataCategory.OPERATIONS: "keine personenbezogenen Daten",
            DataCategory.ACCOUNT: "Konto",
            DataCategory.USERNAME: "Benutzername",
            DataCategory.CREDENTIALS: "Zugangsdaten",
            DataCategory.PASSWORD: "Passwort",
            DataCategory.BEHAVIOR: "Nutzung der Website",
            DataCategory.BROWSING_HISTORY: "besuchte Seiten",
            DataCategory.PURCHASE_HISTORY: "Kaufkategorien",
            DataCategory.CONTACT: "Kontaktdaten",
            DataCategory.ADDRESS: "Postanschrift",
            DataCategory.CITY: "Ort",
            DataCategory.COUNTRY: "Land",
            DataCategory.POSTAL_CODE: "Postleitzahl",
            DataCategory.STATE: "Bundesstaat",
            DataCategory.STREET: "Straße",
            DataCategory.EMAIL: "E-Mail-Adresse",
            DataCategory.PHONE_NUMBER: "Telefonnummer",
            DataCategory.PRIVATE_CONTENT: "Interaktionen und Nachrichten",
            DataCategory.AGE_RANGE: "Altersgruppe",
            DataCategory.DATE_OF_BIRTH: "Geburtsdatum",
            DataCategory.PROFILE: "Interessen",
            DataCategory.DEVICE: "Browser und Domain",
            DataCategory.IP_ADDRESS: "IP-Adresse",
            DataCategory.CREDIT_CARD: "Zahlungsarten",
            DataCategory.REGION: "Region",
            DataCategory.NAME: "Name",
            DataCategory.FIRST_NAME: "Vorname",
            DataCategory.LAST_NAME: "Nachname",
            DataCategory.PAYMENT: "Bestellungen und Zahlungen",
            DataCategory.PRIVACY_PREFERENCES: "Entscheidungen zum Datenschutz",
            DataCategory.UNIQUE_ID: "Mitgliedsnummer",
            DataCategory.PSEUDONYM: "Kennung für ein einzelnes Unternehmen",
        }
    ),
    whom=MappingProxyType(
        {
            Basis.STRATEGIC: "Unternehmen, mit denen wir eng zusammenarbeiten",
            Basis.MARKETING: "Unternehmen, mit denen wir werben",
            Basis.LEGAL: "Gerichte und Behörden, wo das Gesetz es verlangt",
            Basis.INSOLVENCY: "Wer unser Geschäft übernimmt, wenn wir zahlungsunfähig werden",
            Basis.MEMBER_REQUEST: "Ein Unternehmen, bei dem Sie etwas angefragt haben",
        }
    ),
    basis=MappingProxyType(
        {
            Basis.STRATEGIC: "strategische Partner",
            Basis.MARKETING: "Werbepartner",
            Basis.LEGAL: "Gerichte und Behörden",
            Basis.INSOLVENCY: "der Erwerber bei Insolvenz",
            Basis.MEMBER_REQUEST: "das angefragte Unternehmen",
        }
    ),
    uses=MappingProxyType(
        {
            Purpose.PARTNER_OFFERS: "Angebote, die zu Ihnen passen",
            Purpose.PARTNER_EMAIL: "Angebote per E-Mail",
            Purpose.JOINT_SERVICE: "einen gemeinsamen Dienst",
            Purpose.MEMBER_ASKED: "das, worum Sie gebeten haben",
            Purpose.LEGAL_OBLIGATION: "das, was das Gesetz verlangt",
            Purpose.BUSINESS_TRANSFER: "die Fortführung des Geschäfts",
            Purpose.OWN_OFFERS: "unsere eigenen Angebote",
            Purpose.PERSONALISATION: "die Anzeige dessen, was zu Ihnen passt",
            Purpose.REPORTING: "Statistiken",
        }
    ),
    marks=MappingProxyType(
        {
            Mark.UNTIL_OPT_OUT: "bis zum Widerspruch",
            Mark.ON_REQUEST: "auf Wunsch",
            Mark.ALWAYS: "immer",
            Mark.NEVER: "nie",
        }
    ),
    regions=MappingProxyType(
        {"EU": "die Europäische Union", "EEA": "der Europäische Wirtschaftsraum", "OTHER": "überall sonst"}
    ),
    records=MappingProxyType(
        {
            "billing_method": "Zahlungsarten",
            "cart": "Warenkörbe",
            "cart_item": "Inhalt eines Warenkorbs",
            "choice": "Ihre Entscheidungen",
            "communication": "Nachrichten zwischen Ihnen und uns",
            "customer_order": "Bestellungen",
            "deletion": "was ein Unternehmen löschen muss",
            "disclosure": "was an ein Unternehmen ging",
            "interaction": "Formulare, Umfragen, Gewinnspiele und E-Mails",
            "member": "Ihr Profil",
            "member_request": "Ihre Anfragen an uns",
            "officer_action": "was unsere Beauftragten getan haben",
            "one_time_link": "Links, die Ihnen geschickt wurden",
            "order_line": "was bestellt wurde",
            "outgoing_mail": "E-Mails auf dem Weg zu Ihnen",
            "page_view": "angesehene Seiten",
            "pairwise_subject": "die Kennung, unter der ein Unternehmen Sie kennt",
            "phone": "welche Telefonnummern hinterlegt sind",
            "postal_address": "Postanschriften",
            "refused_address": "Adressen, die keine Werbung wollen",
            "session": "wo Sie angemeldet sind",
            "share": "was ein Unternehmen von Ihnen sehen darf",
            "share_change": "was sich für ein Unternehmen geändert hat",
            "suppression": "abgelehnte Werbung, wie ein Unternehmen sie abgleichen kann",
            "visit": "Besuche",
            "webhook_message": "was einem Unternehmen zu löschen aufgegeben wurde",
            "vault.billing_token": "die Namen des Zahlungsdienstes für Ihre Zahlungsarten",
            "vault.officer_credential": "Passwörter unseres Personals, als Prüfsummen",
            "vault.officer_recovery": "Wiederherstellungscodes unseres Personals, als Prüfsummen",
            "vault.client_secret": "Geheimnisse von Programmen der Unternehmen",
            "vault.credential": "das Passwort, als Hashwert",
            "vault.sealed_phone": "Telefonnummern, verschlüsselt",
        }
    ),
    stays=MappingProxyType(
        {
            Stay.ACCOUNT: "so lange wie das Konto",
            Stay.REMOVABLE: "bis Sie es entfernen, oder so lange wie das Konto",
            Stay.AFTER_DONE: "{time} nach der Ausführung",
            Stay.AFTER_ENDED: "{time} nach dem Ende",
            Stay.AFTER_EXPIRED: "{time} nach dem Ablauf",
            Stay.AFTER_DELIVERED: "{time} nach der Zustellung",
            Stay.UNTIL_SENT: "bis zum Versand, höchstens {time}",
            Stay.UNTIL_DELETED_THERE: "bis das Unternehmen die Löschung bestätigt hat",
            Stay.WHILE_REFUSED: "solange die Ablehnung gilt",
            Stay.RECORD: "auf Dauer; ist das Konto gelöscht, sagt nichts mehr, um wen es ging",
            Stay.COMPANY: "solange das Unternehmen mit uns arbeitet",
            Stay.STAFF: "solange die Person bei uns arbeitet",
        }
    ),
    text_title="Ihre Daten, und wer sie sehen darf",
    text_intro=(
        "Hier steht, was über Sie an andere weitergegeben werden darf, an wen und wofür. Was hier nicht"
        " steht, wird nicht weitergegeben. Telefonnummern und Passwörter werden nie an irgendjemanden"
        " weitergegeben."
    ),
    in_force="Fassung {version} unserer Regeln zur Weitergabe, in Kraft seit dem {date}.",
    in_force_unnamed="In Kraft seit dem {date}.",
    fingerprint="Fingerabdruck des Textes: `{digest}`",
    coming="Was sich ändern wird",
    coming_intro=(
        "Eine neue Verwendung von Daten kündigen wir an, bevor sie beginnt, und sagen bei jeder, wie Sie"
        " widersprechen können, oder dass Sie es nicht können."
    ),
    announced="Angekündigt am {announced}; wirksam ab dem {effective}.",
    about="Es geht um: {categories}. Wofür: {use}. Wer es erhält: {whom}.",
    refusable=(
        "Um zu widersprechen, gehen Sie auf Ihre Kontoseite: Ein Widerspruch gilt vom ersten Tag an, wann"
        " immer Sie ihn schicken."
    ),
    not_refusable="Das hängt nicht von Ihren Entscheidungen ab.",
    changed="Was sich geändert hat",
    shared="Was weitergegeben wird",
    shared_for="Für {uses}: {categories}.",
    decided_by="Entschieden durch {rules}.",
    no_choice=(
        "Das hängt nicht von Ihren Entscheidungen ab. Der Fall oder die Übertragung benennt, was offengelegt"
        " wird."
    ),
    until_refused="Bis Sie widersprechen.",
    until_refused_but="Bis Sie widersprechen: {categories}. Das Übrige nur, wenn Sie zustimmen.",
    if_asked="Nur, wenn Sie zustimmen.",
    only_requested="Nur, worum Sie gebeten haben, bis es erledigt ist oder Sie es zurücknehmen.",
    in_region="Ihr Wohnort ist {region}: {how}",
    minors="Menschen unter 18",
    minors_text=(
        "Über Menschen unter 18 wird nichts weitergegeben, außer das Gesetz verlangt es. Wer uns kein"
        " Geburtsdatum genannt hat, zählt als unter 18."
    ),
    never="Was nie weitergegeben wird",
    never_text=(
        "{categories}: an niemanden, was immer eine Regel sagt. Das Programm hat keinen Weg, sie"
        " weiterzugeben."
    ),
    kept_back=(
        "{categories}: an kein Unternehmen, außer das Gesetz verlangt es oder unser Geschäft wird übernommen."
    ),
    choice="Ihre Entscheidung",
    choice_text=(
        "Auf Ihrer Kontoseite sehen Sie, was jedes Unternehmen über Sie erhalten darf und was es erhalten"
        " hat. Sie können allem widersprechen, oder einem Unternehmen, einem Zweck oder einer Art von Daten,"
        " und einen Widerspruch zurücknehmen. Von mehreren Ihrer Anträge gilt der mit dem spätesten Datum."
    ),
    choice_signal=(
        "Sendet Ihr Browser das Signal Global Privacy Control, während Sie angemeldet sind, so verstehen wir"
        " es als Widerspruch gegen jede Weitergabe."
    ),
    access="Was Sie von uns verlangen können",
    access_text=(
        "Auf Ihrer Kontoseite können Sie alles lesen, was wir über Sie aufbewahren, es berichtigen, eine"
        " Kopie verlangen, uns etwas fragen und Ihr Konto löschen."
    ),
    rules="Die Regeln im Wortlaut",
    rules_intro=(
        "Unsere Beauftragten schreiben diese Regeln, und das Programm entscheidet danach. Was keine Regel"
        " erlaubt, wird nicht weitergegeben, und ein Verbot geht jeder Erlaubnis vor."
    ),
    rules_waiting="Angekündigte Regeln",
    rules_waiting_intro=(
        "Diese gelten noch nicht. Sie beginnen an den Tagen, die unter dem stehen, was sich ändern wird; bis"
        " dahin entscheiden die Regeln weiter oben."
    ),
    permits="Erlaubt: {text}",
    forbids="Verboten: {text}",
    matrix_title="Wer welche Daten erhalten darf",
    matrix_intro=(
        "Von oben nach unten stehen die Arten von Daten, von links nach rechts, wer sie erhalten darf und"
        " wofür. Bis zum Widerspruch: Es wird weitergegeben, bis Sie widersprechen. Auf Wunsch: Es wird nur"
        " weitergegeben, wenn Sie zustimmen oder darum bitten. Immer: Es hängt nicht von Ihren Entscheidungen"
        " ab."
    ),
    matrix_caption=(
        "Welche Daten auf welcher Grundlage und wofür weitergegeben werden dürfen. Daten von Mitgliedern"
        " unter 18 werden weitergegeben, wo das Gesetz es verlangt, und sonst nicht."
    ),
    matrix_data="Daten",
    sealed_note="vom Programm versiegelt: verlässt es auf keinem Weg, was immer eine Regel sagt (C10, C14)",
    data_title="Was wir aufbewahren, und wer es lesen darf",
    data_intro=(
        "Dies schreibt das Programm aus seinen eigenen Tabellen. Jede Spalte hat eine Datenkategorie, und wer"
        " sie lesen darf, folgt aus den Verträgen, nach denen das Programm antwortet. Was Unternehmen davon"
        " erhalten, begrenzen deren Vereinbarungen und Ihre Entscheidungen."
    ),
    data_overview="In Worten",
    data_caption="Jede Art von Aufzeichnung, in der etwas über eine Person steht",
    data_head=("Aufzeichnung", "Daten", "wer es lesen darf", "wie lange es bleibt"),
    data_you="Sie",
    data_staff="unser Personal, aus einem festgehaltenen Grund",
    data_everybody="alle",
    data_nobody="niemand: keine Antwort enthält es",
    data_sealed="niemand: es ist versiegelt",
    data_as="{who}, als {category}",
    data_everyone="jede Art von Empfänger",
    data_columns="Spalte für Spalte",
    data_legend=(
        (
            "Kategorie ist ein Schlüssel der Fides-Datentaxonomie. Gelesen von nennt jedes GraphQL-Feld,"
            " dessen Wert aus der Spalte kommt, und in wessen Vertrag es steht; sagt das Feld weniger als die"
            " Spalte, so hat es eine eigene Kategorie. Ein Eintrag `MemberFilter` grenzt eine Liste nach dem"
            " Wert ein."
        ),
        (
            "visitor, member: diese Leserschaft. preview: das Mitglied, wie eine Vereinbarung es sähe."
            " officer: Personal in einer Rolle, die es darf; ein Mitglied nur aus einem Grund, der zuerst"
            " festgehalten wird und den es liest."
        ),
        (
            "STRATEGIC und die anderen Grundlagen: Partner mit einer Vereinbarung auf dieser Grundlage, mit"
            " Berechtigungen, die die Kategorie nennen, und Mitglieder, die sie nicht zurückhalten. every"
            " basis sind alle fünf."
        ),
        "sealed: kein Vertrag kann es nennen (R1, C10, C14). Ein Strich: kein Feld liest es.",
    ),
    data_column_head=("Spalte", "Kategorie", "gelesen von"),
    nav_label="Über die Regeln",
    nav_text="In Worten",
    nav_matrix="Als Tabelle",
    nav_data="Was wir aufbewahren",
    nav_machine="Für Programme",
    nav_home="Start",
    home_title="Ihre Daten bei uns",
    home_intro=(
        "Wer welche Ihrer Daten sehen darf, entscheidet ein einziges Regelwerk, für alle dasselbe. Die Seiten"
        " oben zeigen es in Worten und als Tabelle und sagen, was wir über Sie aufbewahren. Telefonnummern"
        " und Passwörter werden nie an irgendjemanden weitergegeben."
    ),
    nothing_announced="Zurzeit ist keine neue Verwendung Ihrer Daten angekündigt.",
    notice_title="Neu: {use} ({whom})",
    notice_shared="Wir möchten mehr über Sie weitergeben an: {whom}. Es geht um: {categories}. Zweck: {use}.",
    notice_presumed=(
        "Wir möchten weitergeben, ohne jedes Mitglied vorher zu fragen, an: {whom}. Es geht um: {categories}."
        " Zweck: {use}. Bisher geschah das nur bei Mitgliedern, die zugestimmt hatten."
    ),
    notice_regions="Das betrifft Mitglieder in: {regions}.",
    transfer_title="{acquirer} übernimmt unser Geschäft",
    transfer_text=(
        "Vom {date} an erhält {acquirer} die Daten der volljährigen Mitglieder, wie unsere Regeln zur"
        " Weitergabe es für diesen Fall vorsehen. Telefonnummern und Passwörter gehören nicht dazu, Daten von"
        " Mitgliedern unter 18 auch nicht. Dem kann nicht widersprochen werden: Wer es nicht will, kann sein"
        " Konto vorher schließen."
    ),
    hello="Guten Tag,",
    hello_named="Guten Tag {name},",
    practice_subject="Was wir über Sie weitergeben dürfen, soll sich ändern",
    practice_why="Wir möchten Daten über Sie auf eine neue Weise verwenden.",
    transfer_subject="Ein anderes Unternehmen soll unser Geschäft übernehmen",
    transfer_why=(
        "Unser Geschäft soll an ein anderes Unternehmen übergehen, und mit ihm die Daten unserer Mitglieder."
    ),
    begins="Das beginnt am {date}, nicht früher.",
    refuse_by_link=(
        "Wenn Sie das nicht möchten, öffnen Sie diesen Link; anmelden müssen Sie sich nicht. Sie können jetzt"
        " oder später widersprechen, und sonst ändert sich dadurch nichts:"
    ),
    mail_pages="Was über Sie weitergegeben wird, an wen und wofür, steht jederzeit auf unseren Seiten:",
    mail_choices="Auf Ihrer Kontoseite entscheiden Sie für jedes Unternehmen und jeden Zweck.",
    mail_account=(
        "{sender} schickt Ihnen diese E-Mail, weil sie Ihr Konto betrifft, was immer Sie über Newsletter"
        " entschieden haben. Nach Ihrem Passwort fragen wir nie."
    ),
    refuse_title="Dem Neuen widersprechen?",
    refuse_text=(
        "Drücken Sie den Knopf, und was die E-Mail angekündigt hat, geschieht mit Daten über Sie nicht."
    ),
    refuse_rest=(
        "Anmelden müssen Sie sich nicht. Was bisher weitergegeben wurde und Ihre anderen Entscheidungen"
        " bleiben, wie sie sind. Was nicht von Ihren Entscheidungen abhängt, bleibt wie angekündigt."
    ),
    refuse_button="Ich widerspreche",
    refused_title="Sie haben widersprochen",
    refused_text=(
        "Was die E-Mail angekündigt und als ablehnbar bezeichnet hat, geschieht mit Daten über Sie nicht,"
        " weder jetzt noch später."
    ),
    refused_rest="Wenn Sie es sich anders überlegen, entscheiden Sie es auf Ihrer Kontoseite.",
    broken_link_title="Dieser Link ist nicht vollständig",
    broken_link_text=(
        "Öffnen Sie den Link in der E-Mail noch einmal oder kopieren Sie ihn ganz. Nichts wurde geändert."
    ),
    machine_text=(
        "GraphQL wird unter `/graphql` gesprochen, wo `policy` dasselbe sagt. `/policy.json` sagt es ohne"
        " GraphQL."
    ),
)
