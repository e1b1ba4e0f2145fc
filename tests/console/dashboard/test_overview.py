"""The first page, for every sort of viewer, with and without anything to show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from iam.access import escalation_graph
from iam.directory.models import Role, RuleKind, Team, TeamRule
from iam.mirror import snapshot
from iam.mirror.models import Account, AccountFact, EdgeKind, Entity, Kind, Pull, Section, UserCredentials
from iam.mirror.models.accounts import PullState
from iam.mirror.pull.freshness import begin_sections
from iam.mirror.pull.numbers import keep_numbers
from iam.mirror.pull.revisions import note_write
from tests import factories
from tests.factories import becomes, seen_after

pytestmark = pytest.mark.django_db
YESTERDAY = datetime.now(tz=UTC).replace(microsecond=0) - timedelta(days=1)


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    """Counts, the index and what follows from it are kept between requests; between tests they are not."""
    _forget()
    yield
    _forget()


def _forget() -> None:
    cache.clear()
    snapshot.forget()
    escalation_graph.forget()


def _client(role: Role, *, name: str = "Ines Duarte", **fields: Any) -> Client:
    client = Client()
    client.force_login(factories.operator(role, name=name, **fields))
    return client


def _text(client: Client, address: str = "/") -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_without_an_account_an_administrator_is_led_to_the_first() -> None:
    page = _text(_client(Role.ADMINISTRATOR))
    assert "Welcome to Gatehouse" in page
    assert 'href="/accounts/connect/"' in page
    assert 'href="/accounts/upload/"' in page


def test_without_an_account_an_auditor_is_told_who_connects_one() -> None:
    page = _text(_client(Role.AUDITOR))
    assert "an administrator connects one" in page
    assert 'href="/accounts/connect/"' not in page


@pytest.mark.parametrize("chosen", ["", "?account=111111111111"])
def test_before_the_first_sync_the_first_line_says_so_once(chosen: str) -> None:
    begin_sections([factories.account()])
    text = re.sub(r"<[^>]+>|\s+", " ", _text(_client(Role.ADMINISTRATOR), f"/{chosen}"))
    line = re.sub(r"\s+", " ", text.partition("IAM users , ")[2].partition("synced.")[0]).strip()
    assert re.fullmatch(r"roles , groups and policies in .+: not", line), line
    assert "unknown number" not in text


def test_the_first_line_begins_with_a_capital_while_an_account_is_not_synced() -> None:
    synced = factories.account()
    factories.synced(synced)
    factories.user(synced, "a")
    begin_sections([factories.account("222222222222")])
    page = _text(_client(Role.ADMINISTRATOR))
    assert ">At least 1 IAM user</a>" in page
    assert ">an unknown number of roles</a>" in page


def test_numbers_are_those_of_the_mirror() -> None:
    account = factories.account()
    for name, mfa, password in (
        ("a", "virtual", True),
        ("b", "security-key", True),
        ("c", "none", True),
        ("d", "none", False),
        ("e", "unread", True),
    ):
        factories.user(account, name, credentials={"mfa": mfa, "has_password": password})
    factories.group(account)
    factories.role(account)
    page = _text(_client(Role.AUDITOR))
    assert "5 IAM users" in page
    assert "1 role<" in page
    assert "66% <small>2 of 3" in page
    assert "None, 1" in page
    assert "Unknown, 1" in page
    assert 'href="/people/?view=no-mfa"' in page


def test_one_account_can_be_chosen_and_another_is_left_out() -> None:
    factories.user(factories.account(), "a")
    other = factories.account("222222222222", name="staging")
    for name in ("b", "c"):
        factories.user(other, name)
    client = _client(Role.AUDITOR)
    assert "3 IAM users" in _text(client)
    chosen = _text(client, "/?account=222222222222")
    assert "2 IAM users" in chosen
    assert "view=no-mfa" in chosen
    assert "account=222222222222" in chosen


def test_an_auditor_of_one_account_sees_the_numbers_of_it() -> None:
    factories.user(factories.account(), "a")
    factories.user(factories.account("222222222222", name="staging"), "b")
    someone = factories.operator(None, name="Petra Audit")
    factories.assign(someone.person, Role.AUDITOR, account_id="222222222222")
    client = Client()
    client.force_login(someone)
    page = _text(client)
    assert "1 IAM user<" in page
    assert "production" not in page


def test_a_lead_who_audits_elsewhere_sees_only_the_team_of_the_chosen_account() -> None:
    account = factories.account()
    factories.account("222222222222", name="staging")
    team = Team.objects.create(slug="pay", name="Payments")
    TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value="pay")
    factories.edge(EdgeKind.MEMBER, factories.user(account, "maya.okafor"), factories.group(account, "pay"))
    factories.user(account, "tomas.lind")
    someone = factories.operator(None, name="Elif Kaya")
    factories.assign(someone.person, Role.TEAM_LEAD, team=team)
    factories.assign(someone.person, Role.AUDITOR, account_id="222222222222")
    client = Client()
    client.force_login(someone)
    page = _text(client, "/?account=111111111111")
    assert "1 IAM user" in page
    assert "maya.okafor" in page
    assert 'href="/accounts/111111111111/"' not in page
    assert "/compare/?account=" not in page, "only accounts that are seen whole are compared"
    audited = _text(client, "/?account=222222222222")
    assert "0 IAM users" in audited
    assert "/compare/?account=222222222222" in audited


def test_kept_figures_are_shown_until_something_is_written() -> None:
    account = factories.account()
    for name in ("a", "b"):
        factories.user(account, name)
    keep_numbers(account, at=datetime.now(tz=UTC))
    factories.user(account, "c")
    client = _client(Role.AUDITOR)
    assert "2 IAM users" in _text(client)
    note_write(account.pk)
    assert "3 IAM users" in _text(client)


def test_figures_of_the_past_are_counted_in_the_past() -> None:
    account = factories.account()
    factories.user(account, "a")
    keep_numbers(account, at=datetime.now(tz=UTC) - timedelta(days=3))
    factories.user(account, "b", since=datetime.now(tz=UTC) - timedelta(days=1))
    client = _client(Role.AUDITOR)
    assert "1 IAM user" in _text(client, f"/?as-of={datetime.now(tz=UTC) - timedelta(days=2):%Y-%m-%dT%H:%M}")
    assert "2 IAM users" in _text(client)


def test_figures_are_counted_again_when_something_was_written_and_every_hour() -> None:
    account = factories.account()
    now = datetime.now(tz=UTC)
    keep_numbers(account, at=now)
    factories.user(account, "a")
    kept = AccountFact.objects.filter(account=account, name="numbers", valid_to__isnull=True)
    for minutes, is_written, users in ((10, False, 0), (20, True, 1), (50, False, 1), (90, False, 2)):
        if minutes == 50:
            factories.user(account, "b")
        if is_written:
            note_write(account.pk)
        keep_numbers(account, at=now + timedelta(minutes=minutes))
        assert kept.get().value["people.all"] == users


def test_accounts_beyond_a_few_wait_for_their_next_reading() -> None:
    for number in range(10):
        factories.user(factories.account(f"{number + 1:012}", name=f"account-{number}"), "a")
    page = _text(_client(Role.AUDITOR))
    assert "8 IAM users" in page
    assert "2 accounts not counted yet" in page


def test_accounts_say_what_is_read_just_now_and_what_was_denied() -> None:
    account = factories.account()
    now = datetime.now(tz=UTC)
    for name in ("users", "groups", "roles", "policies"):
        Section.objects.create(account=account, name=name, state="complete", observed_at=now)
    Section.objects.create(
        account=account, name="mfa_devices", state="denied", permission="iam:ListVirtualMFADevices"
    )
    reading = factories.account("222222222222", name="staging")
    Pull.objects.create(account=reading, state=PullState.RUNNING, began_at=now, calls=10, calls_expected=40)
    page = _text(_client(Role.ADMINISTRATOR))
    assert "1 section denied" in page
    assert "iam:ListVirtualMFADevices" in page
    assert "Syncing, 25" in page


def test_accounts_that_need_attention_come_first_and_are_all_counted() -> None:
    """However many accounts there are, and wherever their names stand: the list of accounts shows the same
    number.
    """
    now = datetime.now(tz=UTC)
    for number in range(70):
        account = factories.account(f"{number + 1:012}", name=f"account-{number:02}")
        state = "denied" if number >= 58 else "complete"
        Section.objects.update_or_create(
            account=account, name="users", defaults={"state": state, "observed_at": now}
        )
    client = _client(Role.AUDITOR)
    page = " ".join(_text(client).split())
    assert "account-58, account-59, account-60 and 9 more: what you see of them may be out of date" in page
    assert re.findall(r'href="/accounts/[0-9]{12}/">(account-[0-9]{2})<', page) == [
        f"account-{number}" for number in range(58, 66)
    ]
    listed = re.search(r'id="n-attention">([0-9]+)<', _text(client, "/accounts/?state=attention"))
    assert listed
    assert listed[1] == "12"


def test_news_name_what_changed_and_by_what() -> None:
    account = factories.account()
    maya, group = factories.user(account, "maya"), factories.group(account, "deployers")
    seen_after(factories.edge(EdgeKind.MEMBER, maya, group, since=YESTERDAY))
    state = factories.user(account, "tomas").states.get()
    becomes(state, at=YESTERDAY, path="/ops/")
    page = _text(_client(Role.AUDITOR))
    words = " ".join(page.split())
    assert f'href="/people/{maya.pk}/">maya</a> joined <a href="/groups/{group.pk}/">deployers</a>' in words
    assert "changed" in page
    assert "Cause unknown" in page


def test_news_reach_no_further_back_than_the_first_sync() -> None:
    account = factories.account()
    factories.user(account, "maya")
    Section.objects.update_or_create(account=account, name="users", defaults={"known_since": YESTERDAY})
    client = _client(Role.AUDITOR)
    page = " ".join(_text(client).split())
    assert "since the first sync" in page
    assert f"{YESTERDAY:%-d %b %Y}" in page.partition("since the first sync")[2][:400]
    Section.objects.update(known_since=YESTERDAY - timedelta(days=60))
    assert "since the first sync" not in _text(client)


def test_the_past_shows_the_numbers_of_then_and_nothing_that_can_be_done() -> None:
    account = factories.account()
    maya = factories.user(account, "maya", credentials={"mfa": "none"})
    seen_after(factories.user(account, "new", since=YESTERDAY).states.get())
    becomes(UserCredentials.objects.get(user=maya), at=YESTERDAY, mfa="virtual")
    client = _client(Role.ADMINISTRATOR)
    then = _text(client, f"/?as-of={YESTERDAY - timedelta(days=1):%Y-%m-%dT%H:%M}")
    assert "1 IAM user<" in then
    assert "0% <small>0 of 1" in then
    assert "You can’t change anything here" in then
    assert "Waiting" not in then
    assert "2 IAM users" in _text(client)


LONG_AGO = "/?as-of=2020-01-01T09:00:00"


def _read_since(account: Account) -> None:
    Pull.objects.create(
        account=account,
        state=PullState.COMPLETE,
        added=1,
        began_at=factories.FIRST_READ,
        ended_at=factories.FIRST_READ,
    )


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.AUDITOR, Role.TEAM_LEAD])
def test_before_the_first_reading_the_overview_says_so_and_leads_back(role: Role) -> None:
    account = factories.account()
    factories.user(account, "maya")
    _read_since(account)
    team = Team.objects.create(slug="pay", name="Payments")
    TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value="pay")
    page = _text(_client(role, **({"team": team} if role is Role.TEAM_LEAD else {})), LONG_AGO)
    assert "Nothing was synced by then" in page
    assert "See the first sync" in page
    assert "MFA coverage" not in page
    assert 'class="brand" href="/?as-of=2020-01-01T09%3A00%3A00"' in page


def test_a_member_of_whom_nothing_was_known_then_is_told_so() -> None:
    account = factories.account()
    maya = factories.user(account, "maya.okafor")
    _read_since(account)
    page = _text(_client(Role.MEMBER, name="Maya Okafor", arns=(maya.arn,)), LONG_AGO)
    assert "Your AWS user did not exist then, or was not known yet." in page
    assert "See the first sync" in page
    assert "No AWS user belongs to you" not in page
    assert page.count('href="/?as-of=2020-01-01T09%3A00%3A00"') == 2


def test_what_rests_on_last_use_leads_to_no_list_of_the_past() -> None:
    account = factories.account()
    factories.user(account, "maya")
    keep_numbers(account, at=factories.FIRST_READ)
    for fact in AccountFact.objects.filter(account=account, name="numbers"):
        AccountFact.objects.filter(pk=fact.pk).update(
            value=dict(fact.value) | {"people.inactive": 1, "people.no-mfa": 1}
        )
    client = _client(Role.AUDITOR)
    now, then = _text(client), _text(client, "/?as-of=2026-02-01T09:00:00")
    assert "view=inactive" in now
    assert "view=inactive" not in then
    assert "Not used for 45 days" in then
    assert "view=no-mfa" in then


def test_a_team_lead_sees_the_team() -> None:
    account = factories.account()
    team = Team.objects.create(slug="pay", name="Payments")
    TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value="pay")
    group = factories.group(account, "pay")
    factories.edge(EdgeKind.MEMBER, factories.user(account, "maya.okafor"), group)
    factories.user(account, "tomas.lind")
    page = _text(_client(Role.TEAM_LEAD, name="Elif Kaya", team=team))
    assert "1 IAM user" in page
    assert "maya.okafor" in page
    assert "tomas" not in page.lower()
    assert 'href="/roles/' not in page
    assert "/accounts/" not in page


def test_a_member_finds_their_own_access() -> None:
    account = factories.account()
    maya = factories.user(account, "maya.okafor", credentials={"mfa": "none", "has_password": True})
    group = factories.group(account, "deployers")
    factories.edge(EdgeKind.MEMBER, maya, group)
    factories.edge(EdgeKind.ATTACHED, group, factories.policy(account, "Deploy"))
    factories.inline(maya, "debug")
    key = factories.entity(account, Kind.ACCESS_KEY, "AKIAEXAMPLE", arn="", category="Active")
    Entity.objects.filter(pk=key.pk).update(owner=maya)
    factories.user(account, "tomas.lind")
    page = _text(_client(Role.MEMBER, name="Maya Okafor", arns=(maya.arn,)))
    for words in ("Hello Maya", "deployers", "Gives Deploy", "debug", "AKIAEXAMPLE", "Your password alone"):
        assert words in page
    assert "tomas" not in page
    assert f'href="/groups/{group.pk}/"' not in page
    assert 'class="solo"' in page


def test_a_member_without_an_aws_user_is_told_so() -> None:
    factories.account()
    assert "No AWS user is linked to you yet" in _text(_client(Role.MEMBER, name="Maya Okafor"))


def test_somebody_without_a_role_finds_nothing() -> None:
    client = Client()
    client.force_login(factories.operator(None, name="No Body"))
    assert client.get("/").status_code == 404


def test_nobody_gets_in_without_signing_in(client: Client) -> None:
    assert client.get("/").status_code == 302


@pytest.mark.parametrize("query", ["?account=x", "?account=999999999999", "?as-of=x", "?view=x"])
def test_a_query_that_makes_no_sense_is_no_error(query: str) -> None:
    factories.account()
    _text(_client(Role.ADMINISTRATOR), f"/{query}")


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.APPROVER])
def test_as_many_queries_for_one_user_as_for_fifty(role: Role) -> None:
    account = factories.account()
    group = factories.group(account)
    client = _client(role)
    counts = []
    for number in range(51):
        user = factories.user(account, f"user-{number}")
        seen_after(factories.edge(EdgeKind.MEMBER, user, group, since=YESTERDAY))
        if number in {0, 50}:
            _text(client)
            cache.clear()
            with CaptureQueriesContext(connection) as queries:
                _text(client)
            counts.append(len(queries))
    assert counts[0] == counts[1]
    assert counts[0] <= 40
