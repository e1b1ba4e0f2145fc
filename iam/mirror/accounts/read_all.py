"""Syncs all accounts now: a few directly, many through the schedule."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import transaction
from django.db.models import QuerySet

from iam.guard import Right, Viewer
from iam.journal.services import record
from iam.mirror.accounts.actors import Actor
from iam.mirror.models.accounts import Account, AccountSource
from iam.mirror.services import request_pull

BATCH_SIZE = 12


@transaction.atomic
def read_all(accounts: QuerySet[Account], *, actor: Actor) -> int:
    """Queue a sync of each connected account that the actor can manage, and return how many.

    More than a dozen are only marked as due, with one statement; the schedule queues them within seconds.
    """
    connected = accounts.filter(removed_at__isnull=True).exclude(source=AccountSource.EXPORT)
    if isinstance(actor, Viewer) and not actor.may(Right.MANAGE_ACCOUNTS, account_id=""):
        numbers = [number for right, number in actor.grants if right is Right.MANAGE_ACCOUNTS]
        connected = connected.filter(account_id__in=numbers)
    count = connected.count()
    if count <= BATCH_SIZE:
        for account in connected:
            request_pull(account, requested_by=actor)
    else:
        connected.update(next_pull_at=datetime.now(tz=UTC))
        record(kind="pull.request_all", actor=actor, data={"accounts": count})
    return count
