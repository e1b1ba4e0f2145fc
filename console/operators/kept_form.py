"""Keeps a form that was sent without recent authentication or after the session ended, and offers it again
afterwards.
"""

from __future__ import annotations

import time
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware

KEPT: Final = "kept_form"
FOR_SECONDS: Final = 15 * 60
MAX_LENGTH: Final = 64_000
"""Maximum number of characters; larger forms aren’t kept."""
LARGEST_BODY: Final = 8 * MAX_LENGTH
"""Maximum number of bytes of the encoded form."""
SECRETS: Final = ("password", "secret", "sealed", "code", "token", "passphrase", "private")
"""Forms with a field whose name contains one of these words are never kept, so that no session holds
secrets.
"""


def keep(request: HttpRequest) -> bool:
    """Keep the posted form; return False if it contains a secret or a file, or is too large."""
    form = posted(request)
    if form is not None:
        request.session[KEPT] = form
    return form is not None


def posted(request: HttpRequest) -> dict[str, Any] | None:
    """Return the posted form as it is stored in the session; None if it can’t be kept."""
    fields: list[tuple[str, Any]] = []
    for name, values in request.POST.lists():
        if name != "csrfmiddlewaretoken":
            fields.extend((name, value) for value in values)
    has_secret = any(_names_secret(name) for name, _ in fields)
    size = sum(len(name) + len(str(value)) for name, value in fields)
    if has_secret or request.FILES or size > MAX_LENGTH:
        return None
    return {
        "path": request.get_full_path(),
        "fields": fields,
        "person": str(request.user.pk),
        "at": time.time(),
    }


def _names_secret(field: str) -> bool:
    lowered = field.lower()
    return any(word in lowered for word in SECRETS)


def posted_too_late(request: HttpRequest) -> dict[str, Any] | None:
    """Return a form that was posted after the session ended; None for anything but a form of our own pages.

    No view has checked the CSRF token yet, so it is checked here: no other site can leave a form for the
    person to submit. A body that is too large isn’t read.
    """
    length = request.META.get("CONTENT_LENGTH") or "0"
    is_form = request.content_type == "application/x-www-form-urlencoded"
    if request.method != "POST" or not is_form or not length.isdecimal() or int(length) > LARGEST_BODY:
        return None
    if CsrfViewMiddleware(_no_answer).process_view(request, _no_answer, (), {}) is not None:
        return None
    return posted(request)


def _no_answer(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


def stored_form(request: HttpRequest) -> dict[str, Any] | None:
    """Return the form kept for this person while it is fresh, else None."""
    kept_fields: dict[str, Any] | None = request.session.get(KEPT)
    if kept_fields is None:
        return None
    if kept_fields["person"] != str(request.user.pk) or time.time() - kept_fields["at"] > FOR_SECONDS:
        del request.session[KEPT]
        return None
    return kept_fields
