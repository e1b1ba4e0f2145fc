"""The page "Simulate": one request, with all that is known of it, and what AWS would answer, as a tree of
reasons.
"""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse

from console.access.circumstances import circumstances_context
from console.access.inquiry import Asking, read
from console.access.lines import MARKS
from console.access.offers import principals_offered, resources_offered
from console.access.verdicts import shown
from console.web.access import ViewerRequest, require
from console.web.asof import asof_context
from console.web.query import Query
from console.web.render import is_fragment, render_page
from iam.access.actions import action_names, resources_of
from iam.access.principals import Who
from iam.access.simulate import Verdict, simulate
from iam.guard import Right
from iam.policy.evaluate import Decision
from iam.policy.request import PrincipalKind, account_of

OFFERED: Final = 20
PAGES: Final = {
    PrincipalKind.USER: "identities:person",
    PrincipalKind.ROLE: "identities:role",
    PrincipalKind.SESSION: "identities:role",
}


@require(Right.SEE_ACCOUNT)
def simulate_page(request: ViewerRequest) -> HttpResponse:
    """The form, and the answer if something is asked. What has no policy texts has an address of its own,
    where a form leads to.
    """
    asking = read(request)
    if (
        request.method == "POST"
        and asking.inquiry is not None
        and not asking.texts
        and not is_fragment(request)
    ):
        return HttpResponseRedirect(f"{request.path}{asking.query}")
    verdict = simulate(asking.inquiry) if asking.inquiry is not None else None
    context = _frame(request, asking) | _answer(asking, verdict) | _help(request, asking, verdict)
    status = 422 if asking.is_wrong else 200
    response = render_page(request, "access/simulate.html", context, partial="question", status=status)
    if is_fragment(request):
        is_plain = not asking.texts and not asking.is_wrong
        response["HX-Push-Url"] = f"{request.path}{asking.query}" if is_plain else "false"
    return response


def _frame(request: ViewerRequest, asking: Asking) -> dict[str, Any]:
    meaning = asking.meant
    return {
        **asof_context(request, account=asking.account),
        **circumstances_context(asking.circumstances, is_posted=True),
        "section": "simulate",
        "account": asking.account,
        "asking": asking,
        "meant": meaning,
        "address": f"{request.path}{asking.query.only('account', 'as-of')}",
        "action_names": action_names(asking.action, size=OFFERED),
        "principals": principals_offered(request, asking.principal),
        "resources": resources_offered(request, asking.resource),
        "takes": resources_of(meaning.actions[0]) if meaning else (),
        "asks_owner": bool(asking.owner) or (not asking.is_blank and not account_of(asking.resource)),
        "policies": [
            (name, label, hint, asking.texts.get(name, ""), asking.errors.get(name, ""))
            for name, label, hint in TEXTS
        ],
        "has_texts": bool(asking.texts),
    }


TEXTS: Final = (
    (
        "resource-policy",
        "Resource-based policy",
        "Policy of a bucket, key, queue or secret. Trust policies of synced roles are included already.",
    ),
    (
        "session-policy",
        "Session policy",
        "Policy passed when the role was assumed. It can only limit access.",
    ),
    (
        "endpoint-policy",
        "VPC endpoint policy",
        "Policy of the VPC endpoint that the request goes through.",
    ),
)


def _answer(asking: Asking, verdict: Verdict | None) -> dict[str, Any]:
    if verdict is None or asking.who is None:
        return {"verdict": None, "is_absent": verdict is None and asking.inquiry is not None}
    query = asking.query
    return {
        "verdict": verdict,
        "mark": MARKS[verdict.decision],
        "branches": shown(verdict.branches, query=query),
        "who": asking.who,
        "who_url": _url(asking.who, asking),
        "who_can": f"{reverse('access:who-can')}{query.but(principal='')}",
    }


def _help(request: ViewerRequest, asking: Asking, verdict: Verdict | None) -> dict[str, Any]:
    """Where the smallest grant that helps is worked out, for who may ask for it."""
    who, meaning = asking.who, asking.meant
    refused = verdict is not None and verdict.decision is not Decision.ALLOWED
    if not refused or who is None or meaning is None or who.is_root or request.at is not None:
        return {}
    if not request.viewer.may(Right.REQUEST_CHANGE, account_id=who.account):
        return {}
    pairs = [("action", meaning.actions[0]), ("resource", asking.resource), ("principal", who.arn)]
    return {"helps_url": f"{reverse('access:ask')}{Query.of(pairs)}"}


def _url(who: Who, asking: Asking) -> str:
    if who.is_root:
        return f"{reverse('setup:account', args=[who.account])}{asking.query.only('as-of')}".rstrip("?")
    return f"{reverse(PAGES[who.kind], args=[who.number])}{asking.query.only('as-of')}".rstrip("?")


@require(Right.SEE_ACCOUNT)
def simulate_offers(request: ViewerRequest) -> HttpResponse:
    """Who may be meant by what has been typed: options of the list of the field."""
    field = request.GET.get("of", "principal")
    offers = principals_offered(request, request.GET.get(field, ""))
    return render_page(request, "access/simulate_offers.html", {"principals": offers})
