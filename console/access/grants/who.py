"""The first step of the wizard: who gets access, and in which accounts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from console.access.grants.labels import ICONS
from console.access.grants.wizard import address, draft_or_404, step_pressed, wizard_context
from console.web.access import ViewerRequest, require
from console.web.render import is_fragment, render_page
from iam.access.drafts import receivers, services
from iam.access.drafts.models import GrantDraft
from iam.access.drafts.partners import external_id
from iam.access.drafts.receivers import KINDS, DraftReceiver, PastedReceivers, ReceiverMatches
from iam.access.drafts.terms import accounts_of, who_of
from iam.access.grants.terms import MAX_ACCOUNTS, TermsError, WhoKind, WhoTerms
from iam.guard import Right, Viewer
from iam.linking.pasted_people import MAX_LINES, in_words, split_list
from iam.mirror.queries.accounts import accounts_to_change, whole_accounts

MAX_LENGTH: Final = 2048
OF_KIND: Final = "kind-"
TAKING: Final = ("paste", "next")
"""Buttons that add the pasted names; while someone searches, the list is only kept."""
TILES: Final = (
    (WhoKind.USERS, "People", "One or more IAM users"),
    (WhoKind.GROUP, "A group", "Current and future members"),
    (WhoKind.ROLE, "A role", "An application or shared role"),
    (WhoKind.TEAM, "A team", "Its people as of now"),
    (WhoKind.ACCOUNT, "Another account", "One of yours, through a role"),
    (WhoKind.PARTNER, "A partner", "Outside, with an external ID"),
    (WhoKind.FEDERATED, "A federated workload", "Through an identity provider"),
)
OUTSIDE: Final = frozenset({WhoKind.ACCOUNT, WhoKind.PARTNER, WhoKind.FEDERATED})
FIELDS: Final = {
    WhoKind.TEAM: ("team",),
    WhoKind.ACCOUNT: ("account_id", "principal"),
    WhoKind.PARTNER: ("label", "account_id", "principal"),
    WhoKind.FEDERATED: ("provider_arn", "subject", "audience"),
}


@dataclass(slots=True)
class ReceiverQuestion:
    """What the page shows, from its address or its form."""

    kind: WhoKind
    text: str = ""
    account: str = ""
    arns: list[str] = field(default_factory=list)
    names: str = ""
    pasted: PastedReceivers | None = None
    errors: dict[str, str] = field(default_factory=dict)
    left_out: int = 0
    problems: list[str] = field(default_factory=list)


@require_http_methods(["GET", "POST"])
@require(Right.REQUEST_CHANGE)
def who_step(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Show the step; a POST is saved in the draft even if incomplete. `do=next` continues if it is
    complete.
    """
    draft = draft_or_404(request, pk)
    if draft.grant_id:
        return redirect("access:grant-done", pk=draft.pk)
    if request.method == "GET":
        return _page(request, draft, _from_address(request, draft))
    asked = _from_form(request, draft)
    if request.POST.get("do") == "next" and not asked.errors and not _is_news(request, asked):
        if asked.names:
            messages.warning(request, f"Left out: {in_words(split_list(asked.names))}.")
        return redirect(address(draft, "what"))
    do = request.POST.get("do", "")
    if goes_to := step_pressed(draft, do) or _other_kind(draft, do):
        return redirect(goes_to)
    if is_fragment(request) or asked.names or asked.errors:
        return _page(request, draft, asked)
    query = {"kind": asked.kind, "q": asked.text, "in": asked.account}
    return redirect(f"{address(draft, 'who')}?{urlencode({k: v for k, v in query.items() if v})}")


def _is_news(request: ViewerRequest, asked: ReceiverQuestion) -> bool:
    """Return whether the page must report names that could not be added; it does so once, and the next press
    continues.
    """
    told_already = set(split_list(request.POST.get("told", "")))
    return bool(asked.problems) and not set(split_list(asked.names)) <= told_already


def _other_kind(draft: GrantDraft, do: str) -> str:
    """Return the address for the receiver type whose tile was pressed; "" for any other button."""
    kind = do.removeprefix(OF_KIND) if do.startswith(OF_KIND) else ""
    return f"{address(draft, 'who')}?{urlencode({'kind': kind})}" if kind in set(WhoKind) else ""


def _kind(text: str, *, default: WhoKind) -> WhoKind:
    return WhoKind(text) if text in set(WhoKind) else default


