"""Sample contexts for every template: what a page shows on an ordinary night.

Each text goes through ``say``, so that a test can put its own in its place.
"""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace as Thing
from typing import Any

from incidentrelay.web.console.forms.schema_forms import SchemaForm
from incidentrelay.web.console.policies import form as policy_drafts
from incidentrelay.web.console.rotations.layer_form import Draft, Hours, values
from incidentrelay.web.console.silences import form as silence_drafts
from incidentrelay.web.schemas.oncall.calendar_import import ImportSchema
from incidentrelay.web.schemas.oncall.rotation import OverrideSchema, RotationSchema
from incidentrelay.web.schemas.oncall.schedule import CoverSchema, SwapSchema
from tests.support.policy_samples import policy_form, policy_page, policy_picture, policy_row

NOW = datetime(2026, 11, 24, 3, 12, tzinfo=UTC)


def frame(say: Any = str, **changes: Any) -> dict[str, Any]:
    """What the application gives to every page; ``say`` turns each text into what is shown."""
    values = {
        "request": Thing(path="/alerts", path_qs="/alerts?status=firing", script_name=""),
        "identity": Thing(username=say("bob"), display_name=say("Bob Rivera"), is_admin=True),
        "asset": lambda name: f"/static/vendor/{name}",
        "nav": [
            Thing(
                label=say(label),
                url=f"/{path}",
                icon=icon,
                active=path == "alerts",
                main=main,
                count=count,
            )
            for label, path, icon, main, count in (
                ("Alerts", "alerts", "bell", True, 3),
                ("Inbox", "inbox", "inbox", True, 2),
                ("On call", "oncall", "phone-call", True, 0),
                ("Calendar", "calendar", "calendar", False, 0),
                ("Teams", "groups", "users", False, 0),
            )
        ],
        "flashes": [("success", say("The alert was acknowledged."))],
        "banners": [
            Thing(level="warning", text=say("Rotation Database: nobody on call."), url="/oncall")
        ],
        "csrf_token": say("c5rf"),
        "now": NOW,
    }
    return values | changes


def alert(say: Any = str, **changes: Any) -> Thing:
    values: dict[str, Any] = {
        "id": 17,
        "title": say("Disk is 95 % full on db-primary-01.eu-west.example.net"),
        "severity": "critical",
        "status": "firing",
        "team_name": say("Infrastructure"),
        "group_name": say("SRE"),
        "assignee_name": say("Bob Rivera"),
        "opened_at": NOW - timedelta(minutes=12),
        "last_seen_at": NOW - timedelta(minutes=1),
        "signal_count": 3,
        "url": "/alerts/17",
        "ack_url": "/alerts/17/ack",
        "may_tick": True,
        "quiet_until": None,
        "quiet_reason": "",
        "description": say(
            "/var/lib/postgresql has 2.1 GB left.\nAt this rate it is full at 04:00."
        ),
        "labels": {
            say("alertname"): say("DiskFull"),
            "instance": say("db-primary-01.eu-west.example.net:9100"),
            "mountpoint": say("/var/lib/postgresql"),
        },
        "annotations": {say("summary"): say("Disk is full soon")},
        "source_link": "https://prometheus.example.net/graph?g0.expr=node_filesystem_avail_bytes",
        "runbook_link": "https://wiki.example.net/runbooks/disk-full",
        "route_name": say("Prometheus, production"),
        "rotation_name": say("Infrastructure, primary"),
        "acknowledged_by": None,
        "resolved_at": None,
    }
    return Thing(**values | changes)


def quiet_alerts(say: Any = str) -> list[Thing]:
    until = NOW + timedelta(hours=2)
    return [
        alert(say),
        alert(
            say, id=16, severity="high", assignee_name=None, signal_count=1,
            title=say("p99 latency of checkout above 2 s"), opened_at=NOW - timedelta(minutes=31),
        ),
        alert(
            say, id=15, severity="medium", status="acknowledged", ack_url=None, signal_count=14,
            title=say("Certificate of shop.example.net expires in 6 days"),
        ),
        alert(
            say, id=14, severity="warning", quiet_until=until, quiet_reason=say("maintenance"),
            title=say("Replica db-02 lags by 40 s"), opened_at=NOW - timedelta(minutes=95),
        ),
        alert(say, id=13, severity="low", ack_url=None, status="acknowledged",
              title=say("Backup took 3 h 20 min"), signal_count=1),
        alert(say, id=12, severity="info", ack_url=None, status="resolved",
              title=say("Node pool resized"), signal_count=1),
    ]  # fmt: skip


