"""Choices in the address of a page, such as a tab or a filter. One that isn't offered is left out, and the
page says so: a list that shows more than its address asks for would be read wrongly.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Final

from django.http import HttpRequest

MAX_SHOWN: Final = 60
"""How many characters of a value a message repeats."""


def choice(request: HttpRequest, name: str, offered: Container[str], *, default: str = "") -> str:
    """Return the value of a parameter if it is offered, else the default. An empty value is the default."""
    value = request.GET.get(name, "")
    if not value:
        return default
    if value not in offered:
        leave_out(request, name)
        return default
    return value


def leave_out(request: HttpRequest, name: str) -> None:
    """Have the page say that the value of this parameter means nothing and was left out."""
    value = request.GET.get(name, "")
    shown = value if len(value) <= MAX_SHOWN else f"{value[:MAX_SHOWN]}…"
    problem = f"“{shown}” isn’t a choice for “{name}” on this page. It was left out."
    known = problems_of(request)
    if problem not in known:
        known.append(problem)


def problems_of(request: HttpRequest) -> list[str]:
    """Return the messages about the address so far."""
    problems: list[str] = vars(request).setdefault("address_problems", [])
    return problems
