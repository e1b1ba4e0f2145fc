"""With an account chosen, the overview counts what its lists count of that account, or says that it counts
all accounts.
"""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from iam.access.grants.models import GrantState
from iam.changes.models import ChangeSet, ChangeState
from iam.directory.models import Role
from iam.mirror.models import Account, AccountFact, Entity, Kind
from iam.people.offboarding.models import OffboardingStage
from tests import factories
from tests.console import offboarding
from tests.console.access.grants import made
from tests.console.dashboard.test_attention import _matters
from tests.console.dashboard.test_overview import _client, _nothing_kept, _text

__all__ = ["_nothing_kept"]
pytestmark = pytest.mark.django_db
BUSY, QUIET = "111111111111", "222222222222"
REFERENCE = re.compile(r"\b(?:CHG|GRT)-[0-9A-F]{8}\b")
WAITING = (
    "Offboarding not finished",
    "Requests with an unknown outcome",
    "Requests to approve",
    "Grants only partly active",
    "Grants that end soon",
)


def _account(number: str, name: str) -> Account:
    account = factories.account(number, name=name)
    factories.synced(account)
    AccountFact.objects.create(
        account=account,
        name="summary",
        value={"AccountMFAEnabled": 1, "AccountAccessKeysPresent": 0},
        valid_from=factories.FIRST_READ,
        observed_at=factories.FIRST_READ,
    )
    factories.user(account, f"maya-{name}")
    factories.group(account, f"payments-{name}")
    return account


@pytest.fixture
def accounts() -> dict[str, Account]:
    """One account in which all sorts of things wait for people, and a quiet one."""
    return {BUSY: _account(BUSY, "busy"), QUIET: _account(QUIET, "quiet")}


def _fill(account: Account, *, times: int = 1) -> None:
    asker = factories.person(f"Someone of {account.name}")
    user = _user(account)
    for _ in range(times):
        soon = made.grant(account, user, asked_by=asker)
        made.grant(account, user, asked_by=asker, state=GrantState.PARTLY, ends_in=None)
        made.change(soon, user)
        made.change(soon, user, state=ChangeState.UNKNOWN)
        # Neither is among the lines: the lists that they lead to must not have them either.
        made.grant(account, user, asked_by=asker, state=GrantState.FAILED, ends_in=None)
        made.change(soon, user, state=ChangeState.FAILED)
    offboarding.left(user, asker, stage=OffboardingStage.PARTLY)


def _user(account: Account) -> Entity:
    return Entity.objects.get(account=account, kind=Kind.USER)


def _subs(page: str) -> dict[str, str]:
    """Title → what is said below it."""
    listed = page.partition('<ul class="list" id="matters">')[2].partition("</ul>")[0]
    matches = re.findall(r"<strong>([^<]+)</strong>.*?<div class=\"sub\">(.*?)</div>", listed, re.DOTALL)
    return {unescape(title): unescape(text) for title, text in matches}


def _main(client: Client, number: str) -> str:
    page = _text(client, f"/?account={number}")
    return page.partition("<main")[2]


def test_what_waits_in_another_account_is_counted_nowhere_unless_it_says_so(
    accounts: dict[str, Account],
) -> None:
    client = _client(Role.APPROVER, name="Hana Sato")
    before = _subs(_main(client, QUIET))
    _fill(accounts[BUSY])
    busy, quiet = _main(client, BUSY), _main(client, QUIET)
    assert set(WAITING) <= set(_matters(busy))
    new = {title: text for title, text in _subs(quiet).items() if title not in before}
    assert set(new) == {"Offboarding not finished"}
    for title, text in new.items():
        assert "In all accounts" in text, f"{title} counts another account"
    assert "To approve" in busy
    assert "To approve" not in quiet


def test_each_number_is_that_of_the_list_that_it_leads_to(accounts: dict[str, Account]) -> None:
    _fill(accounts[BUSY], times=2)
    _fill(accounts[QUIET])
    client = _client(Role.APPROVER, name="Hana Sato")
    for number, times in ((BUSY, 2), (QUIET, 1)):
        matters = _matters(_main(client, number))
        for title in WAITING[1:]:
            address, count = matters[title]
            listed = _text(client, unescape(address)).partition("<main")[2]
            assert f"account={number}" in address
            assert int(count) == times == len(set(REFERENCE.findall(listed))), (title, number)
    assert int(_matters(_text(client).partition("<main")[2])["Grants that end soon"][1]) == 3


def test_the_card_of_requests_and_its_list_are_those_of_the_account(accounts: dict[str, Account]) -> None:
    _fill(accounts[BUSY], times=2)
    for role, address in ((Role.APPROVER, "/changes/approvals/"), (Role.AUDITOR, "/changes/?tab=waiting")):
        client = _client(role, name=f"An {role}")
        joint = "&" if "?" in address else "?"
        page = unescape(_main(client, BUSY))
        card = page.partition('aria-labelledby="appr-h"')[2].partition("</section>")[0]
        assert f'href="{address}{joint}account={BUSY}"' in card
        assert len(set(re.findall(r"/changes/[0-9a-f-]{36}/request/", card))) == 2
        assert 'aria-labelledby="appr-h"' not in _main(client, QUIET)


def test_the_tabs_of_approvals_count_the_chosen_account(accounts: dict[str, Account]) -> None:
    _fill(accounts[BUSY], times=2)
    client = _client(Role.APPROVER, name="Hana Sato")
    for number, expected in ((BUSY, 2), (QUIET, 0), ("", 2)):
        page = client.get(f"/changes/approvals/?account={number}")
        tabs = {name: count for name, _, count, _ in page.context["tabs"]}
        assert tabs[""] == expected == len(page.context["rows"])


def test_a_request_in_several_accounts_waits_in_each_of_them(accounts: dict[str, Account]) -> None:
    asker = factories.person("Ines Duarte")
    grant = made.grant(accounts[BUSY], _user(accounts[BUSY]), asked_by=asker, state=GrantState.WAITING)
    both = ChangeSet.objects.create()
    first = made.change(grant, change_set=both)
    made.change(grant, change_set=both, position=1, account=accounts[QUIET])
    client = _client(Role.APPROVER, name="Hana Sato")
    for number in (BUSY, QUIET):
        assert _matters(_main(client, number))["Requests to approve"][1] == "1"
        rows = client.get(f"/changes/approvals/?account={number}").context["rows"]
        assert [row["change"] for row in rows] == [first]


def test_the_journal_of_all_accounts_is_called_so(accounts: dict[str, Account]) -> None:
    client = _client(Role.AUDITOR, name="Amara Diallo")
    assert "in all accounts; not verified" in _main(client, QUIET)
    assert "in all accounts; not verified" not in _text(client)
    assert f"{reverse('changes:list')}?account={QUIET}" in _main(client, QUIET)


def test_an_account_that_needs_attention_leads_to_its_own_page(accounts: dict[str, Account]) -> None:
    assert len(accounts) == 2
    client = _client(Role.ADMINISTRATOR)
    every = _matters(_text(client))["Accounts that need attention"]
    assert every == ("/accounts/?state=attention", "2")
    matters = _matters(_main(client, QUIET))
    assert matters["Account that needs attention"] == (f"/accounts/{QUIET}/", "1")
    assert "Accounts that need attention" not in matters
