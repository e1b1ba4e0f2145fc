"""What machines are told about health, and nothing more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError, connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from console.celery import app
from console.web import health
from console.web.tasks import record_heartbeat
from iam.audit.siem.models import ExportPosition
from iam.audit.siem.receivers import configured_receivers
from iam.journal import triggers
from iam.journal.chain import chain_pending
from iam.journal.services import record
from iam.mirror.models import Section
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _asked_anew() -> None:
    """A process keeps some answers for seconds."""
    health.forget()


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that answers."""
    monkeypatch.setattr(health, "_broker", lambda: "ok")


def test_the_process_says_that_it_lives_without_database_and_sign_in(client: Client, settings: Any) -> None:
    with connection.execute_wrapper(_no_database):
        response = client.get("/healthz", headers={"host": "10.1.2.3"})
    assert (response.status_code, response.json()) == (200, {"ok": True})
    assert response["Cache-Control"] == "no-store"


def _no_database(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    raise DatabaseError("server at db.internal refused user gatehouse with password hunter2")


def test_readyz_is_ready_when_everything_answers(client: Client, broker: None) -> None:
    response = client.get("/readyz", headers={"host": "10.1.2.3"})
    assert response.status_code == 200
    assert response.json() == {
        "ready": True,
        "checks": {"database": "ok", "broker": "ok", "journal": "ok"},
        "last_pull_seconds": None,
        "beat_seconds": None,
        "journal_waiting_seconds": 0,
        "siem_behind_entries": None,
    }


def test_readyz_tells_when_beat_was_heard_and_how_long_entries_wait(client: Client, broker: None) -> None:
    now = datetime.now(tz=UTC)
    with time_machine.travel(now - timedelta(seconds=90), tick=False):
        record_heartbeat()
        record(kind="role.assign", actor=None)
    body = client.get("/readyz").json()
    assert 90 <= body["beat_seconds"] < 100
    assert 90 <= body["journal_waiting_seconds"] < 100


def test_readyz_tells_how_many_entries_the_siem_lacks(client: Client, broker: None, settings: Any) -> None:
    settings.SIEM_SYSLOG = "tls://logs.example.com:6514"
    record(kind="role.assign", actor=None)
    chain_pending()
    ExportPosition.objects.create(receiver=configured_receivers()[0].key)
    assert client.get("/readyz").json()["siem_behind_entries"] == 1


def test_asking_again_costs_one_query(
    client: Client, broker: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client.get("/readyz")
    with django_assert_num_queries(1):
        assert client.get("/readyz").status_code == 200


def test_readyz_tells_the_age_of_the_last_sync(client: Client, broker: None) -> None:
    account = factories.account()
    Section.objects.create(
        account=account, name="users", observed_at=datetime.now(tz=UTC) - timedelta(hours=2)
    )
    Section.objects.create(
        account=account, name="roles", observed_at=datetime.now(tz=UTC) - timedelta(hours=1)
    )
    assert 3600 <= client.get("/readyz").json()["last_pull_seconds"] < 3700
    assert client.get("/readyz").status_code == 200


def test_readyz_fails_without_its_database_and_tells_no_secret(client: Client, broker: None) -> None:
    with connection.execute_wrapper(_no_database):
        response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["database"] == "unreachable"
    assert "hunter2" not in response.content.decode()


def test_readyz_fails_when_the_journal_could_be_altered(client: Client, broker: None) -> None:
    triggers.drop(connection)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["journal"] == "unprotected"


def test_readyz_fails_without_a_broker(client: Client) -> None:
    """The tests' own address of the broker leads nowhere."""
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"] == {"database": "ok", "broker": "unreachable", "journal": "ok"}


def test_a_real_broker_answers(client: Client, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.conf, "broker_write_url", redis_url)
    assert client.get("/readyz").status_code == 200


def test_a_broker_in_files_needs_its_folder(client: Client, settings: Any, tmp_path: Any) -> None:
    settings.BROKER_URL = "filesystem://"
    settings.VAR = tmp_path
    assert client.get("/readyz").status_code == 503
    health.forget()
    (tmp_path / "broker").mkdir()
    assert client.get("/readyz").status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_takes_no_orders(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405
