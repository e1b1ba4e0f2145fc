"""The page of matches: proposals, conflicts, unmatched users, and manual links; and the match rules."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

from console.identities.lists.people import PASSWORD
from console.linking.labels import facts_of, summary_of, unmatched_note
from console.web.access import ViewerRequest, require, require_present
from console.web.known_facts import PartialCount
from console.web.page_cursors import CursorError, decode, word_of
from console.web.render import render_page
from iam.directory.rules import DirectoryRuleError
from iam.guard import Right, Viewer
from iam.keyset import KeysetPlace
from iam.linking import queries
from iam.linking.models import UserMatch
from iam.linking.ownership import lines_by_hand
from iam.linking.patterns import PARTS
from iam.linking.rights import OWNER_RIGHTS, may_link_any, may_rule
from iam.linking.rules import ChosenMatchRules, chosen_now, foretell, save
from iam.mirror.models import UserCredentials, valid_at

TITLES = {
    queries.PROPOSED: "To confirm",
    queries.DOUBTFUL: "Ambiguous",
    queries.UNLINKED: "Not linked",
    queries.LINKED: "Linked by hand",
    queries.APART: "Excluded",
}


@require_safe
@require(*OWNER_RIGHTS)
def links(request: ViewerRequest) -> HttpResponse:
    """Show the matches of a `view`, starting after the position in `after`."""
    require_present(request)
    view = request.GET.get("view", queries.PROPOSED)
    if view not in TITLES:
        raise Http404
    counts = {name: queries.count_of(name, request.viewer) for name in TITLES}
    unsynced = unmatched_note(request)
    context: dict[str, Any] = {
        "section": "links",
        "view": view,
        "tabs": [
            (
                label,
                f"{reverse('linking:links')}?view={name}",
                _shown(counts[name], is_whole=not unsynced),
                name == view,
            )
            for name, label in TITLES.items()
        ],
        "may_rule": may_rule(request.viewer),
        "count": counts[view],
        "unsynced": unsynced,
    }
    return render_page(request, "linking/links.html", context | _rows(request, view))


def _shown(count: int, *, is_whole: bool) -> str:
    return f"{queries.CAP:,}+" if count > queries.CAP else PartialCount(count, is_whole=is_whole).text


def _rows(request: ViewerRequest, view: str) -> dict[str, Any]:
    if view == queries.APART:
        return {"marks": list(queries.marks(request.viewer)[: queries.PAGE])}
    place = _place(request)
    part = queries.part_of(view, request.viewer, after=place)
    following = ""
    if part.after:
        following = f"{reverse('linking:links')}?{urlencode({'view': view, 'after': word_of(part.after)})}"
    return {
        "rows": _lines(part.rows, view, viewer=request.viewer),
        "first": f"{reverse('linking:links')}?view={view}" if place else "",
        "following": following,
    }


def _place(request: ViewerRequest, *, pk_kind: type[int] | type[UUID] = int) -> KeysetPlace | None:
    word = request.GET.get("after", "")
    try:
        return decode(word, kind=str, pk_kind=pk_kind).place if word else None
    except CursorError:
        raise Http404 from None


def _lines(signs: list[UserMatch], view: str, *, viewer: Viewer) -> list[dict[str, Any]]:
    pks = [sign.pk for sign in signs]
    password = dict(
        UserCredentials.objects.filter(valid_at(None), user__in=pks).values_list("user_id", "has_password")
    )
    names = queries.names_of(signs, viewer=viewer) if view == queries.DOUBTFUL else {}
    twins = queries.same_names(signs, viewer=viewer) if view == queries.UNLINKED else {}
    identities = lines_by_hand([sign.user for sign in signs]) if view == queries.LINKED else {}
    return [
        {
            "sign": sign,
            "user": sign.user,
            "console": PASSWORD[password.get(sign.pk)],
            "voices": [_voice(voice, names, whole=viewer.sees_accounts) for voice in sign.said],
            "twins": twins.get(sign.pk, []),
            "identity": identities.get(sign.user.arn),
        }
        for sign in signs
    ]


def _voice(voice: dict[str, Any], names: dict[str, str], *, whole: bool) -> tuple[str, str]:
    """Return the person that a rule proposes, and the rule.

    Email addresses and tags are shown only to viewers of whole accounts.
    """
    words = voice["words"] if whole else voice["words"].partition(":")[0]
    return names.get(voice["person"]) or (voice["address"] if whole else "An email address"), words


@require_http_methods(["GET", "POST"])
@require(Right.MANAGE_OPERATORS)
def match_rules(request: ViewerRequest) -> HttpResponse:
    """Edit the match rules; the page previews the matches before they are saved."""
    require_present(request)
    if not may_rule(request.viewer):
        raise Http404
    chosen = _chosen(request) if request.method == "POST" else chosen_now()
    context: dict[str, Any] = {"section": "links", "chosen": chosen, "parts": sorted(PARTS)}
    try:
        if request.method == "POST":
            if request.POST.get("act") == "save":
                changed = save(request.viewer, chosen)
                outcome = (
                    "Saved. The matches are updated within a minute. Then review them."
                    if changed
                    else "Nothing changed."
                )
                messages.success(request, outcome)
                return redirect("linking:match-rules")
            context["effect"] = foretell(chosen)
    except DirectoryRuleError as error:
        return render_page(request, "linking/ways.html", context | {"refused": str(error)}, status=422)
    return render_page(request, "linking/ways.html", context)


def _chosen(request: ViewerRequest) -> ChosenMatchRules:
    """Parse the form: a tag key per line, and a user name and email address per rule."""
    post = request.POST
    lines = [line.strip() for line in post.get("tags", "")[:2000].splitlines()]
    keys = tuple(line for line in lines if line)
    rules = []
    for user_name, address in zip(post.getlist("user_name"), post.getlist("address"), strict=False):
        rule = (user_name.strip()[:64], address.strip()[:64])
        if any(rule):
            rules.append(rule)
    return ChosenMatchRules(keys, "by_address" in post, tuple(rules))


@require_safe
@require(Right.SEE_ACCOUNT, Right.SEE_TEAM)
def persons(request: ViewerRequest) -> HttpResponse:
    """List people, one row per person with all of their users; `q` searches, and `after` is the position."""
    require_present(request)
    text = request.GET.get("q", "").strip()[:128]
    after = _place(request, pk_kind=UUID)
    rows, following = queries.people_part(request.viewer, text=text, after=after)
    next_page = ""
    if following:
        next_page = f"{reverse('linking:persons')}?{urlencode({'q': text, 'after': word_of(following)})}"
    context = {
        "section": "people",
        "text": text,
        "may_link": may_link_any(request.viewer),
        "rows": [
            (row, [facts_of(line) for line in row.lines], summary_of(row.lines, unsynced=row.unsynced))
            for row in rows
        ],
        "unmatched": unmatched_note(request),
        "first": f"{reverse('linking:persons')}?{urlencode({'q': text})}" if after else "",
        "following": next_page,
    }
    return render_page(request, "linking/persons.html", context)
