"""An account's freshness in tones and words, and which accounts need attention."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from iam.directory.models import Role
from iam.guard import viewer_for
from iam.mirror.models import Account, EdgeKind, Kind, Pull, PullSection, Section
from iam.mirror.pull.sections import ALL, AUTHORIZATION
from iam.mirror.queries.account_facts import facts_of
from iam.mirror.queries.account_lists import AccountFilter, TabCounts, account_counts, account_page
from iam.mirror.queries.freshness import account_state, cells, short_age
from iam.mirror.queries.organization import organization_tree
from tests import factories

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]
NOW = datetime.now(tz=UTC)


@pytest.fixture(autouse=True)
def _the_clock_begins_here() -> Iterator[None]:
    """Ages are counted from one moment, however long the tests before took."""
    with time_machine.travel(NOW, tick=True):
        yield


def read(
    account: Account, *, ago: timedelta = timedelta(minutes=4), sections: tuple[str, ...] = ALL, **fields: Any
) -> None:
    """Sections that were read whole a while ago."""
    defaults = {"state": "complete", "observed_at": NOW - ago, "attempted_at": NOW - ago, "count": 7}
    Section.objects.bulk_create(Section(account=account, name=name, **defaults | fields) for name in sections)


def worse(account: Account, name: str, state: str, **fields: Any) -> None:
    """A section that was not read whole the last time."""
    Section.objects.filter(account=account, name=name).update(state=state, **fields)


def words(account: Account) -> tuple[str, str]:
    state = account_state(facts_of([account.pk])[0])
    return state.tone, state.words.replace("\N{NO-BREAK SPACE}", " ")


def test_a_fresh_account() -> None:
    account = factories.account()
    read(account)
    assert words(account) == ("ok", "Synced 4 min ago")
    shown = cells(facts_of([account.pk])[0])
    assert [cell.name for cell in shown] == list(ALL)
    assert {cell.tone for cell in shown} == {"ok"}


def test_an_account_that_was_never_read() -> None:
    account = factories.account()
    assert words(account) == ("", "Not synced yet")
    assert {cell.tone for cell in cells(facts_of([account.pk])[0])} == {"idle"}


def test_the_age_is_of_the_oldest_of_the_four_main_sections() -> None:
    account = factories.account()
    read(account)
    worse(account, "policies", "complete", observed_at=NOW - timedelta(minutes=20))
    assert words(account) == ("ok", "Synced 20 min ago")


def test_old_is_what_missed_three_readings_of_its_own_schedule(settings: Any) -> None:
    settings.PULL_MINUTES = 15
    account = factories.account()
    read(account, ago=timedelta(minutes=46))
    assert words(account) == ("warn", "Synced 46 min ago")
    assert cells(facts_of([account.pk])[0])[0].tone == "warn"
    account.pull_every = 60
    account.save()
    assert words(account) == ("ok", "Synced 46 min ago")


def test_a_credential_report_and_details_may_be_older_than_the_rest(settings: Any) -> None:
    settings.PULL_MINUTES = 15
    account = factories.account()
    read(account, ago=timedelta(hours=4))
    tones = {cell.name: cell.tone for cell in cells(facts_of([account.pk])[0])}
    assert (tones["users"], tones["credential_report"], tones["tags"]) == ("warn", "ok", "ok")


@pytest.mark.parametrize(
    ("state", "tone", "sentence"),
    [
        ("denied", "bad", "1 section denied"),
        ("held", "warn", "On hold"),
        ("partial", "warn", "1 section not synced"),
        ("failed", "warn", "1 section not synced"),
    ],
)
def test_a_section_that_was_not_read_whole(state: str, tone: str, sentence: str) -> None:
    account = factories.account()
    read(account)
    worse(account, "access_keys", state, message="Why.", permission="iam:ListAccessKeys")
    assert words(account) == (tone, sentence)
    cell = next(cell for cell in cells(facts_of([account.pk])[0]) if cell.name == "access_keys")
    assert cell.tone == tone
    assert "4\N{NO-BREAK SPACE}min ago" in cell.words


def test_a_denial_goes_before_what_is_held_back_and_names_the_permission() -> None:
    account = factories.account()
    read(account)
    worse(account, "users", "held", message="40 of 200 are missing.")
    worse(account, "tags", "denied", permission="iam:ListPolicyTags")
    state = account_state(facts_of([account.pk])[0])
    assert (state.words, state.note) == ("1 section denied", "Missing: iam:ListPolicyTags")


def test_what_is_held_back_says_how_much() -> None:
    account = factories.account()
    read(account)
    worse(account, "users", "held", message="40 of 200 in “Users” are missing from what AWS answered.")
    assert words(account) == ("warn", "On hold: would remove 40 of 200 (Users)")


def test_a_reading_says_how_far_it_is() -> None:
    account = factories.account()
    read(account, sections=("users",))
    pull = Pull.objects.create(account=account, state="running", calls=26, calls_expected=41, began_at=NOW)
    PullSection.objects.create(pull=pull, name="policies", state="reading", began_at=NOW)
    assert words(account) == ("info", "Syncing, 63%")
    tones = {cell.name: cell.tone for cell in cells(facts_of([account.pk])[0])}
    assert (tones["users"], tones["policies"], tones["tags"]) == ("ok", "info", "idle")


def test_a_reading_that_waits_and_one_that_has_not_called_yet() -> None:
    account = factories.account()
    pull = Pull.objects.create(account=account, state="queued")
    assert words(account) == ("info", "Waiting to sync")
    Pull.objects.filter(pk=pull.pk).update(state="running")
    assert words(account) == ("info", "Syncing")


def test_a_reading_is_never_done_before_it_is() -> None:
    account = factories.account()
    Pull.objects.create(account=account, state="running", calls=60, calls_expected=41)
    assert words(account) == ("info", "Syncing, 99%")


def test_an_account_that_cannot_be_read_says_so_though_its_rows_are_kept() -> None:
    account = factories.account()
    read(account)
    Pull.objects.create(account=account, state="failed", message="Can’t access the account.")
    assert words(account) == ("bad", "Sync failed")
    assert account_state(facts_of([account.pk])[0]).note == "Can’t access the account."


def test_an_upload_is_as_of_its_date_and_never_old() -> None:
    account = factories.account(source="export", role_arn="")
    read(account, ago=timedelta(days=400), sections=AUTHORIZATION)
    made = NOW - timedelta(days=400)
    assert words(account) == ("", f"As of {made:%-d %b %Y}")
    shown = {cell.name: (cell.tone, cell.words) for cell in cells(facts_of([account.pk])[0])}
    assert shown["users"][0] == "", "nothing is green over a file"
    assert shown["credential_report"] == ("idle", "not in the upload")
    assert facts_of([account.pk])[0].mode == "Snapshot"


def test_the_mode_follows_from_the_roles() -> None:
    reads = factories.account()
    writes = factories.account("222222222222", write_role_arn="arn:aws:iam::222222222222:role/w")
    own = factories.account("333333333333", source="environment", role_arn="")
    assert [facts.mode for facts in facts_of([reads.pk, writes.pk, own.pk])] == [
        "Read only",
        "Read and write",
        "Read and write",
    ]


@pytest.mark.parametrize(
    ("seconds", "sentence"), [(5, "now"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"), (90_000, "1 d")]
)
def test_ages_are_short(seconds: int, sentence: str) -> None:
    assert short_age(timedelta(seconds=seconds)).replace("\N{NO-BREAK SPACE}", " ") == sentence


def test_the_worst_section_decides_what_needs_attention(settings: Any) -> None:
    settings.PULL_MINUTES = 15
    fresh = factories.account("100000000001", name="fresh")
    read(fresh)
    old = factories.account("100000000002", name="old")
    read(old, ago=timedelta(hours=2))
    patient = factories.account("100000000003", name="patient", pull_every=240)
    read(patient, ago=timedelta(hours=2))
    denied = factories.account("100000000004", name="denied")
    read(denied)
    worse(denied, "tags", "denied")
    account = factories.account("100000000005", name="held")
    read(account)
    worse(account, "users", "held")
    failed = factories.account("100000000006", name="failed")
    Pull.objects.create(account=failed, state="failed")
    mended = factories.account("100000000007", name="mended")
    read(mended)
    Pull.objects.create(account=mended, state="failed")
    Pull.objects.create(account=mended, state="complete")
    upload = factories.account("100000000008", name="upload", source="export", role_arn="")
    read(upload, ago=timedelta(days=300), sections=AUTHORIZATION)
    factories.account("100000000009", name="gone", removed_at=NOW)
    viewer = factories.viewer()
    shown = account_page(viewer, AccountFilter(state="attention"))
    assert [row.account.name for row in shown.rows] == ["denied", "failed", "held", "old"]
    counts = account_counts(viewer)
    assert (counts.all, counts.attention, counts.removed) == (8, 4, 1)


@pytest.mark.parametrize(
    ("text", "results"),
    [
        ("PROD", ["prod-core", "prod-data"]),
        ("prod data", ["prod-data"]),
        ("6120-4478", ["prod-data"]),
        ("4478", ["prod-data"]),
        ("ou-payments", ["prod-core"]),
        ("nothing", []),
        ("", ["prod-core", "prod-data", "staging"]),
    ],
)
def test_the_list_is_narrowed_by_name_number_or_unit(text: str, results: list[str]) -> None:
    factories.account("447109238816", name="prod-core", organization_path="o-1/r-1/ou-payments/")
    factories.account("612044783021", name="prod-data")
    factories.account("880311547790", name="staging", alias="stage")
    shown = account_page(factories.viewer(), AccountFilter(text=text))
    assert [row.account.name for row in shown.rows] == results


def many(count: int) -> None:
    Account.objects.bulk_create(
        Account(
            account_id=f"{n:012d}", name=f"Account {n:04d}" if n % 2 else f"account {n:04d}", source="role"
        )
        for n in range(1, count + 1)
    )
    Section.objects.bulk_create(
        Section(account_id=pk, name=name, state="complete", observed_at=NOW)
        for pk in Account.objects.values_list("pk", flat=True)
        for name in ("users", "groups", "roles", "policies")
    )


def test_pages_go_forth_and_back_without_a_gap_or_a_double() -> None:
    many(23)
    viewer = factories.viewer()
    names: list[str] = []
    page = account_page(viewer, AccountFilter(), size=5)
    assert page.before is None
    pages = [page]
    while page.after:
        page = account_page(viewer, AccountFilter(), after=page.after, size=5)
        pages.append(page)
    names = [row.account.name for page in pages for row in page.rows]
    assert names == sorted(names, key=str.lower)
    assert len(names) == len(set(names)) == 23
    back = account_page(viewer, AccountFilter(), before=pages[2].before, size=5)
    assert [row.account.pk for row in back.rows] == [row.account.pk for row in pages[1].rows]


def test_the_list_costs_the_same_queries_at_1_and_at_2000_accounts() -> None:
    viewer = factories.viewer()
    counts = []
    for count in (1, 1999):
        many_more(count)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            account_page(viewer, AccountFilter())
            account_counts(viewer)
        counts.append(len(queries))
    assert Account.objects.count() == 2000
    assert counts[0] == counts[1] <= 8


def many_more(count: int) -> None:
    first = Account.objects.count() + 1
    Account.objects.bulk_create(
        Account(account_id=f"{n:012d}", name=f"account {n:04d}", source="role")
        for n in range(first, first + count)
    )
    Section.objects.bulk_create(
        Section(account_id=pk, name="users", state="complete", observed_at=NOW)
        for pk in Account.objects.filter(sections=None).values_list("pk", flat=True)
    )


def test_an_auditor_of_one_account_sees_that_one() -> None:
    many(3)
    person = factories.person()
    factories.assign(person, Role.AUDITOR, account_id="000000000002")
    viewer = viewer_for(person)
    shown = account_page(viewer, AccountFilter())
    assert [row.account.account_id for row in shown.rows] == ["000000000002"]
    assert account_counts(viewer) == TabCounts(all=1, attention=0)
    assert account_counts(viewer, text="account") == TabCounts(all=1, attention=0)
    assert account_counts(viewer_for(factories.person("Nobody"))) == TabCounts(all=0, attention=0)


def test_an_account_counts_once_it_has_become_old() -> None:
    read(factories.account())
    viewer = factories.viewer()
    assert account_counts(viewer).attention == 0
    with time_machine.travel(NOW + timedelta(days=2)):
        assert account_counts(viewer).attention == 1


def test_the_organization_is_a_tree_with_its_policies() -> None:
    hub = factories.account()
    root = factories.entity(hub, Kind.ORG_ROOT, "Root", arn="")
    unit = factories.entity(hub, Kind.ORG_UNIT, "Workloads", arn="")
    member = factories.entity(hub, Kind.ORG_ACCOUNT, "production", arn="", category="ACTIVE")
    full = factories.entity(
        hub, Kind.SCP, "FullAWSAccess", arn="", category="aws", document=factories.document("{}")
    )
    own = factories.entity(
        hub, Kind.SCP, "DenyLeaving", arn="", category="customer", document=factories.document("{}")
    )
    factories.edge(EdgeKind.PARENT, unit, root)
    factories.edge(EdgeKind.PARENT, member, unit)
    for target in (root, unit):
        factories.edge(EdgeKind.TARGET, full, target)
    factories.edge(EdgeKind.TARGET, own, unit)
    tree = organization_tree(hub)
    assert tree is not None
    (top,) = tree.roots
    assert (top.name, [place.name for place in top.units], top.accounts) == ("Root", ["Workloads"], [])
    (workloads,) = top.units
    assert [policy.name for policy in workloads.own_policies] == ["DenyLeaving"]
    assert [policy.name for policy in workloads.policies] == ["DenyLeaving", "FullAWSAccess"]
    assert [place.name for place in workloads.accounts] == ["production"]
    assert organization_tree(factories.account("222222222222")) is None
