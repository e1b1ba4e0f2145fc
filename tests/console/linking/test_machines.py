"""Machine users are not offered what is for people: changing teams and offboarding. They have an owning team,
rotation and deletion.
"""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from iam.directory.models import OwnedUser, Person, Role
from iam.guard import viewer_for
from iam.linking.machines import machine_users
from iam.mirror.models import Account, Entity
from iam.people.offboarding.person_search import find_people
from tests import factories
from tests.console.linking.test_owners import MACHINE, team
from tests.iam.linking.test_ownership import tagged

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]
FOR_PEOPLE = ("moving:begin", "offboarding:begin")


@pytest.fixture
def account() -> Account:
    return factories.account("111111111111", write_role_arn="arn:aws:iam::111111111111:role/w")


@pytest.fixture
def admin(account: Account) -> Client:
    client = Client()
    client.force_login(factories.operator(Role.ADMINISTRATOR))
    return client


def owned(account: Account, name: str) -> Entity:
    """A user that a team owns, with a password."""
    user = factories.user(account, name, credentials={"has_password": True})
    OwnedUser.objects.create(
        team=team(name.title()), account_id=account.account_id, aws_id=user.aws_id, user_arn=user.arn
    )
    return user


def linked(account: Account, name: str) -> Entity:
    """A user of a person that has keys only."""
    user = factories.user(account, name, credentials=MACHINE)
    factories.person(name.title(), arns=(user.arn,))
    return user


def test_who_is_a_machine_user(account: Account) -> None:
    machines = [factories.user(account, "deploy-bot", credentials=MACHINE), owned(account, "ci")]
    people = [
        linked(account, "maya"),
        factories.user(account, "unread", credentials={"has_password": None}),
        factories.user(account, "console", credentials={"has_password": True}),
        factories.user(account, "bare", credentials=MACHINE | {"keys": 0}),
        tagged(factories.user(account, "niall.quinn", credentials=MACHINE), DisplayName="Niall Quinn"),
    ]
    assert machine_users([*machines, *people]) == {user.pk for user in machines}


@pytest.mark.parametrize("tab", ["", "-credentials"])
def test_the_page_of_a_machine_offers_what_machines_have(admin: Client, account: Account, tab: str) -> None:
    for user in (factories.user(account, "deploy-bot", credentials=MACHINE), owned(account, "ci")):
        page = admin.get(reverse(f"identities:person{tab}", args=[user.pk])).content.decode()
        for name in FOR_PEOPLE:
            assert f"{reverse(name)}?user={user.pk}" not in page
        assert reverse("linking:person", args=[user.pk]) in page
        assert f"{reverse('changes:act', args=['delete'])}?on={user.pk}" in page
    person = linked(account, "maya")
    page = admin.get(reverse(f"identities:person{tab}", args=[person.pk])).content.decode()
    for name in FOR_PEOPLE:
        assert f"{reverse(name)}?user={person.pk}" in page


@pytest.mark.parametrize("name", FOR_PEOPLE)
def test_a_kept_address_says_what_to_do_instead(admin: Client, account: Account, name: str) -> None:
    user = factories.user(account, "deploy-bot", credentials=MACHINE)
    address = f"{reverse(name)}?user={user.pk}"
    page = admin.get(address).content.decode()
    assert "deploy-bot is used by a machine" in page
    assert reverse("identities:person-credentials", args=[user.pk]) in page
    assert admin.post(address, {"reason": "x"}).status_code == 422


def test_searches_offer_it_for_people_only(admin: Client, account: Account) -> None:
    machine = factories.user(account, "deploy-bot", credentials=MACHINE)
    person = factories.user(account, "deploy-maya", credentials={"has_password": True})
    viewer = viewer_for(Person.objects.get())
    assert [match.user.pk for match in find_people(viewer, "deploy").people] == [person.pk]
    for words, name in (("offboard", "offboarding:begin"), ("move", "moving:begin")):
        page = admin.get(reverse("identities:search"), {"q": f"{words} deploy"}).content.decode()
        assert f"{reverse(name)}?user={machine.pk}" not in page
        assert f"{reverse(name)}?user={person.pk}" in page
    page = admin.get(reverse("identities:search"), {"q": "grant access to deploy"}).content.decode()
    assert f"{reverse('access:grant-new')}?for={machine.pk}" in page
