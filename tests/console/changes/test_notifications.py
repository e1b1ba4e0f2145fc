"""Who is told of a change: those who decide, who asked, never somebody who may not open it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.urls import reverse

from iam.changes import notifications, services
from iam.changes.models import Change, ChangeState
from iam.changes.states import move
from iam.directory.models import Role, RuleKind, Team, TeamRule
from iam.guard import viewer_for
from iam.mirror.models import Edge
from iam.notify import outbox
from iam.notify.models import DELIVER, OutgoingMessage
from tests import factories
from tests.iam.changes.site import Site
from tests.queue import catch

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    catch(monkeypatch, DELIVER, lambda *_: True)


WHAT = "Add kwame.boateng to deployers (prod-core)"
"""What the request does where."""


def ask(site: Site, person: Any, *, key: str = "1") -> Change:
    return services.request_membership(
        viewer_for(person), user=site.user, group=site.group, do="add", reason="On call", idempotency_key=key
    )


def end(change: Change, *states: ChangeState, **fields: Any) -> None:
    for state in states:
        move(change, to=state, actor=None, **fields)
    notifications.tell_end(change)


def told() -> dict[str, list[str]]:
    """Event → names of those who have mail about it."""
    subjects: dict[str, list[str]] = {}
    for event, name in (
        OutgoingMessage.objects.filter(channel="email").order_by("name").values_list("event", "name")
    ):
        subjects.setdefault(event, []).append(name)
    return subjects


def test_those_who_may_approve_are_told_that_it_waits(site: Site) -> None:
    factories.operator(Role.APPROVER, name="Jonas Berg")
    factories.operator(Role.MEMBER, name="Tomas Lind")
    elsewhere = factories.person("Eva Elsewhere")
    factories.assign(elsewhere, Role.APPROVER, account_id="999999999999")
    change = ask(site, site.asks.person)
    assert told() == {"change.waiting": ["Hana Sato", "Jonas Berg"]}
    message = OutgoingMessage.objects.first()
    assert message is not None
    assert message.subject == "Waiting for your approval: Add kwame.boateng to deployers"
    assert message.text == f"{WHAT}\n\nRequested by Ines Duarte: On call"
    assert message.path == reverse("changes:request", args=[change.pk])


def test_an_approver_is_not_told_of_their_own_request(site: Site) -> None:
    ask(site, site.approves.person)
    assert told() == {}


def test_the_one_who_asked_learns_of_the_decision_and_of_the_end(site: Site) -> None:
    change = ask(site, site.asks.person)
    services.approve(
        change,
        actor=viewer_for(site.approves.person),
        seen_digest=change.change_set.receipt_digest,
        comment="Fine",
    )
    change.refresh_from_db()
    end(change, ChangeState.APPLYING, ChangeState.APPLIED)
    notifications.tell_end(change)
    assert told() == {
        "change.waiting": ["Hana Sato"],
        "change.decided": ["Ines Duarte"],
        "change.applied": ["Ines Duarte"],
    }
    assert OutgoingMessage.objects.get(event="change.decided").text == f"{WHAT}\n\nBy Hana Sato. Fine"


def test_a_rejection_tells_why(site: Site) -> None:
    change = ask(site, site.asks.person)
    services.reject(change, actor=viewer_for(site.approves.person), comment="Ask the owner first")
    change.refresh_from_db()
    notifications.tell_end(change)
    message = OutgoingMessage.objects.get(event="change.decided")
    assert message.subject == "Rejected: Add kwame.boateng to deployers"
    assert message.text == f"{WHAT}\n\nBy Hana Sato. Ask the owner first"


def test_who_approved_learns_that_it_ended_unknown(site: Site) -> None:
    change = ask(site, site.asks.person)
    services.approve(
        change, actor=viewer_for(site.approves.person), seen_digest=change.change_set.receipt_digest
    )
    change.refresh_from_db()
    end(change, ChangeState.APPLYING, ChangeState.UNKNOWN)
    assert told()["change.trouble"] == ["Hana Sato", "Ines Duarte"]


def test_who_left_the_team_is_told_nothing_any_more(site: Site) -> None:
    team = Team.objects.create(slug="payments", name="Payments")
    TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value="deployers")
    factories.edge("member", site.user, factories.group(site.account, "payments-dev"))  # type: ignore[arg-type]
    TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value="payments-dev")
    lead = factories.operator(Role.TEAM_LEAD, name="Maya Okafor", team=team)
    change = ask(site, lead.person)
    lead.person.assignments.all().delete()
    end(change, ChangeState.EXPIRED)
    assert "change.decided" not in told()
    assert Edge.objects.exists()


def test_the_mail_leads_to_the_change_and_decides_nothing(site: Site) -> None:
    change = ask(site, site.asks.person)
    outbox.deliver(OutgoingMessage.objects.get().pk)
    link = re.search(r"http\S+(/go/\S+)", mail.outbox[0].body)
    assert link is not None
    answer = site.approver.get(link[1])
    assert answer["Location"] == reverse("changes:request", args=[change.pk])
    change.refresh_from_db()
    assert change.state == ChangeState.AWAITING


def test_a_remark_is_told_to_those_who_take_part_and_not_to_who_made_it(site: Site) -> None:
    factories.operator(Role.APPROVER, name="Jonas Berg")
    change = ask(site, site.asks.person)
    services.comment(change, actor=viewer_for(site.approves.person), text="Until when?")
    services.comment(change, actor=viewer_for(site.asks.person), text="Until Friday")
    outgoings = OutgoingMessage.objects.filter(event="change.commented").order_by("created_at")
    assert [(outgoing.name, outgoing.text) for outgoing in outgoings] == [
        ("Ines Duarte", f"{WHAT}\n\nUntil when?"),
        ("Hana Sato", f"{WHAT}\n\nUntil Friday"),
    ]


def test_a_set_is_told_of_once_when_all_of_it_is_carried_out(site: Site) -> None:
    viewer = viewer_for(site.asks.person)
    others = [factories.group(site.account, f"team-{number}") for number in range(2)]
    planned = [
        services.plan_membership(viewer, user=site.user, group=group, do="add")
        for group in (site.group, *others)
    ]
    changes = services.request_changes(planned, actor=viewer, reason="On call", idempotency_key="1")
    services.approve(
        changes[0],
        actor=viewer_for(site.approves.person),
        seen_digest=changes[0].change_set.receipt_digest,
    )
    for place, change in enumerate(changes, start=1):
        change.refresh_from_db()
        end(change, ChangeState.APPLYING, ChangeState.APPLIED)
        assert told().get("change.applied", []) == (["Ines Duarte"] if place == 3 else [])


def test_what_went_wrong_is_told_although_the_process_that_ended_it_died(
    site: Site, time_machine: Any
) -> None:
    change = ask(site, site.asks.person)
    services.approve(
        change, actor=viewer_for(site.approves.person), seen_digest=change.change_set.receipt_digest
    )
    change.refresh_from_db()
    for state in (ChangeState.APPLYING, ChangeState.FAILED):
        move(change, to=state, actor=None)
    assert "change.trouble" not in told()
    time_machine.move_to(datetime.now(tz=UTC) + timedelta(minutes=2))
    assert notifications.tell_missed_ends() == 1
    notifications.tell_missed_ends()
    assert told()["change.trouble"] == ["Hana Sato", "Ines Duarte"]


@pytest.mark.parametrize("is_partial", [False, True])
def test_who_sees_only_a_part_of_a_request_is_told_no_warnings_of_the_rest(
    site: Site, monkeypatch: pytest.MonkeyPatch, is_partial: bool
) -> None:
    monkeypatch.setattr(notifications, "_warnings", lambda _: "nora.whitfield has no MFA device")
    if is_partial:
        monkeypatch.setattr(notifications, "partly_hidden", lambda sets, viewer: set(sets))
    ask(site, site.asks.person)
    texts = [outgoing.text for outgoing in OutgoingMessage.objects.filter(event="change.waiting")]
    assert texts
    assert all(("nora.whitfield" in text) is not is_partial for text in texts)
