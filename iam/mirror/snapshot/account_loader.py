"""Loads accounts from the tables of the mirror: reads their rows, assigns principals to classes and creates
images.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from django.db.models import Count

from iam.mirror.models import Document, EntityState, valid_at
from iam.mirror.pull.bulk import CHUNK, chunks
from iam.mirror.snapshot.organizations import OrganizationStandings
from iam.mirror.snapshot.rows import PRINCIPALS, SnapshotRows, digests_of
from iam.policy.index.documents import IndexedDocument, SharedDocuments
from iam.policy.index.image import IndexImage
from iam.policy.index.image_parts import image_of
from iam.policy.index.register import UseRegister
from iam.policy.index.rows import AccountRows, OrganizationStanding
from iam.policy.index.shard import AccountShard

MAX_PRINCIPALS: Final = 20_000
"""The approximate number of principals whose rows are in memory at a time."""


class AccountRevision(NamedTuple):
    """An account's state in the mirror."""

    pk: int
    partition: str
    revision: int


def load_accounts(
    accounts: Mapping[str, AccountRevision],
    at: datetime | None,
    documents: SharedDocuments,
    organizations: Callable[[], OrganizationStandings],
) -> Iterator[tuple[str, OrganizationStanding, IndexImage]]:
    """Create the image of each account, by account ID, that has data in the mirror. `documents` are those in
    use.
    """
    for part in _parts(accounts, at):
        changes_by_account = SnapshotRows(at, accounts=[known.pk for _, known in part]).by_account()
        digests = set(organizations().digests) if changes_by_account else set()
        for each in changes_by_account.values():
            digests |= digests_of(each, policies={row.id: row for row in each.policies})
        documents_held = held_documents(documents, digests)
        for number, known in part:
            if known.pk not in changes_by_account:
                continue
            each, standing = changes_by_account.pop(known.pk), organizations().position_of(number)
            rows = AccountRows(
                each.principals, each.groups, each.policies, (), number, known.partition, standing
            )
            yield number, standing, image_of(AccountShard(UseRegister(documents), rows))
        del documents_held


def _parts(
    accounts: Mapping[str, AccountRevision], at: datetime | None
) -> Iterator[list[tuple[str, AccountRevision]]]:
    """Group the accounts to read together: many small ones, or a few large ones."""
    states = EntityState.objects.filter(valid_at(at), kind__in=PRINCIPALS).order_by()
    sizes: dict[int, int] = {}
    if len(accounts) > 1:
        sizes = dict(states.values_list("account").annotate(Count("pk")))
    part: list[tuple[str, AccountRevision]] = []
    size = 0
    for number, known in accounts.items():
        own = sizes.get(known.pk, 0)
        if part and (size + own > MAX_PRINCIPALS or len(part) == CHUNK):
            yield part
            part, size = [], 0
        part.append((number, known))
        size += own
    if part:
        yield part


def held_documents(documents: SharedDocuments, digests: Iterable[str]) -> list[IndexedDocument]:
    """The documents with these digests, loaded unless in use already. The list keeps them in use."""
    documents_held, wanted = [], []
    for digest in set(digests):
        doc = documents.find(digest)
        if doc is None:
            wanted.append(digest)
        else:
            documents_held.append(doc)
    for chunk in chunks(wanted):
        for digest, text in Document.objects.filter(digest__in=chunk).values_list("digest", "text"):
            documents_held.append(documents.add(digest, text))
    return documents_held
