"""Handles a restored backup: holds changes, and ends the sessions, one-time links and sealed secrets in
it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import connection, transaction
from django.db.models import F

from console.operators.models import Operator, OperatorSession
from iam.changes.restore import services
from iam.changes.restore.models import RestoreHold
from iam.journal import chain_head
from iam.journal.services import Actor, record
from iam.people.links.models import OneTimeLink
from iam.people.links.services import revoke_link
from iam.sealed.models import LIVING, Secret
from iam.sealed.services import destroy

ANOTHER = "Gatehouse started on another database than before."
BEHIND = "Gatehouse started on a database that is older than the journal’s last block on this host."
WHY = "The database was restored from a backup."


@dataclass(frozen=True, slots=True)
class EndedCounts:
    """How many of each were ended."""

    sessions: int
    links: int
    secrets: int


def after_restore(*, cause: str, actor: Actor | None) -> EndedCounts:
    """Hold every change and end every session, one-time link and sealed secret; can be repeated safely."""
    services.begin_hold(cause=cause, actor=actor)
    Operator.objects.update(session_epoch=F("session_epoch") + 1)
    sessions, _ = OperatorSession.objects.all().delete()
    links = [
        link
        for link in OneTimeLink.objects.filter(ended_at__isnull=True)
        if revoke_link(link, actor=actor, why=WHY)
    ]
    secrets = [
        pk
        for pk in Secret.objects.filter(state__in=LIVING).values_list("pk", flat=True)
        if destroy(pk, actor=actor)
    ]
    ended = EndedCounts(sessions, len(links), len(secrets))
    data = {
        "sessions_ended": ended.sessions,
        "links_revoked": ended.links,
        "secrets_destroyed": ended.secrets,
    }
    record(kind="restore.ended", actor=actor, data={"at": datetime.now(tz=UTC), **data})
    chain_head.note_head()
    return ended


def detect() -> None:
    """Check at start whether the database was replaced or is older than before, and if so call
    `after_restore`.

    Does nothing before the first migration.
    """
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
    if RestoreHold._meta.db_table not in tables:
        return
    # In one transaction, so that a start that fails halfway is repeated completely.
    with transaction.atomic():
        if services.is_another_database():
            after_restore(cause=ANOTHER, actor=None)
        elif chain_head.is_behind():
            after_restore(cause=BEHIND, actor=None)
