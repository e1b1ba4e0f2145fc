"""The history of a user says who made a change outside of Gatehouse, where CloudTrail tells it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from iam.changes.drift.models import Drift
from iam.directory.models import Role, Team
from iam.mirror.models import EdgeKind, Entity
from tests import factories
from tests.iam.activity.events import happened, identity_of, session_of

pytestmark = pytest.mark.django_db
READ = datetime(2026, 1, 15, 9, tzinfo=UTC)
CALL = READ - timedelta(minutes=4)
ATTACHED: dict[str, Any] = {"eventSource": "iam.amazonaws.com", "readOnly": False}


@pytest.fixture
def maya() -> Entity:
    """Maya got a policy and joined a group between 8:45 and 9:00, and Gatehouse doesn't know why."""
    account = factories.account()
    user = factories.user(account, "maya.okafor")
    policy = factories.policy(account, "DeployPayments")
    group = factories.group(account, "sre")
    factories.seen_after(factories.edge(EdgeKind.ATTACHED, user, policy, since=READ))
    factories.seen_after(factories.edge(EdgeKind.MEMBER, user, group, since=READ))
    return user


def _history(maya: Entity, role: Role = Role.ADMINISTRATOR, **fields: Any) -> str:
    client = Client()
    client.force_login(factories.operator(role, **fields))
    answer = client.get(f"/people/{maya.pk}/history/")
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", answer.content.decode()))


def _attached(who: dict[str, Any], *, at: datetime = CALL, user: str = "maya.okafor", **changes: Any) -> None:
    parameters = {"userName": user, "policyArn": "arn:aws:iam::111111111111:policy/DeployPayments"}
    fields = ATTACHED | {"eventName": "AttachUserPolicy", "requestParameters": parameters}
    happened(who, at=at, **fields | changes)


def test_the_call_that_attached_a_policy_is_named_with_who_and_with_what(maya: Entity) -> None:
    gunnar = factories.user(maya.account, "gunnar.hauge")
    _attached(identity_of(gunnar), userAgent="Mozilla/5.0 Firefox/145.0")
    page = _history(maya)
    assert "gunnar.hauge called iam:AttachUserPolicy with AWS console." in page


def test_a_group_that_someone_was_added_to_is_found_by_the_group(maya: Entity) -> None:
    role = factories.role(maya.account, "deploy")
    parameters = {"userName": "maya.okafor", "groupName": "sre"}
    fields = ATTACHED | {"eventName": "AddUserToGroup", "userAgent": "Terraform/1.13"}
    happened(session_of(role), at=CALL, requestParameters=parameters, **fields)
    # Somebody else was added to the same group in the same minutes.
    other = parameters | {"userName": "tomas.lind"}
    happened(identity_of(maya), at=CALL, requestParameters=other, **fields)
    page = _history(maya)
    assert "deploy called iam:AddUserToGroup with Terraform." in page
    assert page.count("called iam:AddUserToGroup") == 1


def test_the_calls_of_one_caller_are_one_sentence_in_the_order_they_were_made(maya: Entity) -> None:
    role = factories.role(maya.account, "deploy")
    who, user = session_of(role), {"userName": "maya.okafor"}
    fields = ATTACHED | {"userAgent": "Boto3/1.40"}
    for minutes, name in ((1, "CreateAccessKey"), (3, "CreateUser"), (2, "AttachUserPolicy")):
        at = READ - timedelta(minutes=minutes)
        happened(who, at=at, eventName=name, requestParameters=user, **fields)
    page = _history(maya)
    made = "iam:CreateUser, iam:AttachUserPolicy and iam:CreateAccessKey"
    assert f"deploy called {made} with Boto3." in page


@pytest.mark.parametrize(
    "changes",
    [
        {"at": READ - timedelta(hours=2)},
        {"at": READ + timedelta(minutes=2)},
        {"user": "tomas.lind"},
        {"errorCode": "AccessDenied"},
        {"readOnly": True},
        {"eventSource": "sts.amazonaws.com"},
    ],
)
def test_a_call_that_can_not_have_done_it_is_no_cause(maya: Entity, changes: dict[str, Any]) -> None:
    _attached(identity_of(factories.user(maya.account, "gunnar.hauge")), **changes)
    page = _history(maya)
    assert "gunnar.hauge called" not in page
    assert "Cause unknown" in page


def test_who_sees_only_themselves_is_not_told_of_others(maya: Entity) -> None:
    _attached(identity_of(factories.user(maya.account, "gunnar.hauge")))
    page = _history(maya, Role.MEMBER, name="Maya Okafor", arns=(maya.arn,))
    assert "gunnar.hauge" not in page
    assert "Cause unknown" in page


def test_the_page_of_a_drift_names_the_call_or_says_that_it_is_unknown(maya: Entity) -> None:
    drift = Drift.objects.create(account=maya.account, entity=maya, kind=maya.kind, seen_at=READ)
    client = Client()
    client.force_login(factories.operator(Role.ADMINISTRATOR))

    def page() -> str:
        answer = client.get(f"/changes/drift/{drift.pk}/")
        assert answer.status_code == 200
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", answer.content.decode()))

    assert "Gatehouse has no CloudTrail events of this account" in page()
    gunnar = factories.user(maya.account, "gunnar.hauge")
    _attached(identity_of(gunnar), user="tomas.lind")
    assert "don’t tell who made it" in page()
    _attached(identity_of(gunnar))
    assert "gunnar.hauge called iam:AttachUserPolicy with AWS CLI." in page()


def test_the_list_of_drifts_names_the_calls_in_one_query_for_all(maya: Entity) -> None:
    gunnar = factories.user(maya.account, "gunnar.hauge")
    Drift.objects.create(account=maya.account, entity=maya, kind=maya.kind, seen_at=READ)
    _attached(identity_of(gunnar))
    client = Client()
    client.force_login(factories.operator(Role.ADMINISTRATOR))
    client.get("/changes/drift/")
    with CaptureQueriesContext(connection) as one:
        page = client.get("/changes/drift/").content.decode()
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))
    assert "gunnar.hauge called iam:AttachUserPolicy with AWS CLI." in words
    policy = Entity.objects.get(name="DeployPayments")
    for number in range(8):
        user = factories.user(maya.account, f"user-{number}")
        factories.seen_after(factories.edge(EdgeKind.ATTACHED, user, policy, since=READ))
        Drift.objects.create(account=maya.account, entity=user, kind=user.kind, seen_at=READ)
        _attached(identity_of(gunnar), user=user.name)
    with CaptureQueriesContext(connection) as many:
        page = client.get("/changes/drift/").content.decode()
    assert page.count("iam:AttachUserPolicy") == 9
    assert len(many) == len(one)
    team = Team.objects.create(name="Payments")
    lead = Client()
    lead.force_login(factories.operator(Role.TEAM_LEAD, name="Elif Kaya", team=team))
    assert "iam:AttachUserPolicy" not in lead.get("/changes/drift/").content.decode()
