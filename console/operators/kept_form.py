"""A form that was sent when the sign-in was no longer fresh: kept while its person confirms who they are, and offered again filled in."""

from __future__ import annotations

import time
from typing import Any, Final

from django.http import HttpRequest

KEPT: Final = "kept_form"
FOR_SECONDS: Final = 15 * 60
MOST: Final = 64_000
"""Characters; a larger form is not kept."""
SECRETS: Final = ("password", "secret", "sealed", "code", "token", "passphrase", "private")
"""A form with a field whose name has one of these words is never kept: a secret is in no session."""


def keep(request: HttpRequest) -> bool:
    """Keep what was posted; False where it cannot be: it has a secret, a file, or is too large."""
    fields = [
        (name, value)
        for name, values in request.POST.lists()
        for value in values
        if name != "csrfmiddlewaretoken"
    ]
    has_secret = any(word in name.lower() for name, _ in fields for word in SECRETS)
    size = sum(len(name) + len(str(value)) for name, value in fields)
    if has_secret or request.FILES or size > MOST:
        return False
    request.session[KEPT] = {
        "path": request.get_full_path(),
        "fields": fields,
        "person": str(request.user.pk),
        "at": time.time(),
    }
    return True


def kept(request: HttpRequest) -> dict[str, Any] | None:
    """The form that was kept for this person, as long as it is fresh; None for none."""
    found: dict[str, Any] | None = request.session.get(KEPT)
    if found is None:
        return None
    if found["person"] != str(request.user.pk) or time.time() - found["at"] > FOR_SECONDS:
        del request.session[KEPT]
        return None
    return found
