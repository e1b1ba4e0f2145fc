"""The images of accounts in the database: drawn by a worker after something was written, read by every
process that begins.

An image only saves time. One that is damaged, was drawn by other code, or of an account that stands elsewhere
by now is left aside.
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
"""So many entities are read quickly by anyone who begins: until more are written, or for `LASTS`, an image
stays as it is.
"""
BATCH_SIZE: Final = 10
"""So many images are in memory together as bytes."""
LASTS: Final = timedelta(minutes=10)
logger = structlog.get_logger(__name__)


@lru_cache(maxsize=1)
def _sources() -> str:
    """A digest of what says how rows become images, and of the migrations, which may have written rows."""
    digest = blake2b(code().encode(), digest_size=16)
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    for path in sorted((Path(__file__).parents[1] / "migrations").glob("*.py")):
        digest.update(path.name.encode())
    return digest.hexdigest()


def mark_of(standing: OrganizationStanding) -> str:
    """What an image must have been drawn by."""
    return blake2b(f"{_sources()} {standing}".encode(), digest_size=16).hexdigest()


def stored(
    accounts: Mapping[str, AccountRevision], organizations: Callable[[], OrganizationStandings]
) -> Iterator[tuple[str, int, OrganizationStanding, IndexImage]]:
    """(number, revision, standing, image) of each account that has one which is as good as the tables at that
    revision.
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
    """Draw the accounts that were written to, or stand elsewhere; how many. Several workers at once do no
    harm.
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
    """The accounts whose image is missing or too old. One query at rest, three more where something was
    written.
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
    """What this worker last saw when no image was behind: as long as it sees the same, there is nothing to
    do. None before its first look.
    """

    state: tuple[object, ...] | None = None


def _damaged() -> set[int]:
    """Those of whom the bytes are not those that were written; a worker looks once."""
    rows = AccountImage.objects.values_list("account_id", "packed").iterator(chunk_size=BATCH_SIZE)
    return {pk for pk, packed in rows if not is_whole(bytes(packed))}


def _has_many(account: int, revision: int) -> bool:
    written = Entity.objects.filter(account=account, revision__gt=revision)
    return written.order_by()[: MAX_WRITTEN + 1].count() > MAX_WRITTEN


def _keep(rows: Sequence[AccountImage]) -> None:
    """Put images in the place of those before; an older one never replaces a newer one of the same mark."""
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
