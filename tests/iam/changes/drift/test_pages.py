"""The pages of drift: who sees what, adopting one or many, undoing, hostile input, the number of queries."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from iam.changes.drift.detection import find
from iam.changes.drift.models import Drift, DriftState, DriftWatch
from iam.changes.models import Change
from iam.directory.models import Role, RuleKind, Team, TeamRule
from iam.mirror.models import Account, EdgeKind, Entity
from tests import factories
from tests.iam.changes.site import HTMX, Site

pytestmark = [pytest.mark.on_postgresql, pytest.mark.django_db]
LIST, ADOPT = "/changes/drift/", "/changes/drift/adopt/"
LATER = factories.FIRST_READ + factories.BETWEEN_READINGS


def joins(user: Entity, group: Entity, *, step: int = 1) -> Drift:
    """A reading finds the user in the group, by an unknown cause."""
    moment = factories.FIRST_READ + step * factories.BETWEEN_READINGS
    factories.seen_after(factories.edge(EdgeKind.MEMBER, user, group, since=moment))
    DriftWatch.objects.get_or_create(account=user.account, defaults={"since": factories.FIRST_READ})
    Account.objects.filter(pk=user.account_id).update(revision=step)
    Entity.objects.filter(pk=user.pk).update(revision=step)
    find(user.account)
    return Drift.objects.select_related("account", "entity").get(entity=user, seen_at=moment)


@dataclass
class People:
    """A browser for each role; the lead leads the team of the user."""

    administrator: Client
    approver: Client
    auditor: Client
    lead: Client
    member: Client


@pytest.fixture
def people(site: Site) -> People:
    team = Team.objects.create(slug="payments", name="Payments")
    TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value="payments-dev")
    factories.edge(EdgeKind.MEMBER, site.user, factories.group(site.account, "payments-dev"))
    made = {
        "auditor": factories.operator(Role.AUDITOR, name="Otto Audit"),
        "lead": factories.operator(Role.TEAM_LEAD, name="Maya Okafor", team=team),
        "member": factories.operator(Role.MEMBER, name="Kwame Boateng", arns=(site.user.arn,)),
    }
    clients = {name: Client() for name in made}
    for name, operator in made.items():
        clients[name].force_login(operator)
    return People(site.asker, site.approver, **clients)


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def test_the_list_says_what_differs_since_when_and_that_nobody_knows_who_did_it(
    site: Site, people: People
) -> None:
    joins(site.user, site.group)
    page = text(people.administrator.get(LIST))
    assert "Joined" in page
    assert ">deployers</a>" in page
    assert "says who made it, where CloudTrail events tell" in page
    assert 'Needs a decision<span class="count" data-tone="warn">1<' in page
    elsewhere = factories.account("222222222222", name="staging")
    result = "Changed outside Gatehouse"
    assert result in text(people.administrator.get("/"))
    assert result in text(people.administrator.get("/", {"account": site.account.account_id}))
    assert "1 critical." not in text(people.administrator.get("/"))
    Drift.objects.update(weight=2)
    assert "1 critical." in text(people.administrator.get("/"))
    assert "1 critical." not in text(people.administrator.get("/", {"account": elsewhere.account_id}))
    assert result not in text(people.administrator.get("/", {"account": elsewhere.account_id}))


def test_somebody_of_limited_scope_sees_the_drift_of_their_own_people_only(
    site: Site, people: People
) -> None:
    own = joins(site.user, site.group)
    other = joins(factories.user(site.account, "tomas.lind"), site.group, step=2)
    page = text(people.lead.get(LIST))
    assert "Kwame" in page
    assert "tomas" not in page.lower()
    assert 'Needs a decision<span class="count" data-tone="warn">1<' in page
    assert people.lead.get(reverse("changes:drift-detail", args=[own.pk])).status_code == 200
    for name in ("changes:drift-detail", "changes:drift-undo"):
        assert people.lead.get(reverse(name, args=[other.pk])).status_code == 404
    for client in (people.member, Client()):
        assert client.get(LIST).status_code in (404, 302)


def test_an_auditor_sees_all_of_it_and_no_button(site: Site, people: People) -> None:
    drift = joins(site.user, site.group)
    for address in (LIST, reverse("changes:drift-detail", args=[drift.pk])):
        page = people.auditor.get(address)
        assert page.status_code == 200
        assert "/drift/adopt/" not in page.content.decode()
        assert "/undo/" not in page.content.decode()
    answer = people.auditor.post(ADOPT, {"drift": [str(drift.pk)], "reason": "Fine"})
    assert answer.status_code == 422
    assert people.auditor.get(reverse("changes:drift-undo", args=[drift.pk])).status_code == 404
    assert Drift.objects.get().state == DriftState.OPEN


def test_a_team_lead_does_not_adopt_what_nobody_has_approved(site: Site, people: People) -> None:
    drift = joins(site.user, site.group)
    page = people.lead.get(reverse("changes:drift-detail", args=[drift.pk])).content.decode()
    assert "/drift/adopt/" not in page
    answer = people.lead.post(ADOPT, {"drift": [str(drift.pk)], "reason": "Fine"})
    assert answer.status_code == 422
    assert Drift.objects.get().state == DriftState.OPEN


def test_many_are_adopted_at_once_with_one_reason(site: Site, people: People) -> None:
    drifts = [joins(site.user, factories.group(site.account, f"g{n}"), step=n) for n in range(1, 4)]
    chosen = [str(drift.pk) for drift in drifts[:2]]
    answer = people.approver.post(ADOPT, {"drift": chosen, "reason": "Migration of 5 January"}, follow=True)
    assert "Accepted 2 differences." in text(answer)
    assert Drift.objects.filter(state="adopted", reason="Migration of 5 January").count() == 2
    assert "Migration of 5 January" in text(people.auditor.get(LIST, {"tab": "adopted"}))


def test_without_a_reason_nothing_is_adopted_and_what_was_ticked_stays_ticked(
    site: Site, people: People
) -> None:
    drift = joins(site.user, site.group)
    answer = people.approver.post(ADOPT, {"drift": [str(drift.pk)], "reason": " "})
    assert answer.status_code == 422
    page = text(answer)
    assert "Enter a reason" in page
    assert f'value="{drift.pk}" checked' in page
    assert Drift.objects.get().state == DriftState.OPEN


def test_undoing_shows_the_receipt_and_asks_for_a_change(site: Site, people: People) -> None:
    drift = joins(site.user, site.group)
    address = reverse("changes:drift-undo", args=[drift.pk])
    page = text(people.administrator.get(address))
    assert "iam:RemoveUserFromGroup" in page
    form = {"reason": "Nobody asked for it", "key": str(uuid.uuid4())}
    first = people.administrator.post(address, form)
    again = people.administrator.post(address, form)
    change = Change.objects.get()
    assert first["Location"] == again["Location"] == reverse("changes:request", args=[change.pk])
    assert change.state == "awaiting_approval"
    drift_page = text(people.administrator.get(reverse("changes:drift-detail", args=[drift.pk])))
    assert "Undo requested" in drift_page
    assert change.reference in drift_page


def test_an_undo_that_aws_has_moved_past_says_why(site: Site, people: People) -> None:
    drift = joins(site.user, site.group)
    edge = site.user.edges_out.get(target=site.group)
    factories.ends(edge, at=LATER + factories.BETWEEN_READINGS)
    address = reverse("changes:drift-undo", args=[drift.pk])
    assert "changed again since" in text(people.administrator.get(address))
    answer = people.administrator.post(address, {"reason": "No", "key": str(uuid.uuid4())})
    assert answer.status_code == 422
    assert not Change.objects.exists()


def test_a_page_of_many_asks_as_much_as_a_page_of_one(site: Site, people: People) -> None:
    joins(site.user, site.group)
    people.auditor.get(LIST)
    counts = []
    for number in (0, 30):
        for step in range(2, number + 2):
            joins(site.user, factories.group(site.account, f"g{step}"), step=step)
        with CaptureQueriesContext(connection) as captured:
            page = people.auditor.get(LIST)
        counts.append(len(captured))
    assert counts[0] == counts[1]
    assert len(page.context["rows"]) == 25
    older = people.auditor.get(LIST, {"after": str(page.context["following"])})
    assert len(older.context["rows"]) == 6


def test_filters_and_hostile_input(site: Site, people: People) -> None:
    joins(site.user, site.group)
    client = people.administrator
    assert len(client.get(LIST, {"kind": "user"}).context["rows"]) == 1
    assert client.get(LIST, {"kind": "role"}).context["rows"] == []
    assert client.get(LIST, {"account": "999999999999"}).context["rows"] == []
    for query in (
        {"kind": "x'"},
        {"tab": "nonsense"},
        {"after": "nonsense"},
        {"after": "0001-01-01T00:00:00+23:59~0"},
    ):
        assert client.get(LIST, query).status_code == 200
    assert client.post(ADOPT, {"drift": ["nonsense"], "reason": "x"}).status_code == 404
    assert client.post(ADOPT, {"drift": [str(uuid.uuid4())], "reason": "x"}).status_code == 422
    assert client.post(f"{ADOPT}?as-of=2026-01-06T00:00:00", {"reason": "x"}).status_code == 404
    hidden = client.post(ADOPT, {"drift": [str(Drift.objects.get().pk)], "reason": "fine \u202e"})
    assert hidden.status_code == 422
    assert Drift.objects.get().state == DriftState.OPEN
    part = client.get(LIST, headers=HTMX).content.decode()
    assert part.lstrip().startswith('<div class="stack" id="drifts"')


def test_the_texts_of_a_document_stand_side_by_side(site: Site, people: People) -> None:
    role = factories.role(site.account, "app")
    factories.becomes(
        role.states.get(), at=LATER, document=factories.document({"Version": "2012-10-17", "Statement": []})
    )
    DriftWatch.objects.create(account=site.account, since=factories.FIRST_READ)
    Account.objects.update(revision=1)
    Entity.objects.update(revision=1)
    find(Account.objects.get())
    drift = Drift.objects.get()
    page = text(people.auditor.get(reverse("changes:drift-detail", args=[drift.pk])))
    assert "Trust policy changed" in page
    assert "ec2.amazonaws.com" in page
