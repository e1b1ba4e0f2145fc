"""The page of a role lists the Roles Anywhere profiles and the pod identity associations that give it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from iam.directory.models import Role
from iam.mirror.models import EdgeKind, Entity, Kind
from tests import factories
from tests.console.identities.details.conftest import SignIn, Small
from tests.factories import FIRST_READ

pytestmark = pytest.mark.django_db
TARGET = "arn:aws:iam::222222222222:role/reports"


@pytest.fixture
def admin(sign_in: SignIn, small: Small) -> Client:
    return sign_in(Role.ADMINISTRATOR)


def _text(client: Client, path: str) -> str:
    return " ".join(client.get(path).content.decode().split())


def _given(small: Small, kind: Kind, name: str, *, category: str = "", **attrs: Any) -> Entity:
    entity = factories.entity(
        small.account, kind, name, category=category, attrs={"Region": "eu-west-1"} | attrs
    )
    factories.edge(EdgeKind.WORKLOAD_ROLE, entity, small.role)
    return entity


def test_a_role_says_what_gives_it_to_certificates_and_pods(small: Small, admin: Client) -> None:
    _given(small, Kind.ANYWHERE_PROFILE, "depots", category="enabled", DurationSeconds=43200)
    _given(small, Kind.ANYWHERE_PROFILE, "old-depots", category="disabled", ManagedPolicyArns=["arn:x"])
    _given(small, Kind.POD_IDENTITY, "shop/ci/deployer", RoleArn=small.role.arn, TargetRoleArn=TARGET)
    page = _text(admin, f"/roles/{small.role.pk}/")
    for words in (
        "Roles Anywhere profile in eu-west-1, sessions up to 12 hours, no session policy",
        "Roles Anywhere profile in eu-west-1, disabled, limited by a session policy",
        "shop/ci/deployer",
        "EKS pod identity association in eu-west-1, used to assume reports",
    ):
        assert words in page


def test_a_role_without_any_says_so(small: Small, admin: Client) -> None:
    for name in ("roles_anywhere", "pod_identities"):
        small.account.sections.update_or_create(
            name=name, defaults={"state": "complete", "observed_at": FIRST_READ}
        )
    page = _text(admin, f"/roles/{small.role.pk}/")
    assert "No Roles Anywhere profile and no pod identity association gives this role." in page


def test_what_was_not_synced_is_said_beside_what_is_known(small: Small, admin: Client) -> None:
    for name in ("roles_anywhere", "pod_identities"):
        small.account.sections.update_or_create(name=name, defaults={"state": "denied", "observed_at": None})
    assert "No Roles Anywhere profile" not in _text(admin, f"/roles/{small.role.pk}/")
    _given(small, Kind.ANYWHERE_PROFILE, "depots", category="enabled")
    page = _text(admin, f"/roles/{small.role.pk}/")
    assert "EKS pod identity associations: Not synced" in page