def _from_address(request: ViewerRequest, draft: GrantDraft) -> ReceiverQuestion:
    get = request.GET
    kind = _kind(get.get("kind", ""), default=who_of(draft.body).kind)
    asked = ReceiverQuestion(kind, get.get("q", "").strip()[:200], get.get("in", "")[:12])
    if kind not in KINDS:
        return asked
    arns = _kept(draft, kind)
    added = [int(number) for number in get.getlist("add")[:50] if number.isdecimal() and len(number) < 19]
    if added:
        reach = receivers.reach(request.viewer, KINDS[kind])
        arns += reach.filter(pk__in=added).values_list("arn", flat=True)
    asked.arns = list(dict.fromkeys(arns))
    return asked


def _kept(draft: GrantDraft, kind: WhoKind) -> list[str]:
    return list(draft.body.get("who", {}).get(kind.value, {}).get("arns", []))


def _from_form(request: ViewerRequest, draft: GrantDraft) -> ReceiverQuestion:
    post = request.POST
    kind = _kind(post.get("kind", ""), default=WhoKind.USERS)
    asked = ReceiverQuestion(kind, post.get("q", "").strip()[:200], post.get("in", "")[:12])
    fields = _chosen(request, asked) if kind in KINDS else _outside_fields(post, draft, kind)
    services.write(
        draft,
        kind=kind.value,
        who={**draft.body.get("who", {}), kind.value: fields},
        accounts=_accounts(request, draft),
    )
    if post.get("do") == "next":
        asked.errors = _mistakes(draft)
    return asked


def _chosen(request: ViewerRequest, asked: ReceiverQuestion) -> dict[str, Any]:
    """Return the receivers selected on any page of the list and those in a pasted list, without the removed
    ones.
    """
    post = request.POST
    viewer = request.viewer
    ticked = post.getlist("pick")
    shown = post.getlist("shown")
    dropped = post.getlist("drop")
    arns = [arn for arn in post.getlist("keep") if arn in ticked or arn not in shown]
    arns += ticked
    asked.names = post.get("names", "").strip()
    if asked.names and post.get("do") in TAKING:
        names = receivers.read_names(viewer, asked.kind, asked.names, account_id=asked.account)
        pasted = names.without_decided(arns)
        asked.pasted = pasted
        arns += [receiver.arn for receiver in pasted.found]
        asked.names = "\n".join([*pasted.unknown, *pasted.several, *pasted.left_over])
        asked.problems = list(_problems_of(pasted, viewer))
    if post.get("do") == "everywhere":
        remaining = [arn for arn in arns if arn not in dropped]
        chosen = receivers.chosen(viewer, asked.kind, remaining)
        arns += [receiver.arn for receiver in receivers.namesakes(viewer, asked.kind, chosen)]
    wanted = [arn for arn in dict.fromkeys(arns) if arn not in dropped and len(arn) <= MAX_LENGTH]
    asked.arns = [receiver.arn for receiver in receivers.chosen(viewer, asked.kind, wanted)]
    asked.left_out = len(wanted) - len(asked.arns)
    return {"arns": asked.arns}


def _problems_of(pasted: PastedReceivers, viewer: Viewer) -> Iterator[str]:
    """Yield which names of a list were not added, and what to do about each."""
    if pasted.unknown:
        who = "No one" if viewer.sees_accounts else "No one in your teams"
        yield f"{who} matches {in_words(pasted.unknown)}. Check the spelling, or go on without them."
    if pasted.several:
        count = len(pasted.several)
        what = "this name" if count == 1 else f"these {count:,} names"
        yield (
            f"Select who is meant by {what}: {in_words(pasted.several)}. The possible matches are at the "
            "top of the list."
        )
    by_tag_alone = [text for text, matches in pasted.several.items() if len(matches) == 1]
    if by_tag_alone:
        verb = "matches" if len(by_tag_alone) == 1 else "match"
        yield (
            f"{in_words(by_tag_alone)} {verb} only by a tag in AWS or by a name rule. Check it, because "
            "anyone who can edit tags can give any user this name."
        )
    if pasted.left_over:
        yield (
            f"The list has more than {MAX_LINES:,} names. The last {len(pasted.left_over):,} are still in "
            "the box: add them next."
        )


def _outside_fields(post: QueryDict, draft: GrantDraft, kind: WhoKind) -> dict[str, Any]:
    """Return the fields of a receiver outside the mirror; spaces and hyphens in an account ID are removed."""
    fields = {name: post.get(name, "").strip()[:MAX_LENGTH] for name in FIELDS[kind]}
    if "account_id" in fields:
        account_id = re.sub(r"[\s-]", "", fields["account_id"])
        fields["account_id"] = account_id
        fields["principal"] = _principal(fields["principal"], account_id)
        if kind is WhoKind.PARTNER and fields["label"] and account_id:
            fields["external_id"] = external_id(draft.pk, label=fields["label"], account_id=account_id)
    return {name: value for name, value in fields.items() if value}


