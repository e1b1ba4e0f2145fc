"""An administrator of one account: the directory of people is common, what it says of other accounts is
not.
"""

from __future__ import annotations

import pytest
from django.test import Client

from console.operators.models import Operator
from iam.directory.models import Role
from tests import factories
from tests.console.operators.test_pages import _text

pytestmark = pytest.mark.django_db


def test_an_administrator_of_one_account_learns_nothing_of_others(
    client: Client, ines: Operator, kwame: Operator
) -> None:
    admin = Client()
    admin.force_login(ines)
    address, team = f"/operators/{kwame.person_id}/", "/operators/teams/payments/"
    admin.post("/operators/teams/", {"name": "Payments"})
    for number in ("111111111111", "222222222222"):
        admin.post(address + "users/", {"user_arn": f"arn:aws:iam::{number}:user/kwame-of-{number[0]}"})
        admin.post(team, {"kind": "group", "value": f"people-of-{number[0]}", "account_id": number})
    someone = factories.operator(None, name="Rosa Lind")
    factories.assign(someone.person, Role.ADMINISTRATOR, account_id="111111111111")
    client.force_login(someone)
    person, rules = _text(client.get(address)), _text(client.get(team))
    assert "user/kwame-of-1" in person
    assert "people-of-1" in rules
    for page in (person, rules):
        assert "-of-2" not in page
        assert "222222222222" not in page
        assert "accounts that you can’t see" in page
