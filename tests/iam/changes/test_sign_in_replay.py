"""Receipts of ended keys and of changed trust policies name the recorded calls that would be denied."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from iam.changes.models import Change, ChangeState
from iam.changes.operations import Operation
from iam.changes.operations.principals import ReplaceTrustPolicy
from iam.changes.operations.user_credential import ACTIVATE, DEACTIVATE, DeleteCredential, SetStatus
from iam.changes.receipts import set_receipt_of
from iam.directory.models import Role
from iam.mirror import snapshot
from iam.mirror.models import Account, Entity, EntityState, Kind
from tests import factories
from tests.iam.activity.events import happened, identity_of

pytestmark = pytest.mark.django_db
KEY = "AKIA0000000000000001"
KEYS = Kind.ACCESS_KEY


@pytest.fixture
def account() -> Account:
    account = factories.account()
    factories.synced(account)
    snapshot.forget()
    return account


def ago(**age: float) -> Any:
    return timezone.now().replace(microsecond=0) - timedelta(**age)


def replayed(*operations: Operation) -> Any:
    return set_receipt_of(operations)["impact"]["replay"]


def key_of(user: Entity, key_id: str = KEY) -> Entity:
    key = factories.entity(user.account, KEYS, key_id, category="Active", arn="")
    Entity.objects.filter(pk=key.pk).update(owner=user, aws_id=key_id)
    return Entity.objects.select_related("owner", "account").get(pk=key.pk)


def test_calls_of_a_key_that_ends_would_be_denied(account: Account) -> None:
    user = factories.user(account, "ci-release")
    key = key_of(user)
    happened(identity_of(user, accessKeyId=KEY), at=ago(days=2), times=3)
    happened(identity_of(user, accessKeyId="AKIA0000000000000002"), at=ago(days=2))
    happened(identity_of(user, accessKeyId=KEY), at=ago(days=200))
    happened(identity_of(user, accessKeyId=KEY), at=ago(days=1), errorCode="AccessDenied")
    for operation in (SetStatus.of(DEACTIVATE[KEYS], key), DeleteCredential.of(key)):
        found = replayed(operation)
        assert (found["calls"], found["denied"], found["same"]) == (4, 3, 1)
        assert found["entity_ids"] == [user.pk]
        assert found["lines"][0]["calls"] == 3
    assert replayed(SetStatus.of(ACTIVATE[KEYS], key)) is None


def test_the_end_of_an_inactive_key_denies_nothing_more(account: Account) -> None:
    user = factories.user(account, "ci-release")
    happened(identity_of(user, accessKeyId=KEY), at=ago(days=2), times=3)
    key = key_of(user)
    assert replayed(DeleteCredential.of(key))["denied"] == 3
    EntityState.objects.filter(entity=key).update(category="Inactive")
    assert replayed(DeleteCredential.of(key)) is None


def test_the_page_of_the_request_shows_them(account: Account) -> None:
    Account.objects.filter(pk=account.pk).update(write_role_arn="arn:aws:iam::111111111111:role/writer")
    user = factories.user(account, "ci-release")
    key = key_of(user)
    happened(identity_of(user, accessKeyId=KEY), at=ago(days=2), times=3)
    client = Client()
    client.force_login(factories.operator(Role.ADMINISTRATOR))
    address = f"{reverse('changes:credential')}?do=access_key.deactivate&of={key.pk}"
    assert "<strong>3 calls</strong>" in client.get(address).content.decode()

    factories.operator(Role.APPROVER, name="Hana Sato")
    client.post(address, {"reason": "Unused", "key": str(uuid.uuid4())})
    change = Change.objects.get()
    says = {
        ChangeState.AWAITING: "permissions change, but calls like the recorded ones below will fail.",
        ChangeState.CANCELLED: (
            "permissions would have changed, but calls like the recorded ones below would have failed."
        ),
    }
    for state, sentence in says.items():
        Change.objects.update(state=state)
        page = client.get(reverse("changes:change", args=[change.pk]), follow=True)
        assert sentence in " ".join(page.content.decode().split())


def trust(*statements: dict[str, Any]) -> dict[str, Any]:
    rows = [{"Effect": "Allow", "Action": "sts:AssumeRole", **each} for each in statements]
    return {"Version": "2012-10-17", "Statement": rows}


def assumed(role: Entity, by: Entity, *, times: int = 1) -> None:
    happened(
        identity_of(by),
        at=ago(days=3),
        times=times,
        recipientAccountId=role.account.account_id,
        eventSource="sts.amazonaws.com",
        eventName="AssumeRole",
        requestParameters={"roleArn": role.arn, "roleSessionName": "build"},
        resources=[{"ARN": role.arn, "type": "AWS::IAM::Role"}],
    )


def test_a_narrower_trust_policy_names_who_is_locked_out(account: Account) -> None:
    maya, tomas = factories.user(account, "maya"), factories.user(account, "tomas")
    root = {"Principal": {"AWS": "arn:aws:iam::111111111111:root"}}
    role = factories.role(account, "deploy", trust=trust(root))
    other = factories.role(account, "other", trust=trust(root))
    snapshot.forget()
    assumed(role, maya, times=2)
    assumed(role, tomas)
    assumed(other, tomas, times=5)

    only_maya = trust({"Principal": {"AWS": maya.arn}})
    found = replayed(ReplaceTrustPolicy.of(role, document=json.dumps(only_maya)))
    assert (found["calls"], found["denied"], found["same"]) == (3, 1, 2)
    (line,) = found["lines"]
    assert (line["name"], line["action"]) == ("tomas", "sts:AssumeRole")


def test_what_the_event_does_not_tell_is_undecided(account: Account) -> None:
    maya = factories.user(account, "maya")
    root = {"Principal": {"AWS": "arn:aws:iam::111111111111:root"}}
    role = factories.role(account, "deploy", trust=trust(root))
    snapshot.forget()
    assumed(role, maya)
    limited = trust(root | {"Condition": {"StringEquals": {"sts:ExternalId": "agreed"}}})
    found = replayed(ReplaceTrustPolicy.of(role, document=json.dumps(limited)))
    assert (found["denied"], found["undecided"]) == (0, 1)
    assert found["lines"][0]["keys"] == ["sts:ExternalId"]
