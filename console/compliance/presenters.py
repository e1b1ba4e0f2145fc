"""Frameworks and requirements as pages show them."""

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
"""The words and tone of what Gatehouse itself says."""


@dataclass(frozen=True, slots=True)
class RequirementRow:
    """A row of the table. `before` is the label of the state that it had, where it changed."""

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
    """The framework with this name."""
    return found_or_404(all_frameworks().get(name))


def framework_in(request: ViewerRequest, name: str) -> ControlFramework:
    """The framework with this name, for a viewer whose limits cover it, and the moment of the address."""
    framework = framework_or_404(name)
    limits = request.viewer.limits
    if limits is not None:
        moment = request.at or datetime.now(tz=UTC)
        stay_within(request, is_covered=limits.sees_framework(name) and limits.covers(moment))
    return framework


def end_of_audit(request: ViewerRequest) -> datetime | None:
    """The last moment of an audit whose period is over, for who sees nothing else and names no moment."""
    limits = request.viewer.limits
    if limits is None or request.at is not None or request.signed_in.may(Right.SEE_ACCOUNT):
        return None
    return limits.last_moment(now=datetime.now(tz=UTC))


def to_end_of_audit(request: ViewerRequest) -> HttpResponse | None:
    """The way to that moment; None where the page can be shown."""
    moment = end_of_audit(request)
    if moment is None:
        return None
    query = request.GET.copy()
    query["as-of"] = as_of_text(moment)
    return redirect(f"{request.path}?{query.urlencode()}")


def scope_in(request: ViewerRequest) -> ComplianceScope | None:
    """The scope that the address names; 404 for one that the viewer doesn't see."""
    slug = request.GET.get("scope", "")
    return found_or_404(find_scope(request.viewer, slug)) if slug else None


def results_in(
    request: ViewerRequest, framework: ControlFramework, scope: ComplianceScope | None
) -> ShownResults:
    """The results at the moment that the address names."""
    at: datetime | None = request.at
    if at is None:
        return results_now(request.viewer, framework, scope)
    return results_at(request.viewer, framework, scope, at=at)


def as_of_text(at: datetime | None) -> str:
    """A moment as it stands in an address; "" for now."""
    return f"{at:%Y-%m-%dT%H:%M:%S}" if at else ""


def framework_url(
    framework: ControlFramework, scope: ComplianceScope | None, *, at: datetime | None = None
) -> str:
    """The page of a framework, in a scope, now or at a past moment."""
    query = QueryPairs.from_pairs([("scope", scope.slug if scope else ""), ("as-of", as_of_text(at))])
    return f"{reverse('compliance:framework', args=[framework.name])}{query}".rstrip("?")


def requirement_url(
    framework: ControlFramework, number: str, scope: ComplianceScope | None, *, at: datetime | None = None
) -> str:
    """The page of a requirement, in a scope, now or at a past moment."""
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
    """A requirement with its result, now or at a past moment. `before` is the state that it had; "" where it
    was not judged.
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
    """A state as it stands in an address."""
    return state.replace(" ", "-")
