"""What the environment may say, and the sentence that names the variable when it says something else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from console import env
from tests.patience import PATIENCE_S

WRONG = [
    (lambda: env.text("X", why="Write a word."), None, "X is not set. Write a word."),
    (lambda: env.flag("X", default=True), "maybe", "X is 'maybe': write true or false."),
    (lambda: env.number("X", 3), "soon", "X is 'soon': write a whole number."),
    (lambda: env.number("X", 3, low=1, high=9), "10", "X is 10: it must be between 1 and 9."),
    (lambda: env.word_list("X", None), None, "X is not set."),
    (lambda: env.choice("X", "a", ("a", "b")), "c", "X is 'c': it must be one of a, b."),
    (lambda: env.redis_url("X", None), None, "X is not set. Write the address of Redis"),
    (lambda: env.redis_url("X", None), "http://redis", "X starts with 'http': write redis://"),
    (lambda: env.redis_url("X", None), "filesystem://", "X starts with 'filesystem': write redis://"),
    (lambda: env.redis_url("X", None), "redis:///0", "X names no host"),
    (lambda: env.database("X", None), None, "X is not set. Write the address of PostgreSQL"),
    (lambda: env.database("X", None), "mysql://db/x", "X starts with 'mysql': write postgres://"),
    (lambda: env.database("X", None), "postgres://db", "X names no database"),
    (
        lambda: env.database("X", None),
        "postgres://db:port/x",
        "X has an invalid port: use a number from 1 to 65535.",
    ),
]


@pytest.mark.parametrize(("read", "value", "sentence"), WRONG, ids=[row[2] for row in WRONG])
def test_a_wrong_value_is_told_with_its_name(
    read: object, value: str | None, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("X", raising=False)
    if value is not None:
        monkeypatch.setenv("X", value)
    assert callable(read)
    with pytest.raises(env.ConfigurationError) as wrong:
        read()
    assert str(wrong.value).startswith(sentence)


def test_a_secret_comes_from_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "secret"
    file.write_text("s3cret\n")
    monkeypatch.setenv("X_FILE", str(file))
    assert env.text("X") == "s3cret"


@pytest.mark.parametrize(
    ("content", "also", "sentence"),
    [
        ("", "", "X_FILE points to .* which is empty."),
        (None, "", "X_FILE points to .* which can’t be read: No such file"),
        ("a", "b", "Both X and X_FILE are set: keep one of them."),
    ],
)
def test_a_file_that_will_not_do_is_told(
    content: str | None, also: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_text(content)
    monkeypatch.setenv("X_FILE", str(file))
    monkeypatch.setenv("X", also)
    with pytest.raises(env.ConfigurationError, match=sentence):
        env.text("X")


@pytest.mark.parametrize(
    ("address", "seconds"), [("sqlite:///gatehouse.sqlite3", 3600), ("postgres://db/gatehouse", 60)]
)
def test_a_connection_is_kept_for_the_next_request(address: str, seconds: int) -> None:
    assert env.database("UNSET", address)["CONN_MAX_AGE"] == seconds


def test_a_folder_is_a_broker_only_where_it_is_allowed() -> None:
    assert env.redis_url("UNSET", "filesystem://", or_folder=True) == "filesystem://"


@pytest.mark.parametrize(
    ("text_given", "used"),
    [
        ("redis://h:6379/0", "redis://h:6379/0"),
        ("rediss://:p@h:6379/0", "rediss://:p@h:6379/0?ssl_cert_reqs=required"),
        ("rediss://h/0?ssl_ca_certs=ca", "rediss://h/0?ssl_ca_certs=ca&ssl_cert_reqs=required"),
        ("rediss://h/0?ssl_cert_reqs=none", "rediss://h/0?ssl_cert_reqs=none"),
    ],
)
def test_a_certificate_of_redis_is_verified_unless_somebody_says_otherwise(
    text_given: str, used: str
) -> None:
    assert env.redis_url("UNSET", text_given) == used


def test_the_cache_finds_the_same_redis_behind_a_socket() -> None:
    assert env.cache_url("redis://h/0") == "redis://h/0"
    assert env.cache_url("redis+socket://:p@/run/r.sock?virtual_host=3") == "unix://:p@/run/r.sock?db=3"


def test_a_secret_of_the_embedded_default_is_made_once_and_kept_from_others(tmp_path: Path) -> None:
    path = tmp_path / "sealed_key"
    made = env.kept_secret(path)

    assert env.kept_secret(path) == made
    assert len(made) >= 50
    assert path.stat().st_mode & 0o077 == 0
    assert list(tmp_path.iterdir()) == [path]


def test_the_certificate_of_postgresql_is_verified_as_the_address_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    where = "postgres://app:word@db.example.com:5432/gatehouse?sslmode=verify-full&sslrootcert=/etc/ca.pem"
    monkeypatch.setenv("X", where)
    options = env.database("X", None)["OPTIONS"]
    assert options == {"sslmode": "verify-full", "sslrootcert": "/etc/ca.pem", "prepare_threshold": 5}


@pytest.mark.parametrize(("written", "after"), [("0", 0), ("20", 20), ("off", None)])
def test_an_address_says_after_how_many_runs_a_statement_is_prepared(written: str, after: int | None) -> None:
    options = env.database("UNSET", f"postgres://db/gatehouse?prepare_threshold={written}")["OPTIONS"]
    assert options == {"prepare_threshold": after}


def test_processes_that_begin_at_once_have_one_secret_key(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from console import settings; print(settings.SECRET_KEY)"]
    variables = os.environ | {"GATEHOUSE_MODE": "embedded", "GATEHOUSE_VAR": str(tmp_path)}
    variables.pop("GATEHOUSE_SECRET_KEY", None)
    begun = [subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    keys = {process.communicate(timeout=PATIENCE_S)[0].strip() for process in begun}
    assert keys == {(tmp_path / "secret_key").read_text(encoding="utf-8")}
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600