def _principal(text: str, account_id: str) -> str:
    """Expand `role/reader` to an ARN in the receiver's account."""
    is_short = text.startswith(("role/", "user/")) and account_id
    return f"arn:aws:iam::{account_id}:{text}" if is_short else text


def _accounts(request: ViewerRequest, draft: GrantDraft) -> list[str]:
    """Return the selected accounts if the form shows them, else the previous ones."""
    if "accounts-shown" not in request.POST:
        return list(draft.body.get("accounts", []))
    known = accounts_to_change(request.viewer)
    if request.POST.get("do") != "all-accounts":
        known = known.filter(account_id__in=request.POST.getlist("accounts"))
    return list(known.values_list("account_id", flat=True))


def _mistakes(draft: GrantDraft) -> dict[str, str]:
    """Return what keeps the step incomplete, by field."""
    who = who_of(draft.body)
    mistakes = who.problems()
    number = len(accounts_of(draft.body, who))
    if not number and who.kind not in KINDS:
        mistakes["accounts"] = "Select at least one account."
    if number > MAX_ACCOUNTS:
        mistakes["accounts"] = f"A grant can have up to {MAX_ACCOUNTS} accounts. You selected {number:,}."
    return mistakes


def _page(request: ViewerRequest, draft: GrantDraft, asked: ReceiverQuestion) -> HttpResponse:
    viewer, kind = request.viewer, asked.kind
    lets_in = whole_accounts(viewer).exists()
    context = wizard_context(request, draft, "who") | {
        "asked": asked,
        "address": address(draft, "who"),
        "kinds": [
            {
                "kind": tile_kind,
                "label": label,
                "hint": hint,
                "icon": ICONS[tile_kind],
                "is_chosen": tile_kind is kind,
            }
            for tile_kind, label, hint in TILES
            if lets_in or tile_kind not in OUTSIDE
        ],
        "given": draft.body.get("who", {}).get(kind.value, {}),
        "accounts": list(accounts_to_change(viewer)),
        "errors": asked.errors,
    }
    if kind in KINDS:
        context |= _to_pick(request, asked)
    else:
        context |= _to_write(request, draft, kind)
    is_refused = asked.errors or asked.problems
    status = 422 if is_refused and not is_fragment(request) else 200
    return render_page(request, "access/grants/who.html", context, partial="choice", status=status)


def _to_pick(request: ViewerRequest, asked: ReceiverQuestion) -> dict[str, Any]:
    viewer, kind = request.viewer, asked.kind
    matches = receivers.search(viewer, kind, text=asked.text, account_id=asked.account)
    picked = receivers.chosen(viewer, kind, asked.arns)
    namesakes = asked.pasted.several if asked.pasted else {}
    namesake_by_arn = {entity.arn: entity for entity in chain.from_iterable(namesakes.values())}
    also = receivers.namesakes(viewer, kind, picked)
    arns = {receiver.arn for receiver in picked}
    rows = _rows(matches, arns, list(namesake_by_arn.values()))
    return {
        "found": rows,
        "possible_count": len(namesake_by_arn),
        "by_name_count": len(rows) - len(namesake_by_arn),
        "has_more": matches.has_more,
        "chosen": picked,
        "chosen_count": len(picked),
        "also": [receiver for receiver in also if receiver.arn not in namesake_by_arn],
        "without_mfa": [receiver.shown for receiver in picked if receiver.has_mfa is False],
    }


def _rows(
    matches: ReceiverMatches, arns: set[str], receivers_meant: list[DraftReceiver]
) -> list[dict[str, Any]]:
    """Return the rows: candidates for pasted names first, then search results."""
    known = {receiver.arn for receiver in receivers_meant}
    rows = [*receivers_meant, *(receiver for receiver in matches.rows if receiver.arn not in known)]
    return [{"one": receiver, "is_chosen": receiver.arn in arns} for receiver in rows]


def _to_write(request: ViewerRequest, draft: GrantDraft, kind: WhoKind) -> dict[str, Any]:
    viewer = request.viewer
    offered = whole_accounts(viewer) if kind in OUTSIDE else accounts_to_change(viewer)
    accounts = list(offered)
    ticked = set(draft.body.get("accounts", []))
    return {
        "places": [(account, account.account_id in ticked) for account in accounts],
        "teams": receivers.teams_to_choose(viewer) if kind is WhoKind.TEAM else [],
        "providers": receivers.providers(viewer) if kind is WhoKind.FEDERATED else [],
        "chosen_count": 1 if _is_whole(who_of(draft.body), kind) else 0,
    }


def _is_whole(who: WhoTerms, kind: WhoKind) -> bool:
    try:
        who.check()
    except TermsError:
        return False
    return who.kind is kind
