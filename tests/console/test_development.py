"""What only those need who work on Gatehouse is loaded in development alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE_S

ROOT = Path(__file__).resolve().parent.parent.parent
CODE = """
import json, os, django
os.environ["DJANGO_SETTINGS_MODULE"] = "console.settings"
django.setup()
from django.conf import settings
from django.urls import resolve, Resolver404
def finds(path):
    try: return bool(resolve(path))
    except Resolver404: return False
loaded = [name for name in [*settings.INSTALLED_APPS, *settings.MIDDLEWARE] if "debug_toolbar" in name]
print(json.dumps([settings.DEVELOPMENT, loaded, finds("/__debug__/render_panel/"), finds("/healthz")]))
"""
PRODUCTION = {
    "GATEHOUSE_MODE": "production",
    "GATEHOUSE_SECRET_KEY": "only-for-this-test-only-for-this-test-only-for-this-test-x9",
    "GATEHOUSE_SEALED_KEY": "for-what-is-sealed-only-for-what-is-sealed-only-for-that-y4",
    "GATEHOUSE_ALLOWED_HOSTS": "gatehouse.example.com",
    "GATEHOUSE_BASE_URL": "https://gatehouse.example.com",
    "DATABASE_URL": "sqlite:///:memory:",
    "REDIS_URL": "redis://127.0.0.1:1/0",
}
TOOLBAR = ["debug_toolbar", "debug_toolbar.middleware.DebugToolbarMiddleware"]


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        (PRODUCTION, [False, [], False, True]),
        (PRODUCTION | {"GATEHOUSE_DEBUG": "true"}, [False, [], False, True]),
        ({}, [False, [], False, True]),
        ({"GATEHOUSE_DEBUG": "true"}, [True, TOOLBAR, True, True]),
    ],
    ids=["production", "production with debug pages", "embedded", "development"],
)
def test_the_debug_toolbar_is_loaded_in_development_only(
    variables: dict[str, str], expected: list[object], tmp_path: Path
) -> None:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    ended = subprocess.run(
        [sys.executable, "-c", CODE],
        cwd=ROOT,
        env=kept | {"GATEHOUSE_VAR": str(tmp_path)} | variables,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert ended.returncode == 0, ended.stderr[-500:]
    assert json.loads(ended.stdout) == expected


def test_the_toolbar_is_locked_for_development_alone() -> None:
    locks = {name: (ROOT / ".requirements" / f"{name}.txt").read_text() for name in ("run", "dev")}
    assert "django-debug-toolbar==" in locks["dev"]
    assert "django-debug-toolbar" not in locks["run"]
