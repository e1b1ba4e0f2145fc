"""Messages can outlive what they are about: Redis keeps them while a backup replaces the database. No task
breaks on an id that isn't there.
"""

from __future__ import annotations

import inspect
import uuid
from typing import Any

import pytest

from console.celery import app

app.loader.import_default_modules()
NUMBERS = {"number"}
OF_SEVERAL = {"names", "change_ids"}


def words_of(task: Any) -> list[str]:
    """The parameters of a task that have no default."""
    values_view = inspect.signature(task.run).parameters.values()
    return [parameter.name for parameter in values_view if parameter.default is inspect.Parameter.empty]


ABOUT_ONE = {
    name: words[0]
    for name, task in app.tasks.items()
    if name.startswith(("iam.", "console.")) and (words := words_of(task)) and words[0] not in OF_SEVERAL
}


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(ABOUT_ONE))
def test_a_task_about_what_is_not_there_does_nothing(name: str) -> None:
    app.tasks[name].run(10**9 if ABOUT_ONE[name] in NUMBERS else str(uuid.uuid4()))


def test_every_task_about_one_thing_is_tried() -> None:
    assert len(ABOUT_ONE) >= 11
