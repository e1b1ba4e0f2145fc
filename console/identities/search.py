"""The search over everything: suggestions while somebody types, a page of results, and straight there for an exact id."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse

from console.identities.details.shown import SECTIONS
from console.identities.details.words import KIND_ICONS
from console.web.access import ViewerRequest, require
from console.web.asof import asof_context
from console.web.query import Query
from console.web.render import is_fragment, render_page
from iam.guard import Right
from iam.mirror.models import Kind
from iam.mirror.queries import search as queries
from iam.mirror.queries.search import Hit

LONGEST = 200
PLURALS = {
    Kind.USER: "People",
    Kind.GROUP: "Groups",
    Kind.ROLE: "Roles",
    Kind.POLICY: "Policies",
    Kind.INSTANCE_PROFILE: "Instance profiles",
    Kind.SAML_PROVIDER: "SAML providers",
    Kind.OIDC_PROVIDER: "OpenID Connect providers",
    Kind.ACCESS_KEY: "Access keys",
    Kind.MFA_DEVICE: "MFA devices",
    Kind.SSH_KEY: "SSH keys",
    Kind.SIGNING_CERTIFICATE: "Signing certificates",
    Kind.SERVICE_CREDENTIAL: "Service-specific credentials",
}


@dataclass(frozen=True, slots=True)
class Result:
    """A hit as the page shows it: where it leads, or "" when nothing shows it (a device that nobody has)."""

    hit: Hit
    url: str
    icon: str
    kind: str


@dataclass(frozen=True, slots=True)
class Section:
    """The results of one kind, and where the rest of them is."""

    title: str
    results: list[Result]
    total: int
    rest: str


@require(Right.SEE_ACCOUNT, Right.SEE_TEAM)
def search(request: ViewerRequest) -> HttpResponse:
    """`?q=`; an ARN, unique id or key id that is found goes straight to its page."""
    text = " ".join(request.GET.get("q", "").replace("\x00", "")[:LONGEST].split())
    kept = Query.of([("as-of", request.GET.get("as-of", "") if request.at else "")])
    if is_fragment(request):
        found = [_result(hit, kept) for hit in queries.suggestions(request.viewer, text, at=request.at)]
        context = {"text": text, "suggestions": found, "all": f"{request.path}{kept.but(q=text)}"}
        return render_page(request, "identities/search.html", context, partial="suggestions")
    hit = queries.exact(request.viewer, text, at=request.at) if text else None
    if hit and (address := _address(hit, kept)):
        return HttpResponseRedirect(address)
    sections = [
        Section(
            title=PLURALS[Kind(group.kind)],
            results=[_result(hit, kept) for hit in group.hits],
            total=group.total,
            rest=_rest(group.kind, text, kept) if group.total > len(group.hits) else "",
        )
        for group in queries.search(request.viewer, text, at=request.at)
    ]
    context = asof_context(request) | {
        "text": text,
        "sections": sections,
        "total": sum(section.total for section in sections),
        "is_short": len(text.replace(" ", "")) < queries.SHORTEST,
    }
    return render_page(request, "identities/search.html", context)


def _address(hit: Hit, kept: Query) -> str:
    _, _, name = SECTIONS.get(hit.page_kind, ("", "", ""))
    if not name:
        return ""
    if hit.page_pk != hit.pk and hit.page_kind == Kind.USER:
        name = "identities:person-credentials"
    return f"{reverse(name, args=[hit.page_pk])}{kept}".rstrip("?")


def _result(hit: Hit, kept: Query) -> Result:
    return Result(hit, _address(hit, kept), KIND_ICONS.get(Kind(hit.kind), "key-round"), Kind(hit.kind).label)


def _rest(kind: str, text: str, kept: Query) -> str:
    """The list of that kind with the same text, where there is such a list."""
    if kind not in SECTIONS:
        return ""
    return f"{reverse(f'identities:{SECTIONS[kind][0]}')}{kept.but(q=text)}"
