"""The accounts at a past moment: who was connected, and how fresh each was by the pulls that had ended."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine

from iam.directory.models import Role
from iam.guard import Viewer, ViewerScope, viewer_for
from iam.journal.services import record
from iam.mirror.models import Account, AccountFact, EdgeKind, Kind, Pull, PullSection, Section
from iam.mirror.pull.progress import NOT_APPLIED
from iam.mirror.pull.sections import AUTHORIZATION
from iam.mirror.queries.account_facts import facts_of
from iam.mirror.queries.account_lists import AccountFilter, account_counts, account_page
from iam.mirror.queries.account_pages import pull_history
from iam.mirror.queries.freshness import account_state, cells
from iam.mirror.queries.organization import organization_tree
from iam.mirror.queries.own_facts import own_facts, unit_path
from tests import factories

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]
NOW = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)
EVERYBODY = Viewer(person_id=UUID(int=0), name="", email="", scope=ViewerScope(accounts=None))
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def _today(settings: Any) -> Iterator[None]:
    settings.PULL_MINUTES = 15
    with time_machine.travel(NOW, tick=False):
        yield


def connected(number: str = "111111111111", *, since: datetime = NOW - 30 * DAY, **fields: Any) -> Account:
    """An account that was connected a while ago."""
    account = factories.account(number, **{"name": f"account {number[0]}"} | fields)
    Account.objects.filter(pk=account.pk).update(created_at=since)
    return account


def pulled(
    account: Account,
    at: datetime,
    *,
    state: str = "complete",
    sections: tuple[str, ...] = AUTHORIZATION,
    bad: dict[str, str] | None = None,
    took: timedelta = MINUTE,
    **fields: Any,
) -> Pull:
    """A pull that began at a moment; `bad` sections ended in another state than complete."""
    pull = Pull.objects.create(account=account, state=state, began_at=at, ended_at=at + took, **fields)
    Pull.objects.filter(pk=pull.pk).update(created_at=at)
    for name in sections:
        how = (bad or {}).get(name, "complete")
        whole = how == "complete"
        PullSection.objects.create(
            pull=pull,
            name=name,
            state=how,
            began_at=at,
            ended_at=at + took,
            observed_at=at if whole else None,
            count=7 if whole else 0,
            permission="" if whole else "iam:ListSomething",
            message="" if whole else "Why.",
        )
        Section.objects.get_or_create(account=account, name=name)
    return pull


def words(account: Account, at: datetime) -> tuple[str, str]:
    state = account_state(facts_of([account.pk], at=at)[0])
    return state.tone, state.words.replace("\N{NO-BREAK SPACE}", " ")


def names(at: datetime, **wanted: str) -> list[str]:
    return [row.account.name for row in account_page(EVERYBODY, AccountFilter(**wanted), at=at).rows]


def test_an_account_is_listed_from_its_connection_to_its_end() -> None:
    connected("111111111111", since=NOW - 10 * DAY)
    connected("222222222222", since=NOW - 5 * DAY)
    connected("333333333333", since=NOW - 10 * DAY, removed_at=NOW - 2 * DAY)
    assert names(NOW - 20 * DAY) == []
    assert names(NOW - 7 * DAY) == ["account 1", "account 3"]
    assert names(NOW - 3 * DAY) == ["account 1", "account 2", "account 3"]
    assert names(NOW - DAY) == ["account 1", "account 2"]
    counts = account_counts(EVERYBODY, at=NOW - 7 * DAY)
    assert (counts.all, counts.come, counts.gone) == (2, 1, 1)


def test_an_account_that_was_away_and_came_back_was_not_there_meanwhile() -> None:
    account = connected(since=NOW - 10 * DAY)
    for kind, ago in (("account.connect", 10), ("account.disconnect", 6), ("account.connect", 4)):
        with time_machine.travel(NOW - ago * DAY, tick=False):
            record(kind=kind, actor=EVERYBODY, subject=account.name, account_id=account.account_id)
    assert [bool(names(NOW - ago * DAY)) for ago in (9, 5, 3)] == [True, False, True]


def test_freshness_is_that_of_the_last_pull_that_had_ended() -> None:
    account = connected()
    pulled(account, NOW - 5 * HOUR)
    pulled(account, NOW - 4 * HOUR, state="partial", bad={"policies": "denied"})
    pulled(account, NOW - 3 * HOUR)
    assert words(account, NOW - 6 * HOUR) == ("", "Not synced yet")
    assert words(account, NOW - 5 * HOUR + 11 * MINUTE) == ("ok", "Synced 11 min before")
    assert words(account, NOW - 4 * HOUR + 30 * timedelta(seconds=1))[1] == "Synced 1 h before"
    assert words(account, NOW - 4 * HOUR + 5 * MINUTE) == ("bad", "1 section denied")
    assert words(account, NOW - 3 * HOUR + 5 * MINUTE) == ("ok", "Synced 5 min before")
    assert words(account, NOW - 3 * HOUR + 50 * MINUTE) == ("warn", "Synced 50 min before")


def test_a_section_that_was_denied_says_since_when_and_what_was_kept() -> None:
    account = connected()
    pulled(account, NOW - 5 * HOUR)
    for ago in (4, 3):
        pulled(account, NOW - ago * HOUR, state="partial", bad={"policies": "denied"})
    facts = facts_of([account.pk], at=NOW - 2 * HOUR)[0]
    section = facts.sections["policies"]
    assert (section.state, section.permission, section.count) == ("denied", "iam:ListSomething", 7)
    assert section.observed_at == NOW - 5 * HOUR
    assert section.bad_since == NOW - 4 * HOUR
    cell = next(cell for cell in cells(facts) if cell.name == "policies")
    assert cell.words.replace("\N{NO-BREAK SPACE}", " ") == "denied, rows synced 3 h before"


def test_what_was_not_applied_had_not_been_read() -> None:
    account = connected()
    pulled(account, NOW - HOUR)
    lost = pulled(account, NOW - 30 * MINUTE, state="failed", bad=dict.fromkeys(AUTHORIZATION, "failed"))
    lost.sections.update(message=NOT_APPLIED)
    facts = facts_of([account.pk], at=NOW - 20 * MINUTE)[0]
    assert {section.state for section in facts.sections.values()} == {"complete"}
    assert account_state(facts).words == "Sync failed"


def test_a_pull_that_was_stopped_says_nothing_of_the_account() -> None:
    account = connected()
    pulled(account, NOW - 20 * MINUTE, state="failed", sections=())
    pulled(account, NOW - 15 * MINUTE, state="cancelled", sections=())
    assert words(account, NOW - 10 * MINUTE) == ("bad", "Sync failed")


def test_readings_that_may_be_forgotten_make_nothing_old() -> None:
    """Pulls that found nothing new are kept two days: three days back, nobody knows whether there was a later
    one.
    """
    account = connected()
    pulled(account, NOW - 10 * DAY, added=3)
    assert words(account, NOW - 3 * DAY) == ("ok", "Synced 10 May, 12:00 UTC")
    cell = cells(facts_of([account.pk], at=NOW - 3 * DAY)[0])[0]
    assert (cell.tone, cell.words) == ("ok", "10 May, 12:00 UTC")
    assert words(account, NOW - HOUR) == ("warn", "Synced 10 May, 12:00 UTC")


def test_who_needed_attention() -> None:
    fine, denied, failed, old = (connected(f"{n}" * 12) for n in range(1, 5))
    at = NOW - HOUR
    pulled(fine, at - 10 * MINUTE)
    pulled(denied, at - 10 * MINUTE, state="partial", bad={"roles": "denied"})
    pulled(failed, at - 10 * MINUTE, state="failed", sections=())
    pulled(old, at - 3 * HOUR)
    connected("555555555555", pull_every=1440)
    upload = connected("666666666666", source="export")
    pulled(upload, at - 20 * DAY, state="partial", trigger="upload", bad={"roles": "held"})
    for account in (denied, failed, old):
        pulled(account, at + 10 * MINUTE)
    assert names(at, state="attention") == ["account 2", "account 3", "account 4"]
    assert account_counts(EVERYBODY, at=at).attention == 3
    assert account_counts(EVERYBODY, at=at + 40 * MINUTE).attention == 1
    assert names(at + 40 * MINUTE, state="attention") == ["account 1"]


def test_an_upload_counts_as_of_its_file() -> None:
    made, loaded = NOW - 20 * DAY, NOW - DAY
    account = connected(source="export", since=loaded)
    pull = pulled(account, made, trigger="upload")
    Pull.objects.filter(pk=pull.pk).update(created_at=loaded, ended_at=loaded)
    PullSection.objects.update(ended_at=loaded)
    assert names(made - HOUR) == []
    assert names(made + HOUR) == ["account 1"]
    assert words(account, made + HOUR) == ("", "As of 30 Apr")
    assert [known.pk for known in pull_history(account, at=made + HOUR)] == [pull.pk]
    assert words(account, NOW - HOUR) == ("", "As of 30 Apr")
    Account.objects.update(source="role")
    assert words(account, NOW - HOUR) == ("", "As of 30 Apr")


def test_the_readings_of_then_are_those_that_had_begun() -> None:
    account = connected()
    first = pulled(account, NOW - 3 * HOUR, added=5)
    slow = pulled(account, NOW - 2 * HOUR, took=30 * MINUTE, added=9)
    pulled(account, NOW - HOUR)
    shown = pull_history(account, at=NOW - 2 * HOUR + 10 * MINUTE)
    assert [pull.pk for pull in shown] == [slow.pk, first.pk]
    assert [(pull.state, pull.added) for pull in shown] == [("running", 0), ("complete", 5)]


def fact(account: Account, name: str, value: Any, *, since: datetime, until: datetime | None = None) -> None:
    AccountFact.objects.create(
        account=account,
        name=name,
        value=value,
        valid_from=since,
        valid_to=until,
        observed_at=since,
        after=since - HOUR,
    )


def test_alias_numbers_and_settings_are_those_of_then() -> None:
    account, changed = connected(alias="new-name"), NOW - 5 * HOUR
    pulled(account, NOW - 8 * HOUR)
    fact(account, "alias", "old-name", since=NOW - 8 * HOUR, until=changed)
    fact(account, "alias", "new-name", since=changed)
    fact(account, "numbers", {"people.all": 40, "roles": 2}, since=NOW - 8 * HOUR, until=changed)
    fact(account, "numbers", {"people.all": 41, "roles": 2}, since=changed)
    before, after = (facts_of([account.pk], at=changed + step)[0] for step in (-HOUR, HOUR))
    assert (before.alias, before.identities) == ("old-name", 42)
    assert (after.alias, after.identities) == ("new-name", 43)
    assert own_facts(account, at=changed - HOUR)["alias"].value == "old-name"
    assert names(changed - HOUR, text="old-n") == ["account 1"]
    assert names(changed + HOUR, text="old-n") == []


def test_the_unit_and_its_policies_are_those_of_then() -> None:
    account, moved = connected(), NOW - 5 * HOUR
    started = NOW - 9 * HOUR
    root = factories.entity(account, Kind.ORG_ROOT, "Root", since=started)
    work = factories.entity(account, Kind.ORG_UNIT, "Workloads", since=started)
    play = factories.entity(account, Kind.ORG_UNIT, "Experiments", since=started)
    scp = factories.entity(account, Kind.SCP, "EuropeOnly", since=started)
    entity = factories.entity(account, Kind.ORG_ACCOUNT, "one", since=started)
    entity.aws_id = account.account_id
    entity.save()
    for unit in (work, play):
        factories.edge(EdgeKind.PARENT, unit, root, since=started)
    factories.edge(EdgeKind.PARENT, entity, work, since=started, until=moved)
    factories.edge(EdgeKind.PARENT, entity, play, since=moved)
    factories.edge(EdgeKind.TARGET, scp, work, since=started, until=moved)
    assert unit_path(account, at=moved - HOUR) == ["Root", "Workloads"]
    assert unit_path(account, at=None) == ["Root", "Experiments"]
    assert unit_path(account, at=started - HOUR) == []
    assert facts_of([account.pk], at=moved - HOUR)[0].unit == "Workloads"
    assert facts_of([account.pk], at=moved + HOUR)[0].unit == "Experiments"
    assert names(moved - HOUR, text="workl") == ["account 1"]
    assert names(moved + HOUR, text="workl") == []
    trees = [organization_tree(account, at=at) for at in (moved - HOUR, moved + HOUR, None)]
    bound = [
        [policy.name for unit in tree.roots[0].units for policy in unit.policies] for tree in trees if tree
    ]
    assert bound == [["EuropeOnly"], [], []]


def test_a_viewer_of_one_account_sees_no_other_of_then() -> None:
    connected("111111111111", removed_at=NOW - DAY)
    mine = connected("222222222222")
    person = factories.person()
    factories.assign(person, Role.AUDITOR, account_id=mine.account_id)
    viewer = viewer_for(person)
    shown = account_page(viewer, AccountFilter(), at=NOW - 2 * DAY)
    assert [row.account.pk for row in shown.rows] == [mine.pk]
    assert account_counts(viewer, at=NOW - 2 * DAY).all == 1
