"""What is kept of the fleet: unknown until it is calculated, written only where it differs, and never older
than the page says.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.db.models import F
from django.test import Client

from iam import nudge
from iam.access import administrators
from iam.directory.models import RuleKind, Team, TeamRule
from iam.mirror import snapshot
from iam.mirror.models import Account, AccountFact, EdgeKind, Entity, EntityState, Kind, UserCredentials
from iam.people.fleet import calculation
from iam.people.fleet.calculation import calculate
from iam.people.fleet.device_list import DeviceFleet
from iam.people.fleet.models import Administrator, FleetAccount, FleetUser, HardwareDemand
from tests import factories
from tests.console.identities.lists.conftest import _nothing_counted_before, auditor, shown, sign_in, tabs
from tests.console.mfa.test_fleet import EVERYTHING, account, device, everybody, person

__all__ = ["_nothing_counted_before", "account", "auditor", "sign_in"]
pytestmark = pytest.mark.django_db
DENY_ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}


@pytest.fixture
def nudges(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """An organization that is too large for a page to calculate; what workers are told."""
    sent: list[str] = []
    cache.clear()
    monkeypatch.setattr(calculation, "SMALL", 0)
    monkeypatch.setattr(nudge.current_app, "send_task", lambda name, **_: sent.append(name))
    return sent


def written(account: Account) -> None:
    """Note that something of the account was written, as a sync does."""
    Account.objects.filter(pk=account.pk).update(revision=F("revision") + 1, writes=F("writes") + 1)
    snapshot.forget()
    administrators.forget()


def row_of(page: str, name: str) -> str:
    rows = page.partition("<tbody>")[2].split("<tr>")
    return next(row for row in rows if f">{name}<" in row)


def test_what_was_not_calculated_is_unknown_and_never_no(
    auditor: Client, account: Account, nudges: list[str]
) -> None:
    everybody(account)
    response = auditor.get("/mfa/")
    assert len(shown(response)) == 7, "nobody is left out"
    page = response.content.decode()
    assert "Who is administrator in production isn’t known yet." in page
    boss = row_of(page, "boss")
    assert "Administrator: unknown" in boss
    assert ">Unknown<" in boss.replace("\n", "").replace(" ", ""), "and not: Not applicable"
    tab = next(tab for tab in response.context["tabs"] if tab.label == "Administrators without MFA")
    assert not tab.count.is_known
    assert len(shown(auditor.get("/mfa/?role=unknown"))) == 7
    assert shown(auditor.get("/mfa/?role=other")) == shown(auditor.get("/mfa/?role=administrator")) == []
    assert b",unknown,Unknown," in auditor.get("/mfa/export.csv").getvalue()
    assert nudges == [calculation.TASK], "one message, however often somebody looks"


def test_a_worker_calculates_and_the_page_says_nothing_more(
    auditor: Client, account: Account, nudges: list[str]
) -> None:
    everybody(account)
    assert calculate() == 1
    response = auditor.get("/mfa/")
    assert shown(response)[:3] == ["boss", "bare", "unread"]
    assert tabs(response)["Administrators without MFA"] == 1
    assert b"calculated" not in response.content
    assert nudges == []
    assert calculate() == 0


def test_after_a_write_the_page_says_which_account_is_behind_and_since_when(
    auditor: Client, account: Account, nudges: list[str]
) -> None:
    other = factories.account("222222222222", name="sandbox")
    everybody(account)
    person(other, "elsewhere")
    with time_machine.travel(datetime.now(tz=UTC) - timedelta(minutes=7), tick=False):
        calculate()
    UserCredentials.objects.filter(user__name="bare").update(mfa="virtual")
    written(account)
    page = auditor.get("/mfa/").content.decode()
    notice = page.partition("Who is administrator in production and the order of this list")[2]
    assert "7 min ago" in notice[:400]
    assert "Registered" in row_of(page, "bare"), "the status is that of the mirror"
    assert "Who is administrator" not in auditor.get("/mfa/?account=222222222222").content.decode()
    assert nudges == [calculation.TASK]
    assert calculate() == 1, "the other account is as it was"
    assert "Who is administrator" not in auditor.get("/mfa/").content.decode()


def test_a_user_who_came_since_is_listed_though_nothing_is_known_of_them(
    auditor: Client, account: Account, nudges: list[str]
) -> None:
    everybody(account)
    calculate()
    person(account, "new", is_admin=True, mfa="none", has_password=False, active_keys=1)
    written(account)
    response = auditor.get("/mfa/")
    assert len(shown(response)) == 8
    assert "Administrator: unknown" in row_of(response.content.decode(), "new")
    calculate()
    assert shown(auditor.get("/mfa/"))[:2] == ["boss", "new"]


def test_who_is_gone_is_kept_no_more(account: Account) -> None:
    everybody(account)
    calculate()
    now = datetime.now(tz=UTC)
    gone = Entity.objects.get(name="boss")
    EntityState.objects.filter(entity=gone).update(valid_to=now)
    Entity.objects.filter(pk=gone.pk).update(gone_at=now)
    written(account)
    calculate()
    assert not FleetUser.objects.filter(user=gone).exists()
    assert FleetUser.objects.count() == 6


def test_the_order_that_is_kept_is_the_order_of_the_list(
    auditor: Client, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = Team.objects.create(slug="core", name="Core")
    rule = TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value="core")
    HardwareDemand.objects.create(team=team, set_by="Ines")
    group = factories.group(account, "core")
    everybody(account)
    for number, mfa in enumerate(["none", "virtual", "hardware", "several", "unread", "unknown"]):
        for has_password in (True, False, None):
            for keys in (0, 1):
                login = f"u{number}{has_password}{keys}"
                user = person(
                    account,
                    login,
                    mfa=mfa,
                    has_password=has_password,
                    active_keys=keys,
                    is_admin=keys == 1 and number < 3,
                )
                if number % 2:
                    factories.edge(EdgeKind.MEMBER, user, group)
                if mfa == "several":
                    device(user, f"{login}-1", "virtual")
    names_shown = shown(auditor.get("/mfa/"))
    assert not FleetUser.objects.exists(), "a page only reads"
    calculate()
    kept = shown(auditor.get("/mfa/"))
    assert kept == names_shown
    backwards = shown(auditor.get("/mfa/?sort=-urgency"))
    assert FleetUser.objects.filter(place__startswith="2").exists()
    lacking = calculation.FleetFreshness(behind=(account,), since=None, stamp="", lacks_users=True)
    with monkeypatch.context() as patched:
        patched.setattr("iam.people.fleet.device_list.calculate_missing", lambda *_, **__: lacking)
        assert shown(auditor.get("/mfa/")) == kept
        assert shown(auditor.get("/mfa/?sort=-urgency")) == backwards
    rule.delete()
    calculate()
    assert not FleetUser.objects.filter(place__startswith="2").exists(), "another rule, another order"


def test_only_what_differs_is_written(
    account: Account, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    everybody(account)
    calculate()
    written(account)
    at = FleetAccount.objects.get().calculated_at
    statements: list[str] = []

    def listen(execute: Any, sql: str, *rest: Any) -> Any:
        statements.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(listen):
        calculate()
    assert not [sql for sql in statements if sql.startswith(("INSERT", "DELETE")) and "fleetuser" in sql]
    assert FleetAccount.objects.get().calculated_at > at


def test_an_older_calculation_replaces_nothing(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    everybody(account)
    calculate()
    written(account)
    before = calculation._wanted_users

    def slow(*args: Any) -> Any:
        """Meanwhile another worker calculates."""
        monkeypatch.setattr(calculation, "_wanted_users", before)
        before_calculation = before(*args)
        UserCredentials.objects.filter(user__name="bare").update(mfa="virtual")
        written(account)
        calculate()
        return before_calculation

    monkeypatch.setattr(calculation, "_wanted_users", slow)
    calculate()
    assert FleetUser.objects.get(user__name="bare").place == "4bare"
    assert FleetAccount.objects.get().writes == Account.objects.get().writes


def test_dates_pass_in_policies_though_nothing_is_written(account: Account) -> None:
    with time_machine.travel(datetime(2026, 3, 1, 12, 0, tzinfo=UTC), tick=False) as clock:
        until = {"DateLessThan": {"aws:CurrentTime": "2026-03-01T12:30:00Z"}}
        body = {"Version": "2012-10-17", "Statement": [EVERYTHING["Statement"][0] | {"Condition": until}]}
        factories.inline(person(account, "lent"), body=body)
        calculate()
        assert FleetUser.objects.get().administrator != Administrator.NO
        clock.shift(timedelta(hours=2))
        assert calculate() == 1
        assert FleetUser.objects.get().administrator == Administrator.NO


def organization(management: Account, member: Account) -> Entity:
    """A root above both accounts, with the policy that AWS attaches."""
    facts = {"Id": "o-example", "ManagementAccountId": management.account_id}
    at = datetime(2026, 1, 1, tzinfo=UTC)
    for member_account in (management, member):
        AccountFact.objects.create(
            account=member_account, name="organization", value=facts, valid_from=at, observed_at=at
        )
    types = {"PolicyTypes": ["SERVICE_CONTROL_POLICY"]}
    root = factories.entity(management, Kind.ORG_ROOT, "Root", attrs=types)
    places = [root]
    for member_account in (management, member):
        place = factories.entity(management, Kind.ORG_ACCOUNT, member_account.name)
        Entity.objects.filter(pk=place.pk).update(aws_id=member_account.account_id)
        factories.edge(EdgeKind.PARENT, place, root)
        places.append(place)
    full = factories.entity(management, Kind.SCP, "FullAWSAccess", document=factories.document(EVERYTHING))
    for place in places:
        factories.edge(EdgeKind.TARGET, full, place)
    return places[-1]


def test_a_policy_of_the_organization_makes_every_account_behind(
    auditor: Client, account: Account, nudges: list[str]
) -> None:
    management = factories.account("999999999999", name="management")
    place = organization(management, account)
    person(account, "boss", is_admin=True, mfa="none")
    calculate()
    assert FleetUser.objects.get().administrator == Administrator.YES
    written(management)
    page = auditor.get("/mfa/?account=111111111111").content.decode()
    assert "Who is administrator in production" in page, "what stands above the account may be another"
    assert calculate() == 2
    denying = factories.entity(management, Kind.SCP, "Nothing", document=factories.document(DENY_ALL))
    factories.edge(EdgeKind.TARGET, denying, place)
    written(management)
    calculate()
    assert FleetUser.objects.get().administrator == Administrator.NO


def test_the_statements_of_the_list_are_as_long_for_a_hundred_administrators_as_for_one(
    auditor: Client, account: Account
) -> None:
    def parameters() -> int:
        most = 0

        def listen(execute: Any, sql: str, params: Any, *rest: Any) -> Any:
            nonlocal most
            most = max(most, len(params or ()))
            return execute(sql, params, *rest)

        for address in (
            "/mfa/?view=administrators",
            "/mfa/?role=administrator",
            "/mfa/?role=other&sort=urgency",
        ):
            cache.clear()
            with connection.execute_wrapper(listen):
                assert auditor.get(address).status_code == 200
        return most

    person(account, "boss-0", is_admin=True, mfa="none")
    calculate()
    first_count = parameters()
    for number in range(1, 100):
        person(account, f"boss-{number}", is_admin=True, mfa="none")
    written(account)
    calculate()
    assert FleetUser.objects.exclude(administrator=Administrator.NO).count() == 100
    assert parameters() <= first_count + 60, "those of the fifty rows that are shown"


def test_an_account_that_is_disconnected_is_calculated_no_more(account: Account) -> None:
    everybody(account)
    Account.objects.update(removed_at=datetime.now(tz=UTC))
    assert calculate() == 0
    assert DeviceFleet(None).fresh.behind == ()
