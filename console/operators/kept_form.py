"""A form that was sent when the sign-in was no longer fresh, or had ended: kept while its person confirms who
they are or signs in, and offered again filled in.
"""

from __future__ import annotations

import time
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware

KEPT: Final = "kept_form"
FOR_SECONDS: Final = 15 * 60
MAX_LENGTH: Final = 64_000
"""Characters; a larger form is not kept."""
LARGEST_BODY: Final = 8 * MAX_LENGTH
"""Bytes of an encoded form with so many characters."""
SECRETS: Final = ("password", "secret", "sealed", "code", "token", "passphrase", "private")
"""A form with a field whose name has one of these words is never kept: a secret is in no session."""


def keep(request: HttpRequest) -> bool:
    """Keep what was posted; False where it cannot be: it has a secret, a file, or is too large."""
    form = posted(request)
    if form is not None:
        request.session[KEPT] = form
    return form is not None


def posted(request: HttpRequest) -> dict[str, Any] | None:
    """What was posted, as it is kept for the person who did; None where it cannot be kept."""
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
    """What somebody posted whose session has ended meanwhile; None for anything but a form of our own pages.

    No view has checked the token of the form yet, so it is checked here: nobody else can leave a form behind
    for them to send. A body that is too large isn't read.
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
    """The form that was kept for this person, as long as it is fresh; None for none."""
    kept_fields: dict[str, Any] | None = request.session.get(KEPT)
    if kept_fields is None:
        return None
    if kept_fields["person"] != str(request.user.pk) or time.time() - kept_fields["at"] > FOR_SECONDS:
        del request.session[KEPT]
        return None
    return kept_fields
