"""The column “Actions last used” of the list of grants, and of its file."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from iam.access.grants.models import Grant, GrantState, LedgerEntry
from tests import factories as make
from tests.console.access.grants import made
from tests.console.access.grants.conftest import HTMX, READ_ONLY, Office
from tests.iam.activity.events import happened, identity_of

pytestmark = pytest.mark.django_db
LIST = "/grants/"


@pytest.fixture
def grant(office: Office) -> Grant:
    """A grant of S3 to tomas, which he has for ten days."""
    statement = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    body = {"Version": "2012-10-17", "Statement": [statement]}
    policy = make.policy(office.account, "ReadOnlyAccess", body=body, arn=READ_ONLY, category="aws")
    grant = made.grant(office.account, office.of["tomas.lind"], asked_by=office.people["asker"].person)
    since = timezone.now() - timedelta(days=10)
    LedgerEntry.objects.filter(part__grant=grant).update(target_entity=policy, since=since)
    return grant


def called(office: Office, *, ago: int, who: str = "tomas.lind") -> None:
    at = timezone.now().replace(microsecond=0) - timedelta(days=ago)
    happened(identity_of(office.of[who]), at=at, eventName="ListBuckets")


def covered(office: Office) -> None:
    for days in (100, 0):
        called(office, ago=days, who="kwame.boateng")


def listed(client: Client) -> str:
    return client.get(LIST, headers=HTMX).content.decode()


def in_file(client: Client) -> str:
    answer = client.get("/grants/export.csv")
    text = b"".join(answer.streaming_content) if answer.streaming else answer.content
    (row,) = csv.DictReader(io.StringIO(text.decode()))
    return row["actions_last_used"]


def test_the_list_says_when_the_actions_of_a_grant_were_last_used(office: Office, grant: Grant) -> None:
    assert "Unknown" in listed(office.asker)
    covered(office)
    called(office, ago=20)
    assert "No recorded use" in listed(office.asker)
    assert in_file(office.auditor) == "No recorded use"
    called(office, ago=4)
    page = listed(office.asker)
    assert "4 d ago" in page
    assert "No recorded use" not in page
    assert in_file(office.auditor).startswith(f"{timezone.now() - timedelta(days=4):%Y-%m-%d}")


def test_what_gives_nothing_now_was_not_used_nor_unknown(office: Office, grant: Grant) -> None:
    covered(office)
    Grant.objects.update(state=GrantState.WAITING)
    page = listed(office.asker)
    assert "Unknown" not in page
    assert "No recorded use" not in page


def test_who_sees_not_all_of_its_holders_is_not_told_of_their_use(office: Office, grant: Grant) -> None:
    part = grant.parts.get()
    maya = office.of["maya.okafor"]
    LedgerEntry.objects.create(
        part=part, account=office.account, entity=maya, holder_arn=maya.arn, sort="attached", target=READ_ONLY
    )
    called(office, ago=4)
    assert "4 d ago" in listed(office.asker)
    assert grant.title in listed(office.lead)
    assert "4 d ago" not in listed(office.lead)
