"""Summaries of pulls for commands and pages."""

from __future__ import annotations

from typing import Any

from iam.mirror.models import Pull
from iam.mirror.pull.sections import DETAIL_LANE, ORGANIZATION


def summary_of(pull: Pull) -> dict[str, Any]:
    """Return the result of a pull as plain data: state, seconds, calls by lane, rows, and each section. Calls
    for the organization are counted separately, because they grow with its units.
    """
    sections = list(pull.sections.order_by("id"))
    detail = sum(section.calls for section in sections if section.name in DETAIL_LANE)
    tree = sum(section.calls for section in sections if section.name == ORGANIZATION)
    return {
        "pull": str(pull.pk),
        "account": pull.account.account_id,
        "name": pull.account.name,
        "state": pull.state,
        "message": pull.message,
        "seconds": round(pull.seconds or 0.0, 3),
        "calls": {
            "all": pull.calls,
            "fast": pull.calls - detail - tree,
            "organization": tree,
            "detail": detail,
        },
        "waits": pull.waits,
        "added": pull.added,
        "changed": pull.changed,
        "ended": pull.ended,
        "sections": {
            section.name: {
                "state": section.state,
                "count": section.count,
                "calls": section.calls,
                "added": section.added,
                "changed": section.changed,
                "ended": section.ended,
                "observed_at": section.observed_at.isoformat() if section.observed_at else None,
                "message": section.message,
            }
            for section in sections
        },
    }
