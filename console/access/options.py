"""Parses options of the commands about access; errors name the option."""

from __future__ import annotations

from datetime import UTC, datetime

from django.core.management.base import CommandError
from django.http import QueryDict

from console.access.circumstances import RequestCircumstances, circumstances_of
from console.access.forms.resource import owner_problem
from console.web.middleware import parse_moment


def moment_given(text: str) -> datetime | None:
    """Parse `--as-of`; None means now. Raises CommandError."""
    if not text:
        return None
    moment = parse_moment(text)
    if moment is None:
        raise CommandError(
            f"--as-of: “{text[:80]}” isn’t a time. Enter one such as 2026-11-24T14:05, in UTC."
        )
    if moment > datetime.now(tz=UTC):
        raise CommandError("--as-of: This time is in the future. Enter a past time.")
    return moment


def circumstances_given(settings: list[str], *, action: str) -> RequestCircumstances:
    """Parse repeated `--context KEY=VALUE`. Raises CommandError."""
    query = QueryDict(mutable=True)
    query.setlist("ctx", settings)
    circumstances = circumstances_of(query, action=action)
    if circumstances.errors:
        raise CommandError(f"--context: {' '.join(circumstances.errors.values())}")
    return circumstances


def owner_given(text: str, *, resource: str, option: str) -> str:
    """Return the account of the resource; "" if it isn’t given. Raises CommandError."""
    if problem := owner_problem(text, resource=resource):
        raise CommandError(f"{option}: {problem}")
    return text
