"""The Celery application. Tasks get IDs and load their data from the database; each task declares its
interval.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from threading import Thread
from typing import Any

from celery import Celery
from celery.signals import (
    beat_embedded_init,
    import_modules,
    task_prerun,
    worker_init,
    worker_process_init,
    worker_ready,
)
from celery.worker import state
from django.conf import settings
from django.db import close_old_connections, connection, connections
from kombu import Exchange, Queue

from console.beat import FREQUENT_SECONDS, QUIET_ROUND
from console.broker import refuse_malformed_messages
from iam.schedule import ENTRIES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")

VISIBILITY_SECONDS = 3600
CALCULATIONS = "calculations"
FORMER_TASKS = {
    "console.operators.tasks.tidy_sign_ins": "console.operators.tasks.delete_old_sign_ins",
    "console.web.tasks.hear_beat": "console.web.tasks.record_heartbeat",
    "iam.access.escalating.tasks.calculate_escalation": (
        "iam.access.escalation_calculation.tasks.calculate_escalation"
    ),
    "iam.access.grants.tasks.tend_grants": "iam.access.grants.tasks.reconcile_grants",
    "iam.access.grants.tasks.tidy_grants": "iam.access.grants.tasks.clean_up_grants",
    "iam.access.rollout.tasks.settle_rollouts": "iam.access.rollout.tasks.reconcile_rollouts",
    "iam.changes.approval.tasks.attend_waiting": "iam.changes.approval.tasks.remind_approvers",
    "iam.changes.tasks.tell_ended": "iam.changes.tasks.notify_ended",
    "iam.changes.tasks.tell_missed_ends": "iam.changes.tasks.notify_missed_ends",
    "iam.linking.tasks.work_out_links": "iam.linking.tasks.refresh_links",
    "iam.people.campaigns.tasks.tend_campaigns": "iam.people.campaigns.tasks.reconcile_campaigns",
    "iam.people.enrolment.tasks.tend_enrolments": "iam.people.enrolment.tasks.reconcile_enrolments",
    "iam.people.leaving.tasks.ask_run": "iam.people.offboarding.tasks.request_run",
    "iam.people.leaving.tasks.drop_leaving_drafts": "iam.people.offboarding.tasks.delete_old_drafts",
    "iam.people.leaving.tasks.prove_seat": "iam.people.offboarding.tasks.prove_user",
    "iam.people.leaving.tasks.tend_leavers": "iam.people.offboarding.tasks.reconcile_runs",
    "iam.people.moving.tasks.settle_moves": "iam.people.moving.tasks.reconcile_moves",
    "iam.people.onboarding.tasks.ask_run": "iam.people.onboarding.tasks.request_run",
    "iam.people.onboarding.tasks.drop_drafts": "iam.people.onboarding.tasks.delete_old_drafts",
    "iam.people.onboarding.tasks.settle_runs": "iam.people.onboarding.tasks.reconcile_runs",
    "iam.people.rotation.tasks.ask_batch": "iam.people.rotation.tasks.request_batch",
    "iam.people.rotation.tasks.look": "iam.people.rotation.tasks.check_usage",
    "iam.people.rotation.tasks.tend_rotations": "iam.people.rotation.tasks.reconcile_rotations",
}
"""Task names of the previous release, whose messages may still be in the queue."""


def _transport() -> dict[str, Any]:
    if not settings.BROKER_URL.startswith("filesystem"):
        # One short retry: a page that sends a nudge must not wait while the broker is down. Sweeps find the
        # work later.
        patience = {"max_retries": 1, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.2}
        if settings.EMBEDDED:
            # Maximum duration of one poll; a message ends it at once, and an idle worker sleeps. Kombu waits
            # for its end when a worker stops, so it isn’t longer.
            patience["polling_interval"] = 5
        return {"visibility_timeout": VISIBILITY_SECONDS, "socket_connect_timeout": 3, **patience}
    folder = Path(settings.VAR) / "broker"
    folder.mkdir(parents=True, exist_ok=True)
    return {"data_folder_in": str(folder), "data_folder_out": str(folder), "control_folder": str(folder)}


refuse_malformed_messages()
app = Celery("gatehouse")
BEAT_SCHEDULE_FILE = "/tmp/gatehouse-beat"  # noqa: S108
if settings.EMBEDDED:
    BEAT_SCHEDULE_FILE = str(Path(settings.VAR) / "beat-schedule")
app.conf.update(
    broker_url=settings.BROKER_URL,
    broker_transport_options=_transport(),
    broker_connection_retry_on_startup=True,
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    task_time_limit=VISIBILITY_SECONDS - 300,
    task_soft_time_limit=VISIBILITY_SECONDS - 600,
    task_default_queue="gatehouse",
    # A worker without --queues takes messages from both. In a large organization one process serves only the
    # second, so that only this process keeps the calculation's data in memory (docs/operate.md).
    task_queues=[Queue(name, Exchange(name), routing_key=name) for name in ("gatehouse", CALCULATIONS)],
    task_routes={
        "iam.access.escalation_calculation.tasks.calculate_escalation": {"queue": CALCULATIONS},
        "iam.audit.assertions.tasks.check_assertions": {"queue": CALCULATIONS},
        "iam.audit.findings.tasks.calculate_findings": {"queue": CALCULATIONS},
        "iam.audit.frameworks.tasks.assess_frameworks": {"queue": CALCULATIONS},
        "iam.audit.posture.tasks.calculate_past_postures": {"queue": CALCULATIONS},
    },
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
    # Someone who can write to Redis must not stop workers, change their rate limits or read their state.
    worker_enable_remote_control=False,
    # Otherwise Celery closes the database connection after each task; see renew_connection.
    CELERY_DB_REUSE_MAX=10**9,
    timezone="UTC",
    beat_scheduler="console.beat:QuietScheduler",
    beat_schedule_filename=BEAT_SCHEDULE_FILE,
    beat_schedule=ENTRIES,
)
app.autodiscover_tasks(
    [
        "console",
        "console.web",
        "iam.journal",
        "iam.notify",
        "iam.sealed",
        "iam.mirror",
        "iam.mirror.accounts",
        "iam.mirror.doctor",
        "iam.linking",
        "iam.activity",
        "iam.activity.sources",
        "iam.changes",
        "iam.changes.drift",
        "iam.changes.approval",
        "iam.access.drafts",
        "iam.access.escalation_calculation",
        "iam.audit.assertions",
        "iam.audit.findings",
        "iam.audit.frameworks",
        "iam.audit.posture",
        "iam.audit.reviews",
        "iam.people.onboarding",
        "iam.people.rotation",
        "iam.access.grants",
        "iam.access.rollout",
        "iam.people.enrolment",
        "iam.people.campaigns",
        "iam.people.fleet",
        "iam.people.replacing",
        "iam.people.offboarding",
        "iam.people.moving",
        "iam.audit.evidence",
        "iam.audit.anchors",
        "iam.audit.retention",
        "iam.audit.siem",
        "iam.audit.findings",
        "console.operators",
        "console.demo",
    ]
)


@import_modules.connect  # type: ignore[untyped-decorator]
def fill_quiet_round(**_: Any) -> None:
    """Build the entry that runs all frequent tasks with one message, once all tasks are imported."""
    ENTRIES.pop(QUIET_ROUND, None)
    frequent = [entry["task"] for entry in ENTRIES.values() if entry["schedule"] <= FREQUENT_SECONDS]
    ENTRIES[QUIET_ROUND] = {
        "task": "console.tasks.sweep_in_turn",
        "schedule": FREQUENT_SECONDS,
        "args": [frequent],
        "options": {"expires": FREQUENT_SECONDS},
    }


@import_modules.connect  # type: ignore[untyped-decorator]
def keep_former_names(**_: Any) -> None:
    """Register every task under its former name too, once all tasks are imported."""
    for former, name in FORMER_TASKS.items():
        app.tasks[former] = app.tasks[name]


@worker_process_init.connect  # type: ignore[untyped-decorator]
@beat_embedded_init.connect  # type: ignore[untyped-decorator]
def follow_parent(**_: Any) -> None:
    """End pool processes together with their worker if the supervisor runs it, even if the worker is
    killed.
    """
    if os.environ.get("GATEHOUSE_SUPERVISED"):
        from console.demo.children import follow_leader

        follow_leader()


@task_prerun.connect  # type: ignore[untyped-decorator]
def renew_connection(**_: Any) -> None:
    """Replace a database connection that is too old or was closed; otherwise tasks share it."""
    if not connection.in_atomic_block:
        close_old_connections()


@worker_init.connect  # type: ignore[untyped-decorator]
def refuse_unprotected(**_: Any) -> None:
    """Refuse to start a worker if the journal can be altered or the clock is wrong.

    Raises SystemExit, because Celery only logs other errors of a signal handler.
    """
    from console.web.startup import before_working
    from iam.journal.checks import JournalUnprotectedError
    from iam.journal.clock import WrongClockError

    try:
        before_working()
    except (JournalUnprotectedError, WrongClockError) as error:
        raise SystemExit(str(error)) from None
    finally:
        # Before beat and the pool are forked: SQLite refuses locks on a connection that was opened before the
        # fork.
        connections.close_all()


@worker_ready.connect  # type: ignore[untyped-decorator]
def end_without_beat(sender: Any, **_: Any) -> None:
    """Stop a worker whose embedded beat ended, so that its supervisor restarts both: without beat nothing is
    swept.
    """
    beat = sender.controller.beat
    if beat is not None:
        Thread(target=_end_after, args=(beat,), name="beat-watch", daemon=True).start()


@worker_ready.connect  # type: ignore[untyped-decorator]
def look_for_what_is_due(sender: Any, **_: Any) -> None:
    """Start the first sweeps at once if beat is embedded, because a new schedule waits a whole period."""
    if sender.controller.beat is not None:
        for name in ("iam.mirror.tasks.pull_due_accounts", "iam.changes.tasks.sweep_changes"):
            entry = app.conf.beat_schedule[name]
            app.send_task(entry["task"], **entry["options"])


def _end_after(beat: Any) -> None:
    beat.join()
    if state.should_stop is None and state.should_terminate is None:
        os.kill(os.getpid(), signal.SIGTERM)
