"""The daily tidying of what sign-in leaves behind."""

from __future__ import annotations

from importlib import import_module

from allauth.usersessions.models import UserSession
from celery import shared_task
from django.conf import settings
from django.contrib.sessions.models import Session

from console.operators import locks


@shared_task(name="console.operators.tasks.tidy_sign_ins")  # type: ignore[untyped-decorator]
def tidy_sign_ins() -> None:
    """Remove sessions that have ended, what is known of them, and failures that count no more."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    UserSession.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()
    locks.forget_old()
