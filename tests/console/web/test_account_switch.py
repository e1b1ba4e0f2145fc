"""The switch between accounts, which is kept between requests: its links keep the page, and what it shows is
of now.
"""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.test import Client

from iam.directory.models import Role
from iam.mirror.models import Account
from tests import factories

pytestmark = pytest.mark.django_db
SWITCH = re.compile(r'<details class="menu acct">.*?</details>', re.DOTALL)
LINK = re.compile(r'<a href="([^"]*)"([^>]*)>.*?<strong>(.*?)</strong>', re.DOTALL)


def links(client: Client, address: str) -> dict[str, tuple[str, bool]]:
    """What each account's name leads to, and whether it is the current one."""
    [switch] = SWITCH.findall(client.get(address).content.decode())
    return {unescape(n): (unescape(a), "aria-current" in rest) for a, rest, n in LINK.findall(switch)}


@pytest.fixture
def auditor() -> Client:
    """Somebody who sees every account."""
    client = Client()
    client.force_login(factories.operator(Role.AUDITOR))
    return client


def test_links_keep_what_is_shown_and_mark_the_current_one(auditor: Client) -> None:
    factories.account()
    factories.account("222222222222", name="staging")
    assert links(auditor, "/people/") == {
        "All accounts": ("?", True),
        "production": ("?account=111111111111", False),
        "staging": ("?account=222222222222", False),
    }
    assert links(auditor, "/people/?account=222222222222&mfa=none&q=a%26b&after=x") == {
        "All accounts": ("?mfa=none&q=a%26b", False),
        "production": ("?mfa=none&q=a%26b&account=111111111111", False),
        "staging": ("?mfa=none&q=a%26b&account=222222222222", True),
    }


def test_another_name_and_another_account_show_at_once(auditor: Client) -> None:
    factories.account()
    assert set(links(auditor, "/people/")) == {"All accounts", "production"}
    Account.objects.update(name="<b>live</b>")
    factories.account("222222222222", name="staging")
    assert set(links(auditor, "/people/")) == {"All accounts", "<b>live</b>", "staging"}
    assert "<b>live</b>" not in auditor.get("/people/").content.decode()


def test_who_sees_less_is_offered_less(auditor: Client) -> None:
    factories.account()
    factories.account("222222222222", name="staging")
    assert set(links(auditor, "/people/")) == {"All accounts", "production", "staging"}
    operator = factories.operator(None, name="Sofia Marchetti")
    factories.assign(operator.person, Role.AUDITOR, account_id="222222222222")
    client = Client()
    client.force_login(operator)
    assert set(links(client, "/people/")) == {"All accounts", "staging"}
