"""A page that loads one module of the script, alone with what it imports, and htmx."""

from __future__ import annotations

import json
import mimetypes
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import django_htmx
import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, Route

HOST = "http://localhost:9"
HTMX = Path(django_htmx.__file__).parent / "static" / "django_htmx" / "htmx-2.min.js"


def htmx_settings() -> str:
    """What every page tells htmx, as it stands there: when it takes charge of a form, among others."""
    base = (settings.BASE_DIR / "templates" / "base.html").read_text(encoding="utf-8")
    found = re.search(r'<meta name="htmx-config".*?>', base, re.DOTALL)
    assert found is not None
    return found.group()


@dataclass(slots=True)
class Stage:
    """A page without a server: it answers with `answers`, by their path."""

    page: Page
    answers: dict[str, str] = field(default_factory=dict)
    status: dict[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def open(self, module: str, body: str, *, root: str = "", at: str = "/") -> Page:
        """Open a page with this body whose one script of ours is the module."""
        path = at.partition("?")[0].partition("#")[0]
        self.answers[path] = (
            f'<!DOCTYPE html><html lang="en" {root}><head><title>Trial</title>{htmx_settings()}'
            '<script src="/static/htmx.js" defer></script>'
            f'<script src="/static/js/{module}.js" type="module"></script></head><body>{body}</body></html>'
        )
        self.page.goto(at)
        return self.page

    def answer(self, route: Route) -> None:
        """What the server would say."""
        address = route.request.url.removeprefix(HOST)
        path = address.partition("?")[0]
        if path.startswith("/static/"):
            file = HTMX if path == "/static/htmx.js" else settings.BASE_DIR / path.removeprefix("/")
            route.fulfill(path=file, content_type=mimetypes.guess_type(path)[0] or "")
            return
        self.asked.append(address)
        body = self.answers.get(path, "")
        route.fulfill(body=body, status=self.status.get(path, 200), content_type="text/html; charset=utf-8")

    def tell(self, name: str, detail: dict[str, Any]) -> None:
        """An event on the document, as htmx makes one of a header of an answer."""
        script = f"(d) => document.dispatchEvent(new CustomEvent({json.dumps(name)}, {{detail: d}}))"
        self.page.evaluate(script, detail)


@pytest.fixture
def stage(browser: Browser) -> Iterator[Stage]:
    """No script may fail on it."""
    problems: list[str] = []
    context = browser.new_context(base_url=HOST, permissions=["clipboard-read", "clipboard-write"])
    made = Stage(context.new_page())
    made.page.on("pageerror", lambda error: problems.append(str(error)))
    made.page.route("**/*", lambda route: made.answer(route))
    yield made
    context.close()
    assert problems == []
