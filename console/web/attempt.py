"""Do what somebody asked for, and say in a message what came of it."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages

from console.web.access import ViewerRequest
from iam.directory.rules import DirectoryRuleError


def attempt(request: ViewerRequest, act: Callable[[], object], *, done: str) -> None:
    """Do it and say so, or say which rule forbids it."""
    try:
        act()
    except DirectoryRuleError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, done)
