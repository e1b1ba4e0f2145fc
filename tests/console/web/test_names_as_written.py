"""Every page shows the name of a person as the person wrote it, whatever a tag of AWS could hold of it."""

from __future__ import annotations

from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from iam.access.escalation_calculation.models import EscalationFinding
from iam.directory.models import Role
from iam.mirror.models import EdgeKind, Entity, Kind
from iam.mirror.refresh import reread_tags
from tests import factories
from tests.iam.changes.site import signed_in
from tests.test_urls_by_role import BY_QUERY
from tests.url_answers import ANSWERS

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
    "/access/who-can/{user}/?action=s3:GetObject&resource=arn:aws:s3:::pay-ledger/x",
    "/people/{user}/access/why/?action=s3:GetObject&resource=arn:aws:s3:::pay-ledger/x",
)
ESCALATION = (
    "/escalation/",
    "/escalation/?view=principals",
    "/escalation/?view=principals&q=o%27brien",
    "/escalation/?from={arn}",
    "/escalation/?from={arn}&to=arn:aws:iam::111111111111:role/reader",
    "/escalation/?to=arn:aws:iam::111111111111:role/reader",
    "/escalation/?to={arn}",
    "/escalation/opening/{opening}/",
    "/escalation/export.csv?view=principals",
    "/escalation/{user}/",
    "/escalation/{user}/?to=arn:aws:iam::111111111111:role/reader",
    "/access/who-can/reach/?action=sqs:SendMessage&resource=arn:aws:sqs:eu-west-1:111111111111:jobs",
)
"""Of these a worker stores the names by the tags alone."""
NAME_NO_USER = ("onboarding:sample-file", "readyz")
"""The first has an example of its own, of the same family name."""
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": "sts:AssumeRole"}],
}


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
    _assert_as_written(administrator, address)


@pytest.mark.usefixtures("prompt_worker")
@pytest.mark.parametrize("page", ESCALATION)
def test_a_name_is_shown_as_it_was_written_where_a_worker_stores_another(
    user: Entity, administrator: Client, page: str
) -> None:
    role = factories.role(user.account, "reader", trust=TRUST)
    factories.inline(role, "send", body=_allow("sqs:SendMessage", "*"))
    factories.inline(user, "assume", body=_allow("sts:AssumeRole", role.arn))
    factories.inline(user, "own", body=_allow("iam:PutUserPolicy", user.arn))
    helper = factories.user(user.account, "helper")
    factories.inline(helper, "keys", body=_allow("iam:CreateAccessKey", user.arn))
    administrator.get("/escalation/")
    opening = EscalationFinding.objects.get(principal=user.pk).opener
    _assert_as_written(administrator, page.format(user=user.pk, arn=user.arn, opening=opening))


@pytest.mark.usefixtures("prompt_worker")
def test_no_page_spells_a_name_otherwise(user: Entity, administrator: Client) -> None:
    """Of all pages that take nothing, a user or the form of a file, whether they name the user or not."""
    arguments: dict[str, dict[str, object]] = {
        "": {},
        "csv": {"form": "csv"},
        "other": {"pk": user.pk},
        "other csv": {"pk": user.pk, "form": "csv"},
        "other s3": {"pk": user.pk, "prefix": "s3"},
    }
    addresses = []
    for method, name, what in ANSWERS:
        if method == "GET" and what in arguments and name not in NAME_NO_USER:
            by_query = name in BY_QUERY
            query = f"?user={user.pk}&on={user.pk}" if by_query else ""
            addresses.append(reverse(name, kwargs={} if by_query else arguments[what]) + query)
    shown = 0
    otherwise = {}
    for address in addresses:
        answer = administrator.get(address)
        if answer.status_code == 200:
            text = unescape(b"".join(answer).decode())  # type: ignore[call-overload]
            shown += WRITTEN in text
            lines = [line for line in _without_right_names(text).splitlines() if "Brien" in line]
            otherwise |= {address: lines} if lines else {}
    assert not otherwise
    assert shown > 10


def _allow(action: str, resource: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _assert_as_written(client: Client, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 200
    shown = unescape(b"".join(answer).decode())  # type: ignore[call-overload]
    assert WRITTEN in shown, [line for line in shown.splitlines() if "brien" in line.lower()]
    assert "Brien" not in _without_right_names(shown)


def _without_right_names(shown: str) -> str:
    """A page without the name as it was written, and without the tags, which are listed as AWS has them."""
    for tag in TAGS:
        shown = shown.replace(tag, "")
    return shown.replace(WRITTEN, "")