def actions(say: Any = str) -> list[Thing]:
    def field(**given: Any) -> Thing:
        return Thing(**{"choices": [], "value": "", "required": False} | given)

    snooze = field(
        name="minutes", label=say("For how long"), kind="select", value="30",
        choices=[("30", say("30 minutes")), ("120", say("2 hours"))],
    )  # fmt: skip
    assign = field(name="assignee", label=say("Username"), kind="text", required=True)
    comment = field(name="text", label=say("Comment"), kind="textarea", required=True)
    version = field(name="version", label="", kind="hidden", value=say("4"))
    rows: list[tuple[str, str, bool, list[Thing]]] = [
        ("ack", "Acknowledge", True, [version]),
        ("resolve", "Resolve", False, []),
        ("escalate", "Escalate now", False, []),
        ("snooze", "Snooze", False, [snooze]),
        ("assign", "Assign", False, [assign]),
        ("comment", "Comment", False, [comment]),
    ]
    return [
        Thing(name=name, label=say(label), url=f"/alerts/17/{name}", primary=main, fields=fields)
        for name, label, main, fields in rows
    ]


def alert_page(say: Any = str, **changes: Any) -> dict[str, Any]:
    def event(minutes: int, text: str, icon: str, tone: str, actor: str | None = None) -> Thing:
        at = NOW - timedelta(minutes=minutes)
        return Thing(
            at=at, kind="paged", text=say(text), icon=icon, tone=tone, actor=actor and say(actor)
        )

    def sent(kind: str, target: str, method: str, state: str, **more: Any) -> Thing:
        given = {
            "words": say(state.capitalize()),
            "note": say("In one message with other alerts."),
            "attempts": 1,
            "last_error": None,
            "resend_url": None,
            "at": NOW - timedelta(minutes=12),
        } | more
        return Thing(kind=kind, target=say(target), method=say(method), state=state, **given)

    def reason(about: str, text: str, yours: bool = False) -> Thing:
        return Thing(at=NOW - timedelta(minutes=12), about=about, text=say(text), yours=yours)

    return {
        "alert": alert(say),
        "actions": actions(say),
        "reasons": [
            reason("token", "It was sent with the token that starts with ir_r_EjlU."),
            reason("people", "You were paged by e-mail: on call in Primary.", yours=True),
        ],
        "silence_url": "/groups/sre/teams/core/silences/new?alert=7",
        "plan": [
            Thing(at=NOW + timedelta(minutes=4), text=say("In 4 min: remind Bob Rivera")),
            Thing(at=NOW + timedelta(minutes=9), text=say("In 9 min: call Ann Okafor")),
        ],
        "events": [
            event(2, "Reminder sent to Bob Rivera", "bell-ringing", "warning"),
            event(8, "Looking at it, the WAL archive is stuck", "message-circle", "muted", "Ann"),
            event(11, "Mail to Bob Rivera was sent", "send", "success"),
            event(12, "Bob Rivera was paged", "phone-call", "info"),
            event(12, "Created by DiskFull on Prometheus, production", "flame", "danger"),
        ],
        "notifications": [
            sent("page", "Bob Rivera", "e-mail", "delivered"),
            sent("page", "#infra-alerts", "Slack", "retry", attempts=3,
                 last_error=say("The server answered 503 Service Unavailable."),
                resend_url="/alerts/1/notifications/1/resend"),
            sent("reminder", "Bob Rivera", "voice", "pending", at=None, attempts=0),
        ],
    } | changes  # fmt: skip


def list_page(say: Any = str, **changes: Any) -> dict[str, Any]:
    return {
        "alerts": quiet_alerts(say),
        "counts": Thing(firing=3, acknowledged=2, resolved=128),
        "status": "",
        "query": say("db"),
        "query_error": None,
        "teams": [Thing(slug="infra", name=say("Infrastructure")), Thing(slug="web", name="Web")],
        "team": "infra",
        "next_url": "/alerts?before=12",
        "snoozes": (("30", "30 minutes"), ("60", "1 hour")),
        "people": [Thing(username="anna", display_name=say("Anna"))],
        "me": "anna",
    } | changes


def act_page(say: Any = str, **changes: Any) -> dict[str, Any]:
    return {
        "alert": alert(say),
        "person_name": say("Bob Rivera"),
        "done": None,
        "actions": [
            Thing(name="acknowledge", label=say("Acknowledge"), primary=True),
            Thing(name="resolve", label=say("Resolve"), primary=False),
        ],
        "token_expired": False,
        "message": None,
    } | changes


