"""Storms: what is sent together, and what waits."""

import pytest
from sqlalchemy import delete, select, update

from incidentrelay.db import Database, Hint
from incidentrelay.domain.actors import Actor
from incidentrelay.domain.delivery.rate_limit import BURST, MOST_IN_ONE
from incidentrelay.domain.enums import DeliveryState
from incidentrelay.models import (
    Alert,
    Attempt,
    Channel,
    Event,
    GroupMember,
    Notification,
    User,
)
from incidentrelay.services.alerts import actions as alert_actions
from incidentrelay.services.delivery import bundling
from incidentrelay.services.outbox.records import build_envelope
from tests.support import factories
from tests.support.pager import LEASE, MINUTE, NOW, Pager, a_signal, no_links
from tests.support.storms import (
    BUSY,
    FAILED,
    SECOND,
    SENT,
    build_outside,
    claim_all,
    deliver_all,
    of,
    storm,
)

pytestmark = pytest.mark.both_databases


@pytest.fixture
def pager(database: Database) -> Pager:
    return build_outside(database)


def test_a_handful_of_alerts_are_messages_of_their_own(pager: Pager) -> None:
    storm(pager, BURST)
    claims = deliver_all(pager, "webhook", NOW)
    assert [len(taken.messages) for taken in claims] == [1] * BURST


def test_a_storm_is_one_message_and_none_is_lost(pager: Pager) -> None:
    storm(pager, 40)
    [taken] = claim_all(pager, "webhook")
    assert len(taken.messages) == 40
    pager.record(taken, SENT)
    rows = of(pager, "webhook")
    assert {row.state for row in rows} == {DeliveryState.SENT}
    assert {row.bundle for row in rows} == {taken.uid}


def test_in_a_storm_each_recipient_is_told_at_once(pager: Pager) -> None:
    """The first hint of each is enough, because its message tells of all."""
    hints: list[Hint] = []
    pager.database.sink = hints.extend
    storm(pager, 100)
    at_once = {hint.id for hint in hints if hint.task == "deliver"}
    firsts = {of(pager, method)[0].id for method in ("webhook", "email", "inbox")}
    assert at_once == firsts
    assert Hint("sweep") in hints


def test_each_alert_knows_which_message_told_of_it(pager: Pager) -> None:
    storm(pager, 40)
    [taken] = claim_all(pager, "webhook")
    pager.record(taken, SENT)
    with pager.database.read() as session:
        told = session.scalars(select(Event).where(Event.kind == "notification_sent")).all()
        attempts = session.scalars(select(Attempt.notification_id)).all()
    assert {line.alert_id for line in told} == {each.alert_id for each in taken.messages}
    assert {line.data["bundle"] for line in told} == {taken.uid}
    assert told[0].text.startswith("Page delivered to ")
    assert told[0].text.endswith("in one message with 39 others")
    assert sorted(attempts) == sorted(taken.ids)


def test_the_timeline_names_the_contact_method_in_words(pager: Pager) -> None:
    storm(pager, 1)
    [claim] = claim_all(pager, "email")
    pager.record(claim, SENT)
    with pager.database.read() as session:
        line = session.scalars(select(Event).where(Event.kind == "notification_sent")).one()
    assert line.text.endswith(" by e-mail")


def test_a_big_storm_is_a_few_messages_at_an_even_pace(pager: Pager) -> None:
    for start in range(0, 1000, 100):
        pager.take(*[a_signal(f"disk{start + number}") for number in range(100)])
    at, sizes = NOW, []
    while at < NOW + MINUTE:
        sizes += [len(taken.messages) for taken in deliver_all(pager, "webhook", at)]
        at += SECOND
    assert sum(sizes) == 1000
    assert len(sizes) == 10
    assert max(sizes) == MOST_IN_ONE


def test_what_has_to_wait_is_woken_when_its_time_has_come(pager: Pager) -> None:
    for number in range(BURST + 2):
        pager.take(a_signal(f"disk{number}"))
        if number < BURST:
            deliver_all(pager, "webhook", NOW)
    hints: list[Hint] = []
    pager.database.sink = hints.extend
    assert claim_all(pager, "webhook") == []
    waiting = [row for row in of(pager, "webhook") if row.state is DeliveryState.PENDING]
    assert {row.next_at for row in waiting} == {NOW + 6 * SECOND}
    assert Hint("deliver", waiting[0].id, NOW + 6 * SECOND) in hints
    [together] = claim_all(pager, "webhook", NOW + 6 * SECOND)
    assert together.ids == [row.id for row in waiting]


def test_a_channel_has_the_pace_that_was_chosen_for_it(pager: Pager) -> None:
    with pager.database.write() as session:
        session.execute(update(Channel).values(messages_per_minute=1))
    storm(pager, 1)
    assert len(deliver_all(pager, "webhook", NOW)) == 1
    pager.take(a_signal("another"))
    assert claim_all(pager, "webhook", NOW + 59 * SECOND) == []
    assert len(claim_all(pager, "webhook", NOW + MINUTE)) == 1


