"""The form of an offboarding: date, how long access can be restored, roles to handle, and reason."""

from __future__ import annotations

from typing import Any, Final

from django.http import QueryDict

from console.web.moments import read_input
from iam.people.offboarding.services import MAX_REASON, OffboardingTerms

GRACE: Final = "30"


def read_terms(data: QueryDict) -> OffboardingTerms:
    """Parse the form; what can’t be read is refused with everything else that is wrong."""
    at, unreadable = None, {}
    if data.get("when") == "later":
        at = read_input(data.get("at", "")[:32])
        if at is None:
            unreadable["at"] = "Enter the day and the time when access ends."
    days = data.get("grace", "").strip()
    if not (days.isdecimal() and len(days) < 5):
        unreadable["grace"] = "Enter a number of days. 0 keeps the IAM users, without access."
        days = GRACE
    return OffboardingTerms(
        reason=data.get("reason", ""),
        leaves_at=at,
        grace_days=int(days),
        roles=_numbers(data.getlist("role")),
        sessions=_numbers(data.getlist("sessions")),
        confirmed=data.get("confirmed") == "1",
        unreadable=unreadable,
    )


def typed_terms(data: QueryDict) -> dict[str, Any]:
    """Return the form's values: as entered, or the defaults."""
    return {
        "when": data.get("when", "now"),
        "at_typed": data.get("at", "")[:32],
        "grace_hint": (
            "Until the IAM users are deleted, a restore can be requested. 0 keeps them, without access."
        ),
        "grace": data.get("grace", GRACE)[:4],
        "reason": data.get("reason", "")[:MAX_REASON],
        "roles_chosen": set(_numbers(data.getlist("role"))),
        "sessions_chosen": set(_numbers(data.getlist("sessions"))),
        "confirmed": data.get("confirmed") == "1",
    }


def _numbers(texts: list[str]) -> tuple[int, ...]:
    return tuple(sorted({int(text) for text in texts[:200] if text.isdecimal() and len(text) < 18}))