def oncall_rows(say: Any = str) -> list[Thing]:
    day = timedelta(days=1)
    phone = Thing(label=say("+49 30 1234567"), href="tel:+49301234567")
    mail = Thing(label=say("bob@example.net"), href="mailto:bob@example.net")
    bob = Thing(
        url="/rotations/1", team_name=say("Infrastructure"),
        rotation_name=say("Primary"), contacts=[phone, mail],
        person_name=say("Bob Rivera"), since=NOW - day, until=NOW + day,
        next_name=say("Ann Okafor"), next_at=NOW + day,
    )  # fmt: skip
    nobody = Thing(
        url="/rotations/2", team_name=say("Database"),
        rotation_name=say("Primary"), contacts=[], person_name=None,
        since=None, until=None, next_name=say("Ann Okafor"), next_at=NOW + day,
    )  # fmt: skip
    return [bob, nobody, Thing(**vars(bob) | {"next_name": None, "until": None})]


def inbox_items(say: Any = str) -> list[Thing]:
    return [
        Thing(
            at=one.opened_at, headline=say("Reminder 2"), title=one.title, url=one.url,
            severity=one.severity, status=one.status, team_name=one.team_name, read=one.id < 16,
        )
        for one in quiet_alerts(say)
    ]  # fmt: skip


def me_page(say: Any = str, **changes: Any) -> dict[str, Any]:
    def token(**given: Any) -> Thing:
        values = {"id": 3, "name": say("Deploy"), "hint": say("ir_u_ab12"), "created_at": NOW}
        ends = {"scopes": ["alerts:read"], "expires_at": None, "last_used_at": None}
        return Thing(**values | ends | given)

    def browser(**given: Any) -> Thing:
        values = {"id": 5, "user_agent": say("Firefox/140 Linux"), "address": say("10.0.0.7")}
        return Thing(**values | {"created_at": NOW, "last_seen_at": NOW} | given)

    day = timedelta(days=1)
    return {
        "profile": {"display_name": say("Bob Rivera"), "email": say("bob@example.net"),
                    "phone": say("+4930"), "zone": say("Europe/Berlin"),
                    "shift_start_reminder": True, "shift_end_reminder": False},
        "errors": {},
        "tokens": [token(), token(id=4, expires_at=NOW + day, last_used_at=NOW),
                   token(id=2, expires_at=NOW - day)],
        "token": {"name": "", "scopes": []},
        "new_token": None,
        "scopes": ["alerts:read", "alerts:write"],
        "lives": [("90", say("90 days")), ("", say("for ever"))],
        "browsers": [browser(), browser(id=6, user_agent="", address="")],
        "current_browser": 5,
        "new_feed": None,
        "feeds": [Thing(id=1, name=say("Infrastructure, Primary"), hint=say("ir_f_ab12"))],
        "feed_choices": [Thing(name=say("Infrastructure"), choices=[
            Thing(value="rotation:7", name=say("Primary"), chosen=True)])],
        "subscribing": True,
        "base": "/me",
        "reach": reach_part(say),
    } | changes  # fmt: skip


def reach_part(say: Any = str) -> dict[str, Any]:
    def contact(number: int, verified_at: datetime | None = NOW) -> Thing:
        return Thing(
            id=number,
            kind="email",
            label=say("Home"),
            address=say("b@home.example"),
            verified_at=verified_at,
            code_hash=None if verified_at else "x",
        )

    def sent(state: str, error: str = "", contact: Thing | None = None) -> Thing:
        return Thing(
            contact=contact,
            method="email",
            message={"title": say("Test")},
            created_at=NOW,
            state=state,
            last_error=say(error),
        )

    lists = [
        Thing(
            urgency="high",
            head="Urgent alerts",
            about="Critical, high.",
            default=False,
            rows=[("0", "1"), ("5", "2")],
        ),
        Thing(
            urgency="low", head="Other alerts", about="The rest.", default=True, rows=[("0", "1")]
        ),
    ]
    return {
        "errors": {"new-address": say("This is no address."), "3": say("Too many codes."),
                   "high-rules.1.delay": say("Wait at most 4 hours.")},
        "kinds": {"email": Thing(label="E-mail address", input_type="email")},
        "contacts": [(contact(1), True), (contact(2), False), (contact(3, None), False)],
        "confirmed": [contact(1), contact(2)],
        "new": {"kind": "email", "label": say("Phone"), "address": say("x")},
        "lists": lists,
        "adding": True,
        "most_rules": 10,
        "most_minutes": 240,
        "test": [
            (sent("sent", contact=contact(1)), say("Sent")),
            (sent("failed", "Refused."), say("Failed")),
        ],
    }  # fmt: skip


