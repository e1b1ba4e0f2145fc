"""The page "Least privilege": from recorded calls to a request that takes away only what was not used."""

from __future__ import annotations

import html
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from iam.directory.models import Role
from iam.mirror import snapshot
from iam.mirror.models import EdgeKind, Entity
from tests import factories
from tests.iam.activity.events import happened, identity_of

pytestmark = pytest.mark.django_db
BUCKET = "arn:aws:s3:::pay-ledger"


def _allow(*actions: str) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}],
    }


@pytest.fixture
def maya() -> Entity:
    """Maya has two policies of her own, and one of a group."""
    account = factories.account(write_role_arn="arn:aws:iam::111111111111:role/gatehouse-writer")
    factories.synced(account)
    user = factories.user(account, "maya.okafor")
    group = factories.group(account, "payments")
    factories.edge(EdgeKind.MEMBER, user, group)
    factories.edge(EdgeKind.ATTACHED, user, factories.policy(account, "Files", body=_allow("s3:*", "ec2:*")))
    factories.edge(EdgeKind.ATTACHED, group, factories.policy(account, "Users", body=_allow("iam:List*")))
    factories.inline(user, "extra", body=_allow("sqs:*"))
    snapshot.forget()
    return user


def _client(role: Role = Role.ADMINISTRATOR, **fields: Any) -> Client:
    client = Client()
    client.force_login(factories.operator(role, **fields))
    return client


def _used(user: Entity) -> None:
    at = timezone.now() - timedelta(days=3)
    happened(identity_of(user), at=at, times=2)
    listed = {"eventSource": "iam.amazonaws.com", "eventName": "ListUsers", "requestParameters": None}
    happened(identity_of(user), at=at, **listed)
    happened(identity_of(user), at=at, eventName="DeleteObject", errorCode="AccessDenied")


def _document(page: str) -> dict[str, Any]:
    match = re.search(r"<textarea[^>]*>(.*?)</textarea>", page, re.DOTALL)
    assert match is not None
    return dict(json.loads(html.unescape(match[1])))


def test_the_suggestion_holds_what_was_used_and_what_no_event_tells(maya: Entity) -> None:
    _used(maya)
    page = _client().get(f"/access/least-privilege/{maya.pk}/").content.decode()
    (used,) = _document(page)["Statement"][:1]
    assert used == {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": [f"{BUCKET}/*"]}
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))
    assert "extra, statement 1: only what CloudTrail doesn’t record." in words
    assert "3 allowed calls since" in words
    assert "Policies of groups stay as they are: Users." in words
    assert "sqs:SendMessage" in words
    # The trail has data events of S3, so other objects' actions were not used.
    assert "s3:PutObject*" not in words


def test_the_request_takes_away_and_gives_nothing(maya: Entity) -> None:
    _used(maya)
    client = _client()
    page = client.get(f"/access/least-privilege/{maya.pk}/").content.decode()
    document = json.dumps(_document(page))
    preview = client.post(f"/changes/act/reduce/?on={maya.pk}", {"document": document, "look": "1"})
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", preview.content.decode()))
    assert preview.status_code == 200
    assert "Of 4 calls in 90 days, none would be denied." in words
    assert "gatehouse-least-privilege" in words
    for gained in ("gained", "on more resources"):
        assert f" {gained}" not in words


def test_without_events_there_is_no_suggestion(maya: Entity) -> None:
    page = _client().get(f"/access/least-privilege/{maya.pk}/").content.decode()
    assert "No CloudTrail events of production are known" in page
    assert "<textarea" not in page


def test_a_policy_is_reduced_to_what_all_who_have_it_used(maya: Entity) -> None:
    _used(maya)
    policy = Entity.objects.get(name="Users")
    client = _client()
    page = client.get(f"/access/least-privilege/{policy.pk}/").content.decode()
    document = _document(page)
    assert document["Statement"][0]["Action"] == ["iam:ListUsers"]
    base = re.findall(r'name="base" value="([^"]*)"', page)[0]
    fields = {"document": json.dumps(document), "base": base, "look": "1"}
    editor = client.post(f"/policies/{policy.pk}/edit/", fields)
    assert editor.status_code == 200
    assert "iam:ListUsers" in editor.content.decode()


@pytest.mark.parametrize("days", ["30", "90", "nonsense", ""])
def test_the_period_can_be_chosen(maya: Entity, days: str) -> None:
    happened(identity_of(maya), at=timezone.now() - timedelta(days=60))
    page = _client().get(f"/access/least-privilege/{maya.pk}/", {"days": days}).content.decode()
    actions = {action for statement in _document(page)["Statement"] for action in statement["Action"]}
    assert ("s3:GetObject" in actions) is (days != "30")


@pytest.mark.parametrize(
    ("role", "status"),
    [
        (Role.ADMINISTRATOR, 200),
        (Role.AUDITOR, 200),
        (Role.APPROVER, 200),
        (Role.MEMBER, 404),
    ],
)
def test_only_those_who_see_the_account_see_it(maya: Entity, role: Role, status: int) -> None:
    _used(maya)
    answer = _client(role, name="Kim Berg").get(f"/access/least-privilege/{maya.pk}/")
    assert answer.status_code == status
    if status == 200:
        assert (b"<textarea" in answer.content) is (role != Role.AUDITOR)
