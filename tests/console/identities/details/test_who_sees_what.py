"""Every page of one thing, for every sort of viewer."""

from __future__ import annotations

import pytest
from django.test import Client

from iam.directory.models import Role
from iam.mirror.models import Account
from tests import factories
from tests.console.identities.details.conftest import SignIn, Small

pytestmark = pytest.mark.django_db
PAGES = (
    "person",
    "credentials",
    "person history",
    "group",
    "group history",
    "role",
    "role history",
    "policy",
    "versions",
    "holders",
    "policy history",
    "profile",
    "profile history",
    "provider",
    "provider history",
)
TEAM_PAGES = {"person", "credentials", "person history", "group", "group history"}
OWN_PAGES = {"person", "credentials", "person history"}


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.APPROVER, Role.AUDITOR])
def test_whoever_sees_the_account_sees_the_page(small: Small, sign_in: SignIn, role: Role, page: str) -> None:
    assert sign_in(role).get(small.addresses()[page]).status_code == 200


@pytest.mark.parametrize("page", PAGES)
def test_a_team_lead_sees_the_team_and_nothing_else(small: Small, lead: Client, page: str) -> None:
    assert lead.get(small.addresses()[page]).status_code == (200 if page in TEAM_PAGES else 404)


@pytest.mark.parametrize("page", PAGES)
def test_a_member_sees_their_own_user_and_nothing_else(small: Small, sign_in: SignIn, page: str) -> None:
    client = sign_in(Role.MEMBER, name="Maya Okafor", arns=(small.maya.arn,))
    assert client.get(small.addresses()[page]).status_code == (200 if page in OWN_PAGES else 404)


@pytest.mark.parametrize("page", PAGES)
def test_somebody_else_finds_nothing(small: Small, sign_in: SignIn, page: str) -> None:
    client = sign_in(Role.MEMBER, name="Tomas Lind", arns=(small.tomas.arn,))
    assert client.get(small.addresses()[page]).status_code == 404


@pytest.mark.parametrize("page", PAGES)
def test_nobody_gets_in_without_signing_in(small: Small, client: Client, page: str) -> None:
    answer = client.get(small.addresses()[page])
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in/")


def test_a_person_outside_the_team_does_not_exist_for_its_lead(small: Small, lead: Client) -> None:
    for page in ("", "credentials/", "history/"):
        assert lead.get(f"/people/{small.tomas.pk}/{page}").status_code == 404
    assert lead.get(f"/groups/{small.deployers.pk}/").status_code == 404


def test_the_scope_of_today_governs_the_past(small: Small, lead: Client) -> None:
    """Tomas was in the group then, and is not now."""
    from iam.mirror.models import EdgeKind

    later = factories.FIRST_READ + factories.BETWEEN_READINGS
    factories.edge(EdgeKind.MEMBER, small.tomas, small.payments, until=later)
    assert lead.get(f"/people/{small.tomas.pk}/?as-of=2026-01-05T09:05").status_code == 404
    then = lead.get(f"/groups/{small.payments.pk}/?as-of=2026-01-05T09:05").content.decode()
    assert "maya.okafor" in then
    assert "tomas" not in then


def test_a_page_of_another_kind_does_not_exist(small: Small, sign_in: SignIn) -> None:
    client = sign_in(Role.ADMINISTRATOR)
    for address in (
        f"/groups/{small.maya.pk}/",
        f"/people/{small.role.pk}/",
        "/people/0/",
        f"/people/{'9' * 30}/",
    ):
        assert client.get(address).status_code == 404


def test_an_auditor_of_another_account_finds_nothing(small: Small, sign_in: SignIn) -> None:
    factories.account("222222222222", name="staging")
    someone = factories.operator(None, name="Petra Audit")
    factories.assign(someone.person, Role.AUDITOR, account_id="222222222222")
    client = Client()
    client.force_login(someone)
    for address in small.addresses().values():
        assert client.get(address).status_code == 404


def test_what_a_lead_sees_of_a_person_links_only_where_the_lead_may_go(small: Small, lead: Client) -> None:
    page = lead.get(f"/people/{small.maya.pk}/").content.decode()
    assert f'href="/groups/{small.payments.pk}/"' in page
    assert "deployers" in page
    assert f'href="/groups/{small.deployers.pk}/"' not in page
    assert "DeployPayments" in page
    assert f"/policies/{small.policy.pk}/" not in page


def test_the_history_of_a_group_names_nobody_outside_the_teams(small: Small, lead: Client) -> None:
    from iam.mirror.models import EdgeKind

    edge = factories.seen_after(
        factories.edge(
            EdgeKind.MEMBER, small.tomas, small.payments, since=factories.FIRST_READ.replace(day=7)
        )
    )
    factories.ends(edge, at=factories.FIRST_READ.replace(day=9))
    page = lead.get(f"/groups/{small.payments.pk}/history/").content.decode()
    assert "somebody outside your teams" in page
    assert "tomas" not in page


BUTTONS = "/changes/membership/?"


def test_whoever_may_ask_finds_the_buttons(small: Small, sign_in: SignIn) -> None:
    client = sign_in(Role.ADMINISTRATOR)
    person = client.get(f"/people/{small.maya.pk}/").content.decode()
    assert f"{BUTTONS}user={small.maya.pk}&amp;do=add" in person
    assert f"{BUTTONS}user={small.maya.pk}&amp;group={small.payments.pk}&amp;do=remove" in person
    group = client.get(f"/groups/{small.payments.pk}/").content.decode()
    assert f"{BUTTONS}group={small.payments.pk}&amp;do=add" in group
    assert f"{BUTTONS}user={small.maya.pk}&amp;group={small.payments.pk}&amp;do=remove" in group


@pytest.mark.parametrize("page", ["person", "group"])
def test_an_auditor_finds_no_button(small: Small, sign_in: SignIn, page: str) -> None:
    assert BUTTONS not in sign_in(Role.AUDITOR).get(small.addresses()[page]).content.decode()


@pytest.mark.parametrize("page", ["person", "group"])
def test_the_past_has_no_button(small: Small, sign_in: SignIn, page: str) -> None:
    answer = sign_in(Role.ADMINISTRATOR).get(small.addresses()[page] + "?as-of=2026-02-01T00:00")
    assert BUTTONS not in answer.content.decode()


@pytest.mark.parametrize("page", ["person", "group"])
def test_an_account_that_is_only_read_has_no_button(small: Small, sign_in: SignIn, page: str) -> None:
    Account.objects.update(write_role_arn="")
    assert BUTTONS not in sign_in(Role.ADMINISTRATOR).get(small.addresses()[page]).content.decode()


def test_a_lead_may_ask_within_the_team_only(small: Small, lead: Client) -> None:
    person = lead.get(f"/people/{small.maya.pk}/").content.decode()
    assert f"group={small.payments.pk}&amp;do=remove" in person
    assert f"group={small.deployers.pk}&amp;do=remove" not in person


def test_a_member_finds_their_page_without_the_console_around_it(small: Small, sign_in: SignIn) -> None:
    client = sign_in(Role.MEMBER, name="Maya Okafor", arns=(small.maya.arn,))
    page = client.get(f"/people/{small.maya.pk}/").content.decode()
    assert 'class="solo"' in page
    assert BUTTONS not in page
    assert 'href="/people/"' not in page