def test_each_person_has_a_pace_of_their_own(pager: Pager) -> None:
    storm(pager, 40)
    with pager.database.write() as session:
        half = select(Notification.id).where(Notification.method == "email").limit(20)
        to_bob = {"target": f"user:{pager.people['bob']}:email", "user_id": pager.people["bob"]}
        session.execute(
            update(Notification).where(Notification.id.in_(half.scalar_subquery())).values(to_bob)
        )
    claims = claim_all(pager, "email")
    assert sorted((taken.user_id, len(taken.messages)) for taken in claims) == [
        (pager.people["ann"], 20),
        (pager.people["bob"], 20),
    ]


def test_news_and_pages_do_not_share_a_message(pager: Pager) -> None:
    storm(pager, 10)
    deliver_all(pager, "webhook", NOW)
    pager.take(*[a_signal(f"disk{n}", resolved=True) for n in range(10)], at=NOW + MINUTE)
    pager.take(*[a_signal(f"cpu{n}") for n in range(10)], at=NOW + MINUTE)
    claims = claim_all(pager, "webhook", NOW + 2 * MINUTE)
    kinds = [{each.message.kind for each in taken.messages} for taken in claims]
    assert sorted(map(len, kinds)) == [1, 1]


def test_a_bundle_that_may_have_arrived_is_sent_again_as_it_was(pager: Pager) -> None:
    storm(pager, 10)
    [dead] = claim_all(pager, "webhook")
    storm_later = NOW + LEASE
    pager.take(*[a_signal(f"cpu{n}") for n in range(10)], at=storm_later)
    again = pager.claim(dead.ids[0], storm_later)
    assert again is not None
    assert (again.uid, again.ids) == (dead.uid, dead.ids)
    assert not pager.record(dead, FAILED, storm_later)
    assert pager.record(again, SENT, storm_later)


def test_who_is_not_needed_any_more_is_left_out(pager: Pager) -> None:
    storm(pager, 10)
    [dead] = claim_all(pager, "webhook")
    with pager.database.write() as session:
        actor = Actor(name="Ann", via="api", user_id=pager.people["ann"])
        alert_actions.acknowledge(session, pager.alert(session), actor=actor, now=NOW)
    again = pager.claim(dead.ids[0], NOW + LEASE)
    assert again is not None
    assert again.ids == dead.ids[:-1]
    assert of(pager, "webhook")[9].state is DeliveryState.CANCELLED


def test_one_that_cannot_be_read_spoils_no_bundle(pager: Pager) -> None:
    storm(pager, 10)
    bad = of(pager, "webhook")[4].id
    with pager.database.write() as session:
        session.execute(update(Notification).where(Notification.id == bad).values(message={}))
    taken = pager.claim(of(pager, "webhook")[0].id)
    assert taken is not None
    assert len(taken.messages) == 9
    assert bad not in taken.ids
    with pytest.raises(KeyError):
        pager.claim(bad, NOW)


def test_a_bundle_sums_up_and_has_each_alerts_links(pager: Pager) -> None:
    storm(pager, 10)
    [taken] = claim_all(pager, "webhook")
    sent = build_envelope(taken, no_links, NOW)
    assert sent.message.headline == "Page: 10 alerts"
    assert sent.idempotency_key == taken.uid
    assert sent.links.console == "http://localhost/alerts"
    assert [part.links.console for part in sent.parts] == [
        f"http://localhost/alerts/{each.alert_id}" for each in taken.messages
    ]


def test_when_a_bundle_fails_each_alert_falls_back(pager: Pager) -> None:
    pager.change(fallback_user_id=pager.people["fay"])
    storm(pager, 10)
    for method in ("email", "webhook"):
        [taken] = claim_all(pager, method)
        pager.record(taken, FAILED)
    told = [who for kind, who, _ in pager.outbox() if kind == "fallback"]
    assert told == ["fay"] * 10


def test_what_is_left_of_a_bundle_goes_out_as_itself(pager: Pager) -> None:
    """Mail about the last alert must not continue the thread of the first."""
    storm(pager, 40)
    [bundle] = claim_all(pager, "webhook")
    pager.record(bundle, BUSY)
    last = of(pager, "webhook")[-1]
    with pager.database.write() as session:
        others = select(Notification.alert_id).where(Notification.alert_id != last.alert_id)
        session.execute(
            update(Alert).where(Alert.id.in_(others)).values(generation=Alert.generation + 1)
        )
    [claim] = claim_all(pager, "webhook", NOW + 10 * MINUTE)
    assert claim.ids == [last.id]
    assert (claim.uid, claim.attempt) == (last.uid, 2)
    assert claim.thread_key == f"alert-{last.alert_id}-{int(NOW.timestamp())}"
    assert of(pager, "webhook")[-1].bundle is None


def test_a_notification_that_another_worker_claimed_meanwhile_is_left_to_it(pager: Pager) -> None:
    """It was due before this worker waited for the provider's row, and no longer is."""
    pager.take(a_signal("one"))
    with pager.database.write() as session:
        row = session.scalars(select(Notification).order_by(Notification.id)).first()
        assert row is not None
        asked = bundling.AskedNotification.of(row)
        assert bundling.choose_bundle(session, asked, 1, NOW) is not None
        row.state, row.next_at = DeliveryState.SENT, None
        session.flush()
        assert bundling.choose_bundle(session, asked, 1, NOW) is None


