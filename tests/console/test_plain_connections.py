"""Who listens on the network between Gatehouse and its services reads nothing, unless a setting allows it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from console import env
from console.plain_connections import refuse_plain

ROOT = Path(__file__).resolve().parents[2]
LOCAL = {
    "DATABASE_URL": "postgres://app:word@/gatehouse?host=/run/postgresql",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
}
REFUSED = (
    ("DATABASE_URL", "postgres://app:word@db.example.com/gatehouse"),
    ("DATABASE_URL", "postgres://app:word@db.example.com/gatehouse?sslmode=prefer"),
    ("DATABASE_URL", "postgres://app:word@/gatehouse?host=10.0.0.5"),
    ("REDIS_URL", "redis://:word@cache.example.com:6379/0"),
    ("REDIS_URL", "redis://[2001:db8::1]:6379/0"),
    ("GATEHOUSE_EMAIL_TLS", "false"),
)
ALLOWED = (
    ("DATABASE_URL", "postgres://app:word@db.example.com/gatehouse?sslmode=verify-full&sslrootcert=/ca.pem"),
    ("DATABASE_URL", "postgres://app:word@[::1]/gatehouse"),
    ("REDIS_URL", "rediss://:word@cache.example.com:6379/0"),
    ("REDIS_URL", "redis+socket:///run/redis.sock"),
    ("GATEHOUSE_EMAIL_TLS", "true"),
)


def check(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    for key, value_given in (LOCAL | {name: value}).items():
        monkeypatch.setenv(key, value_given)
    refuse_plain(
        database=env.database("DATABASE_URL", None),
        broker=env.redis_url("REDIS_URL", None),
        email_host="mail.example.com",
        email_tls=env.flag("GATEHOUSE_EMAIL_TLS", default=True),
    )


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_a_connection_to_another_host_in_plain_text_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    with pytest.raises(env.ConfigurationError, match=f"^{name} connects to another host without TLS"):
        check(monkeypatch, name, value)


@pytest.mark.parametrize(("name", "value"), ALLOWED)
def test_tls_sockets_and_loopback_are_fine(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    check(monkeypatch, name, value)


@pytest.mark.parametrize("allowed", [False, True])
def test_a_production_process_does_not_start_with_one(tmp_path: Path, *, allowed: bool) -> None:
    settings = LOCAL | {
        "GATEHOUSE_MODE": "production",
        "GATEHOUSE_VAR": str(tmp_path),
        "GATEHOUSE_SECRET_KEY": "a" * 60,
        "GATEHOUSE_SEALED_KEY": "b" * 60,
        "GATEHOUSE_ALLOWED_HOSTS": "gate.example",
        "GATEHOUSE_BASE_URL": "https://gate.example",
        "REDIS_URL": "redis://:word@cache.example.com:6379/0",
        "GATEHOUSE_PLAIN_CONNECTIONS": str(allowed).lower(),
        "PATH": os.environ["PATH"],
    }
    started = subprocess.run(
        [sys.executable, "-c", "import console.settings"],
        cwd=ROOT, env=settings, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (started.returncode == 0) == allowed, started.stderr
    assert allowed or "REDIS_URL connects to another host without TLS" in started.stderr
    assert "word" not in started.stderr
