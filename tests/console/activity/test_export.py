"""Events as a file: those that the page shows, with its filter, for those who may export."""

from __future__ import annotations

import csv
import json
from io import StringIO
from typing import Any

import pytest
from django.test import Client

from iam.activity.queries import HIDDEN
from iam.directory.models import Role
from iam.mirror.models import Entity
from tests import factories
from tests.iam.activity.events import happened, identity_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def maya() -> Entity:
    user = factories.user(factories.account(), "maya.okafor")
    happened(identity_of(user), times=2)
    happened(identity_of(user), eventName="PutObject", errorCode="AccessDenied")
    happened(identity_of(factories.user(user.account, "tomas.lind")))
    return user


def _client(role: Role = Role.ADMINISTRATOR, **fields: Any) -> Client:
    client = Client()
    client.force_login(factories.operator(role, **fields))
    return client


def _content(client: Client, address: str) -> str:
    answer: Any = client.get(address)
    assert answer.status_code == 200
    return b"".join(answer.streaming_content).decode()


def _rows(client: Client, address: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(_content(client, address).lstrip("\ufeff"))))


def test_all_events_that_fit_the_filter_are_in_the_file(maya: Entity) -> None:
    client = _client()
    assert len(_rows(client, "/activity/export.csv")) == 4
    (denied,) = _rows(client, "/activity/export.csv?result=denied&who=maya")
    assert (denied["action"], denied["result"], denied["principal"]) == (
        "s3:PutObject",
        "denied",
        "maya.okafor",
    )
    assert len(_rows(client, f"/people/{maya.pk}/activity/export.csv")) == 3
    body = json.loads(_content(client, f"/people/{maya.pk}/activity/export.json"))
    assert len(next(value for value in body.values() if isinstance(value, list))) == 3


def test_hidden_addresses_are_in_no_file(maya: Entity, settings: Any) -> None:
    settings.ACTIVITY_HIDE_ADDRESSES = True
    assert {row["source_address"] for row in _rows(_client(), "/activity/export.csv")} == {HIDDEN}


@pytest.mark.parametrize(
    ("role", "accounts", "own", "other"),
    [
        (Role.ADMINISTRATOR, 200, 200, 200),
        (Role.AUDITOR, 200, 200, 200),
        (Role.MEMBER, 404, 404, 404),
    ],
)
def test_the_guard_of_the_pages_applies(
    maya: Entity, role: Role, accounts: int, own: int, other: int
) -> None:
    client = _client(role, name="Maya Okafor", arns=(maya.arn,))
    tomas = Entity.objects.get(name="tomas.lind")
    addresses = (
        "/activity/export.csv",
        f"/people/{maya.pk}/activity/export.csv",
        f"/people/{tomas.pk}/activity/export.csv",
    )
    assert [client.get(address).status_code for address in addresses] == [accounts, own, other]


def test_a_member_sees_no_button_of_an_export(maya: Entity) -> None:
    member = _client(Role.MEMBER, name="Maya Okafor", arns=(maya.arn,))
    assert "export.csv" not in member.get(f"/people/{maya.pk}/activity/").content.decode()
    assert "export.csv?result=denied" in _client().get("/activity/?result=denied").content.decode()
