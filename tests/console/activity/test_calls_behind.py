"""The history of a user says who made a change outside of Gatehouse, where CloudTrail tells it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from iam.activity.models import TrailEvent
from iam.changes.drift.models import Drift, DriftState
from iam.changes.models import Change
from iam.changes.own_calls import own_events
from iam.directory.models import Role, Team
from iam.mirror.models import EdgeKind, Entity, Kind
from tests import factories
from tests.iam.activity.events import happened, identity_of, session_of
from tests.iam.audit.evidence.made_packs import done_change

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


def test_a_list_says_how_many_calls_it_leaves_out_and_the_page_of_the_drift_names_all(maya: Entity) -> None:
    drift = Drift.objects.create(account=maya.account, entity=maya, kind=maya.kind, seen_at=READ)
    who, user = session_of(factories.role(maya.account, "deploy")), {"userName": "maya.okafor"}
    names = ("DeleteUserPolicy", "PutUserPolicy", "TagUser", "UntagUser", "UpdateUser", "UpdateAccessKey")
    for minutes, name in enumerate((*names, "CreateAccessKey"), start=1):
        at = READ - timedelta(minutes=minutes)
        happened(who, at=at, **ATTACHED, eventName=name, requestParameters=user)
    client = Client()
    client.force_login(factories.operator(Role.ADMINISTRATOR))

    def words(address: str) -> str:
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", client.get(address).content.decode()))

    newest = "iam:UpdateUser, iam:UntagUser, iam:TagUser, iam:PutUserPolicy and iam:DeleteUserPolicy"
    for address in ("/changes/drift/", f"/people/{maya.pk}/history/"):
        assert f"deploy called {newest} with AWS CLI. And 2 other actions." in words(address)
    page = words(f"/changes/drift/{drift.pk}/")
    assert f"deploy called iam:CreateAccessKey, iam:UpdateAccessKey, {newest} with AWS CLI." in page
    assert "other action" not in page


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


@pytest.mark.parametrize(
    "address",
    [
        "/",
        "/compare/?account={number}&from={before}",
        "/compare/?account={number}&from={before}&sort=attached&sign=came",
        "/compare/?entity={pk}&from={before}",
        "/people/{pk}/history/?as-of={before}",
        "/people/{pk}/history/",
        "/changes/drift/",
    ],
)
def test_each_page_with_a_difference_names_the_call_behind_it(maya: Entity, address: str) -> None:
    lately = timezone.now() - timedelta(hours=2)
    policy = factories.policy(maya.account, "ReadPayments")
    factories.seen_after(factories.edge(EdgeKind.ATTACHED, maya, policy, since=lately))
    Drift.objects.create(account=maya.account, entity=maya, kind=maya.kind, seen_at=lately)
    before = (lately - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%S")
    client = Client()
    client.force_login(factories.operator(Role.ADMINISTRATOR))
    page = address.format(number=maya.account.account_id, pk=maya.pk, before=before)

    def words() -> str:
        answer = client.get(page)
        assert answer.status_code == 200
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", answer.content.decode()))

    assert "ReadPayments" in words()
    assert "called iam:" not in words()
    gunnar = factories.user(maya.account, "gunnar.hauge")
    parameters = {"userName": "maya.okafor", "policyArn": policy.arn}
    fields = ATTACHED | {"eventName": "AttachUserPolicy", "requestParameters": parameters}
    happened(identity_of(gunnar), at=lately - timedelta(minutes=4), **fields)
    assert "gunnar.hauge called iam:AttachUserPolicy with AWS CLI." in words()


def test_a_new_access_key_is_explained_by_the_call_about_its_user(maya: Entity) -> None:
    lately = timezone.now() - timedelta(hours=2)
    key = factories.entity(maya.account, Kind.ACCESS_KEY, "AKIAIOSFODNN7EXAMPLE", since=lately)
    Entity.objects.filter(pk=key.pk).update(owner=maya)
    factories.seen_after(key.states.get())
    gunnar = factories.user(maya.account, "gunnar.hauge")
    fields = ATTACHED | {"eventName": "CreateAccessKey", "requestParameters": {"userName": "maya.okafor"}}
    happened(identity_of(gunnar), at=lately - timedelta(minutes=4), **fields)
    client = Client()
    client.force_login(factories.operator(Role.ADMINISTRATOR))
    page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", client.get("/").content.decode()))
    assert "gunnar.hauge called iam:CreateAccessKey with AWS CLI." in page


REQUEST = "4d1c0f5e-0000-4000-8000-00000000000a"
OTHER_REQUEST = "4d1c0f5e-0000-4000-8000-00000000000b"
ATTACH = {"service": "iam", "operation": "AttachUserPolicy", "params": {}}


def _own(maya: Entity, call: dict[str, Any], *, sent_at: datetime = CALL, **fields: Any) -> Change:
    """A change that sent this call."""
    return done_change(maya.account, at=CALL, sent_at=sent_at, calls=[ATTACH | call], **fields)


def _answered(at: datetime = CALL, request_id: str = REQUEST) -> dict[str, Any]:
    return {"at": at.isoformat(), "request_id": request_id, "error": "", "in_doubt": False}


def test_a_call_of_a_change_made_nothing_that_no_change_explains(maya: Entity) -> None:
    gatehouse = factories.role(maya.account, "gatehouse-write")
    gunnar = factories.user(maya.account, "gunnar.hauge")
    fields = ATTACHED | {"requestParameters": {"userName": "maya.okafor", "groupName": "sre"}}
    added = fields | {"eventName": "AddUserToGroup"}
    # Minutes before somebody else's change of the same user and the same group.
    happened(session_of(gatehouse), at=CALL, requestID=REQUEST, **added)
    happened(identity_of(gunnar), at=CALL, requestID=OTHER_REQUEST, **added)
    drift = Drift.objects.create(account=maya.account, entity=maya, kind=maya.kind, seen_at=READ)
    client = Client()
    client.force_login(factories.operator(Role.ADMINISTRATOR))
    pages = (f"/people/{maya.pk}/history/", "/changes/drift/", f"/changes/drift/{drift.pk}/")
    for address in pages:
        assert "gatehouse-write" in client.get(address).content.decode(), address
    done_change(
        maya.account,
        at=CALL,
        sent_at=CALL,
        calls=[{"service": "iam", "operation": "AddUserToGroup"} | _answered()],
        request_ids=[REQUEST],
    )
    for address in pages:
        html = client.get(address).content.decode()
        assert "gatehouse-write" not in html, address
        assert "gunnar.hauge" in html, address


@pytest.mark.parametrize(
    ("call", "fields", "is_own"),
    [
        (_answered(), {}, True),
        (_answered(request_id=OTHER_REQUEST), {}, False),
        # Tried twice: the answer to the first is kept only among the IDs.
        (_answered(request_id=OTHER_REQUEST), {"request_ids": [REQUEST, OTHER_REQUEST]}, True),
        # The answer, and with it the ID, was lost.
        ({"in_doubt": True}, {}, True),
        ({"in_doubt": True}, {"sent_at": CALL - timedelta(minutes=4)}, False),
        ({"in_doubt": True, "operation": "DetachUserPolicy"}, {}, False),
        # Never sent.
        ({}, {}, False),
        # The last of several calls was sent hours later.
        (_answered(), {"sent_at": CALL + timedelta(hours=5)}, True),
    ],
)
def test_which_events_are_calls_of_a_change(
    maya: Entity, call: dict[str, Any], fields: dict[str, Any], is_own: bool
) -> None:
    _attached(identity_of(maya), requestID=REQUEST)
    _own(maya, call, **fields)
    events = list(TrailEvent.objects.all())
    assert own_events(events) == ({events[0].event_id} if is_own else set())


@pytest.mark.parametrize(("minutes", "is_own"), [(1, True), (4, False)])
def test_an_event_whose_record_was_not_kept_is_known_by_action_and_time(
    maya: Entity, minutes: int, is_own: bool
) -> None:
    _attached(identity_of(maya), requestID=REQUEST)
    TrailEvent.objects.update(raw="")
    _own(maya, _answered(CALL - timedelta(minutes=minutes)))
    assert bool(own_events(list(TrailEvent.objects.all()))) is is_own


def test_calls_of_another_account_and_of_many_times_are_told_apart_in_one_query(maya: Entity) -> None:
    other = factories.account("222222222222", name="data")
    for number in range(120):
        at = READ - timedelta(minutes=10 * number)
        _attached(identity_of(maya), at=at, requestID=f"4d1c0f5e-0000-4000-9000-{number:012d}")
        if number % 3:
            call = ATTACH | _answered(at, f"4d1c0f5e-0000-4000-9000-{number:012d}")
            done_change(maya.account if number % 3 == 1 else other, at=at, sent_at=at, calls=[call])
    events = list(TrailEvent.objects.all())
    with CaptureQueriesContext(connection) as queries:
        assert len(own_events(events)) == 40
    assert len(queries) == 1
    assert own_events([]) == set()


def test_a_drift_that_a_change_explains_is_not_called_somebody_elses(maya: Entity) -> None:
    drift = Drift.objects.create(
        account=maya.account, entity=maya, kind=maya.kind, seen_at=READ, state=DriftState.EXPLAINED
    )
    client = Client()
    client.force_login(factories.operator(Role.ADMINISTRATOR))
    words = re.sub(r"\s+", " ", client.get(f"/changes/drift/{drift.pk}/").content.decode())
    assert "by a change of Gatehouse." in words
    assert "outside Gatehouse." not in words
    assert "Who made it is unknown" not in words
