"""Every page shows the name of a person as the person wrote it, whatever a tag of AWS could hold of it."""

from __future__ import annotations

from datetime import UTC, datetime
from html import unescape

import pytest
from django.test import Client

from iam.directory.models import Role
from iam.mirror.models import EdgeKind, Entity, Kind
from iam.mirror.refresh import reread_tags
from tests import factories
from tests.iam.changes.site import signed_in

pytestmark = pytest.mark.django_db
WRITTEN = "Seán (SO) O’Brien"
TAGS = ("Seán SO OʼBrien", "Seán SO OˈBrien")
"""As a tag held it before it told the apostrophes apart, and as it does now."""
READS = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::pay-ledger/*"}],
}
PAGES = (
    "/people/",
    "/people/?q=o%27brien",
    "/people/?q=o%E2%80%99brien",
    "/people/{user}/",
    "/people/{user}/credentials/",
    "/people/{user}/history/",
    "/groups/{group}/",
    "/policies/{policy}/",
    "/mfa/",
    "/keys/",
    "/search/?q=o%27brien",
    "/access/who-can/?action=s3:GetObject&resource=arn:aws:s3:::pay-ledger/x",
    "/people/{user}/access/",
    "/people/{user}/activity/",
    "/services/s3/",
    "/changes/membership/?user={user}&group={group}&do=remove",
    "/leaving/new/?q=o%27brien",
    "/people/persons/",
)


@pytest.fixture(params=TAGS)
def user(request: pytest.FixtureRequest) -> Entity:
    account = factories.account(write_role_arn="arn:aws:iam::111111111111:role/gatehouse-writer")
    user = factories.user(account, "sobrien", credentials={"has_password": True, "active_keys": 1})
    reread_tags(account, user, tags={"DisplayName": request.param}, at=datetime.now(tz=UTC), cause_id=None)
    factories.person(WRITTEN, email="so@example.com", arns=(user.arn,))
    key = factories.entity(account, Kind.ACCESS_KEY, "AKIASOBRIEN00000001", category="Active")
    Entity.objects.filter(pk=key.pk).update(owner=user)
    policy = factories.policy(account, "LedgerRead", body=READS)
    group = factories.group(account, "readers")
    factories.edge(EdgeKind.ATTACHED, user, policy)
    factories.edge(EdgeKind.MEMBER, user, group)
    return user


@pytest.fixture
def administrator() -> Client:
    return signed_in(factories.operator(Role.ADMINISTRATOR, name="Ines Duarte"))


@pytest.mark.parametrize("page", PAGES)
def test_a_name_is_shown_as_it_was_written(user: Entity, administrator: Client, page: str) -> None:
    places = {kind: Entity.objects.get(kind=kind).pk for kind in (Kind.GROUP, Kind.POLICY)}
    address = page.format(user=user.pk, arn=user.arn, group=places[Kind.GROUP], policy=places[Kind.POLICY])
    answer = administrator.get(address)
    assert answer.status_code == 200
    shown = unescape(answer.content.decode())
    assert WRITTEN in shown, [line for line in shown.splitlines() if "brien" in line.lower()]
    # Tags are listed as AWS has them.
    for tag in TAGS:
        shown = shown.replace(tag, "")
    assert "Brien" not in shown.replace(WRITTEN, "").replace("sobrien", "")
