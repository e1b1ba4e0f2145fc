"""Choices in the address of a page, such as a tab, a filter or a date. One that means nothing is left out,
and the page says so: a list that shows more than its address asks for would be read wrongly. A file has no
place to say it, so its address leads to the page.
"""

from __future__ import annotations

from collections.abc import Container
from datetime import datetime
from typing import Any, Final

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from console.web.moments import read_day_start

MAX_SHOWN: Final = 60
"""How many characters of a value a message repeats."""
CHOICE: Final = "a choice"
DATE: Final = "a date"
REVERSED: Final = "The last day must not be before the first."
TICKED: Final = "1"
"""The value of a checkbox in an address."""


def choice(
    request: HttpRequest, name: str, offered: Container[str], *, default: str = "", label: str = ""
) -> str:
    """Return the value of a parameter if it is offered, else the default. An empty value is the default.

    `label` is what the page calls the parameter.
    """
    value = request.GET.get(name, "")
    if not value:
        return default
    if value not in offered:
        leave_out(request, name, label=label)
        return default
    return value


def is_ticked(request: HttpRequest, name: str, *, label: str = "") -> bool:
    """Return whether a checkbox is ticked in the address."""
    return choice(request, name, (TICKED,), label=label) == TICKED


def day_start(request: HttpRequest, name: str, *, later: int = 0, label: str = "") -> datetime | None:
    """Return the start of a day in the address, or of `later` days after it, in UTC; None without one."""
    text = request.GET.get(name, "")
    moment = read_day_start(text, later=later)
    if text and moment is None:
        leave_out(request, name, label=label, sort=DATE)
    return moment


def order_problem(first: Any, last: Any) -> str:
    """Return what is wrong with two days of which either can be missing; "" if nothing is."""
    return REVERSED if first and last and last < first else ""


def leave_out(
    request: HttpRequest, name: str, *, label: str = "", sort: str = CHOICE, value: str | None = None
) -> None:
    """Have the page say that the value of this parameter means nothing and was left out.

    `sort` says what the value should have been, and `value` is the wrong one of several.
    """
    if value is None:
        value = request.GET.get(name, "")
    shown = value if len(value) <= MAX_SHOWN else f"{value[:MAX_SHOWN]}…"
    field = f"“{label}” on this page" if label else f"“{name}” in this page’s address"
    problem = f"“{shown}” isn’t {sort} for {field}. It was left out."
    known = problems_of(request)
    if problem not in known:
        known.append(problem)


def leave_out_invalid(request: HttpRequest, form: forms.Form) -> None:
    """Have the page say which fields of a form of filters were left out because they are invalid."""
    for name in form.errors:
        leave_out(request, name, sort=_sort_of(form.fields[name]))


def _sort_of(field: Any) -> str:
    if isinstance(field, forms.DateField):
        return DATE
    length = getattr(field, "max_length", None)
    return f"a text of up to {length} characters" if length else CHOICE


def problems_of(request: HttpRequest) -> list[str]:
    """Return the messages about the address so far."""
    problems: list[str] = vars(request).setdefault("address_problems", [])
    return problems


def to_page_with_problems(request: HttpRequest, page: str) -> HttpResponse | None:
    """Return a redirect from a file to the page at this address, which says what is wrong with the choices.

    None if nothing is wrong.
    """
    return redirect(f"{page}?{request.GET.urlencode()}") if problems_of(request) else None
