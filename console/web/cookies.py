"""Cookies that scripts also write: the theme and the time zone of this browser."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.http import HttpResponse

YEAR: Final = 365 * 24 * 3600


def name_of(cookie: str) -> str:
    """Return the cookie's name in the browser; in production a prefix limits it to HTTPS and to this host."""
    return f"{settings.COOKIE_PREFIX}{cookie}"


def keep(response: HttpResponse, cookie: str, value: str) -> None:
    """Set the cookie for a year, or delete it if the value is empty."""
    is_secure = bool(settings.COOKIE_PREFIX)
    age = YEAR if value else 0
    response.set_cookie(name_of(cookie), value, max_age=age, secure=is_secure, samesite="Lax")
