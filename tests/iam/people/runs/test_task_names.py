"""Messages of the release before reach the same tasks."""

from __future__ import annotations

import pytest

from console.celery import app

FORMER = {
    "iam.people.onboarding.tasks.ask_run": "iam.people.onboarding.tasks.request_run",
    "iam.people.onboarding.tasks.settle_runs": "iam.people.onboarding.tasks.reconcile_runs",
    "iam.people.onboarding.tasks.drop_drafts": "iam.people.onboarding.tasks.delete_old_drafts",
    "iam.people.leaving.tasks.ask_run": "iam.people.offboarding.tasks.request_run",
    "iam.people.leaving.tasks.drop_leaving_drafts": "iam.people.offboarding.tasks.delete_old_drafts",
    "iam.people.leaving.tasks.prove_seat": "iam.people.offboarding.tasks.prove_user",
    "iam.people.leaving.tasks.tend_leavers": "iam.people.offboarding.tasks.reconcile_runs",
    "iam.people.moving.tasks.settle_moves": "iam.people.moving.tasks.reconcile_moves",
    "iam.people.rotation.tasks.ask_batch": "iam.people.rotation.tasks.request_batch",
    "iam.people.rotation.tasks.look": "iam.people.rotation.tasks.check_usage",
    "iam.people.rotation.tasks.tend_rotations": "iam.people.rotation.tasks.reconcile_rotations",
}


@pytest.mark.parametrize(("former", "name"), FORMER.items())
def test_a_former_name_runs_the_same_function(former: str, name: str) -> None:
    app.loader.import_default_modules()
    assert app.tasks[former].run.__qualname__ == app.tasks[name].run.__qualname__
    assert app.tasks[former].run.__module__ == app.tasks[name].run.__module__


def test_each_entry_of_the_schedule_is_a_task() -> None:
    app.loader.import_default_modules()
    names = {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert names <= set(app.tasks)
