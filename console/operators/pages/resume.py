"""After somebody has confirmed who they are: the form that they had sent, filled in, to send it now."""

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
"""Values that a form brings along and nobody types: keys, digests, numbers of rows, ticked boxes."""
WORDS: Final = {"arn": "ARN", "iam": "IAM", "id": "ID", "mfa": "MFA"}
MAX_FIELDS: Final = 20


@never_cache
@require_GET
def resume(request: ViewerRequest) -> HttpResponse:
    """The form that was kept, with one button; without one, the overview."""
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
    """(label, value) of what a person has typed or chosen, to read it before it is submitted."""
    pairs = []
    for name, value in fields:
        if not KEY.fullmatch(value.strip()):
            words = [WORDS.get(word, word) for word in re.split(r"[_-]", name)]
            label = " ".join(words)
            pairs.append((label[:1].upper() + label[1:], value))
    return pairs[:MAX_FIELDS]
