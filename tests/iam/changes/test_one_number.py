"""A request has one number: who sees only a later change of it reads, finds and opens the same number as who
sees it whole.
"""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from iam.changes import services
from iam.changes.models import Change
from iam.directory.models import Role, RuleKind, Team, TeamRule
from iam.guard import viewer_for
from tests import factories
from tests.iam.changes.site import Site, signed_in

READERS = ("administrator", "approver", "member", "team lead")


@pytest.fixture
def changes(site: Site) -> list[Change]:
    """A request for two people: the first of them is in nobody's team, the second reads it as a member."""
    actor = viewer_for(site.asks.person)
    users = [factories.user(site.account, "first.of.all"), site.user]
    plans = [services.plan_membership(actor, user=user, group=site.group, do="add") for user in users]
    return services.request_changes(
        plans, actor=actor, reason="New shift", idempotency_key="set", title="Two people on call"
    )


@pytest.fixture
def browsers(site: Site, changes: list[Change]) -> dict[str, Client]:
    team = Team.objects.create(slug="shift", name="Shift")
    leads = factories.group(site.account, "shift")
    factories.edge("member", site.user, leads)  # type: ignore[arg-type]
    TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value="shift")
    return {
        "administrator": site.asker,
        "approver": site.approver,
        "member": signed_in(factories.operator(Role.MEMBER, name="Mem Ber", arns=(site.user.arn,))),
        "team lead": signed_in(factories.operator(Role.TEAM_LEAD, name="Lea Der", team=team)),
    }


@pytest.mark.parametrize("reader", READERS)
def test_everybody_reads_and_finds_one_number(
    browsers: dict[str, Client], changes: list[Change], reader: str
) -> None:
    client, number = browsers[reader], changes[0].reference
    seen = 1 if reader in ("member", "team lead") else 0
    for part in changes[seen:]:
        page = client.get(reverse("changes:request", args=[part.pk]))
        assert page.context["reference"] == number
    [row] = client.get(reverse("changes:list")).context["rows"]
    assert (row["reference"], row["change"].pk) == (number, changes[seen].pk)
    [row] = client.get(reverse("changes:list"), {"q": number}).context["rows"]
    assert row["reference"] == number
    if reader != "member":
        answer = client.get("/search/", {"q": number})
        assert answer["Location"] == reverse("changes:request", args=[changes[seen].pk])


@pytest.mark.parametrize("reader", READERS)
def test_a_link_to_a_request_opens_for_everybody_who_sees_some_of_it(
    browsers: dict[str, Client], changes: list[Change], reader: str
) -> None:
    page = browsers[reader].get(reverse("changes:request", args=[changes[0].pk]))
    assert page.status_code == 200
    assert page.context["reference"] == changes[0].reference
    is_partial = reader in ("member", "team lead")
    assert ("first.of.all" in page.content.decode()) is not is_partial


def test_my_access_calls_a_request_as_its_page_does(site: Site) -> None:
    member = factories.operator(Role.MEMBER, name="Mem Ber", arns=(site.user.arn,))
    actor = viewer_for(site.asks.person)
    plan = services.plan_membership(actor, user=site.user, group=site.group, do="add")
    [change] = services.request_changes(
        [plan], actor=actor, reason="New shift", idempotency_key="set", title="On call"
    )
    assert change.title != "On call"
    client = signed_in(member)
    page = client.get(reverse("changes:request", args=[change.pk]), follow=True)
    assert "<h1>On call</h1>" in page.content.decode()
    listed = client.get("/my-access/").context["waiting"]
    assert [(row.pk, title) for row, title in listed] == [(change.pk, "On call")]


def test_my_access_hides_what_else_a_request_is_about(site: Site) -> None:
    member = factories.operator(Role.MEMBER, name="Mem Ber", arns=(site.user.arn,))
    actor = viewer_for(site.asks.person)
    users = [site.user, factories.user(site.account, "second.of.all")]
    plans = [services.plan_membership(actor, user=user, group=site.group, do="add") for user in users]
    first, _ = services.request_changes(
        plans, actor=actor, reason="New shift", idempotency_key="set", title="Two people on call"
    )
    listed = signed_in(member).get("/my-access/").context["waiting"]
    assert [(row.pk, title) for row, title in listed] == [(first.pk, first.title)]


def test_a_link_to_a_request_of_which_one_sees_nothing_is_not_found(changes: list[Change]) -> None:
    stranger = signed_in(factories.operator(Role.MEMBER, name="Stra Nger"))
    assert stranger.get(reverse("changes:request", args=[changes[0].pk])).status_code == 404
