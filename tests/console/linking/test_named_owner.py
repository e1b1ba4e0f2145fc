"""The pages on which someone says who owns a role, a machine user or a grant, and hands over what a leaver
owns.
"""

from __future__ import annotations

import html

import pytest
from django.test import Client
from django.urls import reverse

from iam.directory.models import NamedOwner, Person, Role, Team
from iam.mirror.models import Account, Entity
from iam.people.offboarding.models import Leaver, OffboardingStage
from tests import factories
from tests.console import offboarding
from tests.console.access.grants import made
from tests.console.rotation import rows
from tests.iam.changes.site import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    account = factories.account(write_role_arn="arn:aws:iam::111111111111:role/gatehouse-writer")
    factories.synced(account)
    return account


@pytest.fixture
def role(account: Account) -> Entity:
    return factories.role(account, "app")


@pytest.fixture
def ines(account: Account) -> Client:
    return signed_in(factories.operator(Role.ADMINISTRATOR, name="Ines Duarte"))


@pytest.fixture
def hana() -> Person:
    return factories.person("Hana Sato", email="hana@example.com")


def page(client: Client, address: str, *, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status
    return html.unescape(answer.content.decode())


def test_an_owner_is_set_on_the_page_of_a_role_and_shown_there(
    role: Entity, ines: Client, hana: Person
) -> None:
    address, form = reverse("identities:role", args=[role.pk]), reverse("linking:named-owner", args=[role.pk])
    assert "None known" in page(ines, address)
    assert f'href="{form}">Set owner' in page(ines, address)
    assert ines.post(form, {"owner": "hana@example.com", "why": "x"}).headers["Location"] == address
    text = page(ines, address)
    assert "Hana Sato" in text
    assert "set in Gatehouse" in text
    assert "Change owner" in text
    assert 'value="hana@example.com"' in page(ines, form)
    auditor = signed_in(factories.operator(Role.AUDITOR, name="Amara Diallo"))
    assert "Change owner" not in page(auditor, address)
    assert "Hana Sato" in page(auditor, address)


def test_what_names_no_one_is_said_at_the_field_and_kept(role: Entity, ines: Client) -> None:
    form = reverse("linking:named-owner", args=[role.pk])
    answer = ines.post(form, {"owner": "nobody", "why": "They asked"})
    text = html.unescape(answer.content.decode())
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in text
    assert "“nobody” isn’t a team" in text
    assert 'value="nobody"' in text
    assert 'value="They asked"' in text
    assert not NamedOwner.objects.exists()


def test_a_machine_user_and_a_grant_have_an_owner(account: Account, ines: Client, hana: Person) -> None:
    Team.objects.create(slug="payments", name="Payments")
    machine = factories.user(account, "ci", credentials={"has_password": False, "keys": 1, "active_keys": 1})
    grant = made.grant(account, machine, asked_by=hana)
    pages = {
        reverse("linking:named-owner", args=[machine.pk]): reverse("identities:person", args=[machine.pk]),
        reverse("access:grant-owner", args=[grant.pk]): reverse("access:grant", args=[grant.pk]),
    }
    for form, address in pages.items():
        assert f'href="{form}">Set owner' in page(ines, address)
        assert ines.post(form, {"owner": "Payments"}).status_code == 302
        assert "set in Gatehouse" in page(ines, address)
    assert NamedOwner.objects.filter(team__slug="payments").count() == 2


def test_an_access_key_has_an_owner_of_its_own_on_the_credentials_page(
    account: Account, ines: Client, hana: Person
) -> None:
    machine = factories.user(account, "ci", credentials={"has_password": False, "keys": 1, "active_keys": 1})
    key = rows.key(machine)
    address = reverse("identities:person-credentials", args=[machine.pk])
    form = reverse("linking:key-owner", args=[key.pk])
    assert "Owner: None known" in page(ines, address)
    assert f'href="{form}">Set owner<span class="sr"> of {key.aws_id}' in page(ines, address)
    assert "use the owner of the IAM user" in page(ines, form)
    assert "isn’t a team" in ines.post(form, {"owner": "nobody"}).content.decode()
    assert ines.post(form, {"owner": "hana@example.com"}).headers["Location"] == address
    text = " ".join(page(ines, address).split())
    assert "Owner: Hana Sato, set in Gatehouse" in text
    auditor = signed_in(factories.operator(Role.AUDITOR, name="Amara Diallo"))
    assert "Owner: Hana Sato" in " ".join(page(auditor, address).split())
    assert "Change owner<span" not in page(auditor, address)


def test_what_a_leaver_owns_is_handed_over_on_their_page(
    account: Account, role: Entity, ines: Client, hana: Person
) -> None:
    user = factories.user(account, "maya")
    maya = factories.person("Maya", email="maya@example.com")
    leaver = offboarding.left(user, hana)
    Leaver.objects.filter(pk=leaver.pk).update(person_id=maya.pk)
    address, form = (reverse(f"offboarding:{name}", args=[leaver.pk]) for name in ("leaver", "hand-over"))
    assert "Needs a new owner" not in page(ines, address)
    page(ines, form, status=404)
    ines.post(reverse("linking:named-owner", args=[role.pk]), {"owner": "maya@example.com"})
    text = page(ines, address)
    assert "Needs a new owner" in text
    assert f'href="{form}"' in text
    assert role.arn in page(ines, form)
    assert ines.post(form, {"owner": "maya@example.com"}).status_code == 422
    assert ines.post(form, {"owner": ""}).status_code == 422
    assert ines.post(form, {"owner": "hana@example.com"}).headers["Location"] == address
    assert "Needs a new owner" not in page(ines, address)
    assert NamedOwner.objects.get().person == hana


def test_that_no_one_owns_it_needs_a_reason(
    account: Account, role: Entity, ines: Client, hana: Person
) -> None:
    maya = factories.person("Maya", email="maya@example.com")
    leaver = offboarding.left(factories.user(account, "maya"), hana)
    Leaver.objects.filter(pk=leaver.pk).update(person_id=maya.pk)
    ines.post(reverse("linking:named-owner", args=[role.pk]), {"owner": "maya@example.com"})
    address, form = (reverse(f"offboarding:{name}", args=[leaver.pk]) for name in ("leaver", "hand-over"))
    assert "Decide before the users are deleted" in page(ines, address)
    refused = ines.post(form, {"decision": "nobody", "why": ""})
    assert refused.status_code == 422
    assert "Say why no one takes this over." in refused.content.decode()
    assert ines.post(form, {"decision": "nobody", "why": "Not used"}).status_code == 302
    assert not NamedOwner.objects.exists()
    assert "Needs a new owner" not in page(ines, address)


def test_who_came_back_keeps_what_they_own(
    account: Account, role: Entity, ines: Client, hana: Person
) -> None:
    leaver = offboarding.left(factories.user(account, "maya"), hana, stage=OffboardingStage.RETURNED)
    Leaver.objects.filter(pk=leaver.pk).update(person_id=hana.pk)
    ines.post(reverse("linking:named-owner", args=[role.pk]), {"owner": "hana@example.com"})
    assert "Needs a new owner" not in page(ines, reverse("offboarding:leaver", args=[leaver.pk]))


def test_the_auditor_sees_no_button_to_hand_over(account: Account, role: Entity, hana: Person) -> None:
    leaver = offboarding.left(factories.user(account, "maya"), hana)
    Leaver.objects.filter(pk=leaver.pk).update(person_id=hana.pk)
    NamedOwner.objects.create(
        kind="identity", subject=role.aws_id, account_id=account.account_id, name=role.arn, person=hana
    )
    auditor = signed_in(factories.operator(Role.AUDITOR, name="Amara Diallo"))
    assert ">Decide</a>" not in page(auditor, reverse("offboarding:leaver", args=[leaver.pk]))
    page(auditor, reverse("offboarding:hand-over", args=[leaver.pk]), status=404)
