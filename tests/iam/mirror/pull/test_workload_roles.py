"""Profiles of Roles Anywhere and pod identity associations are synced with the roles that they give; what is
denied is unknown and loses nothing, and Regions that aren't read are left alone.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytest_django.fixtures import Settings

from iam.mirror.models import Account, Edge, EdgeKind, EntityState, Kind, Pull, Section, valid_at
from iam.mirror.pull.sections import POD_IDENTITIES, ROLES_ANYWHERE
from tests.bench.fakeaws.world import World

pytestmark = pytest.mark.django_db
KINDS = (Kind.ANYWHERE_PROFILE, Kind.TRUST_ANCHOR, Kind.POD_IDENTITY)


def fill(world: World) -> str:
    """A profile with a session policy, a trust anchor and an association; the role that they give."""
    role = str(world.account.roles[0]["arn"])
    number = role.split(":")[4]
    prefix = f"arn:aws:rolesanywhere:us-east-1:{number}:"
    profile = {"profileId": "p-1", "profileArn": f"{prefix}profile/p-1", "name": "depots", "enabled": True}
    world.workloads.profiles = [profile | {"roleArns": [role], "sessionPolicy": "{}"}]
    anchor = {"trustAnchorId": "t-1", "trustAnchorArn": f"{prefix}trust-anchor/t-1", "name": "ca"}
    world.workloads.anchors = [anchor]
    association = {
        "associationId": "a-1",
        "associationArn": f"arn:aws:eks:us-east-1:{number}:podidentityassociation/shop/a-1",
        "clusterName": "shop",
        "namespace": "default",
        "serviceAccount": "web",
        "roleArn": role,
        "targetRoleArn": "arn:aws:iam::999999999999:role/elsewhere",
    }
    world.workloads.associations = [association]
    return role


def names() -> dict[str, str]:
    """What is there now: kind → name."""
    return dict(EntityState.objects.filter(valid_at(None), kind__in=KINDS).values_list("kind", "name"))


def test_they_come_with_their_roles_and_go(world: World, account: Account, pull: Callable[..., Pull]) -> None:
    role = fill(world)
    pull(account)
    assert names() == {
        "anywhere-profile": "depots",
        "trust-anchor": "ca",
        "pod-identity": "shop/default/web",
    }
    ties = Edge.objects.filter(valid_at(None), kind=EdgeKind.WORKLOAD_ROLE)
    assert sorted(ties.values_list("source__kind", "target__arn")) == [
        ("anywhere-profile", role),
        ("pod-identity", role),
    ]
    profile = EntityState.objects.get(valid_at(None), kind=Kind.ANYWHERE_PROFILE)
    assert (profile.category, profile.document and profile.document.text) == ("enabled", "{}")
    world.workloads.profiles = []
    world.workloads.associations = []
    pull(account)
    assert names() == {"trust-anchor": "ca"}


@pytest.mark.parametrize(
    ("action", "section"),
    [
        ("rolesanywhere:ListProfiles", ROLES_ANYWHERE),
        ("rolesanywhere:ListTrustAnchors", ROLES_ANYWHERE),
        ("eks:ListClusters", POD_IDENTITIES),
        ("eks:ListPodIdentityAssociations", POD_IDENTITIES),
        ("eks:DescribePodIdentityAssociation", POD_IDENTITIES),
    ],
)
def test_what_is_denied_is_unknown_and_loses_nothing(
    world: World, account: Account, pull: Callable[..., Pull], action: str, section: str
) -> None:
    fill(world)
    pull(account)
    before = names()
    world.control("/_config", {"deny": action})
    pull(account)
    row = Section.objects.get(account=account, name=section)
    assert (row.state, row.permission) == ("denied", action)
    assert names() == before


def test_what_lies_in_other_regions_is_left_alone(
    world: World, account: Account, pull: Callable[..., Pull], settings: Settings
) -> None:
    fill(world)
    pull(account)
    before = names()
    settings.INSTANCE_REGIONS = ["eu-west-1"]
    pull(account)
    assert names() == before
