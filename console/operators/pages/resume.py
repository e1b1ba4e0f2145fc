"""Offers a kept form, filled in, after re-authentication."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from console.operators.kept_form import stored_form
from console.web.access import ViewerRequest
from console.web.render import render_page

KEY: Final = re.compile(r"[0-9a-f-]{16,}|\d*|on", re.IGNORECASE)
"""Fields that people don’t fill in: keys, digests, row counts and checkboxes."""
BUTTONS: Final = frozenset({"do", "decision"})
"""Fields that a button sends: their value is what it does."""
WORDS: Final = {"arn": "ARN", "iam": "IAM", "id": "ID", "mfa": "MFA"}
MAX_FIELDS: Final = 20


@never_cache
@require_GET
def resume(request: ViewerRequest) -> HttpResponse:
    """Show the kept form with one button; redirect to the overview without one."""
    form = stored_form(request)
    if form is None:
        return redirect("/")
    context = {
        "path": form["path"],
        "fields": form["fields"],
        "entered": entered(form["fields"]),
        "section": "profile",
    }
    return render_page(request, "operators/resume.html", context)


def entered(fields: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return (label, value) of what the person entered or chose, to review it before submitting."""
    pairs = []
    for name, value in fields:
        if name in BUTTONS and value:
            pairs.append(("Action", value.replace("_", " ").capitalize()))
        elif not KEY.fullmatch(value.strip()):
            words = [WORDS.get(word, word) for word in re.split(r"[_-]", name)]
            label = " ".join(words)
            pairs.append((label[:1].upper() + label[1:], value))
    return pairs[:MAX_FIELDS]
