"""The page “Simulate”: a single request, and whether AWS would allow it, with the reasons as a tree."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse

from console.access.circumstances import circumstances_context
from console.access.forms.simulation import SimulationForm
from console.access.lines import MARKS
from console.access.offers import principals_offered, resources_offered
from console.access.verdicts import branch_rows
from console.web.access import ViewerRequest, require
from console.web.asof import asof_context
from console.web.query import QueryPairs
from console.web.render import is_fragment, render_page
from iam.access.actions import action_names, resources_of
from iam.access.principals import AskingPrincipal
from iam.access.simulate import SimulationResult, simulate
from iam.guard import Right
from iam.policy.evaluate import EvaluationDecision
from iam.policy.request import PrincipalKind, account_of

OFFERED: Final = 20
PAGES: Final = {
    PrincipalKind.USER: "identities:person",
    PrincipalKind.ROLE: "identities:role",
    PrincipalKind.SESSION: "identities:role",
}


@require(Right.SEE_ACCOUNT)
def simulate_page(request: ViewerRequest) -> HttpResponse:
    """Show the form, and the answer if something is asked.

    A POST without policy texts is redirected to an address that can be shared.
    """
    form = SimulationForm.from_request(request)
    if (
        request.method == "POST"
        and form.inquiry is not None
        and not form.policies
        and not is_fragment(request)
    ):
        return HttpResponseRedirect(f"{request.path}{form.query}")
    verdict = simulate(form.inquiry) if form.inquiry is not None else None
    context = _frame(request, form) | _answer(form, verdict) | _help(request, form, verdict)
    status = 422 if form.is_wrong else 200
    response = render_page(request, "access/simulate.html", context, partial="question", status=status)
    if is_fragment(request):
        is_plain = not form.policies and not form.is_wrong
        response["HX-Push-Url"] = f"{request.path}{form.query}" if is_plain else "false"
    return response


def _frame(request: ViewerRequest, form: SimulationForm) -> dict[str, Any]:
    meaning, texts = form.known_action, form.texts
    return {
        **asof_context(request, account=form.account),
        **circumstances_context(form.circumstances, is_posted=True),
        "section": "simulate",
        "account": form.account,
        "form": form,
        "selection": meaning,
        "address": f"{request.path}{form.query.with_only('account', 'as-of')}",
        "action_names": action_names(texts["action"], size=OFFERED),
        "principals": principals_offered(request, texts["principal"]),
        "resources": resources_offered(request, texts["resource"]),
        "takes": resources_of(meaning.actions[0]) if meaning else (),
        "asks_owner": bool(texts["owner"]) or (not form.is_blank and not account_of(texts["resource"])),
        "policies": [
            (form.add_prefix(name), label, hint, form.policies.get(name, ""), form.problems.get(name, ""))
            for name, label, hint in TEXTS
        ],
        "has_texts": bool(form.policies),
    }


TEXTS: Final = (
    (
        "resource_policy",
        "Resource-based policy",
        "Policy of a bucket, key, queue or secret. Trust policies of synced roles are included already.",
    ),
    (
        "session_policy",
        "Session policy",
        "Policy passed when the role was assumed. It can only limit access.",
    ),
    (
        "endpoint_policy",
        "VPC endpoint policy",
        "Policy of the VPC endpoint that the request goes through.",
    ),
)


def _answer(form: SimulationForm, verdict: SimulationResult | None) -> dict[str, Any]:
    if verdict is None or form.who is None:
        return {"verdict": None, "is_absent": verdict is None and form.inquiry is not None}
    query = form.query
    return {
        "verdict": verdict,
        "mark": MARKS[verdict.decision],
        "branches": branch_rows(verdict.branches, query=query),
        "who": form.who,
        "who_url": _url(form.who, form),
        "who_can": f"{reverse('access:who-can')}{query.with_values(principal='')}",
    }


def _help(request: ViewerRequest, form: SimulationForm, verdict: SimulationResult | None) -> dict[str, Any]:
    """Return the link to the smallest grant that helps, if the viewer can request it."""
    who = form.who
    meaning = form.known_action
    if verdict is None or verdict.decision is EvaluationDecision.ALLOWED:
        return {}
    if who is None or who.is_root or meaning is None or request.at is not None:
        return {}
    if not request.viewer.may(Right.REQUEST_CHANGE, account_id=who.account):
        return {}
    pairs = [("action", meaning.actions[0]), ("resource", form.texts["resource"]), ("principal", who.arn)]
    return {"helps_url": f"{reverse('access:ask')}{QueryPairs.from_pairs(pairs)}"}


def _url(who: AskingPrincipal, form: SimulationForm) -> str:
    if who.is_root:
        return f"{reverse('setup:account', args=[who.account])}{form.query.with_only('as-of')}".rstrip("?")
    return f"{reverse(PAGES[who.kind], args=[who.number])}{form.query.with_only('as-of')}".rstrip("?")


@require(Right.SEE_ACCOUNT)
def simulate_offers(request: ViewerRequest) -> HttpResponse:
    """Return options with matching principals for the field's list."""
    field = request.GET.get("of", "principal")
    offers = principals_offered(request, request.GET.get(field, ""))
    return render_page(request, "access/simulate_offers.html", {"principals": offers})
