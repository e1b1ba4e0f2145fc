"""The page of a review: its rows and decisions, reviewers, and sign-off."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from itertools import chain
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.db.models import F
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_safe

from console.reviews.presenters import RowShown, replay_words, requests_of, shown, state_of
from console.reviews.review_list import SEES
from console.web.access import ViewerRequest, found_or_404, require, require_present
from console.web.address_choices import choice, is_ticked
from console.web.filter_selects import filter_selects
from console.web.kept_text import keep_text
from console.web.list_export import export_list, pages_of
from console.web.moments import duration_text
from console.web.page_cursors import place_in, word_of
from console.web.render import is_fragment, render_page
from iam.access.own_principals import own_arns
from iam.access.templates.models import TemplateVersion
from iam.audit.reviews.campaigns import may_manage
from iam.audit.reviews.models import (
    OverdueAction,
    ReviewCampaign,
    ReviewerRule,
    ReviewItem,
    ReviewScope,
    SubjectKind,
    UseState,
)
from iam.audit.reviews.queries import (
    BY_SUBJECT,
    MAX_PRINTED,
    PAGE_SIZE,
    RowFilter,
    find_campaign,
    progress_for,
    progress_of,
    rows_page,
    sees_whole,
    visible_rows,
)
from iam.audit.reviews.removals import pending_of
from iam.audit.reviews.reviewer_counts import reviewer_counts
from iam.audit.reviews.reviewers import possible_reviewers
from iam.audit.reviews.sign_off import who_can_acknowledge, why_not_acknowledge, why_not_sign
from iam.audit.reviews.terms import ReviewTerms
from iam.directory.models import Person, Team
from iam.guard import Right, Viewer
from iam.keyset import KeysetPlace, RowPage, page
from iam.mirror.models import Account
from iam.people.runs.models import RunState

TABS: Final = (("", "To decide"), ("decided", "Decided"), ("trial", "On trial"), ("all", "All"))
ENDED_TABS: Final = (("", "All"), ("trial", "On trial"))
FILTERS: Final = ("q", "kind", "use", "mine")
EXPORT_PAGE: Final = 500
COLUMNS: Final = (
    "subject", "person", "kind", "account", "administrator", "access", "sort", "allows", "last_used", "use",
    "why", "peers", "separation_of_duties", "replay", "reviewer", "decision", "reason", "decided_by",
    "decided_at",
)  # fmt: skip


def campaign_or_404(request: ViewerRequest, pk: UUID) -> ReviewCampaign:
    """Return the review. Raises Http404 if the viewer can’t see it."""
    require_present(request)
    return found_or_404(find_campaign(request.viewer, pk))


@require(*SEES)
@require_safe
def campaign_page(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Show a review."""
    return campaign_shown(request, campaign_or_404(request, pk))


def wanted_in(request: ViewerRequest, campaign: ReviewCampaign) -> RowFilter:
    """Return the filters in the address; the page says which values mean nothing. After sign-off, all rows
    are listed.
    """
    tabs = {"": "open", "decided": "decided", "trial": "trial", "all": ""}
    if campaign.state != RunState.RUNNING:
        tabs = {"": "", "trial": "trial"}
    return RowFilter(
        tab=tabs[choice(request, "tab", tabs)],
        is_mine=is_ticked(request, "mine"),
        text=request.GET.get("q", "").replace("\x00", "").strip()[:200],
        kind=choice(request, "kind", SubjectKind.values),
        use=choice(request, "use", UseState.values),
    )


def campaign_shown(
    request: ViewerRequest,
    campaign: ReviewCampaign,
    *,
    errors: dict[str, str] | None = None,
    reason: str = "",
    chosen: Collection[int] = (),
) -> HttpResponse:
    """Render the page; `errors` are by form, and `chosen` are the rows that stay selected."""
    viewer, get = request.viewer, request.GET
    wanted = wanted_in(request, campaign)
    tabs = TABS if campaign.state == RunState.RUNNING else ENDED_TABS
    is_printed = is_ticked(request, "print")
    size = MAX_PRINTED if is_printed else PAGE_SIZE
    rows = rows_page(viewer, campaign, wanted, after=place_in(request, "after"), size=size)
    tab = get.get("tab", "")
    context: dict[str, Any] = {
        "campaign": campaign,
        "rows": rows_shown(viewer, campaign, rows.rows, chosen=chosen),
        "following": word_of(rows.after) or None,
        "is_first": "after" not in get,
        "is_printed": is_printed,
        "tab": tab if tab in dict(tabs) else "",
        "tabs": tabs,
        "q": wanted.text,
        "is_filtered": any(get.get(name) for name in FILTERS),
        "choices": _choices(request),
        "is_running": campaign.state == RunState.RUNNING,
        "may_review": may_review(viewer, campaign),
        "errors": errors or {},
        "reason": reason,
        "section": "reviews",
    }
    if not is_fragment(request) or errors:
        context |= _around(viewer, campaign)
        context["files"] = _files(viewer, campaign)
    for form, words in (errors or {}).items():
        if not _has_form(form, context):
            # Somebody else was faster, and the form is gone.
            messages.error(request, words)
            keep_text(request, reason)
    status = 422 if errors else 200
    return render_page(request, "reviews/campaign.html", context, partial="table", status=status)


