"""What the first sync of a section finds was there before, for all that is known: before it the answer is
"unknown", and it adds nothing.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache
from django.test import Client

from iam.access.certainty import DECIDING_SECTIONS, unread_by_account
from iam.directory.models import Role
from iam.mirror.models import Account, EdgeKind, Entity, EntityState, Pull, Section, SectionState
from iam.mirror.models.accounts import UPLOAD, PullState
from iam.mirror.pull.freshness import SectionFreshness, SectionVerdict
from iam.mirror.pull.numbers import EVERYTHING
from iam.mirror.pull.sections import ALL, KINDS, LABELS
from iam.mirror.queries import differences
from iam.mirror.queries.differences import MomentPair
from iam.mirror.queries.figures import list_counts
from iam.mirror.queries.lists.context import ListContext
from iam.mirror.queries.lists.core import ListDefinition, ListQuery
from iam.mirror.queries.lists.counts import ADDED_SINCE
from iam.mirror.queries.lists.freshness import first_syncs, unsynced_sections
from iam.mirror.queries.lists.groups import GROUPS
from iam.mirror.queries.lists.instance_profiles import INSTANCE_PROFILES
from iam.mirror.queries.lists.people import PEOPLE
from iam.mirror.queries.lists.policies import POLICIES
from iam.mirror.queries.lists.providers import PROVIDERS
from iam.mirror.queries.lists.roles import ROLES
from iam.mirror.queries.overview import recent_events
from iam.mirror.snapshot import snapshot
from tests import factories

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]
NOW = datetime.now(tz=UTC).replace(microsecond=0)
CONNECTED = NOW - timedelta(days=60)
BEFORE = NOW - timedelta(days=30)
FIRST = NOW - timedelta(days=20)
BETWEEN = NOW - timedelta(days=10)
LATER = NOW - timedelta(days=5)
LISTS: tuple[ListDefinition, ...] = (PEOPLE, GROUPS, ROLES, POLICIES, INSTANCE_PROFILES, PROVIDERS)


@pytest.fixture
def account() -> Account:
    cache.clear()
    made = factories.account()
    Account.objects.filter(pk=made.pk).update(created_at=CONNECTED)
    factories.synced(made, at=CONNECTED)
    return made


def is_first_synced(account: Account, section: str) -> list[Entity]:
    """A section that could not be read until `FIRST`: it then found one entity of each kind, and later one
    more came.
    """
    Section.objects.filter(account=account, name=section).update(known_since=FIRST, observed_at=NOW)
    is_first_synced = []
    for kind in KINDS.get(section, ()):
        is_first_synced.append(factories.entity(account, kind, f"old-{kind}", since=FIRST))  # type: ignore[arg-type]
        new = factories.entity(account, kind, f"new-{kind}", since=LATER)  # type: ignore[arg-type]
        factories.seen_after(EntityState.objects.get(entity=new))
    return is_first_synced


def lens_at(at: datetime | None, account: Account | None = None) -> ListContext:
    return ListContext(EVERYTHING, at=at, account=account)


@pytest.mark.parametrize("section", ALL)
def test_before_its_first_sync_a_section_is_unknown(account: Account, section: str) -> None:
    is_first_synced(account, section)
    for shown in (account, None):
        assert unsynced_sections(lens_at(BEFORE, shown)) == {section}
        assert unsynced_sections(lens_at(BETWEEN, shown)) == frozenset()
        assert unsynced_sections(lens_at(None, shown)) == frozenset()
    assert first_syncs(account, after=BEFORE) == [(section, FIRST)]
    assert first_syncs(account, after=BETWEEN) == []


@pytest.mark.parametrize("section", ALL)
def test_the_first_sync_of_a_section_adds_nothing(account: Account, section: str) -> None:
    old = {entity.pk for entity in is_first_synced(account, section)}
    for span in (MomentPair(BEFORE, None), MomentPair(BEFORE, BETWEEN)):
        rows = [row for section in differences.sections(account, span, few=50) for row in section.rows]
        assert not [row.name for row in rows if row.entity in old]
    assert not [row.name for row in recent_events(lens_at(None), limit=50) if row.entity in old]
    for listing in LISTS:
        kinds = len(set(listing.kinds) & set(KINDS.get(section, ())))
        counts = list_counts(listing, lens_at(BEFORE, account), ListQuery())
        assert counts[ADDED_SINCE] == kinds, f"{listing.name}: only what came later"


@pytest.mark.parametrize("section", DECIDING_SECTIONS)
def test_what_could_stop_access_was_unknown_before_its_first_sync(account: Account, section: str) -> None:
    factories.user(account, "maya")
    is_first_synced(account, section)
    for at, words in ((BEFORE, [DECIDING_SECTIONS[section]]), (BETWEEN, [])):
        with snapshot(at) as index:
            clauses = unread_by_account(index, at=at).get(account.account_id, ())
        assert [word for word in words if any(clause.startswith(word) for clause in clauses)] == words
        assert not words or clauses
        assert words or not [clause for clause in clauses if "SCPs" not in clause]


def test_an_account_that_was_not_connected_then_makes_nothing_unknown(account: Account) -> None:
    other = factories.account("222222222222", name="later")
    Account.objects.filter(pk=other.pk).update(created_at=FIRST)
    factories.synced(other, at=FIRST)
    assert unsynced_sections(lens_at(BEFORE)) == frozenset()
    assert unsynced_sections(lens_at(BEFORE, other)) == set(ALL)


def test_a_file_that_is_uploaded_later_makes_an_earlier_moment_known(account: Account) -> None:
    Section.objects.filter(account=account).delete()
    live = Pull.objects.create(account=account, trigger="scheduled", state=PullState.COMPLETE)
    upload = Pull.objects.create(account=account, trigger=UPLOAD, state=PullState.COMPLETE, began_at=BEFORE)
    for pull, observed_at, known_since in (
        (live, FIRST, LATER),
        (live, LATER, LATER),
        (upload, BEFORE, BEFORE),
    ):
        verdict = SectionVerdict("users", SectionState.COMPLETE.value, observed_at, observed_at=observed_at)
        SectionFreshness(account, pull).end(verdict, outcome=None, now=LATER)
        row = Section.objects.get(account=account, name="users")
        assert (row.observed_at, row.known_since) == (observed_at, known_since)


def test_lists_and_pages_of_then_say_that_it_was_not_synced(account: Account) -> None:
    for section in ("instance_profiles", "roles"):
        is_first_synced(account, section)
    role, profile = (Entity.objects.get(name=f"old-{kind}") for kind in ("role", "instance-profile"))
    factories.edge(EdgeKind.PROFILE_ROLE, profile, role, since=FIRST)
    client = Client()
    client.force_login(factories.operator(Role.AUDITOR))
    moment = f"as-of={BEFORE:%Y-%m-%dT%H:%M:%S}"
    for address, sentence in (
        ("/instance-profiles/", "Instance profiles: not synced at that moment"),
        ("/roles/", "Roles: not"),
    ):
        page = client.get(f"{address}?{moment}").content.decode()
        assert sentence in " ".join(page.split())
        assert "added" not in page
    compared = client.get(
        f"/compare/?account={account.account_id}&from={BEFORE:%Y-%m-%dT%H:%M:%S}"
    ).content.decode()
    assert LABELS["instance_profiles"] in compared
    assert "Not everything was synced on" in compared


@pytest.mark.parametrize("listing", LISTS, ids=lambda listing: listing.name)
@pytest.mark.parametrize("everywhere", [True, False])
def test_files_of_lists_of_then_say_that_it_was_not_synced(
    account: Account, listing: ListDefinition, everywhere: bool
) -> None:
    section = listing.sections[0]
    is_first_synced(account, section)
    client = Client()
    client.force_login(factories.operator(Role.AUDITOR))
    path = {"instance_profiles": "instance-profiles"}.get(listing.name, listing.name)
    query = {} if everywhere else {"account": account.account_id}
    for at, is_complete in ((BEFORE, False), (BETWEEN, True), (None, True)):
        if at is not None:
            query["as-of"] = f"{at:%Y-%m-%dT%H:%M:%S}"
        else:
            query.pop("as-of", None)
        sheet = client.get(f"/{path}/export.csv", query)
        words = f"At least these. Not synced by then: {LABELS[section]} ({account.account_id})"
        assert (words in sheet.getvalue().decode()) is not is_complete
        assert ("-incomplete.csv" in sheet["Content-Disposition"]) is not is_complete
        body = json.loads(client.get(f"/{path}/export.json", query).getvalue())
        assert body["is_complete"] is is_complete
        missing = [] if is_complete else [{"account": account.account_id, "section": LABELS[section]}]
        assert body["not_synced"] == missing
