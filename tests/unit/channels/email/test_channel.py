"""The e-mail channel against a real SMTP sink."""

import email
import email.policy
import re
import socket
from dataclasses import replace
from email.message import EmailMessage
from html.parser import HTMLParser

import pytest
from marshmallow import ValidationError

from incidentrelay.channels.base import PermanentFailure, TemporaryFailure
from incidentrelay.channels.email.channel import EmailChannel, EmailConfig, compose
from incidentrelay.domain.delivery.rate_limit import MOST_IN_ONE
from incidentrelay.domain.enums import AlertStatus, NotificationKind, Severity
from incidentrelay.domain.messages import Envelope, Links, Part
from incidentrelay.transport.smtp import SMTPServer
from tests.unit.channels.conftest import MailVendor, make_bundle, make_envelope, make_signals

SERVER = SMTPServer("mail.example", sender="Relay <pager@relay.example>")
CONSOLE = "https://relay.example/alerts/1234567"
ACT = "https://relay.example/act/abc.def?x=1&y=2"


def arrived(vendor: MailVendor, index: int = 0) -> EmailMessage:
    content = vendor.envelopes[index].content
    assert isinstance(content, bytes)
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def parts(message: EmailMessage) -> tuple[str, str]:
    """Its text and its HTML."""
    found = [message.get_body((kind,)) for kind in ("plain", "html")]
    text, html = (part.get_content() for part in found if part is not None)
    return str(text), str(html)


