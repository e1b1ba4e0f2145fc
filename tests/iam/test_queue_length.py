"""How many messages wait in the queue."""

from __future__ import annotations

from uuid import uuid4

import pytest
from celery import Celery

from console.celery import app as console_app
from iam import nudge


def test_it_counts_what_no_worker_has_taken(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    app = Celery("queue", broker=redis_url, set_as_current=False)
    app.conf.task_default_queue = console_app.conf.task_default_queue
    monkeypatch.setattr(nudge, "current_app", app)
    with app.connection_for_write() as connection:
        connection.default_channel.client.flushdb()
    assert nudge.waiting() == 0
    for _ in range(3):
        assert nudge.send("run", uuid4())
    assert nudge.waiting() == 3


def test_a_broker_that_does_not_answer_has_room(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Celery("queue", broker="redis://127.0.0.1:1/0", set_as_current=False)
    app.conf.broker_transport_options = {"max_retries": 0, "socket_connect_timeout": 1}
    monkeypatch.setattr(nudge, "current_app", app)
    assert nudge.waiting() == 0


def test_a_broker_that_answers_with_an_error_has_room(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = Celery("queue", broker=redis_url, set_as_current=False)
    app.conf.task_default_queue = "wrong"
    monkeypatch.setattr(nudge, "current_app", app)
    with app.connection_for_write() as connection:
        connection.default_channel.client.set("wrong", "no list")
    assert nudge.waiting() == 0