def calendar_page(say: Any = str, **changes: Any) -> dict[str, Any]:
    """Two days of a week: a shift, nobody, and an override."""
    day = timedelta(days=1)
    bob = Thing(name=say("Bob Rivera"), initials=say("BR"), hue=3)

    def link(label: str, current: bool = False) -> Thing:
        return Thing(label=say(label), url="/calendar?view=week", current=current)

    def head(at: datetime, **given: Any) -> Thing:
        usual = {"today": False, "weekend": False, "outside": False, "change": ""}
        return Thing(date=at.date(), **usual | given)

    def piece(slots: int, person: Any, override: bool, edge: bool) -> Thing:
        return Thing(
            slots=slots, person=person, override=override, opens=edge, closes=not edge,
            since=NOW - day, until=NOW + day,
        )  # fmt: skip

    def line(person: Any, true: bool, override: bool) -> Thing:
        return Thing(
            rotation_id=1, team=say("Infrastructure"), rotation=say("Primary"), person=person,
            now=true,
            since=NOW, until=NOW + day, begins=true, ends=true, override=override,
        )  # fmt: skip

    heads = [
        head(NOW, today=True),
        head(NOW + day, weekend=True, outside=True, change=say("Clocks go back, 25 h")),
    ]
    lane = Thing(
        rotation_id=1,
        name=say("Primary"),
        pieces=[piece(96, bob, True, True), piece(576, None, False, False)],
    )
    team = Thing(name=say("Infrastructure"), lanes=[lane])
    stints = [
        Thing(person=bob, override=True, when=say("until 09:00")),
        Thing(person=None, override=False, when=say("from 09:00")),
    ]
    row = Thing(rotation_id=1, team=say("Infrastructure"), rotation=say("Primary"), stints=stints)
    return {
        "title": say("23 – 29 November 2026"),
        "zone": say("Europe/Paris"),
        "asked": Thing(view="week", day=NOW.date(), team=say("infra"), rotation=say("primary"),
                       zone_given=""),
        "views": [link("Week", True), link("Month")],
        "before": link("Previous week"),
        "after": link("Next week"),
        "now_link": link("Today"),
        "all_link": link("Show all rotations"),
        "subscribe": "/me?feed=#feeds",
        "teams": [Thing(value=say("infra"), name=say("Infrastructure"))],
        "rotations": [
            Thing(name=say("Infrastructure"), choices=[Thing(value=say("infra/primary"), name="x")])
        ],
        "zones": [Thing(value="", name=say("Europe/Paris"))],
        "weeks": [Thing(number=48, now=now, days=heads, teams=[team]) for now in (None, 650)],
        "agenda": [Thing(head=one, rows=[row]) for one in heads],
        "lines": [line(bob, True, True), line(None, False, False)],
        "people": [bob],
        "cut": True,
        "filtered": True,
    } | changes  # fmt: skip


def rotation_rows(say: Any = str) -> list[Thing]:
    gap = Thing(start=NOW + timedelta(days=1), end=NOW + timedelta(days=2))
    usual = {"url": "/rotations/1", "team_name": say("Infrastructure"), "name": say("Primary")}
    covered = usual | {"person_name": say("Bob Rivera"), "until": NOW, "next_at": NOW}
    return [
        Thing(**covered, paused=False, next_name=say("Ann Okafor"), gap=gap),
        Thing(**covered, paused=True, next_name=None, gap=None),
        Thing(**covered | {"person_name": None}, paused=False, next_name=None, gap=gap),
    ]