def _has_form(form: str, context: Mapping[str, Any]) -> bool:
    """Return whether the page has the form, and with it the place of its error."""
    campaign = context["campaign"]
    forms = {
        "bulk": context["may_review"] and bool(context["rows"]),
        "sign": context["is_running"] and not context["to_request"] and not context["refusal_to_sign"],
        "acknowledge": campaign.state == RunState.WAITING and not context["refusal_to_acknowledge"],
        "assign": bool(context["people"]),
        "cancel": context["may_manage"],
    }
    return bool(forms.get(form, True))


def may_review(viewer: Viewer, campaign: ReviewCampaign) -> bool:
    """Return whether the viewer can decide in a running review; auditors only read."""
    return campaign.state == RunState.RUNNING and viewer.may(Right.REQUEST_CHANGE)


def _around(viewer: Viewer, campaign: ReviewCampaign) -> dict[str, Any]:
    """Return the context around the rows."""
    state, tone = state_of(campaign)
    whole = sees_whole(viewer, campaign)
    is_manager = may_manage(viewer, campaign)
    return {
        "state": state,
        "tone": tone,
        "terms_lines": terms_lines(campaign),
        "may_manage": is_manager and campaign.is_open,
        "may_discard": campaign.state == RunState.DRAFT and campaign.requested_by == viewer.person_id,
        "people": _assignable_to(viewer, campaign),
        "reviewers": reviewer_counts(campaign) if whole else [],
        "sees_whole": whole,
        "is_preparing": campaign.state == RunState.SUBMITTING,
    } | next_step(viewer, campaign)


def _assignable_to(viewer: Viewer, campaign: ReviewCampaign) -> list[Person]:
    """Return who could get rows of the review; no one if nothing is left to decide."""
    if not may_review(viewer, campaign) or not progress_of(campaign).left:
        return []
    return list(possible_reviewers())


def next_step(viewer: Viewer, campaign: ReviewCampaign) -> dict[str, Any]:
    """Return the progress of the review, and the viewer's options for it."""
    # Avoids a query while rows are undecided, which is the case on nearly every page.
    refusal = "Not all of it is decided." if progress_of(campaign).left else why_not_sign(campaign, viewer)
    return {
        "progress": progress_for(viewer, [campaign])[campaign.pk],
        "to_request": pending_of(campaign, viewer.person_id),
        "refusal_to_sign": refusal,
        "refusal_to_acknowledge": why_not_acknowledge(campaign, viewer),
        **_second_people(viewer, campaign),
    }


def _second_people(viewer: Viewer, campaign: ReviewCampaign) -> dict[str, Any]:
    """Return who can acknowledge a waiting review, and whether the viewer can appoint someone."""
    if campaign.state != RunState.WAITING:
        return {}
    return {
        "second_people": who_can_acknowledge(campaign),
        "may_appoint": viewer.may(Right.MANAGE_OPERATORS, account_id=""),
    }


def rows_shown(
    viewer: Viewer,
    campaign: ReviewCampaign,
    rows: Sequence[ReviewItem],
    *,
    chosen: Collection[int] = (),
    **parts: Any,
) -> list[RowShown]:
    """Return the rows of a page; the number of queries doesn’t depend on their number."""
    entities = {row.entity_id: row.entity for row in rows}
    own = own_arns(viewer.person_id, list(entities.values()))
    base = reverse("reviews:campaign", args=[campaign.pk])
    requests = requests_of(viewer, rows)
    result = []
    for row in rows:
        is_own = row.person_id == viewer.person_id or row.entity.arn in own
        may = may_review(viewer, campaign) and viewer.person_id in (row.reviewer_id, campaign.owner_id)
        parts |= {"may_decide": may, "is_own": is_own, "is_chosen": row.pk in chosen}
        parts["request"] = requests.get(row.pk)
        result.append(shown(row, campaign=campaign, base=base, **parts))
    return result


