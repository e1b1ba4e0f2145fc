"""Celery tasks that build packs."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from iam.audit.evidence.pack_builder import run_pack
from iam.audit.evidence.packs import BUILD_TASK, waiting_packs
from iam.audit.evidence.removals import remove_old_files
from iam.nudge import send_each
from iam.schedule import HOURS, every


@shared_task(name=BUILD_TASK)  # type: ignore[untyped-decorator]
def build_pack(pack_id: str) -> None:
    """Build one pack."""
    run_pack(UUID(pack_id))


@every(60)
@shared_task(name="iam.audit.evidence.tasks.build_waiting_packs")  # type: ignore[untyped-decorator]
def build_waiting_packs() -> None:
    """Start building packs that no worker has claimed, such as after a restart."""
    send_each(BUILD_TASK, waiting_packs())


@every(24 * HOURS, expires=HOURS)
@shared_task(name="iam.audit.evidence.tasks.remove_old_packs")  # type: ignore[untyped-decorator]
def remove_old_packs() -> None:
    """Delete the files of packs that are older than the setting."""
    remove_old_files(now=timezone.now())
