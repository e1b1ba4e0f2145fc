"""The Celery application: tasks carry an id, the database holds the truth, the beat schedule is static."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from threading import Thread
from typing import Any

from celery import Celery
from celery.signals import beat_embedded_init, task_prerun, worker_init, worker_process_init, worker_ready
from celery.worker import state
from django.conf import settings
from django.db import close_old_connections, connection, connections
from kombu import Exchange, Queue

from console.beat import FREQUENT_SECONDS, QUIET_ROUND
from console.broker import refuse_malformed_messages

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")

VISIBILITY_SECONDS = 3600
CALCULATIONS = "calculations"


def _transport() -> dict[str, Any]:
    if not settings.BROKER_URL.startswith("filesystem"):
        # One short second try: a page that only nudges must not wait while the broker is away; the sweeps
        # make up for it.
        patience = {"max_retries": 1, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.2}
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
    # A worker without --queues takes from both. In a large organization one process has the second alone, and
    # with it what the calculation keeps in memory (docs/operate.md).
    task_queues=[Queue(name, Exchange(name), routing_key=name) for name in ("gatehouse", CALCULATIONS)],
    task_routes={"iam.access.escalation_calculation.tasks.calculate_escalation": {"queue": CALCULATIONS}},
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
    # Someone who can write to Redis must not stop workers, change their rate or read what they hold.
    worker_enable_remote_control=False,
    # Celery would close the connection to the database after each task; see renew_connection.
    CELERY_DB_REUSE_MAX=10**9,
    timezone="UTC",
    beat_scheduler="console.beat:QuietScheduler",
    beat_schedule_filename=BEAT_SCHEDULE_FILE,
    beat_schedule={
        "pull-due-accounts": {
            "task": "iam.mirror.tasks.pull_due_accounts",
            "schedule": 15.0,
            "options": {"expires": 15},
        },
        "draw-images": {
            "task": "iam.mirror.tasks.draw_images",
            "schedule": 30.0,
            "options": {"expires": 30},
        },
        "sweep-setup-jobs": {
            "task": "iam.mirror.accounts.tasks.sweep_setup_jobs",
            "schedule": 15.0,
            "options": {"expires": 15},
        },
        "sweep-changes": {
            "task": "iam.changes.tasks.sweep_changes",
            "schedule": 10.0,
            "options": {"expires": 10},
        },
        "hear-beat": {
            "task": "console.web.tasks.hear_beat",
            "schedule": 300.0,
            "options": {"expires": 300},
        },
        "tell-missed-ends": {
            "task": "iam.changes.tasks.tell_missed_ends",
            "schedule": 60.0,
            "options": {"expires": 60},
        },
        "work-out-links": {
            "task": "iam.linking.tasks.work_out_links",
            "schedule": 15.0,
            "options": {"expires": 15},
        },
        "find-drift": {
            "task": "iam.changes.drift.tasks.find_drift",
            "schedule": 15.0,
            "options": {"expires": 15},
        },
        "sweep-outbox": {
            "task": "iam.notify.tasks.sweep_outbox",
            "schedule": 10.0,
            "options": {"expires": 10},
        },
        "sweep-secrets": {
            "task": "iam.sealed.tasks.sweep_secrets",
            "schedule": 20.0,
            "options": {"expires": 20},
        },
        "attend-waiting": {
            "task": "iam.changes.approval.tasks.attend_waiting",
            "schedule": 60.0,
            "options": {"expires": 60},
        },
        "chain-journal": {
            "task": "iam.journal.tasks.chain_journal",
            "schedule": 1.0,
            "options": {"expires": 2},
        },
        "verify-journal": {
            "task": "iam.journal.tasks.verify_regularly",
            "schedule": 6 * 3600.0,
            "options": {"expires": 3600},
        },
        "tend-grants": {
            "task": "iam.access.grants.tasks.tend_grants",
            "schedule": 10.0,
            "options": {"expires": 10},
        },
        "prepare-grants": {
            "task": "iam.access.grants.tasks.prepare_grants",
            "schedule": 10.0,
            "options": {"expires": 10},
        },
        "settle-rollouts": {
            "task": "iam.access.rollout.tasks.settle_rollouts",
            "schedule": 60.0,
            "options": {"expires": 60},
        },
        "tidy-grants": {
            "task": "iam.access.grants.tasks.tidy_grants",
            "schedule": 3600.0,
            "options": {"expires": 3600},
        },
        "reconcile-onboarding": {
            "task": "iam.people.onboarding.tasks.reconcile_runs",
            "schedule": 20.0,
            "options": {"expires": 20},
        },
        "delete-onboarding-drafts": {
            "task": "iam.people.onboarding.tasks.delete_old_drafts",
            "schedule": 24 * 3600.0,
            "options": {"expires": 3600},
        },
        "reconcile-offboarding": {
            "task": "iam.people.leaving.tasks.reconcile_runs",
            "schedule": 10.0,
            "options": {"expires": 10},
        },
        "reconcile-moves": {
            "task": "iam.people.moving.tasks.reconcile_moves",
            "schedule": 20.0,
            "options": {"expires": 20},
        },
        "delete-offboarding-drafts": {
            "task": "iam.people.leaving.tasks.delete_old_drafts",
            "schedule": 24 * 3600.0,
            "options": {"expires": 3600},
        },
        "tend-enrolments": {
            "task": "iam.people.enrolment.tasks.tend_enrolments",
            "schedule": 20.0,
            "options": {"expires": 20},
        },
        "tend-campaigns": {
            "task": "iam.people.campaigns.tasks.tend_campaigns",
            "schedule": 300.0,
            "options": {"expires": 300},
        },
        "calculate-fleet": {
            "task": "iam.people.fleet.tasks.calculate_fleet",
            "schedule": 15.0,
            "options": {"expires": 15},
        },
        "calculate-escalation": {
            "task": "iam.access.escalation_calculation.tasks.calculate_escalation",
            "schedule": 15.0,
            "options": {"expires": 15},
        },
        "expire-replacements": {
            "task": "iam.people.replacing.tasks.expire_replacements",
            "schedule": 300.0,
            "options": {"expires": 300},
        },
        "reconcile-rotations": {
            "task": "iam.people.rotation.tasks.reconcile_rotations",
            "schedule": 60.0,
            "options": {"expires": 60},
        },
        "sweep-drafts": {
            "task": "iam.access.drafts.tasks.sweep_drafts",
            "schedule": 24 * 3600.0,
            "options": {"expires": 3600},
        },
        "tidy-sign-ins": {
            "task": "console.operators.tasks.tidy_sign_ins",
            "schedule": 24 * 3600.0,
            "options": {"expires": 3600},
        },
    },
)
if settings.EMBEDDED:
    app.conf.beat_schedule["give-sample-grants"] = {
        "task": "console.demo.tasks.give_sample_grants",
        "schedule": 5.0,
        "options": {"expires": 5},
    }
app.conf.beat_schedule[QUIET_ROUND] = {
    "task": "console.tasks.sweep_in_turn",
    "schedule": FREQUENT_SECONDS,
    "args": [[e["task"] for e in app.conf.beat_schedule.values() if e["schedule"] <= FREQUENT_SECONDS]],
    "options": {"expires": FREQUENT_SECONDS},
}
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
        "iam.changes",
        "iam.changes.drift",
        "iam.changes.approval",
        "iam.access.drafts",
        "iam.access.escalation_calculation",
        "iam.people.onboarding",
        "iam.people.rotation",
        "iam.access.grants",
        "iam.access.rollout",
        "iam.people.enrolment",
        "iam.people.campaigns",
        "iam.people.fleet",
        "iam.people.replacing",
        "iam.people.leaving",
        "iam.people.moving",
        "console.operators",
        "console.demo",
    ]
)


@worker_process_init.connect  # type: ignore[untyped-decorator]
@beat_embedded_init.connect  # type: ignore[untyped-decorator]
def follow_parent(**_: Any) -> None:
    """Under the supervisor no pool process outlives a worker that was killed."""
    if os.environ.get("GATEHOUSE_SUPERVISED"):
        from console.demo.children import follow_leader

        follow_leader()


@task_prerun.connect  # type: ignore[untyped-decorator]
def renew_connection(**_: Any) -> None:
    """A process keeps its connection from task to task; one that is old, or was cut meanwhile, is
    replaced.
    """
    if not connection.in_atomic_block:
        close_old_connections()


@worker_init.connect  # type: ignore[untyped-decorator]
def refuse_unprotected(**_: Any) -> None:
    """No worker starts over a journal that could be altered, or with a wrong clock. SystemExit, since Celery
    only logs other errors of a handler.
    """
    from console.web.startup import before_working
    from iam.journal.checks import JournalUnprotectedError
    from iam.journal.clock import WrongClockError

    try:
        before_working()
    except (JournalUnprotectedError, WrongClockError) as error:
        raise SystemExit(str(error)) from None
    finally:
        # Before beat and the pool are forked: SQLite refuses the locks of a connection that was opened on the
        # other side.
        connections.close_all()


@worker_ready.connect  # type: ignore[untyped-decorator]
def end_without_beat(sender: Any, **_: Any) -> None:
    """A worker that has lost its embedded beat ends, so that anyone who looks after it starts both: without a
    beat nothing is swept.
    """
    beat = sender.controller.beat
    if beat is not None:
        Thread(target=_end_after, args=(beat,), name="beat-watch", daemon=True).start()


@worker_ready.connect  # type: ignore[untyped-decorator]
def look_for_what_is_due(sender: Any, **_: Any) -> None:
    """With an embedded beat the first round starts at once: a fresh clock would wait a whole period before it
    sends anything.
    """
    if sender.controller.beat is not None:
        for name in ("pull-due-accounts", "sweep-changes"):
            entry = app.conf.beat_schedule[name]
            app.send_task(entry["task"], **entry["options"])


def _end_after(beat: Any) -> None:
    beat.join()
    if state.should_stop is None and state.should_terminate is None:
        os.kill(os.getpid(), signal.SIGTERM)