class Page(HTMLParser):
    """The tags, links and text of an HTML document."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: dict[str, str] = {}
        self.open: list[str] = []
        self.attributes: set[str] = set()
        self.words = ""
        self._href: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag != "meta":
            self.open.append(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag == "a":
            self._href = dict(attrs)["href"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self._href = None

    def handle_data(self, data: str) -> None:
        self.words += data
        if self._href is not None:
            self.links[data] = self._href


def test_a_page_arrives_as_text_and_html(smtp: SMTPServer, mail_vendor: MailVendor) -> None:
    result = EmailChannel(smtp).send(make_envelope(), {"to": ["ann@example.org"]})
    assert result.detail == "ann@example.org: 250 queued."
    assert result.delivered is False
    message = arrived(mail_vendor)
    assert message.get_content_type() == "multipart/alternative"
    assert message["Subject"] == "[FIRING] [critical] Disk full on db1 (Databases)"
    assert message["To"] == "ann@example.org"
    assert message["From"] == "Relay <pager@relay.example>"
    assert message["Date"] == "Sun, 01 Mar 2026 09:30:00 +0000"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Auto-Response-Suppress"] == "All"
    assert (message["X-Priority"], message["Importance"]) == ("1", "high")
    text, html = parts(message)
    for shown in ("Disk full on db1", "Databases", "ann", "2026-03-01 09:29 UTC", "db1:9100"):
        assert shown in text
        assert shown in html
    assert ACT in text
    assert "> 97 % used\n> 3 GB left" in text.replace("\r\n", "\n")


def test_the_html_is_well_formed_and_leads_to_the_right_places() -> None:
    page = Page(parts(compose(SERVER, make_envelope(), "ann@example.org"))[1])
    assert page.open == []
    assert page.links == {
        "Acknowledge": ACT,
        "open the alert": "https://relay.example/alerts/17",
        "Runbook": "https://wiki.example/disk",
        "Source": "https://prometheus.example/graph?g0=1",
    }
    # Opening a mail loads nothing and runs nothing, so it tells nobody.
    assert not {"script", "img", "link", "iframe", "form"} & set(page.tags)


def test_nobody_is_offered_what_they_cannot_do() -> None:
    for envelope in (
        make_envelope(links=Links("https://relay.example/alerts/17", None)),
        make_envelope(status=AlertStatus.ACKNOWLEDGED),
        make_envelope(status=AlertStatus.RESOLVED),
    ):
        text, html = parts(compose(SERVER, envelope, "ann@example.org"))
        assert "Acknowledge" not in html
        assert "ACKNOWLEDGE" not in text
        assert Page(html).links["Open the alert"] == "https://relay.example/alerts/17"


def test_a_message_without_links_is_whole() -> None:
    envelope = make_envelope(links=Links(), source_link=None, runbook_link=None)
    text, html = parts(compose(SERVER, envelope, "ann@example.org"))
    assert Page(html).links == {}
    assert "http" not in text


@pytest.mark.parametrize("severity", [s for s in Severity if s is not Severity.CRITICAL])
def test_only_what_is_critical_is_marked_so(severity: Severity) -> None:
    message = compose(SERVER, make_envelope(severity=severity), "ann@example.org")
    assert message["X-Priority"] is None
    assert message["Subject"].startswith(f"[FIRING] [{severity}] ")


def test_a_test_says_so() -> None:
    message = compose(SERVER, make_envelope(kind=NotificationKind.TEST), "ann@example.org")
    assert message["Subject"].startswith("[TEST] [critical] ")


@pytest.mark.parametrize(
    ("status", "reopened", "state"),
    [
        (AlertStatus.FIRING, False, "FIRING"),
        (AlertStatus.FIRING, True, "REOPENED"),
        (AlertStatus.ACKNOWLEDGED, True, "ACKNOWLEDGED"),
        (AlertStatus.RESOLVED, True, "RESOLVED"),
    ],
)
def test_the_subject_says_the_state_and_only_what_fires_is_important(
    status: AlertStatus, reopened: bool, state: str
) -> None:
    envelope = replace(make_envelope(status=status), reopened=reopened)
    message = compose(SERVER, envelope, "ann@example.org")
    assert message["Subject"] == f"[{state}] [critical] Disk full on db1 (Databases)"
    assert (message["X-Priority"] is not None) is (status is AlertStatus.FIRING)
    assert message["References"] == compose(SERVER, make_envelope(), "a@b.example")["References"]


def test_updates_in_several_states_say_so() -> None:
    envelope = make_bundle(2, kind=NotificationKind.UPDATE)
    first, second = envelope.parts
    over = replace(second, message=replace(second.message, status=AlertStatus.RESOLVED))
    message = compose(SERVER, replace(envelope, parts=(first, over)), "ann@example.org")
    assert message["Subject"].startswith("[UPDATE] ")


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("Europe/Berlin", "2026-03-01 10:29 Europe/Berlin"),
        ("Asia/Kathmandu", "2026-03-01 15:14 Asia/Kathmandu"),
        ("Not/AZone", "2026-03-01 09:29 UTC"),
    ],
)
def test_times_are_in_the_zone_of_the_recipient(zone: str, shown: str) -> None:
    envelope = replace(make_envelope(), zone=zone)
    assert all(shown in part for part in parts(compose(SERVER, envelope, "ann@example.org")))


def test_a_storm_is_one_mail_that_names_all_alerts() -> None:
    text, html = parts(compose(SERVER, make_bundle(7), "ann@example.org"))
    page = Page(html)
    assert page.open == []
    for number in range(7):
        assert page.links[f"Disk {number} full"] == f"https://relay.example/alerts/{number}"
        assert f"critical: Disk {number} full" in text
        assert f"Acknowledge: https://relay.example/act/{number}" in text
    assert html.count("<b>Acknowledge</b>") == 7
    assert page.links["Open the alerts"] == "https://relay.example/alerts"


def test_the_biggest_bundle_is_whole_in_every_mail_program() -> None:
    """Some cut off what comes after 100 kB."""
    envelope = make_bundle(MOST_IN_ONE)
    long = "https://relay.example/act/" + "x" * 120
    long_parts = [
        Part(replace(part.message, title="A title of some length " * 10), Links(CONSOLE, long))
        for part in envelope.parts
    ]
    text, html = parts(
        compose(SERVER, replace(envelope, parts=tuple(long_parts)), "ann@example.org")
    )
    assert text.count("Acknowledge: ") == html.count("<b>Acknowledge</b>") == MOST_IN_ONE
    assert len(html.encode()) < 100_000


def test_news_of_many_alerts_says_what_has_happened_to_each() -> None:
    news = {
        "kind": NotificationKind.UPDATE,
        "headline": "Resolved by its source",
        "status": AlertStatus.RESOLVED,
    }
    text, html = parts(compose(SERVER, make_bundle(6, **news), "ann@example.org"))
    assert text.count("Resolved by its source: Disk") == 6
    assert html.count(">Resolved by its source: <a") == 6
    assert "Acknowledge" not in html + text


def test_identities_are_stable_and_thread() -> None:
    base = make_envelope()
    first = compose(SERVER, base, "ann@example.org")
    again = compose(SERVER, base, "Ann@example.org")
    other = compose(SERVER, base, "bob@example.org")
    later = compose(
        SERVER,
        Envelope(base.message, base.links, "other key", base.thread_key, base.now),
        "ann@example.org",
    )
    assert first["Message-ID"] == again["Message-ID"]
    assert len({m["Message-ID"] for m in (first, other, later)}) == 3
    assert re.fullmatch(r"<message\.[0-9a-f]{40}@relay\.example>", first["Message-ID"])
    assert len({m["References"] for m in (first, other, later)}) == 1
    assert first["References"] == first["In-Reply-To"]
    assert len({m["Subject"] for m in (first, other, later)}) == 1


def test_hostile_text_stays_text() -> None:
    evil = '</td></h1><script>alert("1")</script><a href="https://evil.example">x</a>'
    envelope = make_envelope(
        title=evil + "\r\nBcc: x@evil.example",
        headline=evil,
        team=evil,
        description=f"{evil}\n\nACKNOWLEDGE:\nhttps://evil.example/",
        labels={evil: evil},
        assignee=evil,
        source_link="javascript:alert(1)",
        runbook_link='https://a.example/"onmouseover="alert(1)',
    )
    message = compose(SERVER, envelope, "ann@example.org")
    assert message["Bcc"] is None
    assert len(message["Subject"]) <= 200
    text, html = parts(message)
    page = Page(html)
    assert page.open == []
    assert "script" not in page.tags
    assert "onmouseover" not in page.attributes
    assert "https://evil.example" not in page.links.values()
    assert "Source" not in page.links
    # Foreign text never starts a line of ours.
    assert "\n> https://evil.example/" in text.replace("\r\n", "\n")
    assert "\nhttps://evil.example/" not in text.replace("\r\n", "\n")


def test_a_huge_title_is_cut() -> None:
    message = compose(SERVER, make_envelope(title="é" * 10_000), "ann@example.org")
    assert len(message["Subject"]) <= 200
    raw = message.as_bytes()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert len(raw) < 50_000


def test_each_recipient_gets_a_message_in_one_conversation(
    smtp: SMTPServer, mail_vendor: MailVendor
) -> None:
    EmailChannel(smtp).send(make_envelope(), {"to": ["ann@example.org", "bob@example.org"]})
    assert [arrived(mail_vendor, n)["To"] for n in (0, 1)] == [
        "ann@example.org",
        "bob@example.org",
    ]
    assert mail_vendor.conversations == 1


def test_one_refused_address_does_not_undo_the_others(
    smtp: SMTPServer, mail_vendor: MailVendor
) -> None:
    mail_vendor.replies["gone@example.org"] = "550 no such user"
    config = {"to": ["gone@example.org", "ann@example.org"]}
    result = EmailChannel(smtp).send(make_envelope(), config)
    assert "ann@example.org: 250 queued." in result.detail
    assert "gone@example.org: " in result.detail
    assert "550 no such user" in result.detail
    assert len(mail_vendor.envelopes) == 1


def test_an_address_that_may_work_later_is_tried_again(
    smtp: SMTPServer, mail_vendor: MailVendor
) -> None:
    mail_vendor.replies["busy@example.org"] = "450 greylisted"
    config = {"to": ["ann@example.org", "busy@example.org"]}
    with pytest.raises(TemporaryFailure) as caught:
        EmailChannel(smtp).send(make_envelope(), config)
    assert "450 greylisted" in caught.value.reason
    assert caught.value.unknown is True
    mail_vendor.replies.clear()
    EmailChannel(smtp).send(make_envelope(), config)
    first, again = arrived(mail_vendor, 0), arrived(mail_vendor, 1)
    assert first["Message-ID"] == again["Message-ID"]


def test_a_relay_that_refuses_all_may_be_restarting(
    smtp: SMTPServer, mail_vendor: MailVendor
) -> None:
    mail_vendor.replies |= {"a@example.org": "550 5.1.1 no such user", "*": "554 5.3.2 closing"}
    with pytest.raises(TemporaryFailure) as caught:
        EmailChannel(smtp).send(make_envelope(), {"to": ["a@example.org", "b@example.org"]})
    assert (caught.value.refused, caught.value.unknown) == (True, False)
    assert "a@example.org: " in caught.value.reason
    assert "b@example.org: " in caught.value.reason


def test_mailboxes_that_do_not_exist_are_permanent(
    smtp: SMTPServer, mail_vendor: MailVendor
) -> None:
    mail_vendor.replies["*"] = "550 5.1.1 no such user"
    with pytest.raises(PermanentFailure) as caught:
        EmailChannel(smtp).send(make_envelope(), {"to": ["a@example.org", "b@example.org"]})
    assert "a@example.org: " in caught.value.reason
    assert "b@example.org: " in caught.value.reason


def test_greylisting_is_no_refusal(smtp: SMTPServer, mail_vendor: MailVendor) -> None:
    mail_vendor.replies["*"] = "451 4.7.1 greylisted"
    with pytest.raises(TemporaryFailure) as caught:
        EmailChannel(smtp).send(make_envelope(), {"to": ["a@example.org"]})
    assert caught.value.refused is False


def test_a_server_that_is_away_is_asked_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    server = SMTPServer("127.0.0.1", port, security="none", sender="pager@relay.example")
    with pytest.raises(TemporaryFailure) as caught:
        EmailChannel(server).send(make_envelope(), {"to": ["a@example.org", "b@example.org"]})
    assert caught.value.reason.count("Could not connect") == 1
    assert caught.value.unknown is False


@pytest.mark.parametrize(
    "to",
    [
        None,
        [],
        ["ann"],
        ["ann@example.org\r\nBcc: x@evil.example"],
        ["ann@example.org\n"],
        ["Ann <ann@example.org>"],
        ["änn@example.org"],
        ["ann@exämple.org"],
        ["ann@example.org", "Ann@example.org"],
        ["a" * 250 + "@example.org"],
        [f"user{number}@example.org" for number in range(21)],
        "ann@example.org",
    ],
)
def test_bad_addresses_are_refused(to: object) -> None:
    with pytest.raises(ValidationError) as caught:
        EmailConfig().load({} if to is None else {"to": to})
    assert isinstance(caught.value.messages, dict)
    assert list(caught.value.messages) == ["to"]


def test_a_notice_of_a_shift_is_no_alarm() -> None:
    envelope = make_envelope(
        kind=NotificationKind.SHIFT,
        headline="Your shift begins",
        title="You are on call for Core",
        severity=Severity.INFO,
        status=AlertStatus.RESOLVED,
        alert_id=None,
        description="Until: Monday",
        links=Links("https://relay.example/oncall"),
    )
    mail = compose(SERVER, envelope, "ann@example.org")
    assert mail["Subject"] == "You are on call for Core"
    for text in parts(mail):
        assert "Until: Monday" in text
        assert "https://relay.example/oncall" in text
        assert "Who is on call" in text
        assert not any(word in text.lower() for word in ("severity", "status", "resolved"))
        assert "this alert" not in text


def test_the_signals_of_a_group_are_listed() -> None:
    envelope = make_envelope(
        labels={"job": "node"}, signals=make_signals("db1", "db2"), signal_count=5
    )
    text, html = parts(compose(SERVER, envelope, "ann@example.org"))
    for body in (text, Page(html).words):
        assert "Disk full on db2" in body
        assert "instance = db2:9100" in body
        assert "and 3 more" in body
        assert body.count("job = node") + body.count("jobnode") <= 1
    assert Page(html).links["Disk full on db2"] == "https://prometheus.example/graph?g0=db2"


def test_a_single_signal_is_not_listed_again() -> None:
    envelope = make_envelope(title="A", signals=make_signals("db1"), signal_count=1)
    text, _ = parts(compose(SERVER, envelope, "ann@example.org"))
    assert "Disk full on db1" not in text


def test_signals_that_joined_are_listed() -> None:
    envelope = make_envelope(signals=make_signals("db2"), signal_count=2, joined=1)
    text, _ = parts(compose(SERVER, envelope, "ann@example.org"))
    assert "Joined:\n- critical: Disk full on db2" in text
