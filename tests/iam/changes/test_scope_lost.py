"""Rights and scope of today count, also for what was asked and decided under those of yesterday."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.urls import reverse

from iam.changes import services
from iam.changes.errors import RefusedError
from iam.changes.models import Change, ChangeSet
from iam.directory.models import Role, RoleAssignment, RuleKind, Team, TeamRule
from iam.guard import viewer_for
from iam.mirror.models import Edge, EdgeKind
from tests import factories
from tests.iam.changes.site import Site, page_of, signed_in

pytestmark = pytest.mark.on_postgresql


@pytest.fixture
def lead(site: Site) -> Any:
    """Leads the team of the site's user and group."""
    factories.edge(EdgeKind.MEMBER, site.user, factories.group(site.account, "payments-dev"))
    team = Team.objects.create(slug="payments", name="Payments")
    for group in ("payments-dev", site.group.name):
        TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value=group)
    return factories.operator(Role.TEAM_LEAD, name="Elif Kaya", team=team)


@pytest.fixture
def asked(site: Site, lead: Any) -> Change:
    """What the lead has asked for."""
    site.post(signed_in(lead))
    return Change.objects.get()


def test_who_may_not_ask_any_more_does_not_see_what_they_asked_for(
    site: Site, lead: Any, asked: Change
) -> None:
    RoleAssignment.objects.filter(person=lead.person).delete()
    factories.assign(lead.person, Role.MEMBER)
    client = signed_in(lead)
    assert client.get(page_of(asked)).status_code == 404
    assert "kwame" not in client.get(reverse("changes:list")).content.decode()


def test_of_who_left_the_team_a_lead_sees_only_what_they_wrote(site: Site, lead: Any, asked: Change) -> None:
    Change.objects.filter(pk=asked.pk).update(state="applied")
    Edge.objects.filter(source=site.user).delete()
    client = signed_in(lead)
    page = client.get(page_of(asked))
    assert page.status_code == 200
    group = reverse("identities:group", args=[site.group.pk])
    assert [about.url for about in page.context["about"]] == ["", group], (
        "the group is still one of their team"
    )
    assert "of your own teams" in page.context["why_not_undo"]
    undo = client.get(reverse("changes:undo", args=[asked.pk])).content.decode()
    assert "of your own teams" in undo
    assert "moved on" not in undo, "how AWS stands is not theirs to know"


def test_an_approver_who_lost_an_account_sees_no_decisions_there(site: Site, asked: Change) -> None:
    site.decide(site.approver, asked, "reject", "No")
    person = site.approves.person
    RoleAssignment.objects.filter(person=person).delete()
    factories.assign(person, Role.APPROVER, account_id="222222222222")
    page = signed_in(site.approves).get(f"{reverse('changes:approvals')}?tab=decided")
    assert page.status_code == 200
    assert "kwame" not in page.content.decode()


@pytest.mark.parametrize("loss", ["role", "rule", "person"])
def test_a_request_does_not_outlive_the_right_to_it(site: Site, lead: Any, asked: Change, loss: str) -> None:
    if loss == "role":
        RoleAssignment.objects.filter(person=lead.person).delete()
    elif loss == "rule":
        TeamRule.objects.filter(value=site.group.name).delete()
    else:
        type(lead.person).objects.filter(pk=lead.person_id).update(is_active=False)
    response = site.decide(site.approver, asked, "approve")
    assert response.status_code == 422
    assert "can no longer request this" in response.content.decode()
    asked.refresh_from_db()
    assert asked.state == "awaiting_approval"
    assert site.decide(site.approver, asked, "reject", "No").status_code == 302


def test_nobody_decides_on_the_part_of_a_set_that_is_not_theirs(site: Site) -> None:
    elsewhere = factories.account(
        "222222222222", name="data", write_role_arn="arn:aws:iam::222222222222:role/gatehouse-writer"
    )
    viewer = viewer_for(site.asks.person)
    here = services.plan_membership(viewer, user=site.user, group=site.group, do="add")
    there = services.plan_membership(
        viewer,
        user=factories.user(elsewhere, "maya.okafor"),
        group=factories.group(elsewhere, "analysts"),
        do="add",
    )
    changes = services.request_changes(
        [here, there], actor=viewer, reason="On call", idempotency_key=str(uuid.uuid4())
    )
    operator = factories.operator(None, name="Ben Okri")
    factories.assign(operator.person, Role.APPROVER, account_id=site.account.account_id)
    viewer_of_one = viewer_for(operator.person)
    for decide in (services.reject, services.approve):
        fields = (
            {"comment": "No"}
            if decide is services.reject
            else {"seen_digest": changes[0].change_set.receipt_digest}
        )
        with pytest.raises(RefusedError, match="the approval rules name other people"):
            decide(changes[0], actor=viewer_of_one, **fields)
    assert ChangeSet.objects.get().approvals.count() == 0
    page = signed_in(operator).get(page_of(changes[0])).content.decode()
    assert "maya.okafor" not in page


def test_two_users_of_one_name_do_not_stand_in_for_a_group_out_of_reach(site: Site) -> None:
    """A user that was made again may be in the mirror twice for a moment."""
    factories.user(site.account, site.user.name, arn=site.user.arn)
    team = Team.objects.create(slug="people", name="People")
    TeamRule.objects.create(team=team, kind=RuleKind.PATH, value="/")
    operator = factories.operator(Role.TEAM_LEAD, name="Elif Kaya", team=team)
    with pytest.raises(RefusedError, match="of your own teams"):
        services.plan_membership(viewer_for(operator.person), user=site.user, group=site.group, do="add")