def rotation_page(say: Any = str, **changes: Any) -> dict[str, Any]:
    day = timedelta(days=1)

    def stretch(name: str | None, mine: bool = False, **given: Any) -> Thing:
        other = name is not None and not mine
        usual = {
            "start": NOW, "end": NOW + day, "current": False, "person_name": name, "mine": mine,
            "contacts": [], "override": mine, "take_at": "2026-11-24T03:12:00Z" if other else None,
            "cover_url": "/cover" if mine else None, "swap_url": "/swap" if other else None,
        }  # fmt: skip
        return Thing(**usual | given)

    bob = Thing(name=say("Bob Rivera"))
    now = stretch(
        say("Bob Rivera"), current=True, contacts=[Thing(label=say("x"), href="tel:+4930")]
    )
    layer = Thing(name=say("Base"), turns="Weekly", hours=["Mon 09:00–17:00"], members=[say("Bob")])
    override = Thing(
        person_name=say("Ann"), starts_at=NOW, ends_at=NOW + day, reason=say("A wedding"),
        running=True, edit_url="/edit", delete_url="/delete",
    )  # fmt: skip
    return {
        "crumbs": [Thing(label=say("SRE"), url=None), Thing(label=say("Rotations"), url="/x")],
        "rotation": Thing(name=say("Primary"), description=say("Ours"), enabled=False),
        "reminder": "5 min",
        "url": "/rotations/1",
        "current": now,
        "coming": [now, stretch(None), stretch(say("Ann"), mine=True), stretch(say("Cy"))],
        "cut": True,
        "calendar_url": "/calendar",
        "gaps": [Thing(start=NOW, end=NOW + day)],
        "overrides": [override],
        "layers": [layer, Thing(name=say("Empty"), turns="Daily", hours=[], members=[])],
        "quality": Thing(
            problems=[Thing(sentence=say("Bob has it all."))], zone="UTC",
            loads=[Thing(person=bob, hours=168.0, night_hours=56.0, weekend_hours=48.0)],
        ),
        "override_url": "/overrides/new",
        "cover_url": "/cover",
        "edit_url": "/edit",
        "delete_url": "/delete",
    } | changes  # fmt: skip


def shift_form(say: Any, schema: Any, names: tuple[str, ...], **changes: Any) -> dict[str, Any]:
    """The pages on which shifts change hands; all of it is wrong."""
    form = SchemaForm(schema, names, {name: say("x") for name in names}, zone="Europe/Berlin")
    form.errors = {name: say("This is wrong.") for name in names}
    form.message = say("And so is this.")
    return {
        "crumbs": [Thing(label=say("SRE"), url=None), Thing(label=say("Primary"), url="/x")],
        "form": form,
        "rotation": Thing(name=say("Primary")),
        "override": None,
        "people": [(say("bob"), say("Bob Rivera"))],
        "theirs": Thing(start=NOW, end=NOW),
        "them": say("Bob Rivera"),
        "mine": [("2026-11-24T03:12:00Z", say("Tue 24 Nov"))],
        "back": "/x",
    } | changes


def edit_page(say: Any = str, **changes: Any) -> dict[str, Any]:
    """Two layers, one with hours; a preview; everything wrong."""
    drafts = [
        Draft(key="1", name=say("Base"), members=["bob", say("otto")], zone=say("Europe/Berlin")),
        Draft(name=say("Nights"), members=[], hours=[Hours(opens=say("22:00"))]),
    ]
    names = ("name", "slug", "description", "enabled", "reminder_interval")
    form = SchemaForm(RotationSchema, names, {name: say("x") for name in names})
    form.values |= values(drafts)
    form.errors = {name: say("This is wrong.") for name in form.values}
    form.version = "3"
    day = timedelta(days=1)
    side = {"start": NOW, "end": NOW + day, "before": say("Bob"), "after": None}
    preview = Thing(
        sides=[Thing(**side, changed=True), Thing(**side, changed=False)],
        cut=True,
        changes=1,
        problems=[say("Bob has it all.")],
    )
    return {
        "crumbs": [Thing(label=say("SRE"), url=None), Thing(label=say("Primary"), url="/x")],
        "form": form,
        "drafts": drafts,
        "rotation": Thing(name=say("Primary")),
        "preview": preview,
        "people": [("bob", say("Bob Rivera"))],
        "names": {"bob": say("Bob Rivera")},
        "units": [("weeks", "weeks")],
        "weekdays": [("0", "Monday")],
        "kinds": [],
        "zones": [say("Europe/Berlin")],
        "back": "/x",
    } | changes


def report_page(say: Any = str, **changes: Any) -> dict[str, Any]:
    """One person in one rotation; somebody asked for holidays."""
    values = {"from": say("2026-11-01"), "to": say("2026-11-30"), "country": say("DE")}
    form = Thing(
        key="report", values=values, special=True, error=lambda name: "",
        value=lambda name: ["5", "6"] if name == "weekend" else values.get(name, ""),
    )  # fmt: skip

    def row(name: str, place: str) -> Thing:
        return Thing(
            name=say(name), place=say(place), total="12.50", pages=3, night_pages=1,
            hours=("6.00", "2.00", "4.00", "0.50"),
        )  # fmt: skip

    return {
        "form": form,
        "periods": [Thing(label=say("This month"), url="/reports/on-call?x=1", current=True)],
        "download_url": "/reports/on-call.csv?x=1",
        "days": [("5", "Saturday"), ("6", "Sunday")],
        "zones": [say("Europe/Paris")],
        "choices": {
            "group": [(say("sre"), say("Sre")), ("web", "Web")],
            "team": [(say("infra"), say("Infrastructure"))],
            "rotation": [(say("infra/primary"), say("Infrastructure · Primary"))],
            "user": [(say("bob"), say("Bob Rivera"))],
            "country": [("DE", say("Germany"))],
            "subdivision": [("BY", say("Bayern"))],
        },
        "made": Thing(holidays={NOW.date(): say("A holiday")}),
        "planned": True,
        "zone": say("Europe/Paris"),
        "total": row("", ""),
        "people": [row("Bob Rivera", "")],
        "by_rotation": [row("", "Infrastructure · Primary")],
        "lines": [row("Bob Rivera", "Infrastructure · Primary")],
    } | changes


