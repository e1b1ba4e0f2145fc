"""The pages of reviews: who sees what, decisions of one and many, and what their forms say."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from iam.audit.reviews.models import ReviewCampaign, ReviewChange, ReviewItem, SodRule
from iam.audit.reviews.removals import request_changes_of
from iam.changes.models import Change, ChangeState
from iam.directory.models import Person, Role
from iam.guard import Viewer
from iam.people.runs.models import RunState
from tests import factories
from tests.iam.audit.reviews import made

SHOWN = (ChangeState.AWAITING, ChangeState.QUEUED, ChangeState.APPLIED, ChangeState.UNKNOWN)
pytestmark = pytest.mark.django_db


def client_of(viewer: Viewer) -> Client:
    """A browser in which somebody is signed in."""
    from console.operators.models import Operator

    person = Person.objects.get(pk=viewer.person_id)
    operator = Operator.objects.create(username=person.name.lower(), person=person)
    client = Client()
    client.force_login(operator)
    return client


def address(name: str, *keys: Any) -> str:
    return reverse(f"reviews:{name}", args=keys)


def text(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, path
    return response.content.decode()


@pytest.fixture
def world() -> made.World:
    return made.world()


def test_a_lead_sees_what_they_review_and_nothing_else(world: made.World) -> None:
    campaign = made.opened(world)
    client = client_of(world.lead)
    assert campaign.name in text(client, address("list"))
    page = text(client, address("campaign", campaign.pk))
    assert "tomas" in page
    assert "DeployPayments" not in page
    own = made.row(campaign, world.tomas)
    other = made.row(campaign, world.machine)
    assert client.get(address("row", campaign.pk, own.pk)).status_code == 200
    assert client.get(address("row", campaign.pk, other.pk)).status_code == 404
    assert client.post(address("decide-row", campaign.pk, other.pk), {}).status_code == 404
    assert client.post(address("give-back", campaign.pk, other.pk)).status_code == 404


def test_rows_of_others_are_not_decided_by_the_selection(world: made.World) -> None:
    campaign = made.opened(world)
    other = made.row(campaign, world.machine)
    client = client_of(world.lead)
    fields = {"row": [f"{other.pk}:0"], "decision": "keep", "reason": "x"}
    assert client.post(address("decide", campaign.pk), fields).status_code == 422
    assert not ReviewItem.objects.exclude(decision="").exists()


def test_a_row_is_decided_and_undone(world: made.World) -> None:
    campaign = made.opened(world)
    row = made.row(campaign, world.tomas)
    client = client_of(world.lead)
    path = address("decide-row", campaign.pk, row.pk)
    htmx = {"HTTP_HX_REQUEST": "true"}
    refused = client.post(path, {"version": "0", "decision": "revoke", "reason": ""}, **htmx)
    assert refused.status_code == 422
    assert "Give a reason" in refused.content.decode()
    assert "aria-invalid" in refused.content.decode()
    done = client.post(path, {"version": "0", "decision": "revoke", "reason": "Moved"}, **htmx)
    assert done.status_code == 200
    assert "Moved" in done.content.decode()
    assert "toast" in done["HX-Trigger"]
    late = client_of(world.administrator)
    conflict = late.post(path, {"version": "0", "decision": "keep"}, **htmx)
    assert "Elif decided “revoke” first" in conflict.content.decode()
    client.post(path, {"version": "1", "decision": ""}, **htmx)
    assert ReviewItem.objects.get(pk=row.pk).decision == ""


def test_rows_stay_selected_when_a_reason_is_missing(world: made.World) -> None:
    campaign = made.opened(world)
    row = made.row(campaign, world.tomas)
    fields = {"row": [f"{row.pk}:0"], "decision": "revoke", "reason": ""}
    page = client_of(world.lead).post(address("decide", campaign.pk), fields).content.decode()
    assert "Nothing was decided" in page
    boxes = re.findall(r'<input type="checkbox"[^>]*name="row"[^>]*>', page)
    assert (
        [box for box in boxes if "checked" in box] == [box for box in boxes if f'"{row.pk}:0"' in box] != []
    )


def test_many_are_decided_with_one_reason(world: made.World) -> None:
    campaign = made.opened(world)
    rows = campaign.rows.exclude(entity=world.maya)
    client = client_of(world.administrator)
    fields = {"row": [f"{row.pk}:0" for row in rows], "decision": "keep", "reason": "All needed"}
    response = client.post(address("decide", campaign.pk), fields)
    assert response.status_code == 302
    assert campaign.rows.filter(decision="keep", decision_reason="All needed").count() == 3


def test_own_access_can_not_be_decided_on_the_page(world: made.World) -> None:
    campaign = made.opened(world)
    page = text(client_of(world.administrator), address("campaign", campaign.pk))
    assert "This is your own access" in page


def form(world: made.World, **changes: str) -> dict[str, Any]:
    due = (datetime.now(tz=UTC) + timedelta(days=14)).date().isoformat()
    return {
        "name": "Half-yearly",
        "reason": "PCI DSS",
        "which": "all",
        "reviewers": "lead",
        "reviewer": str(world.administrator.person_id),
        "second_reviewer": str(world.approver.person_id),
        "due": due,
        "overdue": "remind",
        "months": "6",
        "trial_days": "7",
    } | changes


def test_a_review_is_started_opened_and_cancelled(world: made.World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("iam.nudge.send", lambda *_, **__: True)
    client = client_of(world.administrator)
    assert client.post(address("new"), form(world)).status_code == 302
    campaign = ReviewCampaign.objects.get()
    assert "only you see" in text(client, address("campaign", campaign.pk))
    assert client_of(world.approver).get(address("campaign", campaign.pk)).status_code == 404
    client.post(address("open", campaign.pk))
    campaign.refresh_from_db()
    assert campaign.state == RunState.SUBMITTING
    client.post(address("cancel", campaign.pk), {"reason": "Wrong scope"})
    campaign.refresh_from_db()
    assert campaign.state == RunState.CLOSED


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("name", "", "Enter a name"),
        ("reason", "", "Enter a reason"),
        ("due", "2020-01-01", "within the next year"),
        ("due", "soon", "Choose a day"),
        ("months", "99", "24"),
        ("trial_days", "-1", "0"),
        ("which", "some", "valid choice"),
        ("reviewer", "", "Choose a person"),
        ("second_reviewer", "first", "Choose someone else"),
        ("accounts", "999999999999", "Choose from the list"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(world: made.World, field: str, value: str, why: str) -> None:
    client = client_of(world.administrator)
    value = str(world.administrator.person_id) if value == "first" else value
    response = client.post(address("new"), form(world, **{field: value}))
    assert response.status_code == 422
    page = response.content.decode()
    assert why in page
    assert f'id="id_{field}' in page
    assert not ReviewCampaign.objects.exists()


def test_a_rule_is_requested_and_approved_by_another(world: made.World) -> None:
    client = client_of(world.administrator)
    fields = {"name": "Apart", "first": "iam:CreateUser", "second": "s3:GetObject", "reason": "Audit"}
    assert client.post(address("rule-new"), fields | {"first": "x"}).status_code == 422
    assert client.post(address("rule-new"), fields).status_code == 302
    rule = SodRule.objects.get()
    client.post(address("rule-decide", rule.pk), {"decision": "approve"})
    rule.refresh_from_db()
    assert rule.status == "requested"
    other = client_of(world.approver)
    assert "Approve" in text(other, address("rule", rule.pk))
    other.post(address("rule-decide", rule.pk), {"decision": "approve"})
    rule.refresh_from_db()
    assert rule.status == "active"
    page = text(client, address("rules"))
    assert "Apart" in page
    campaign = made.opened(world)
    assert made.row(campaign, world.maya, "everything").sod == ["Apart"]
    assert made.row(campaign, world.tomas).sod == []


def test_a_page_asks_the_same_number_of_queries_for_many_rows(
    world: made.World, django_assert_max_num_queries: Any
) -> None:
    for number in range(60):
        user = factories.user(world.account, f"user-{number:03d}")
        factories.inline(user, "read")
    campaign = made.opened(world)
    client = client_of(world.administrator)
    text(client, address("list"))
    with django_assert_max_num_queries(30) as few:
        text(client, address("campaign", campaign.pk) + "?tab=decided")
    with django_assert_max_num_queries(30) as many:
        page = text(client, address("campaign", campaign.pk))
    assert abs(len(many) - len(few)) <= 3
    assert page.count("data-row=") == 25


def test_the_file_has_all_rows(world: made.World) -> None:
    campaign = made.opened(world)
    response = client_of(world.administrator).get(address("export", campaign.pk, "csv"))
    lines = b"".join(response.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert len(lines) == 6
    assert Role.AUDITOR


def test_all_rows_are_on_one_page_to_be_printed(
    world: made.World, django_assert_max_num_queries: Any
) -> None:
    for number in range(60):
        factories.inline(factories.user(world.account, f"user-{number:03d}"), "read")
    campaign = made.opened(world)
    client, base = client_of(world.administrator), address("campaign", campaign.pk)
    assert text(client, base).count("data-row=") == 25
    assert "All on one page" in text(client, base)
    with django_assert_max_num_queries(30):
        page = text(client, f"{base}?print=1&tab=all")
    assert page.count("data-row=") == campaign.rows.count()
    assert "All on one page" not in page
    assert "Not decided. Reviewer: " in page


def test_a_lead_and_an_administrator_each_meet_one_number_everywhere(world: made.World) -> None:
    campaign = made.opened(world)
    lead, administrator = client_of(world.lead), client_of(world.administrator)
    own = campaign.rows.filter(reviewer_id=world.lead.person_id)
    row = own.filter(entity=world.tomas).get()
    assert 0 < own.count() < campaign.rows.count()
    data = {"version": "0", "decision": "keep"}
    for decided in (0, 1):
        mine, whole = f"{decided} of your {own.count()}", f"{decided} of {campaign.rows.count()}"
        base = address("campaign", campaign.pk)
        for client, number in ((lead, mine), (administrator, whole)):
            assert number in text(client, address("list"))
            assert number in text(client, base)
            listed = client.get(f"{base}?tab=decided").content.decode().count("data-row=")
            assert listed == decided
            exported = client.get(address("export", campaign.pk, "csv"))
            if exported.status_code == 200:
                lines = b"".join(exported.streaming_content).decode().splitlines()
                assert len(lines) - 1 == int(number.split()[-1])
        if not decided:
            answer = lead.post(
                address("decide-row", campaign.pk, row.pk), data, headers={"HX-Request": "true"}
            )
            # What the page says follows without a reload.
            assert f"1 of your {own.count()}" in answer.content.decode()
    assert "Administrators in it" in text(administrator, base)
    assert "Administrators in it" not in text(lead, base)


def test_what_is_said_of_a_row_calls_the_person_as_its_page_does(world: made.World) -> None:
    campaign = made.opened(world)
    row = made.row(campaign, world.maya, "payments")
    lead, path = client_of(world.lead), address("decide-row", campaign.pk, row.pk)
    page = text(lead, address("row", campaign.pk, row.pk))
    assert "<h1>Maya: payments</h1>" in page
    answer = lead.post(path, {"version": "0", "decision": "keep"}, headers={"HX-Request": "true"})
    assert "Kept: Maya, payments" in answer["HX-Trigger"]
    assert "the decision about Maya, payments" in answer.content.decode()
    late = lead.post(path, {"version": "0", "decision": "keep"}, headers={"HX-Request": "true"})
    assert "Maya, payments: Elif decided" in late.content.decode()


@pytest.mark.parametrize(
    ("state", "word"), [(state, label.lower()) for state, label in ChangeState.choices if state in SHOWN]
)
def test_a_requested_row_leads_to_its_request_and_says_where_it_stands(
    world: made.World, state: str, word: str
) -> None:
    campaign = made.opened(world)
    row = made.row(campaign, world.tomas)
    campaign.rows.exclude(pk=row.pk).update(decision="keep", decided_name="Elif")
    fields = {"version": "0", "decision": "revoke", "reason": "Unused"}
    client = client_of(world.administrator)
    client.post(address("decide-row", campaign.pk, row.pk), fields)
    request_changes_of(campaign, actor=world.administrator, own_only=False)
    link = ReviewChange.objects.get(row=row)
    Change.objects.filter(pk=link.change_id).update(state=state)
    page = text(client, address("campaign", campaign.pk) + "?tab=decided")
    assert f'<a href="{reverse("changes:request", args=[link.change_id])}">Request</a>: {word}' in page
    lead = text(client_of(world.lead), address("row", campaign.pk, row.pk))
    assert reverse("changes:request", args=[link.change_id]) not in lead
    assert f"Requested: {word}" in lead
