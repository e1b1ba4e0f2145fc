"""Stores the images of accounts in the database. A worker creates them after changes, and every new process
loads them.

An image only saves time. It is ignored if it is damaged, was created by other code, or if the account's
standing has changed since.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Final

import structlog
from django.utils import timezone

from iam.mirror.models import Account, AccountImage, Entity
from iam.mirror.pull.bulk import chunks
from iam.mirror.snapshot.account_loader import AccountRevision, load_accounts
from iam.mirror.snapshot.organizations import OrganizationStandings
from iam.policy.index.documents import SharedDocuments
from iam.policy.index.image import ImageError, IndexImage, code, is_whole, pack, unpack
from iam.policy.index.rows import OrganizationStanding

MAX_WRITTEN: Final = 200
"""The number of changed entities that a new process can load quickly. An image is kept until more are
written, or for `LASTS`.
"""
BATCH_SIZE: Final = 10
"""The number of serialized images in memory at a time."""
LASTS: Final = timedelta(minutes=10)
logger = structlog.get_logger(__name__)


@lru_cache(maxsize=1)
def _sources() -> str:
    """A digest of the code that turns rows into images, and of the migrations, which may have changed
    rows.
    """
    digest = blake2b(code().encode(), digest_size=16)
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    for path in sorted((Path(__file__).parents[1] / "migrations").glob("*.py")):
        digest.update(path.name.encode())
    return digest.hexdigest()


def mark_of(standing: OrganizationStanding) -> str:
    """The mark that an image must have to be used: a digest of the code and the standing."""
    return blake2b(f"{_sources()} {standing}".encode(), digest_size=16).hexdigest()


def stored(
    accounts: Mapping[str, AccountRevision], organizations: Callable[[], OrganizationStandings]
) -> Iterator[tuple[str, int, OrganizationStanding, IndexImage]]:
    """Account ID, revision, standing and image of each account with an image that is equivalent to the tables
    at that revision.
    """
    for chunk in chunks(accounts.items()):
        numbers = {known.pk: number for number, known in chunk}
        rows = AccountImage.objects.filter(account__in=numbers).values_list(
            "account_id", "revision", "mark", "packed"
        )
        for pk, revision, mark, packed in rows.iterator(chunk_size=BATCH_SIZE):
            number = numbers[pk]
            standing = organizations().position_of(number)
            if mark != mark_of(standing):
                continue
            image = _opened(number, accounts[number], bytes(packed))
            if image is not None:
                yield number, revision, standing, image


def _opened(number: str, known: AccountRevision, packed: bytes) -> IndexImage | None:
    try:
        image = unpack(packed)
    except ImageError as error:
        logger.warning("index.image_unusable", account=number, error=str(error))
        return None
    is_own = (image.number, image.partition) == (number, known.partition)
    return image if is_own else None


def draw_images() -> int:
    """Create the images of accounts that have been written to, or whose standing has changed. Return their
    number. Several workers can do so at once.
    """
    behind = _behind()
    if not behind:
        return 0
    organizations = OrganizationStandings(None)
    count = 0
    for chunk in chunks(load_accounts(behind, None, SharedDocuments(), lambda: organizations), BATCH_SIZE):
        now = timezone.now()
        count += len(chunk)
        _keep(
            [
                AccountImage(
                    account_id=behind[number].pk,
                    revision=behind[number].revision,
                    mark=mark_of(standing),
                    packed=pack(image),
                    drawn_at=now,
                )
                for number, standing, image in chunk
            ]
        )
    return count


def _behind() -> dict[str, AccountRevision]:
    """The accounts whose image is missing or too old. One query if nothing has changed, a few more
    otherwise.
    """
    rows = Account.objects.filter(removed_at__isnull=True).values_list(
        "account_id", "pk", "partition", "revision", "image__revision", "image__mark", "image__drawn_at"
    )
    accounts = tuple(rows)
    if _IdleMark.state == accounts:
        return {}
    organizations, old = OrganizationStandings(None), timezone.now() - LASTS
    damaged = _damaged() if _IdleMark.state is None else set()
    behind = {}
    for number, pk, partition, revision, drawn_revision, mark, drawn_at in accounts:
        known = AccountRevision(pk, partition, revision)
        if (
            drawn_revision is None
            or pk in damaged
            or mark != mark_of(organizations.position_of(number))
            or (drawn_revision < revision and (drawn_at < old or _has_many(pk, drawn_revision)))
        ):
            behind[number] = known
    is_at_rest = all(revision == drawn_revision for _, _, _, revision, drawn_revision, _, _ in accounts)
    _IdleMark.state = accounts if is_at_rest and not behind else ()
    return behind


class _IdleMark:
    """The state that this worker last saw without outdated images. While it is unchanged, there is nothing to
    do. None before the first check.
    """

    state: tuple[object, ...] | None = None


def _damaged() -> set[int]:
    """The primary keys of accounts whose image has a wrong checksum. A worker checks once."""
    rows = AccountImage.objects.values_list("account_id", "packed").iterator(chunk_size=BATCH_SIZE)
    return {pk for pk, packed in rows if not is_whole(bytes(packed))}


def _has_many(account: int, revision: int) -> bool:
    written = Entity.objects.filter(account=account, revision__gt=revision)
    return written.order_by()[: MAX_WRITTEN + 1].count() > MAX_WRITTEN


def _keep(rows: Sequence[AccountImage]) -> None:
    """Replace stored images. An older image never replaces a newer one with the same mark."""
    accounts = [row.account_id for row in rows]
    known = {
        pk: (mark, revision)
        for pk, mark, revision in AccountImage.objects.filter(account__in=accounts).values_list(
            "account_id", "mark", "revision"
        )
    }
    newer = []
    for row in rows:
        mark, revision = known.get(row.account_id, ("", 0))
        if mark != row.mark or revision <= row.revision:
            newer.append(row)
    AccountImage.objects.bulk_create(
        newer,
        update_conflicts=True,
        unique_fields=["account"],
        update_fields=["revision", "mark", "packed", "drawn_at"],
    )