def _repeats(months: int) -> str:
    if not months:
        return "Once"
    return "Every month" if months == 1 else f"Every {months} months"


def terms_lines(campaign: ReviewCampaign) -> list[tuple[str, str]]:
    """Return the terms of the review as (label, value)."""
    terms = ReviewTerms.from_json(campaign.terms)
    names = dict(Account.objects.filter(account_id__in=terms.accounts).values_list("account_id", "name"))
    kinds, rule = dict(SubjectKind.choices), str(ReviewerRule(terms.reviewers).label)
    reviewers = (campaign.reviewer_id, campaign.second_reviewer_id)
    named = dict(Person.objects.filter(pk__in=reviewers).values_list("pk", "name"))
    reviewer, second_reviewer = (named.get(pk, "Unknown") for pk in reviewers)
    lines = [
        ("Accounts", ", ".join(names.get(number, number) for number in terms.accounts) or "All accounts"),
        (
            "Whose access",
            ", ".join(str(kinds[kind]) for kind in terms.kinds) or "People, machine users and roles",
        ),
        ("Which access", str(ReviewScope(terms.which).label)),
        ("Reviewed by", reviewer if terms.reviewers == ReviewerRule.NAMED else f"{rule}, or else {reviewer}"),
        ("Second reviewer", second_reviewer),
        ("When overdue", str(OverdueAction(terms.overdue).label)),
        ("Repeats", _repeats(terms.months)),
        ("Trial revocation", duration_text(timedelta(days=terms.trial_days)) if terms.trial_days else "Off"),
    ]
    if terms.teams:
        teams = dict(Team.objects.filter(slug__in=terms.teams).values_list("slug", "name"))
        lines.insert(1, ("Teams", ", ".join(teams.get(slug, slug) for slug in terms.teams)))
    if terms.templates:
        current = TemplateVersion.objects.filter(
            template__slug__in=terms.templates, number=F("template__current")
        )
        titles = dict(current.values_list("template__slug", "title"))
        lines.insert(1, ("Templates", ", ".join(titles.get(slug, slug) for slug in terms.templates)))
    return lines


def _choices(request: ViewerRequest) -> list[dict[str, Any]]:
    """Return the selects of the filter."""
    options: dict[str, tuple[str, str, Collection[tuple[str, Any]]]] = {
        "kind": ("Whose", "Everyone", SubjectKind.choices),
        "use": ("Use", "Any use", UseState.choices),
        "mine": ("Reviewer", "Any reviewer", [("1", "Me")]),
    }
    return filter_selects(request, options)


def _files(viewer: Viewer, campaign: ReviewCampaign) -> list[tuple[str, str]]:
    if not viewer.may(Right.EXPORT):
        return []
    forms = ("csv", "json")
    return [(f"Export {form.upper()}", reverse("reviews:export", args=[campaign.pk, form])) for form in forms]


@require(*SEES)
@require_safe
def campaign_export(request: ViewerRequest, pk: UUID, form: str) -> HttpResponseBase:
    """Export all rows of a review that the viewer can see."""
    campaign = campaign_or_404(request, pk)
    rows = visible_rows(request.viewer, campaign).select_related("access", "account")
    page_after = partial(_export_page, rows)
    return export_list(
        request,
        form,
        name=f"review-{campaign.reference}",
        columns=COLUMNS,
        filters={"review": campaign.reference},
        page=reverse("reviews:campaign", args=[campaign.pk]),
        rows=_export_rows(chain.from_iterable(pages_of(page_after))),
    )


def _export_page(rows: Any, after: KeysetPlace | None) -> RowPage[ReviewItem]:
    return page(rows, order=BY_SUBJECT, size=EXPORT_PAGE, after=after)


def _export_rows(rows: Iterator[ReviewItem]) -> Iterator[Sequence[Any]]:
    for row in rows:
        used = row.last_used_at.isoformat() if row.last_used_at else ""
        yield [
            row.subject,
            row.person_name,
            row.get_subject_kind_display(),
            row.account.account_id,
            row.is_administrator,
            row.target,
            row.get_sort_display(),
            "; ".join(row.access.lines),
            used,
            row.get_use_display(),
            "; ".join(reason["title"] for reason in row.why),
            f"{row.peers_with}/{row.peers} {row.peers_of}" if row.peers_of else "",
            "; ".join(row.sod),
            replay_words(row)[0],
            row.reviewer_name,
            row.get_decision_display(),
            row.decision_reason,
            row.decided_name,
            row.decided_at.isoformat() if row.decided_at else "",
        ]
