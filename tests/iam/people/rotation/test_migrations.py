"""Rotations that were begun before runs were written go on: each batch becomes a run, and no row is lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from iam.people.rotation.models import Rotation, RotationRun, RotationStage
from iam.people.runs.models import RunState
from tests import factories
from tests.console.rotation.rows import key, rotation

APP = "people_rotation"
BEFORE = [(APP, "0005_stages_that_wait")]


@pytest.fixture
def newest() -> Iterator[None]:
    """The tables end as they were, whatever a test does."""
    yield
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def go_back(before: list[tuple[str, str]]) -> None:
    """To a migration that was replaced by a squashed one."""
    executor = MigrationExecutor(connection)
    executor.loader = MigrationLoader(connection, replace_migrations=False)
    executor.migrate(before)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("newest")
def test_each_batch_becomes_a_run_and_every_rotation_stays() -> None:
    account = factories.account()
    people = [factories.person(f"Person {number}") for number in range(3)]
    users = [factories.user(account, f"user-{number}") for number in range(3)]
    made = [rotation(key(user), person) for user, person in zip(users, people, strict=True)]
    together, alone = uuid4(), uuid4()

    go_back(BEFORE)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM people_rotation_rotation")
        assert cursor.fetchone() == (3,)
    old = MigrationExecutor(connection).loader.project_state(BEFORE).apps.get_model(APP, "Rotation")
    old.objects.filter(pk__in=[made[0].pk, made[1].pk]).update(batch=together)
    old.objects.filter(pk=made[1].pk).update(stage="waiting")
    old.objects.filter(pk=made[2].pk).update(batch=alone, begun_by=people[2].pk, reason="Lost laptop")
    executor = MigrationExecutor(connection)
    executor.migrate([node for node in executor.loader.graph.leaf_nodes() if node[0] == APP])

    assert set(Rotation.objects.values_list("pk", "run")) == {
        (made[0].pk, together),
        (made[1].pk, together),
        (made[2].pk, alone),
    }
    runs = RotationRun.objects.in_bulk()
    assert {pk: run.state for pk, run in runs.items()} == {
        together: RunState.SUBMITTING,
        alone: RunState.REQUESTED,
    }
    assert (runs[alone].reason, runs[alone].requested_label) == ("Lost laptop", "Person 2")
    assert abs(runs[alone].created_at - made[2].begun_at) < timedelta(seconds=1)
    assert Rotation.objects.get(pk=made[1].pk).stage == RotationStage.WAITING


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("newest")
def test_a_run_without_a_reason_takes_that_of_its_rotation() -> None:
    user = factories.user(factories.account(), "tomas.lind")
    made = rotation(key(user), factories.person("Tomas Lind"))
    before = [(APP, "0007_run_of_rotation")]

    go_back(before)
    apps = MigrationExecutor(connection).loader.project_state(before).apps
    copied = apps.get_model(APP, "Rotation").objects.get(pk=made.pk).reason
    apps.get_model(APP, "RotationRun").objects.update(reason="")
    apps.get_model(APP, "Rotation").objects.update(reason="Lost laptop")
    executor = MigrationExecutor(connection)
    executor.migrate([node for node in executor.loader.graph.leaf_nodes() if node[0] == APP])

    assert copied == "Older than 90 days"
    assert RotationRun.objects.get().reason == "Lost laptop"
