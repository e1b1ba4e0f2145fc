"""Runs what a person requested and reports the result in a message."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages

from console.web.access import ViewerRequest
from iam.directory.rules import DirectoryRuleError


def attempt(request: ViewerRequest, act: Callable[[], object], *, done: str) -> None:
    """Call `act` and show `done`, or show the error message if it breaks a directory rule."""
    try:
        act()
    except DirectoryRuleError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, done)
