"""The steps and the request of a rotation say what each of them does, waits for, or has done."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse

from console.rotation.detail import steps_of
from iam.changes.models import ChangeSet
from iam.directory.models import Role
from iam.people.rotation.models import RotationStage
from tests import factories
from tests.console.rotation.rows import key, rotation

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        (RotationStage.USING, "After 7 days without use"),
        (RotationStage.DEACTIVATING, "Requested"),
        (RotationStage.INACTIVE, "AWS refuses the old key"),
        (RotationStage.DELETING, "AWS refuses the old key"),
    ],
)
def test_the_deactivation_says_what_it_waits_for(stage: RotationStage, words: str) -> None:
    inactive_at = None
    if stage in (RotationStage.INACTIVE, RotationStage.DELETING):
        inactive_at = datetime.now(tz=UTC)
    old, person = key(factories.user(factories.account(), "kwame.boateng")), factories.person("Kwame Boateng")
    steps = steps_of(rotation(old, person, stage=stage, inactive_at=inactive_at))
    assert [step.note for step in steps if step.name == "Deactivate"] == [words]


def test_the_request_is_called_by_what_is_done_when_it_is_done(client: Client) -> None:
    account = factories.account(write_role_arn="arn:aws:iam::111111111111:role/gatehouse-writer")
    user = factories.user(account, "kwame.boateng")
    client.force_login(factories.operator(Role.MEMBER, name="Kwame Boateng", arns=(user.arn,)))
    old = key(user)
    terms = {"quiet": "14", "keep": "7", "how": "automatic", "reason": "Old"}
    client.post(reverse("keys:rotate", args=[old.pk]), terms)
    title = ChangeSet.objects.get().title
    assert title == f"Create an access key for kwame.boateng that replaces {old.aws_id}"
