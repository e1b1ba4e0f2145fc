"""Search: suggestions while typing, a page of results, and a redirect for an exact ID or reference."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from console.search import entities
from console.search.accounts import account_named, account_results
from console.search.assertions import assertion_results
from console.search.catalogue import action_results, service_results
from console.search.commands import command_results
from console.search.findings import finding_results
from console.search.pages import page_results
from console.search.references import reference_results
from console.search.results import FirstResults, ResultSection, SearchResult
from console.web.access import ViewerRequest, require
from console.web.asof import asof_context
from console.web.query import QueryPairs
from console.web.render import is_fragment, render_page
from console.web.unsynced import unsynced_note
from iam.guard import Right
from iam.mirror.pull.sections import AUTHORIZATION
from iam.mirror.queries import search as queries

MAX_LENGTH = 200
SUGGESTED = 10
PAGES_SUGGESTED = 3
PAGES, MORE_PAGES = "Pages", "More pages"
FINDINGS = "Findings"
ASSERTIONS = "Assertions"
FIRST = ("To do", PAGES, "Requests and grants", "Accounts", "People")
"""Sections before the entities of the mirror."""


@dataclass(frozen=True, slots=True)
class SearchPageText:
    """Texts of the page: for viewers of whole accounts, and for viewers of their teams."""

    covers: str
    examples: str
    hint: str
    advice: str


WHOLE = SearchPageText(
    covers="People, roles, policies, groups and keys of all accounts that you see, accounts, findings, "
    "assertions, frameworks, AWS actions and services, requests, grants, runs, reviews and evidence packs by "
    "number, and pages.",
    examples="Name, ARN, key ID, account, action, CHG- or GRT-number",
    hint="Two characters or more: part of a name, email address or ARN, a unique ID (AIDA…, AROA…), a key ID "
    "(AKIA…), "
    "an account ID, an action (s3:PutObject) or a number (CHG-…, GRT-…, RUN-…, REV-…, EVD-…).",
    advice="Try part of the name, or the whole ARN or ID.",
)
TEAMS = SearchPageText(
    covers="The people and groups of your teams, findings about them, requests and grants by number, and "
    "pages.",
    examples="Name, email, CHG- or GRT-number",
    hint="Two characters or more of a name or an email address, or a number (CHG-…, GRT-…).",
    advice="Try part of the name.",
)


@require(Right.SEE_ACCOUNT, Right.SEE_TEAM)
def search(request: ViewerRequest) -> HttpResponse:
    """Search for `?q=`; an exact ARN, unique ID, key ID or reference redirects to its page."""
    text = " ".join(request.GET.get("q", "").replace("\x00", "")[:MAX_LENGTH].split())
    kept = QueryPairs.from_pairs([("as-of", request.GET.get("as-of", "") if request.at else "")])
    if is_fragment(request):
        context = {"text": text, "suggestions": _suggestions(request, text, kept)}
        context["all"] = f"{request.path}{kept.with_values(q=text)}"
        return render_page(request, "search/results.html", context, partial="suggestions")
    if text and (url := _exact(request, text, kept)):
        return HttpResponseRedirect(url)
    sections = _sections(request, text, kept)
    wording = WHOLE if request.viewer.sees_accounts else TEAMS
    context = asof_context(request) | {
        "text": text,
        **asdict(wording),
        "sections": sections,
        "total": sum(section.total for section in sections),
        "unsynced": "" if sections else unsynced_note(request, *AUTHORIZATION),
        "is_short": len(text.replace(" ", "")) < queries.SHORTEST,
    }
    return render_page(request, "search/results.html", context)


def _exact(request: ViewerRequest, text: str, kept: QueryPairs) -> str:
    """Return the address of the object that the text identifies exactly."""
    hit = queries.exact(request.viewer, text, at=request.at)
    if hit is not None:
        return entities.address(hit, kept)
    if request.at is not None:
        return ""
    account = account_named(request.viewer, text)
    if account is not None:
        return reverse("setup:account", args=[account.account_id])
    numbered = reference_results(request.viewer, text)
    return numbered[0].url if len(numbered) == 1 else ""


def _around(request: ViewerRequest, text: str, kept: QueryPairs) -> list[tuple[str, FirstResults]]:
    """Return results outside the mirror by kind; these exist only for the present."""
    if request.at is not None:
        return []
    viewer = request.viewer
    pages = page_results(viewer, text)
    return [
        ("To do", _all(command_results(viewer, text))),
        (PAGES, _all(pages.meant)),
        ("Requests and grants", _all(reference_results(viewer, text))),
        ("Accounts", account_results(viewer, text)),
        ("People", entities.person_results(viewer, text, kept)),
        (FINDINGS, finding_results(viewer, text)),
        (ASSERTIONS, assertion_results(viewer, text)),
        (MORE_PAGES, _all(pages.others)),
        ("Actions", action_results(viewer, text)),
        ("AWS services", service_results(viewer, text)),
    ]


def _all(results: list[SearchResult]) -> FirstResults:
    return FirstResults(results, len(results))


def _suggestions(request: ViewerRequest, text: str, kept: QueryPairs) -> list[SearchResult]:
    """Return a few suggestions: commands and references, then entities, then the rest."""
    hits = queries.suggestions(request.viewer, text, at=request.at)
    entity_results = entities.results_of(request.viewer, hits, kept)
    around = {title: closest.results for title, closest in _around(request, text, kept)}
    first: list[SearchResult] = []
    for title in FIRST:
        first += around.get(title, [])[: PAGES_SUGGESTED if title == PAGES else None]
    last: list[SearchResult] = []
    for title in (FINDINGS, ASSERTIONS, MORE_PAGES, "Actions", "AWS services"):
        last += around.get(title, [])[:PAGES_SUGGESTED]
    room = max(SUGGESTED - len(first) - len(last), 3)
    by_address: dict[str, SearchResult] = {}
    for result in (*first, *entity_results[:room], *last, *entity_results[room:]):
        by_address[result.url or result.title] = result
    return list(by_address.values())[:SUGGESTED]


def _rest(title: str, text: str) -> str:
    """Return the address of the list with all results of a kind."""
    return f"{reverse('findings:list')}?{urlencode({'q': text})}" if title == FINDINGS else ""


def _sections(request: ViewerRequest, text: str, kept: QueryPairs) -> list[ResultSection]:
    around = [
        ResultSection(title, closest.results, closest.total, _rest(title, text))
        for title, closest in _around(request, text, kept)
        if closest.results
    ]
    split = [section for section in around if section.title in FIRST]
    rest = [section for section in around if section not in split]
    return [*split, *entities.sections(request.viewer, text, kept, at=request.at), *rest]
