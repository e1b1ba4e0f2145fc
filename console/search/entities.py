"""Finds entities of the mirror by name, ARN, unique ID or key ID, and IAM users by their linked person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from django.db.models import Q
from django.urls import reverse

from console.identities.details.frame import SECTIONS
from console.identities.details.labels import KIND_ICONS
from console.search.results import FirstResults, ResultSection, SearchResult
from console.web.query import QueryPairs
from iam.directory.models import Identity
from iam.guard import Viewer
from iam.mirror.display_names import names_by_number
from iam.mirror.models import Entity, Kind
from iam.mirror.queries import search as queries
from iam.mirror.queries.search import EntityHit
from iam.mirror.queries.visibility import visible_entities
from iam.search_words import matches

MAX_PERSONS = 10
COUNTED_PERSONS = 100
PLURALS = {
    Kind.USER: "IAM users",
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


def address(hit: EntityHit, kept: QueryPairs) -> str:
    """Return the address of a match; "" if it has no page (an unassigned device)."""
    _, _, name = SECTIONS.get(hit.page_kind, ("", "", ""))
    if not name:
        return ""
    if hit.page_pk != hit.pk and hit.page_kind == Kind.USER:
        name = "identities:person-credentials"
    return f"{reverse(name, args=[hit.page_pk])}{kept}".rstrip("?")


def result_of(hit: EntityHit, kept: QueryPairs, *, plain: bool) -> SearchResult:
    """Return the match as a search result; `plain` omits AWS terms."""
    identifier = hit.arn or (hit.aws_id if hit.aws_id != hit.name else "")
    detail = f"of {hit.owner}, {hit.account}" if hit.owner else hit.account
    shown_identifier = "" if plain else identifier
    return SearchResult(
        title=hit.name,
        url=address(hit, kept),
        icon=KIND_ICONS.get(Kind(hit.kind), "key-round"),
        kind=str(Kind(hit.kind).label),
        detail=detail,
        identifier=shown_identifier,
        gone_at=hit.gone_at,
    )


def results_of(viewer: Viewer, hits: Sequence[EntityHit], kept: QueryPairs) -> list[SearchResult]:
    """Return the matches, IAM users under the names of their people; takes two queries if there are users."""
    plain = not viewer.sees_accounts
    users = {hit.pk: hit.name for hit in hits if hit.kind == Kind.USER}
    names = names_by_number(users) if users else {}
    results = []
    for hit in hits:
        result = result_of(hit, kept, plain=plain)
        name = names.get(hit.pk, hit.name)
        if name != hit.name:
            result = replace(result, title=name, detail=f"{hit.name}, {result.detail}")
        results.append(result)
    return results


def sections(viewer: Viewer, text: str, kept: QueryPairs, *, at: datetime | None) -> list[ResultSection]:
    """Return all matches by kind."""
    result_sections = []
    for group in queries.search(viewer, text, at=at):
        results = results_of(viewer, group.hits, kept)
        rest = ""
        if group.total > len(results):
            rest = _list_link(group.kind, text, kept)
        result_sections.append(ResultSection(PLURALS[Kind(group.kind)], results, group.total, rest))
    return result_sections


def _list_link(kind: str, text: str, kept: QueryPairs) -> str:
    """Return the address of the list of that kind with the same text; "" if there is none."""
    if kind not in SECTIONS:
        return ""
    return f"{reverse(f'identities:{SECTIONS[kind][0]}')}{kept.with_values(q=text)}"


def linked_users(viewer: Viewer, text: str, *, most: int = MAX_PERSONS) -> list[tuple[Entity, str]]:
    """Return (IAM user, person's name) of people with all words in their name or email address."""
    words = text.split()
    if len("".join(words)) < queries.SHORTEST:
        return []
    matching = Q(person__is_active=True)
    for word in words[:8]:
        matching &= matches(word, "person__name", "person__email")
    identities = Identity.objects.filter(matching).select_related("person").order_by("person__name", "pk")
    names = {identity.user_arn: identity.person for identity in identities[: 10 * most]}
    if not names:
        return []
    users = visible_entities(viewer).filter(kind=Kind.USER, gone_at__isnull=True, arn__in=list(names))
    rows = users.select_related("account").order_by("name", "pk")[:most]
    return [(user, f"{names[user.arn].name}, {names[user.arn].email}") for user in rows]


def person_results(viewer: Viewer, text: str, kept: QueryPairs) -> FirstResults:
    """Return these users as results, with the person's name first."""
    linked = linked_users(viewer, text, most=COUNTED_PERSONS)
    results = [
        SearchResult(
            title=written.partition(",")[0],
            url=f"{reverse('identities:person', args=[user.pk])}{kept}".rstrip("?"),
            icon="user-round",
            kind="IAM user",
            detail=f"{user.name}, {user.account.name}",
            identifier=written.partition(", ")[2],
        )
        for user, written in linked[:MAX_PERSONS]
    ]
    return FirstResults(results, len(linked))
