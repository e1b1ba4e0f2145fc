"""The page of a disconnected account, and of what is in it, says so to those who see the account; others get
404.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from iam.directory.models import Role, RuleKind, Team, TeamRule
from iam.mirror.accounts.disconnect import disconnect_account
from iam.mirror.models import Account, EdgeKind, Entity
from iam.mirror.models.accounts import AccountSource
from tests import factories

pytestmark = pytest.mark.django_db
NUMBER, OTHER = "111111111111", "222222222222"
OF_ACCOUNT = ("account", "pulls", "fix-permissions", "doctor")
"""Pages of an account that every role that sees it can open."""


def _client(role: Role, *, account_id: str = "", **fields: Any) -> Client:
    operator = factories.operator(None, name=f"{role} of {account_id or 'all'}", **fields)
    factories.assign(operator.person, role, account_id=account_id)
    client = Client()
    client.force_login(operator)
    return client


@pytest.fixture
def account() -> Account:
    made: Account = factories.account(NUMBER, name="production")
    factories.account(OTHER, name="staging")
    return made


@pytest.fixture
def things(account: Account) -> dict[str, Entity]:
    """One of each kind that has a page."""
    return {
        "identities:person": factories.user(account, "maya"),
        "identities:group": factories.group(account, "deployers"),
        "identities:role": factories.role(account, "app"),
        "identities:policy": factories.policy(account, "Ledger"),
    }


def _disconnect(account: Account) -> None:
    disconnect_account(account, actor=factories.viewer(Role.ADMINISTRATOR, name="Ines Duarte"))


def _main(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 410, address
    return answer.content.decode().partition("<main")[2].partition("</main>")[0]


def test_every_page_of_the_account_says_when_and_by_whom_it_was_disconnected(account: Account) -> None:
    _disconnect(account)
    client = _client(Role.AUDITOR)
    for name in OF_ACCOUNT:
        main = _main(client, reverse(f"setup:{name}", args=[NUMBER]))
        assert "This account was disconnected" in main
        assert "Ines Duarte disconnected production" in main
        assert f"{Account.objects.get(pk=account.pk).removed_at:%d %b}".lstrip("0") in main
        assert f"/changes/?account={NUMBER}" in main


def test_every_page_of_something_in_it_says_so(account: Account, things: dict[str, Entity]) -> None:
    _disconnect(account)
    client = _client(Role.APPROVER)
    for name, thing in things.items():
        for address in (name, f"{name}-history"):
            main = _main(client, reverse(address, args=[thing.pk]))
            assert f"{thing.name} is in this account" in main
            assert "This account was disconnected" in main


@pytest.mark.parametrize(
    ("role", "account_id", "connects"),
    [
        (Role.ADMINISTRATOR, "", True),
        (Role.ADMINISTRATOR, NUMBER, True),
        (Role.AUDITOR, "", False),
        (Role.APPROVER, NUMBER, False),
    ],
)
def test_the_way_to_connect_again_is_for_those_who_may(
    account: Account, role: Role, account_id: str, connects: bool
) -> None:
    _disconnect(account)
    client = _client(role, account_id=account_id)
    main = _main(client, reverse("setup:account", args=[NUMBER]))
    address = f"{reverse('setup:connect')}?account_id={NUMBER}&amp;name=production&amp;partition=aws"
    assert (address in main) is connects
    assert ("An administrator of Gatehouse can connect it again." in main) is not connects
    if connects:
        form = client.get(address.replace("&amp;", "&")).content.decode()
        assert f'value="{NUMBER}"' in form


def test_an_uploaded_account_is_uploaded_again(account: Account) -> None:
    Account.objects.filter(pk=account.pk).update(source=AccountSource.EXPORT)
    _disconnect(Account.objects.get(pk=account.pk))
    main = _main(_client(Role.ADMINISTRATOR), reverse("setup:account", args=[NUMBER]))
    assert reverse("setup:upload") in main


def test_who_never_saw_it_gets_404(account: Account, things: dict[str, Entity]) -> None:
    _disconnect(account)
    addresses = [
        *(reverse(f"setup:{name}", args=[NUMBER]) for name in OF_ACCOUNT),
        *(reverse(name, args=[thing.pk]) for name, thing in things.items()),
    ]
    for client in (_client(Role.AUDITOR, account_id=OTHER), _client(Role.MEMBER)):
        for address in addresses:
            assert client.get(address).status_code == 404, address
    missing = _client(Role.AUDITOR)
    assert missing.get(reverse("setup:account", args=["999999999999"])).status_code == 404
    assert missing.get(reverse("identities:person", args=[0])).status_code == 404


def test_forms_and_parts_of_pages_stay_404(account: Account) -> None:
    _disconnect(account)
    client = _client(Role.ADMINISTRATOR)
    assert client.post(reverse("setup:pull", args=[NUMBER])).status_code == 404
    part = client.get(reverse("setup:account", args=[NUMBER]), headers={"HX-Request": "true"})
    assert part.status_code == 404


def test_the_page_of_an_account_is_ordinary_again_once_it_is_connected_again(account: Account) -> None:
    _disconnect(account)
    Account.objects.filter(pk=account.pk).update(removed_at=None)
    assert _client(Role.AUDITOR).get(reverse("setup:account", args=[NUMBER])).status_code == 200


@pytest.fixture
def lead(things: dict[str, Entity]) -> Client:
    """Leads the team of the group that the person is in."""
    factories.edge(EdgeKind.MEMBER, things["identities:person"], things["identities:group"])
    team = Team.objects.create(slug="deployers", name="Deployers")
    TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value="deployers")
    operator = factories.operator(None, name="Elif Kaya")
    factories.assign(operator.person, Role.TEAM_LEAD, team=team)
    client = Client()
    client.force_login(operator)
    return client


def _about(thing: Entity) -> list[str]:
    """Pages that are about one IAM user, by each way in which an address names it."""
    own = (
        "identities:person",
        "identities:person-history",
        "identities:person-credentials",
        "linking:person",
        "access:person",
    )
    return [reverse(name, args=[thing.pk]) for name in own]


def test_a_team_lead_reads_of_their_own_people_and_a_member_of_themselves_that_it_was_disconnected(
    account: Account, things: dict[str, Entity], lead: Client
) -> None:
    user = things["identities:person"]
    member = _client(Role.MEMBER, arns=(user.arn,))
    for client in (lead, member):
        for address in _about(user):
            assert client.get(address).status_code == 200, address
    _disconnect(account)
    for client in (lead, member):
        for address in _about(user):
            main = _main(client, address)
            assert "maya is in this account" in main
            assert reverse("setup:connect") not in main
            # Neither has the list of accounts, so that no link leads there.
            assert f'href="{reverse("setup:accounts")}"' not in main
    acts = (
        f"{reverse('changes:membership')}?do=add&user={user.pk}",
        reverse("mfa:send-link", args=[user.pk]),
        f"{reverse('access:grant-new')}?for={user.pk}",
    )
    for address in acts:
        assert lead.get(address, follow=True).status_code == 410, address
    for name in ("identities:role", "identities:policy"):
        assert lead.get(reverse(name, args=[things[name].pk])).status_code == 404, name


def test_those_who_lead_other_people_and_other_members_get_404(
    account: Account, things: dict[str, Entity], lead: Client
) -> None:
    other = factories.user(account, "noor")
    _disconnect(account)
    for client in (lead, _client(Role.MEMBER, arns=(other.arn,))):
        user = other if client is lead else things["identities:person"]
        for address in _about(user):
            assert client.get(address).status_code == 404, address


def test_my_access_does_not_say_that_nobody_linked_a_user(
    account: Account, things: dict[str, Entity]
) -> None:
    user = things["identities:person"]
    member = _client(Role.MEMBER, arns=(user.arn,))
    assert "isn’t shown" not in member.get("/").content.decode()
    _disconnect(account)
    body = member.get("/").content.decode()
    assert "Your AWS user maya in production isn’t shown" in body
    assert "No AWS user is linked to you yet" not in body
    assert reverse("identities:person", args=[user.pk]) in body
