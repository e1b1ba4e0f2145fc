"""The index at one moment, now or in the past. Accounts are loaded when first needed and updated with what
has been written since.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from math import inf
from typing import Final

from iam.mirror.models import Account, Entity
from iam.mirror.snapshot import images
from iam.mirror.snapshot.account_loader import AccountRevision, held_documents, load_accounts
from iam.mirror.snapshot.gate import ReadWriteLock
from iam.mirror.snapshot.organizations import KINDS as ORGANIZATION_KINDS
from iam.mirror.snapshot.organizations import OrganizationStandings
from iam.mirror.snapshot.rows import SnapshotRows, digests_of
from iam.policy.index.documents import IndexedDocument, SharedDocuments
from iam.policy.index.index import PolicyIndex
from iam.policy.index.rows import RowChanges
from iam.question_budget import check_budget

WAIT_SECONDS: Final = 0.1
LAG_SECONDS: Final = 3.0
"""How long pages may show an older state while others keep reading the index."""
LARGE: Final = 2_000
"""If the index has more principals than this, garbage collection never examines its objects."""
MAX_CHANGED_ENTITIES: Final = 1000
"""If more entities of an account have changed, the whole account is loaded again."""


class MomentIndex:
    """An index, and the revision to which each account is loaded. `at` None means now."""

    def __init__(self, at: datetime | None, documents: SharedDocuments) -> None:
        self.at = at
        self.gate = ReadWriteLock()
        self.index = PolicyIndex(documents, moment=at)
        self._read: dict[str, AccountRevision] = {}
        self._behind_since = 0.0
        self._current_at: dict[str, float] = {}
        """When each account was last known to be up to date."""
        self._organizations: OrganizationStandings | None = None
        self._controls: list[IndexedDocument] = []

    @contextmanager
    def reading(self, accounts: Collection[str] | None, *, may_lag: bool) -> Iterator[None]:
        """Hold the index for reading, up to date for these accounts, or for all. One query if nothing has
        changed.
        """
        if self.gate.is_reading:
            # The index that this thread reads doesn't change.
            assert self._has_accounts(_accounts(accounts)), (
                "one question needs all of its accounts from the start"
            )
            with self.gate.reading():
                yield
            return
        while True:
            now = _accounts(accounts)
            if self._is_behind(now, accounts):
                self._catch_up(now, accounts, may_lag=may_lag)
            with self.gate.reading():
                if self._has_accounts(now):
                    yield
                    return

    def _is_behind(self, now: Mapping[str, AccountRevision], accounts: Collection[str] | None) -> bool:
        """True if something has been written, or a date has passed, since the accounts were loaded."""
        read, moment = dict(self._read), time.monotonic()
        current = [number for number, known in now.items() if read.get(number) == known]
        self._current_at.update(dict.fromkeys(current, moment))
        is_behind = (
            self.index.is_of_another_time
            or len(current) < len(now)
            or any(number not in now and _is_asked(number, accounts) for number in read)
        )
        if not is_behind:
            self._behind_since = 0.0
        return is_behind

    def _has_accounts(self, now: Mapping[str, AccountRevision]) -> bool:
        """True if all of these accounts are loaded, up to date or not."""
        return all(number in self._read for number in now)

    def _catch_up(
        self, now: Mapping[str, AccountRevision], accounts: Collection[str] | None, *, may_lag: bool
    ) -> None:
        """Load what has been written as soon as no one reads the index.

        If that takes too long, continue with the older state where that is allowed. The state of an account
        that no one has asked about for long is too old.
        """
        since = self._behind_since = self._behind_since or time.monotonic()
        since = min([since, *(self._current_at.get(number, 0.0) for number in now)])
        waits = not may_lag or not self._has_accounts(now) or time.monotonic() - since > LAG_SECONDS
        patience = None if waits else WAIT_SECONDS
        with self.gate.changing(patience, is_urgent=waits) as is_alone:
            if is_alone:
                self.bring_up(now, accounts)
                self._behind_since = 0.0
                self._current_at.update(dict.fromkeys(now, time.monotonic()))

    def bring_up(self, now: Mapping[str, AccountRevision], accounts: Collection[str] | None) -> None:
        """Update the index to the mirror's state of these accounts, or of all (`now`). No one may read it
        meanwhile.
        """
        self.index.keep_time()
        for number in [number for number in self._read if number not in now and _is_asked(number, accounts)]:
            self.index.drop(number)
            del self._read[number]
        stale = [
            number for number, known in now.items() if number in self._read and known != self._read[number]
        ]
        for number in stale:
            self._refresh(number, now[number])
        missing = {number: known for number, known in now.items() if number not in self._read}
        if missing:
            with _without_collecting():
                self._load(missing)
                if len(self.index) > LARGE:
                    gc.freeze()

    def read_images(self, *, until: float) -> None:
        """Load images that workers have created, until a time of `time.monotonic`. What has been written
        since, and accounts without an image, are left to the first question.
        """
        with self.gate.changing(), _without_collecting():
            self.index.keep_time()
            missing = {number: known for number, known in _accounts(None).items() if number not in self._read}
            self._load_images(missing, until=until)
            if len(self.index) > LARGE:
                gc.freeze()

    def let_go(self) -> None:
        """Free the memory. The next reader loads everything again."""
        self.index.dissolve()
        self._read.clear()
        self._organizations, self._controls = None, []

    def _load(self, missing: Mapping[str, AccountRevision]) -> None:
        """Load accounts from their images and update them from the tables. Accounts without an image are
        loaded from the tables.
        """
        rest = dict(missing)
        if self.at is None:
            for number, revision in self._load_images(missing).items():
                del rest[number]
                if revision != missing[number].revision:
                    self._refresh(number, missing[number])
                    if number not in self._read:
                        rest[number] = missing[number]
        for number, standing, image in load_accounts(rest, self.at, self.index.documents, self._organization):
            self.index.put_image(image, standing)
            self._read[number] = rest[number]
            # If a question is stopped here, the next attempt continues from here.
            check_budget()
        self._read.update(rest)

    def _load_images(self, missing: Mapping[str, AccountRevision], *, until: float = inf) -> dict[str, int]:
        """Load the images of accounts that have one, and return their revisions. Stops when the time is
        over.
        """
        loaded: dict[str, int] = {}
        for number, revision, standing, image in images.stored(missing, self._organization):
            self.index.put_image(image, standing)
            self._read[number] = missing[number]._replace(revision=revision)
            loaded[number] = revision
            if time.monotonic() > until:
                break
        return loaded

    def _refresh(self, number: str, known: AccountRevision) -> None:
        """Update an account with what has been written since it was loaded."""
        before = self._read[number]
        written = dict(
            Entity.objects.filter(account=known.pk, revision__gt=before.revision).values_list("pk", "kind")[
                : MAX_CHANGED_ENTITIES + 1
            ]
        )
        is_anew = (
            len(written) > MAX_CHANGED_ENTITIES or number not in self.index.accounts or known.pk != before.pk
        )
        if is_anew:
            self.index.drop(number)
        else:
            self._apply(number, written)
        self._refresh_standings(number, is_tree=not ORGANIZATION_KINDS.isdisjoint(written.values()))
        # Set this last, so that a refresh that failed halfway is repeated by the next reader.
        if is_anew:
            del self._read[number]
        else:
            self._read[number] = known

    def _apply(self, number: str, written: Mapping[int, str]) -> None:
        changes_by_entity = SnapshotRows(self.at, entities=written).by_account()
        changes = next(iter(changes_by_entity.values()), RowChanges())
        there: set[int] = set()
        for table in (changes.principals, changes.groups, changes.policies):
            there.update(row.id for row in table)
        changes.gone = [pk for pk in written if pk not in there]
        shard = self.index.accounts[number]
        policies = {**shard.policies, **{row.id: row for row in changes.policies}}
        new_documents = held_documents(
            self.index.documents, digests_of(changes, policies=policies, groups=shard.groups.values())
        )
        self.index.apply(number, changes)
        del new_documents

    def _refresh_standings(self, number: str, *, is_tree: bool) -> None:
        """Update the standings of accounts after one of them has changed: of all, if its organization has
        changed.
        """
        if is_tree or self._organizations is None or self._organizations.is_outdated(number):
            self._organizations = None
            organizations = self._organization()
            for each in list(self.index.accounts):
                self.index.place_in_organization(each, organizations.position_of(each))

    def _organization(self) -> OrganizationStandings:
        if self._organizations is None:
            self._organizations = OrganizationStandings(self.at)
            self._controls = held_documents(self.index.documents, self._organizations.digests)
        return self._organizations


def _accounts(accounts: Collection[str] | None) -> dict[str, AccountRevision]:
    rows = Account.objects.filter(removed_at__isnull=True)
    if accounts is not None:
        rows = rows.filter(account_id__in=accounts)
    return {
        number: AccountRevision(pk, partition, revision)
        for pk, number, partition, revision in rows.values_list("pk", "account_id", "partition", "revision")
    }


def _is_asked(number: str, accounts: Collection[str] | None) -> bool:
    return accounts is None or number in accounts


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Pause garbage collection while millions of permanent objects are created.

    Examining them would take as long as creating them, and would be repeated for every thousand objects that
    a question creates.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
