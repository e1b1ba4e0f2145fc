"""The cookies that a page's script also writes: the theme and the time zone of this browser."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.http import HttpResponse

YEAR: Final = 365 * 24 * 3600


def name_of(cookie: str) -> str:
    """The name under which the browser sends it: in production only over HTTPS, and only by this host."""
    return f"{settings.COOKIE_PREFIX}{cookie}"


def keep(response: HttpResponse, cookie: str, value: str) -> None:
    """Have the browser keep a value for a year, or forget it where the value is empty."""
    is_secure = bool(settings.COOKIE_PREFIX)
    age = YEAR if value else 0
    response.set_cookie(name_of(cookie), value, max_age=age, secure=is_secure, samesite="Lax")