def import_page(say: Any = str, *, told: bool = False) -> dict[str, Any]:
    """All of the form is wrong; or what an import would do."""
    names = ("url", "text")
    form = SchemaForm(ImportSchema, names, {name: say("x") for name in (*names, "file")})
    form.errors = {} if told else {name: say("This is wrong.") for name in (*names, "file")}
    ann = Thing(display_name=say("Ann"))
    problems = [Thing(summary=say("Party"), start=NOW, sentence=say("It names nobody."))]
    change = {"user": ann, "start": NOW, "end": NOW, "summary": say("Ann's turn")}
    return {
        "crumbs": [Thing(label=say("Primary"), url="/x")],
        "rotation_name": say("Primary"),
        "form": form,
        "other": SchemaForm(ImportSchema, names, key="other"),
        "back": "/x",
        "report": Thing(problems=problems) if told else None,
        "counted": "1 new",
        "changes": [Thing(action="create", **change), Thing(action="remove", **change)],
        "words": {"create": "new", "remove": "removed"},
    }


def failures_page(say: Any = str, **changes: Any) -> dict[str, Any]:
    way = Thing(name=say("The channel Chat"), since=NOW, reason=say("It refuses."))
    row = Thing(
        at=NOW, kind="page", recipient=say("Chat"), method=say("webhook"), attempts=3,
        reason=say("It refuses."), title=say("Disk"), severity="high", status="firing",
        team_name=say("Core"), url="/alerts/7", resend_url="/x/resend", why_not=None,
    )  # fmt: skip
    late = Thing(**vars(row) | {"resend_url": None, "why_not": say("It is resolved.")})
    return {
        "ways": [(way, 0), (way, 1), (way, 7)],
        "rows": [row, late],
        "everything": False,
        "here": "/notifications",
        "next_url": "/notifications?before=3",
    } | changes


def confirm_page(say: Any = str) -> dict[str, Any]:
    return {
        "crumbs": [Thing(label=say("SRE"), url=None), Thing(label=say("Database"), url="/x")],
        "title": say("Delete Database?"),
        "consequences": [say("Nobody is on call any more.")],
        "button": "Delete",
        "back": "/x",
    }


def silence_row(say: Any = str, **changes: Any) -> Thing:
    return Thing(**{
        "url": "/x", "matchers": [say('alertname="DiskFull"'), say('host=~"db-.*"')],
        "reason": say("Moving the disks"), "by": say("Bob Rivera"), "group_name": say("SRE"),
        "team_name": say("Infrastructure"), "state": "active", "at": NOW,
        "repeats": say("Every week on Sunday at 02:00"), "starts_at": NOW, "ends_at": None,
        "end_url": "/x/end", "edit_url": "/x/edit", "delete_url": "/x/delete",
    } | changes)  # fmt: skip


def silence_list(say: Any = str, **changes: Any) -> dict[str, Any]:
    bare = {"matchers": [], "reason": "", "by": None, "repeats": None, "end_url": None}
    return {
        "crumbs": [Thing(label=say("SRE"), url=None)],
        "team_name": say("Infrastructure"),
        "over": False,
        "rows": [
            silence_row(say),
            silence_row(say, state="coming"),
            silence_row(say, state="over", **bare),
        ],
        "new_url": "/x/new",
        "next_url": "/x?before=3",
    } | changes


def silence_preview(say: Any = str, **changes: Any) -> Thing:
    found = Thing(id=7, title=say("Disk is full"), severity="critical", opened_at=NOW)
    return Thing(**{
        "firing": 12, "alerts": [found], "recent": 1, "incomplete": True,
        "windows": [Thing(start=NOW, end=NOW + timedelta(hours=1))],
    } | changes)  # fmt: skip


