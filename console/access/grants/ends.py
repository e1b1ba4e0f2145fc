"""The choice until when, as a form shows it: presets, a date in UTC, or never."""

from __future__ import annotations

from typing import Any, Final

from django.http import QueryDict

from iam.access.drafts.terms import DATE, LASTS, NEVER, Ends

SHORT: Final = {"1h": "1 h", "8h": "8 h", "1d": "1 day", "7d": "7 days", "30d": "30 days", "90d": "90 days"}
DEFAULT: Final = "8h"


def read_ends(post: QueryDict) -> Ends:
    """What was chosen; nonsense is nothing chosen. A date that was written counts as chosen, whatever the presets say."""
    choice, until = post.get("ends", ""), post.get("until", "").strip()[:40]
    if choice not in {*LASTS, DATE, NEVER}:
        choice = ""
    return Ends(DATE if until and choice in ("", DATE) else choice, until)


def ends_choices(ends: Ends, *, with_never: bool = True) -> list[dict[str, Any]]:
    """The presets, the date, and never, with what is chosen."""
    choices = [*SHORT.items(), (DATE, "A date")] + ([(NEVER, "No end")] if with_never else [])
    return [{"value": value, "label": label, "is_chosen": value == ends.choice} for value, label in choices]
