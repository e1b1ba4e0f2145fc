"""An installation as the guide makes it: without the history, the tests and the stand-in for AWS."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.console.test_plain_connections import LOCAL

ROOT = Path(__file__).resolve().parent.parent
LOADS = (
    "import django; django.setup(); import console.celery as c; c.app.loader.import_default_modules(); "
    "import console.urls, sys; "
)
LOADS += (
    "assert not [m for m in sys.modules if m.startswith(('console.demo', 'tests', 'moto'))]; "
    "print(len(c.app.tasks))"
)


@pytest.fixture
def trimmed(tmp_path: Path) -> Path:
    """The files that the command of the guide leaves."""
    guide = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    left_out = re.search(r"git -C source archive --prefix gatehouse/ HEAD -- (.*?) \|", guide)
    assert left_out
    names = re.findall(r"':!([\w/]+)'", left_out[1])
    assert names == ["console/demo", "tests"]
    place = tmp_path / "gatehouse"
    for part in ("console", "iam", "templates", "static"):
        shutil.copytree(ROOT / part, place / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "manage.py", place)
    for name in names:
        shutil.rmtree(place / name, ignore_errors=True)
    return place


def run(place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    settings = LOCAL | {
        "GATEHOUSE_MODE": "production",
        "GATEHOUSE_VAR": str(place.parent),
        "GATEHOUSE_SECRET_KEY": "abcdefghijklm" * 5,
        "GATEHOUSE_SEALED_KEY": "nopqrstuvwxyz" * 5,
        "GATEHOUSE_ALLOWED_HOSTS": "gate.example",
        "GATEHOUSE_BASE_URL": "https://gate.example",
        "DJANGO_SETTINGS_MODULE": "console.settings",
        "PYTHONPATH": str(place),
        "PATH": os.environ["PATH"],
    }
    return subprocess.run(
        [sys.executable, *words], cwd=place, env=settings, capture_output=True, text=True, check=False
    )


def test_every_process_loads_without_them(trimmed: Path) -> None:
    loaded = run(trimmed, "-c", LOADS)
    assert loaded.returncode == 0, loaded.stderr
    assert int(loaded.stdout) > 20


def test_the_check_is_content_with_it_and_warns_of_a_clone(trimmed: Path) -> None:
    assert "gatehouse.W001" not in run(trimmed, "manage.py", "check", "--deploy", "--tag", "security").stderr
    for name in (".git", "console/demo", "tests"):
        (trimmed / name).mkdir()
    warned = run(trimmed, "manage.py", "check", "--deploy", "--tag", "security", "--fail-level", "WARNING")
    assert warned.returncode != 0
    assert "Production doesn’t need .git, console/demo, tests." in warned.stderr