def silence_page(say: Any = str, **changes: Any) -> dict[str, Any]:
    return {
        "crumbs": [Thing(label=say("Core"), url="/x")],
        "silence": silence_row(say),
        "preview": silence_preview(say),
        "alerts_url": "/alerts",
    } | changes


def silence_form(say: Any = str, *, wrong: bool = False) -> dict[str, Any]:
    form = silence_drafts.blank("Europe/Paris")
    form.values |= {name: say("x") for name in ("matchers", "reason", "rule", "zone")}
    if wrong:
        form.errors = {name: say("This is wrong.") for name in silence_drafts.NAMES}
    return {
        "crumbs": [Thing(label=say("Core"), url="/x")],
        "title": "New silence",
        "team_name": say("Core"),
        "form": form,
        "lasts": silence_drafts.LASTS,
        "repeats": silence_drafts.REPEATS,
        "preview": None if wrong else silence_preview(say),
        "alerts_url": "/alerts",
        "back": "/x",
    }


def pages(say: Any = str) -> dict[str, tuple[str, dict[str, Any]]]:
    """Every page that the templates can make, by a name for the test's report."""
    stranger = {"identity": None, "nav": [], "banners": [], "flashes": []}
    login = stranger | {"error": None, "username": "", "next": say("/alerts")}
    refused = login | {"error": say("Wrong username or password."), "username": say("bob")}
    silence = {"quiet_until": NOW, "quiet_reason": say("maintenance"), "labels": {}}
    bare = alert(
        say, source_link=None, runbook_link=None, annotations={}, description="",
        rotation_name=None, assignee_name=None, **silence,
    )  # fmt: skip
    resolved = alert(say, status="resolved", resolved_at=NOW)
    error = {"status": 404, "title": say("Not found"), "detail": say("No such page."),
             "error_id": say("7f3a")}  # fmt: skip
    nothing = {"alerts": [], "next_url": None, "query": "", "team": ""}
    return {
        "login": ("profile/login.jinja2", login),
        "login refused": ("profile/login.jinja2", refused),
        "alerts": ("alerts/index.jinja2", list_page(say)),
        "alerts none": ("alerts/index.jinja2", list_page(say, **nothing)),
        "alerts none resolved": ("alerts/index.jinja2", list_page(
            say, **nothing | {"status": "resolved"})),
        "alerts bad search": ("alerts/index.jinja2", list_page(
            say, **nothing | {"query_error": say("At character 3: a value is missing.")})),
        "alerts not found": ("alerts/index.jinja2", list_page(
            say, **nothing | {"query": say("x")})),
        "alert": ("alerts/alert.jinja2", alert_page(say)),
        "alert bare": ("alerts/alert.jinja2", alert_page(
            say, alert=bare, plan=[], events=[], notifications=[], actions=[],
            silence_url=None)),
        "alert resolved": ("alerts/alert.jinja2", alert_page(say, alert=resolved)),
        "act": ("alerts/action_link.jinja2", act_page(say)),
        "act done": ("alerts/action_link.jinja2", act_page(
            say, alert=alert(say, status="acknowledged"), done=say("Acknowledged by Bob Rivera"),
            message=say("Nobody else will be called."),
            actions=[Thing(name="resolve", label=say("Resolve"), primary=False)])),
        "act expired": ("alerts/action_link.jinja2", act_page(
            say, alert=None, token_expired=True, actions=[], person_name="")),
        "inbox": (
            "profile/inbox.jinja2",
            {"items": inbox_items(say), "next_url": "/inbox?before=3"},
        ),
        "inbox empty": ("profile/inbox.jinja2", {"items": [], "next_url": None}),
        "on call": ("rotations/on_call.jinja2", {"rows": oncall_rows(say)}),
        "on call empty": ("rotations/on_call.jinja2", {"rows": []}),
        "calendar": ("calendar/index.jinja2", calendar_page(say)),
        "calendar without rotations": ("calendar/index.jinja2", calendar_page(
            say, lines=[], cut=False, filtered=False)),
        "calendar without such a rotation": ("calendar/index.jinja2", calendar_page(
            say, lines=[], cut=False)),
        "rotations": ("rotations/index.jinja2", {"rows": rotation_rows(say), "new_url": "/new"}),
        "rotations none": ("rotations/index.jinja2", {"rows": [], "new_url": None}),
        "rotation": ("rotations/rotation.jinja2", rotation_page(say)),
        "rotation bare": ("rotations/rotation.jinja2", rotation_page(
            say, current=None, coming=[], gaps=[], overrides=[], layers=[], reminder="",
            quality=Thing(problems=[], loads=[], zone="UTC"))),
        "override": ("rotations/override.jinja2", shift_form(
            say, OverrideSchema, ("user", "starts_at", "ends_at", "reason"))),
        "override begun": ("rotations/override.jinja2", shift_form(
            say, OverrideSchema, ("ends_at", "reason"),
            override=Thing(user=Thing(display_name=say("Bob"))))),
        "cover": ("rotations/cover.jinja2", shift_form(
            say, CoverSchema, ("user", "for", "from", "to"))),
        "swap": ("rotations/swap.jinja2", shift_form(say, SwapSchema, ("mine", "theirs"))),
        "swap without": ("rotations/swap.jinja2", shift_form(
            say, SwapSchema, ("mine", "theirs"), theirs=None, them=None, mine=[])),
        "rotation editor": ("rotations/edit.jinja2", edit_page(say)),
        "rotation new": ("rotations/edit.jinja2", edit_page(
            say, rotation=None, preview=None, kinds=[("daily", say("Daily"))],
            drafts=[Draft(name=say("Base"))])),
        "for which team": ("choose_team.jinja2", {
            "crumbs": [], "teams": [(say("SRE / Database"), "/x")], "title": "New rotation",
            "missing": ""}),
        "for no team": ("choose_team.jinja2", {
            "crumbs": [], "teams": [], "title": "New rotation", "missing": say("Ask somebody.")}),
        "policies": ("policies/index.jinja2", {
            "rows": [policy_row(say), policy_row(say, repeats="", routes=[], fallback=False)],
            "new_url": "/policies/new"}),
        "policies none": ("policies/index.jinja2", {"rows": [], "new_url": None}),
        "policy": ("policies/policy.jinja2", policy_page(say)),
        "policy bare": ("policies/policy.jinja2", policy_page(
            say, picture=policy_picture(say, fallback=False), routes=[], edit_url=None,
            delete_url=None)),
        "policy editor": ("policies/edit.jinja2", policy_form(say)),
        "policy new": ("policies/edit.jinja2", policy_form(
            say, policy=None, preview=None, drafts=[policy_drafts.Draft()])),
        "silences": ("silences/index.jinja2", silence_list(say)),
        "silences none": ("silences/index.jinja2", silence_list(
            say, rows=[], crumbs=[], team_name=None, new_url=None, next_url=None)),
        "silences none over": ("silences/index.jinja2", silence_list(say, rows=[], over=True)),
        "silence": ("silences/silence.jinja2", silence_page(say)),
        "silence over": ("silences/silence.jinja2", silence_page(say, preview=None,
            silence=silence_row(say, state="over", ends_at=NOW, edit_url=None, end_url=None))),
        "silence form": ("silences/edit.jinja2", silence_form(say)),
        "silence form wrong": ("silences/edit.jinja2", silence_form(say, wrong=True)),
        "report": ("reports/on_call_hours.jinja2", report_page(say)),
        "report of nobody": ("reports/on_call_hours.jinja2", report_page(say, lines=[])),
        "report refused": ("reports/on_call_hours.jinja2", report_page(say, made=None)),
        "import": ("rotations/calendar_import.jinja2", import_page(say)),
        "import looked at": ("rotations/calendar_import.jinja2", import_page(say, told=True)),
        "failed": ("alerts/failed_notifications.jinja2", failures_page(say)),
        "failed none": ("alerts/failed_notifications.jinja2", failures_page(say, rows=[], ways=[])),
        "failed none at all": ("alerts/failed_notifications.jinja2", failures_page(
            say, rows=[], everything=True)),
        "confirm": ("confirm.jinja2", confirm_page(say)),
        "error": ("error.jinja2", error),
        "error for strangers": ("error.jinja2", stranger | error | {"error_id": None}),
        "me": ("profile/me.jinja2", me_page(say)),
        "me, new token": (
            "profile/me.jinja2",
            me_page(say, tokens=[], new_token=say("ir_u_secret")),
        ),
        "me, new feed": ("profile/me.jinja2", me_page(
            say, feeds=[], subscribing=False, new_feed=say("https://a.example/feeds/ir_f_x.ics"))),
        "me refused": ("profile/me.jinja2", me_page(
            say, token={"name": say("x"), "scopes": ["alerts:read"]},
            errors={name: say("This is wrong.") for name in (
                "display_name", "email", "phone", "zone", "current_password", "new_password",
                "name", "scopes", "days", "what")})),
        "docs": ("docs.jinja2", {"spec_url": "/api/openapi.json"}),
    }  # fmt: skip
