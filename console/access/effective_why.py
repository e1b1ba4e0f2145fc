"""Explains why a person or role can or can’t do an action on a resource, in a drawer or on a page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from console.access.effective_rows import (
    NAMES,
    address,
    moment_suffix,
    plain_description,
    short_name,
    why_address,
)
from console.access.lines import MARKS, conditions
from console.access.stages import stages_of
from console.identities.details.frame import ShownEntity, frame_of, shown_or_404
from console.identities.details.people import SEES
from console.web.access import ViewerRequest, require
from console.web.query import QueryPairs
from console.web.render import render_page
from iam.access.actions import FORM
from iam.access.explain_one import ExplainedDecision, why_of
from iam.access.explanation import DecisionReasons
from iam.access.who_can import WhoCanRow
from iam.guard import Right
from iam.mirror.display_names import names_by_entity
from iam.mirror.models import Kind
from iam.policy.catalogue import catalogue
from iam.policy.evaluate import EvaluationDecision
from iam.policy.explain import ReasonOutcome
from iam.policy.letter_case import fold

MAX_ACTION_LENGTH: Final = 128
MAX_RESOURCE_LENGTH: Final = 2048
SHAPE: Final = "An action has a service, a colon and a name, such as s3:GetObject."
RESOURCE_SHAPE: Final = "Enter an ARN such as arn:aws:s3:::my-bucket/*, or * for any resource."
TITLES: Final = {
    EvaluationDecision.ALLOWED: "Why {name} can do this",
    EvaluationDecision.CONDITIONAL: "Why {name} can do this conditionally",
}
CANNOT: Final = "Why {name} can’t do this"


@dataclass(frozen=True, slots=True)
class WhyQuestion:
    """The action and resource in the address; `problem` is a message if they make no sense."""

    action: str
    resource: str
    problem: str = ""


@require_safe
@require(*SEES)
def person_why(request: ViewerRequest, pk: int) -> HttpResponse:
    """Explain why an IAM user can or can’t do an action."""
    return _why(request, shown_or_404(request, pk, kinds=[Kind.USER]))


@require_safe
@require(Right.SEE_ACCOUNT)
def role_why(request: ViewerRequest, pk: int) -> HttpResponse:
    """Explain why a role can or can’t do an action."""
    return _why(request, shown_or_404(request, pk, kinds=[Kind.ROLE]))


def _read(request: ViewerRequest) -> WhyQuestion:
    action, resource = (
        request.GET.get(name, "").replace("\x00", "").strip()[:longest]
        for name, longest in (("action", MAX_ACTION_LENGTH), ("resource", MAX_RESOURCE_LENGTH))
    )
    if "action" not in request.GET:
        return WhyQuestion("", resource)
    has_wildcard = "*" in action or "?" in action
    if FORM.fullmatch(action) is None or has_wildcard:
        problem = "Enter one action without wildcards." if has_wildcard else SHAPE
        return WhyQuestion(action, resource, problem)
    if resource not in {"", "*"} and not resource.startswith("arn:"):
        return WhyQuestion(action, resource, RESOURCE_SHAPE)
    return WhyQuestion(action, resource)


def _why(request: ViewerRequest, shown: ShownEntity) -> HttpResponse:
    if shown.state is None:
        raise Http404
    wanted = _read(request)
    answer = _ask(shown, wanted) if wanted.action and not wanted.problem else None
    prefix = fold(wanted.action.partition(":")[0])
    context = frame_of(request, shown) | {
        "name": names_by_entity([shown.entity])[shown.entity.pk],
        "wanted": wanted,
        "answer": answer,
        "service": catalogue().title(prefix) if catalogue().has_service(prefix) else prefix,
        "back": address(shown, prefix) if catalogue().has_service(prefix) else address(shown, ""),
        "overview_url": address(shown, ""),
        "then": moment_suffix(shown),
        "this_url": reverse(f"{NAMES[shown.entity.kind]}-why", args=[shown.entity.pk]),
    }
    context["heading"] = "Explain access"
    if answer is not None:
        context |= _explanation_context(request, shown, answer)
        heading = TITLES.get(answer.why.decision, CANNOT)
        context["heading"] = heading.format(name=context["name"])
    status = 422 if wanted.problem else 200
    return render_page(request, "access/effective_why.html", context, partial="drawer", status=status)


def _ask(shown: ShownEntity, wanted: WhyQuestion) -> ExplainedDecision:
    answer = why_of(
        shown.viewer,
        shown.entity.pk,
        account=shown.account_id,
        at=shown.at,
        action=wanted.action,
        resource=wanted.resource,
    )
    if answer is None:
        raise Http404
    return answer


def _depends(why: DecisionReasons) -> list[str]:
    """Return a sentence per statement that the decision depends on, including policies that the viewer can’t
    see.
    """
    known = tuple(step for step in why.steps if step.source is not None)
    hidden = [
        step.reason.text
        for step in why.steps
        if step.source is None and step.reason.outcome is ReasonOutcome.DEPENDS and not step.is_unread
    ]
    return [*conditions(replace(why, steps=known)), *hidden]


def _explanation_context(
    request: ViewerRequest, shown: ShownEntity, answer: ExplainedDecision
) -> dict[str, object]:
    query = QueryPairs.from_pairs([("as-of", request.GET.get("as-of", "") if shown.at else "")])
    row = WhoCanRow(
        pk=shown.entity.pk,
        account=shown.account_id,
        arn=answer.arn,
        display=shown.entity.name,
        kind=answer.kind,
        decision=answer.why.decision,
        action=answer.action,
        why=answer.why,
    )
    stages = stages_of(row, account=shown.entity.account.name, query=query)
    known = catalogue().action(answer.action)
    sees = shown.viewer.scope.sees_account(shown.account_id)
    asked = urlencode({"action": answer.action, "resource": answer.resource})
    description = known.description if known else ""
    seen_stages = stages if sees else [replace(stage, statement="") for stage in stages]
    return {
        "stages": list(seen_stages),
        "mark": MARKS[answer.why.decision],
        "open_conditions": _depends(answer.why)
        if answer.why.decision is EvaluationDecision.CONDITIONAL
        else [],
        "description": plain_description(description),
        "resource_words": short_name(answer.resource),
        "who_else": f"{reverse('access:who-can')}?{asked}" if sees else "",
        "simulate": f"{reverse('access:simulate')}?{urlencode({'principal': answer.arn})}&{asked}"
        if sees
        else "",
        "page_url": f"{why_address(shown, answer.action)}&{urlencode({'resource': answer.resource})}",
    }