def test_a_removed_address_is_a_recipient_that_is_gone(pager: Pager) -> None:
    pager.change(fallback_user_id=pager.people["fay"])
    pager.take(a_signal())
    [mail] = of(pager, "email")
    with pager.database.write() as session:
        session.get_one(User, pager.people["ann"]).email = None
        session.execute(delete(Notification).where(Notification.id != mail.id))
    assert pager.claim(mail.id) is None
    row, *fallback = of(pager, "email")
    assert (row.state, row.last_error) == (DeliveryState.FAILED, "Ann has no e-mail address.")
    assert {each.user_id for each in fallback} == {pager.people["fay"]}


def test_who_left_the_group_gets_nothing_of_its_alerts(pager: Pager) -> None:
    pager.change(fallback_user_id=pager.people["fay"])
    pager.take(a_signal())
    mine = [row.id for row in of(pager, "email") if row.user_id == pager.people["ann"]]
    with pager.database.write() as session:
        session.execute(delete(GroupMember).where(GroupMember.user_id == pager.people["ann"]))
    assert [pager.claim(number) for number in mine] == [None]
    assert {row.last_error for row in of(pager, "email") if row.id in mine} == {
        "Ann is not in the alert's group."
    }


def test_a_channel_of_another_group_gets_nothing_of_an_alert(pager: Pager) -> None:
    """An id in a plan may have come to name somebody else's channel."""
    pager.take(a_signal())
    [row] = of(pager, "webhook")
    with pager.database.write() as session:
        other = factories.team(session, factories.group(session, "rivals"), "theirs")
        session.get_one(Channel, row.channel_id).team_id = other.id
    assert pager.claim(row.id) is None
    [row] = of(pager, "webhook")
    assert row.state is DeliveryState.FAILED
    assert row.last_error.endswith("is not in the alert's group.")


def test_an_outsider_of_a_bundle_holds_up_nobody(pager: Pager) -> None:
    """One recipient, alerts of two groups, of which they left one."""
    storm(pager, 40)
    rows = of(pager, "email")
    with pager.database.write() as session:
        away = factories.team(session, factories.group(session, "left"), "left")
        session.get_one(Alert, rows[0].alert_id).team_id = away.id
    claim = pager.claim(rows[1].id)
    assert claim is not None
    assert claim.ids == [row.id for row in rows[1:]]
    assert of(pager, "email")[0].state is DeliveryState.RETRY
    assert pager.claim(rows[0].id) is None
    assert of(pager, "email")[0].state is DeliveryState.FAILED


def test_an_outsider_left_alone_in_a_bundle_gets_nothing(pager: Pager) -> None:
    """The row that was asked for is no longer needed; the only other one is an outsider's."""
    storm(pager, 10)
    [bundle] = claim_all(pager, "email")
    pager.record(bundle, BUSY)
    rows = of(pager, "email")
    last = rows[-1]
    with pager.database.write() as session:
        away = factories.team(session, factories.group(session, "left"), "left")
        others = select(Notification.alert_id).where(Notification.alert_id != last.alert_id)
        session.execute(
            update(Alert).where(Alert.id.in_(others)).values(generation=Alert.generation + 1)
        )
        session.get_one(Alert, last.alert_id).team_id = away.id
    later = NOW + 10 * MINUTE
    assert pager.claim(rows[0].id, later) is None
    assert of(pager, "email")[-1].state is DeliveryState.RETRY
    assert pager.claim(last.id, later) is None
    last = of(pager, "email")[-1]
    assert (last.state, last.last_error) == (
        DeliveryState.FAILED,
        "Ann is not in the alert's group.",
    )


def test_an_admin_gets_what_is_assigned_to_them_in_any_group(pager: Pager) -> None:
    pager.take(a_signal())
    with pager.database.write() as session:
        root = factories.user(session, "root", is_admin=True)
        actor = Actor(name="Bob", via="api", user_id=pager.people["bob"])
        alert_actions.assign(session, pager.alert(session), root, actor=actor, now=NOW)
        root_id = root.id
    [mail] = [row for row in of(pager, "email") if row.user_id == root_id]
    assert mail.kind == "assignment"
    assert pager.claim(mail.id) is not None


def test_a_page_that_is_not_needed_is_cancelled_though_its_recipient_left(pager: Pager) -> None:
    """It is not a failure: nobody has to hear of the alert now."""
    pager.take(a_signal())
    [claim] = claim_all(pager, "email")
    with pager.database.write() as session:
        session.execute(delete(GroupMember).where(GroupMember.user_id == pager.people["ann"]))
        actor = Actor(name="Bob", via="api", user_id=pager.people["bob"])
        alert_actions.acknowledge(session, pager.alert(session), actor=actor, now=NOW)
    assert pager.claim(claim.ids[0], NOW + LEASE) is None
    [row] = [row for row in of(pager, "email") if row.id in claim.ids]
    assert row.state is DeliveryState.CANCELLED
    assert "notification_failed" not in pager.timeline()
