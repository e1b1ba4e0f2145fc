"""The pages of a policy say of each holder when they last used its actions."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from iam.directory.models import Role
from iam.mirror.models import EdgeKind, Entity
from tests import factories
from tests.console.identities.details.conftest import SignIn
from tests.iam.activity.events import happened, identity_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def policy() -> Entity:
    statement = {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}
    body = {"Version": "2012-10-17", "Statement": [statement]}
    return factories.policy(factories.account(), "Tools", body=body)


@pytest.fixture
def holder(policy: Entity) -> Entity:
    user = factories.user(policy.account, "maya")
    factories.edge(EdgeKind.ATTACHED, user, policy)
    return user


def shown(client: Client, address: str) -> str:
    return " ".join(client.get(address).content.decode().split())


@pytest.mark.parametrize("tab", ["", "holders/"])
def test_the_last_use_is_told_and_unknown_is_called_unknown(
    sign_in: SignIn, policy: Entity, holder: Entity, tab: str
) -> None:
    client = sign_in(Role.AUDITOR)
    address = f"/policies/{policy.pk}/{tab}"
    assert "Actions last used: Unknown" in shown(client, address)
    other = factories.user(policy.account, "other")
    now = timezone.now().replace(microsecond=0)
    for days in (100, 0):
        happened(identity_of(other), at=now - timedelta(days=days))
    assert "Actions last used: No recorded use" in shown(client, address)
    happened(identity_of(holder), at=now - timedelta(days=4), eventName="GetBucketPolicy")
    assert "4 d ago" in shown(client, address)
    assert "Actions last used" not in shown(client, f"{address}?as-of=2026-02-01T09:00")


def test_a_boundary_gives_nothing_that_could_be_used(sign_in: SignIn, policy: Entity) -> None:
    user = factories.user(policy.account, "maya")
    factories.edge(EdgeKind.BOUNDARY, user, policy)
    page = shown(sign_in(Role.AUDITOR), f"/policies/{policy.pk}/holders/?as=boundary")
    assert "maya" in page
    assert "Actions last used" not in page
