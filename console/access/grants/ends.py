"""The choice of an end in a form: presets, a date in the reader's time zone, or permanent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.http import QueryDict

from console.web.moments import input_text, read_input
from iam.access.drafts.terms import DATE, LASTS, NEVER, DraftEnds
from iam.access.grants.terms import check_end

SHORT: Final = {
    "1h": "1 hour",
    "8h": "8 hours",
    "1d": "1 day",
    "7d": "7 days",
    "30d": "30 days",
    "90d": "90 days",
}
DEFAULT: Final = "8h"


def read_ends(post: QueryDict) -> DraftEnds:
    """Parse the chosen end; an invalid choice counts as none, and an entered date takes precedence over no
    choice.
    """
    choice, text = post.get("ends", ""), post.get("until", "").strip()[:40]
    if choice not in {*LASTS, DATE, NEVER}:
        choice = ""
    moment = read_input(text)
    # Invalid input is kept as entered.
    until = moment.isoformat() if moment else text
    kept_choice = DATE if until and choice in ("", DATE) else choice
    return DraftEnds(kept_choice, until)


def check_ends(ends: DraftEnds) -> None:
    """Raise TermsError if no end is chosen, or one that is past, too near or too far."""
    chosen = ends.fields()
    check_end(chosen.get("until"), chosen.get("lasts", 0), now=datetime.now(tz=UTC))


def until_text(ends: DraftEnds) -> str:
    """Return the date as the value of its field, in the reader's time zone; invalid input is returned
    unchanged.
    """
    try:
        moment = datetime.fromisoformat(ends.until)
        with_zone = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return input_text(with_zone)
    except (ValueError, OverflowError):
        return ends.until


def ends_choices(
    ends: DraftEnds, *, with_never: bool = True, at_most: timedelta | None = None
) -> list[dict[str, Any]]:
    """Return the choices: presets shorter than `at_most`, date, and permanent; each says whether it is
    chosen.
    """
    choices = []
    for value, label in SHORT.items():
        if at_most is None or LASTS[value][1] < at_most:
            choices.append((value, label))
    choices.append((DATE, "Date"))
    if with_never:
        choices.append((NEVER, "Permanent"))
    return [{"value": value, "label": label, "is_chosen": value == ends.choice} for value, label in choices]
