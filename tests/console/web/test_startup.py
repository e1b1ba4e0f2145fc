"""What must be true before a process serves anybody."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from console.celery import refuse_unprotected
from console.web import startup
from console.web.startup import CREDENTIAL_VARIABLES, before_serving, credentials_in
from iam.journal import triggers
from iam.journal.checks import JournalUnprotectedError
from tests.patience import PATIENCE_S

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def _no_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", *CREDENTIAL_VARIABLES):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("name", CREDENTIAL_VARIABLES)
@pytest.mark.django_db
def test_a_web_server_with_credentials_does_not_start(
    name: str, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setenv(name, "AKIA-very-secret")
    settings.EMBEDDED = False
    with pytest.raises(ImproperlyConfigured, match=name) as refused:
        before_serving()
    assert "very-secret" not in str(refused.value)
    settings.EMBEDDED = True
    before_serving()


@pytest.mark.django_db
def test_without_credentials_it_starts(settings: Any) -> None:
    settings.EMBEDDED = False
    before_serving()


def test_credential_files_count_too(tmp_path: Path) -> None:
    folder = tmp_path / ".aws"
    folder.mkdir()
    (folder / "credentials").write_text("[default]\n")
    assert credentials_in({}) == [str(folder / "credentials")]
    named = tmp_path / "named"
    named.write_text("")
    assert credentials_in({"AWS_SHARED_CREDENTIALS_FILE": str(named)}) == [
        f"AWS_SHARED_CREDENTIALS_FILE ({named})"
    ]


def test_a_region_is_no_credential() -> None:
    assert credentials_in({"AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}) == []


@pytest.mark.django_db
def test_neither_web_server_nor_worker_starts_over_an_unprotected_journal() -> None:
    startup.before_working()
    refuse_unprotected()
    triggers.drop(connection)
    with pytest.raises(JournalUnprotectedError, match="not protected"):
        before_serving()
    with pytest.raises(SystemExit, match="not protected"):
        refuse_unprotected()


def _production(**more: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.environ["HOME"],
        "GATEHOUSE_MODE": "production",
        "GATEHOUSE_SECRET_KEY": "only-for-this-test-only-for-this-test-only-for-this-test-x9",
        "GATEHOUSE_SEALED_KEY": "for-what-is-sealed-only-for-what-is-sealed-only-for-that-y4",
        "GATEHOUSE_ALLOWED_HOSTS": "gatehouse.example.com",
        "GATEHOUSE_BASE_URL": "https://gatehouse.example.com",
        "DATABASE_URL": "sqlite:///:memory:",
        "REDIS_URL": "redis://127.0.0.1:1/0",
    } | more


def _python(code: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=_production(**more),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )


def test_the_wsgi_entry_itself_refuses(tmp_path: Path) -> None:
    with_keys = _python("import console.wsgi", AWS_ACCESS_KEY_ID="AKIAEXAMPLE")
    assert with_keys.returncode != 0
    assert "must hold no AWS credentials, but finds AWS_ACCESS_KEY_ID" in with_keys.stderr
    assert "AKIAEXAMPLE" not in with_keys.stderr


def test_the_deployment_check_is_clean_in_production() -> None:
    checked = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "INFO"],
        cwd=ROOT,
        env=_production(),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    lines = [line for line in (checked.stdout + checked.stderr).splitlines() if line.startswith("?:")]
    # Tests run from a clone, with everything that it has.
    assert [line for line in lines if "gatehouse.W001" not in line] == [], checked.stderr
    assert len(lines) == 1
