"""The owners of the sample organization: named once, when what they own is read."""

from __future__ import annotations

import pytest
from pytest_django.fixtures import Settings

from console.demo import owners
from console.demo.organisation.build import northline
from console.demo.organisation.people import ACCOUNT_IDS
from iam.directory.models import NamedOwner, Role, Team
from iam.linking.key_owners import owners_of_keys
from iam.mirror.models import Account
from tests import factories as make
from tests.console.access.grants.made import grant
from tests.console.rotation.rows import key

pytestmark = pytest.mark.django_db


def test_a_user_a_role_a_key_and_a_grant_have_owners(settings: Settings) -> None:
    settings.EMBEDDED = True
    people = {}
    for login in (owners.ADMINISTRATOR, "hana.sato", "jonas.berg"):
        people[login] = make.person(login, email=f"{login}@northline.example")
    make.assign(people[owners.ADMINISTRATOR], Role.ADMINISTRATOR)
    Team.objects.create(slug="payments", name="Payments")
    accounts: dict[str, Account] = {}
    for name in ("management", "production"):
        accounts[name] = make.account(ACCOUNT_IDS[name], name=name)
    for name, identity, _ in owners.IDENTITIES:
        made = make.role if identity.startswith("sso") else make.user
        made(accounts[name], identity)
    ((name, machine, _),) = owners.KEYS
    user = make.user(accounts[name], machine)
    grant(accounts[name], user, asked_by=people["hana.sato"], template=owners.TEMPLATE_OF_GRANT)
    assert owners.name_owners() == 0
    assert not NamedOwner.objects.exists()

    sample_key = key(user)
    assert owners.name_owners() == len(owners.IDENTITIES) + len(owners.KEYS) + 1
    assert owners_of_keys([sample_key])[sample_key.pk].source == "named"
    assert owners.name_owners() == 0


def test_the_machine_user_has_one_key() -> None:
    accounts = {account.id: account for account in northline().accounts}
    for name, machine, _ in owners.KEYS:
        (user,) = (user for user in accounts[ACCOUNT_IDS[name]].users if user.name == machine)
        assert [each.active for each in user.keys] == [True]
