"""Presents frameworks and requirements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from console.web.access import ViewerRequest, found_or_404, stay_within
from console.web.query import QueryPairs
from iam.audit.frameworks.definitions import ControlFramework, FrameworkRequirement, all_frameworks
from iam.audit.frameworks.models import ComplianceScope
from iam.audit.frameworks.queries import ShownResults, find_scope, results_at, results_now
from iam.audit.frameworks.terms import STATE_LABELS, AutomaticVerdict, RequirementState
from iam.guard import Right

TONES: Final[Mapping[str, str]] = {
    RequirementState.FAILED: "bad",
    RequirementState.PERSON: "warn",
    RequirementState.PASSED: "ok",
    RequirementState.NOT_APPLICABLE: "",
}
VERDICTS: Final[Mapping[str, tuple[str, str]]] = {
    AutomaticVerdict.FAILED: ("Failed", "bad"),
    AutomaticVerdict.UNKNOWN: ("Unknown", "warn"),
    AutomaticVerdict.PERSON: ("Needs a person", "warn"),
    AutomaticVerdict.PASSED: ("Passed", "ok"),
}
"""Labels and tones of Gatehouse's own verdicts."""


@dataclass(frozen=True, slots=True)
class RequirementRow:
    """A row of the table; `before` is the label of the former state, if it changed."""

    requirement: FrameworkRequirement
    state: str
    label: str
    tone: str
    reason: str
    url: str
    problems: int
    is_excepted: bool
    is_attested: bool
    is_waiting: bool
    before: str = ""


def framework_or_404(name: str) -> ControlFramework:
    """Return the framework with this name. Raises Http404."""
    return found_or_404(all_frameworks().get(name))


def framework_in(request: ViewerRequest, name: str) -> ControlFramework:
    """Return the framework for the address's moment. Raises Http404 if the viewer's limits don’t cover it."""
    framework = framework_or_404(name)
    limits = request.viewer.limits
    if limits is not None:
        moment = request.at or datetime.now(tz=UTC)
        stay_within(request, is_covered=limits.sees_framework(name) and limits.covers(moment))
    return framework


def end_of_audit(request: ViewerRequest) -> datetime | None:
    """Return the end of a past audit period, for auditors who see nothing else and gave no moment."""
    limits = request.viewer.limits
    if limits is None or request.at is not None or request.signed_in.may(Right.SEE_ACCOUNT):
        return None
    return limits.last_moment(now=datetime.now(tz=UTC))


def to_end_of_audit(request: ViewerRequest) -> HttpResponse | None:
    """Return a redirect to that moment; None if the page can be shown."""
    moment = end_of_audit(request)
    if moment is None:
        return None
    query = request.GET.copy()
    query["as-of"] = as_of_text(moment)
    return redirect(f"{request.path}?{query.urlencode()}")


def scope_in(request: ViewerRequest) -> ComplianceScope | None:
    """Return the scope in the address. Raises Http404 if the viewer doesn’t see it."""
    slug = request.GET.get("scope", "")
    return found_or_404(find_scope(request.viewer, slug)) if slug else None


def results_in(
    request: ViewerRequest, framework: ControlFramework, scope: ComplianceScope | None
) -> ShownResults:
    """Return the results at the address's moment."""
    at: datetime | None = request.at
    if at is None:
        return results_now(request.viewer, framework, scope)
    return results_at(request.viewer, framework, scope, at=at)


def as_of_text(at: datetime | None) -> str:
    """Format a moment for an address; "" for now."""
    return f"{at:%Y-%m-%dT%H:%M:%S}" if at else ""


def framework_url(
    framework: ControlFramework, scope: ComplianceScope | None, *, at: datetime | None = None
) -> str:
    """Return the address of a framework's page, in a scope, now or at a past moment."""
    query = QueryPairs.from_pairs([("scope", scope.slug if scope else ""), ("as-of", as_of_text(at))])
    return f"{reverse('compliance:framework', args=[framework.name])}{query}".rstrip("?")


def requirement_url(
    framework: ControlFramework, number: str, scope: ComplianceScope | None, *, at: datetime | None = None
) -> str:
    """Return the address of a requirement's page, in a scope, now or at a past moment."""
    query = QueryPairs.from_pairs([("scope", scope.slug if scope else ""), ("as-of", as_of_text(at))])
    return f"{reverse('compliance:requirement', args=[framework.name, number])}{query}".rstrip("?")


def row_of(
    framework: ControlFramework,
    requirement: FrameworkRequirement,
    scope: ComplianceScope | None,
    result: Mapping[str, Any],
    *,
    is_waiting: bool = False,
    before: str | None = None,
    at: datetime | None = None,
) -> RequirementRow:
    """Return the row of a requirement with its result.

    `before` is its former state; "" if it was not judged.
    """
    state = str(result["state"])
    changed = ""
    if before is not None and before != state:
        changed = STATE_LABELS.get(before, "Not judged")
    return RequirementRow(
        requirement,
        state,
        STATE_LABELS[state],
        TONES[RequirementState(state)],
        str(result["reason"]),
        requirement_url(framework, requirement.number, scope, at=at),
        int(result["problems"]),
        is_excepted=result["exception"] is not None,
        is_attested=result["attestation"] is not None,
        is_waiting=is_waiting,
        before=changed,
    )


def state_word(state: str) -> str:
    """Return the name of a state in addresses."""
    return state.replace(" ", "-")
