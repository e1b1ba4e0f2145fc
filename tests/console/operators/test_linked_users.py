"""IAM users that are linked to a person on the person's page."""

from __future__ import annotations

import pytest
from django.test import Client

from console.operators.models import Operator
from tests import factories

pytestmark = pytest.mark.django_db


def test_an_arn_that_the_account_does_not_have_is_refused_at_its_field(
    client: Client, ines: Operator, kwame: Operator
) -> None:
    """A slip of the pen would give the person a user that somebody makes later."""
    account = factories.account("111111111111", name="production")
    maya = factories.user(account, "maya")
    client.force_login(ines)
    page = f"/operators/{kwame.person_id}/users/"
    for arn, sentence in (
        (f"{maya.arn}a", "production has no IAM user with this ARN, as of the last sync."),
        ("maya", "Enter the ARN of an IAM user"),
    ):
        answer = client.post(page, {"user_arn": arn})
        assert answer.status_code == 422
        body = answer.content.decode()
        assert sentence in body
        assert f'value="{arn}"' in body
    assert not kwame.person.identities.filter(user_arn__startswith=maya.arn).exists()
    elsewhere = "arn:aws:iam::222222222222:user/maya"
    for arn in (maya.arn, elsewhere):
        assert client.post(page, {"user_arn": arn}).status_code == 302
