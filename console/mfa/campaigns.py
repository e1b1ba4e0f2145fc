"""MFA campaigns: the list, starting one, and its page with progress, reminders and exemptions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db.models import F
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from console.identities.details.labels import moment_from
from console.mfa.campaign_form import date_or_none, listed_people, places_for, read_campaign
from console.web.access import ViewerRequest, found_or_404, require
from console.web.kept_text import keep_text
from console.web.moments import day_text, moment_text
from console.web.page_cursors import page_number
from console.web.render import render_page
from iam.changes.errors import RefusedError, field_errors
from iam.changes.models import Change
from iam.guard import Right
from iam.mirror.display_names import names_by_entity
from iam.mirror.models import Usage
from iam.people.campaigns import services
from iam.people.campaigns.audience import audience
from iam.people.campaigns.models import Campaign, CampaignEnding, CampaignState, Participant
from iam.people.campaigns.queries import (
    ParticipantRow,
    ParticipantStatus,
    linked_to_nobody,
    may_run,
    participants,
    progress,
    progresses,
    rows_of,
    visible_campaigns,
)
from iam.people.campaigns.waiting_demands import waits_for_approval
from iam.phrases import counted

SEES: Final = (Right.SEE_ACCOUNT, Right.SEE_TEAM)
PAGE: Final = 50
PREVIEW_NAMES: Final = 20
NO_REMINDER: Final = (
    "No reminder was sent: these people got one within the last 20 hours, or no person is linked."
)
"""Maximum number of names per list before a campaign starts; the others are counted."""
FIELDS: Final = ("name", "place", "people", "due", "remind", "ending", "reason")
MARKS: Final = {
    ParticipantStatus.MISSING: ("Not started", "bad", "x"),
    ParticipantStatus.ENROLLING: ("Enrolling", "info", "loader-circle"),
    ParticipantStatus.EXCUSED: ("Exempt", "", ""),
    ParticipantStatus.UNREAD: ("Unknown", "", ""),
    ParticipantStatus.ENROLLED: ("Enrolled", "ok", "check"),
    ParticipantStatus.GONE: ("No longer included", "", ""),
}
EXPIRED: Final = ("Link expired", "warn", "clock")
STATES: Final = {
    CampaignState.RUNNING: ("info", "loader-circle"),
    CampaignState.DUE: ("warn", "clock"),
    CampaignState.CLOSED: ("", ""),
}


@require_safe
@require(*SEES)
def index(request: ViewerRequest) -> HttpResponse:
    """List the campaigns, newest first."""
    page = page_number(request)
    rows = visible_campaigns(request.viewer).order_by("-begun_at", "pk")
    campaigns = list(rows[(page - 1) * PAGE : page * PAGE + 1])
    known = progresses(campaigns[:PAGE], viewer=request.viewer)
    context = _frame(request) | {
        "rows": [
            (campaign, known[campaign.pk], *STATES[CampaignState(campaign.state)])
            for campaign in campaigns[:PAGE]
        ],
        "page": page,
        "has_more": len(campaigns) > PAGE,
        "may_begin": bool(places_for(request.viewer)),
    }
    return render_page(request, "mfa/campaigns.html", context)


@require_http_methods(["GET", "POST"])
@require(Right.REQUEST_CHANGE)
def begin(request: ViewerRequest) -> HttpResponse:
    """Show the form, or start a campaign."""
    places = places_for(request.viewer)
    context = _frame(request) | {
        "places": places,
        "endings": [
            choice
            for choice in CampaignEnding.choices
            if choice[0] != CampaignEnding.RESTRICT or request.viewer.sees_accounts
        ],
        "given": request.POST if request.method == "POST" else request.GET,
        "refused": None,
        "people_hint": (
            "Names, email addresses, user names or ARNs, one per line or separated by commas. Empty: "
            "everyone in the account or team."
        ),
        "reason_hint": (
            "The people in the campaign read it, and so does the approver of what is requested after the "
            "due date."
        ),
    }
    if request.method == "GET":
        return render_page(request, "mfa/campaign_begin.html", context)
    try:
        terms = read_campaign(request)
        services.check(request.viewer, terms)
        if request.POST.get("do") == "edit":
            return render_page(request, "mfa/campaign_begin.html", context)
        if request.POST.get("do") != "start":
            return _review(request, terms, context)
        made = services.begin(request.viewer, terms)
    except RefusedError as refused:
        context |= {"refused": refused, "errors": field_errors(refused)}
        return render_page(request, "mfa/campaign_begin.html", context, status=422)
    messages.success(request, "Campaign started. Invitations go out within a few minutes.")
    return redirect("mfa:campaign", pk=made.pk)


def _review(request: ViewerRequest, terms: services.CampaignTerms, context: dict[str, Any]) -> HttpResponse:
    """Show who would get a mail, who can’t be reached, and the mail itself, before anything is sent."""
    reached = audience(request.viewer, account=terms.account, team=terms.team, users=terms.listed)
    of_list = listed_people(request, terms.account, terms.team)
    picked = request.POST.getlist("pick")
    if not reached.total and not (of_list and of_list.to_decide):
        raise RefusedError("No one there signs in with a console password.")
    example = reached.mailed[0][0] if reached.mailed else None
    subject, text = "", ""
    if example is not None:
        draft = services.draft(request.viewer, terms)
        until = datetime.now(tz=UTC) + services.LASTS
        subject, text = services.message(draft, user=example, until=until, is_reminder=False)
    names = names_by_entity(
        [
            *(user for user, _ in reached.mailed[:PREVIEW_NAMES]),
            *reached.unlinked[:PREVIEW_NAMES],
            *reached.unknown[:PREVIEW_NAMES],
        ]
    )
    context |= {
        "terms": terms,
        "place": terms.team or terms.account,
        "ending": CampaignEnding(terms.ending).label,
        "audience": reached,
        "mailed": [(user, person, names[user.pk]) for user, person in reached.mailed[:PREVIEW_NAMES]],
        "unlinked": [(user, names[user.pk]) for user in reached.unlinked[:PREVIEW_NAMES]],
        "unknown": [(user, names[user.pk]) for user in reached.unknown[:PREVIEW_NAMES]],
        "mailed_more": max(0, len(reached.mailed) - PREVIEW_NAMES),
        "unlinked_more": max(0, len(reached.unlinked) - PREVIEW_NAMES),
        "unknown_more": max(0, len(reached.unknown) - PREVIEW_NAMES),
        "subject": subject,
        "text": text,
        "of_list": of_list,
        "decisions": [
            (line, [(match, str(match.entity.pk) in picked) for match in line.matches])
            for line in (of_list.to_decide if of_list else [])
        ],
        "fields": [(name, request.POST.get(name, "")) for name in FIELDS],
    }
    return render_page(request, "mfa/campaign_review.html", context)


@require_safe
@require(*SEES)
def campaign_detail(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Show the campaign's progress and the visible participants; those who still have to act come first."""
    return _page(request, _campaign(request, pk))


def _due_words(days: int) -> str:
    """The days between today and the due date, negative if it has passed, in words."""
    if not days:
        return "Due today"
    words = f"{abs(days)} day" if abs(days) == 1 else f"{abs(days)} days"
    return f"{words} overdue" if days < 0 else f"{words} left"


def _page(request: ViewerRequest, campaign: Campaign, *, refused: RefusedError | None = None) -> HttpResponse:
    """Render the page; after a refusal, the input stays in its row."""
    page = page_number(request)
    rows = participants(campaign, viewer=request.viewer).select_related("user__account")
    rows = rows.order_by("standing", F("told_at").asc(nulls_first=True), "user__name", "pk")
    part = list(rows[(page - 1) * PAGE : page * PAGE + 1])
    known = progress(campaign, viewer=request.viewer)
    unlinked = linked_to_nobody(campaign, viewer=request.viewer)
    tone, icon_name = STATES[CampaignState(campaign.state)]
    today = datetime.now(tz=UTC).date()
    context = _frame(request) | {
        "campaign": campaign,
        "tone": tone,
        "icon_name": icon_name,
        "progress": known,
        "today": today.isoformat(),
        "due_words": _due_words((campaign.due - today).days),
        "ending": ending_words(campaign),
        "following": reverse("mfa:campaign", args=[campaign.pk]),
        "is_running": campaign.state == CampaignState.RUNNING,
        "is_open": campaign.state != CampaignState.CLOSED,
        "may_run": may_run(request.viewer, campaign)
        and (campaign.state != CampaignState.CLOSED or waits_for_approval(campaign)),
        "rows": [row | _typed(request, row, refused) for row in _rows(part[:PAGE])],
        "page": page,
        "has_more": len(part) > PAGE,
        "to_remind": known.missing - known.excused - unlinked,
        "unlinked": unlinked,
        "refused": refused,
    }
    if refused is not None and not any(row["typed"] and row["can_excuse"] for row in context["rows"]):
        # They have MFA by now, or stand on another page.
        messages.error(request, refused.message)
        keep_text(request, request.POST.get("why", ""))
    status = 422 if refused else 200
    return render_page(request, "mfa/campaign.html", context, partial="progress", status=status)


def _typed(request: ViewerRequest, row: dict[str, Any], refused: RefusedError | None) -> dict[str, Any]:
    """Return the refused input of this row, with the error of each field."""
    ids = {"until_id": f"u-{row['pk']}", "why_id": f"w-{row['pk']}"}
    if refused is None or request.POST.get("who") != str(row["pk"]):
        return ids | {"typed": {}, "errors": {}}
    typed = {name: request.POST.get(name, "")[:300] for name in ("until", "why")}
    return ids | {"typed": typed, "errors": field_errors(refused)}


def ending_words(campaign: Campaign) -> str:
    """Return what happens, or happened, after the due date."""
    begun_by, is_closed = campaign.begun_by.name, campaign.state == CampaignState.CLOSED
    if is_closed and campaign.closed_at and campaign.closed_at.date() <= campaign.due:
        return "Closed before its due date. Nothing was requested."
    before, after = {
        CampaignEnding.NOTIFY: (
            f"After the due date, {begun_by} gets the list of users without MFA.",
            f"{begun_by} got the list of users without MFA.",
        ),
        CampaignEnding.RESTRICT: (
            (
                "After the due date, a policy that requires MFA is requested for users without it. It needs "
                "approval."
            ),
            (
                "A policy that requires MFA was requested for users without it. The request is next to each "
                "of their names."
            ),
        ),
        CampaignEnding.DISABLE: (
            (
                "After the due date, deletion of the console passwords of users without MFA is requested. It "
                "needs approval."
            ),
            (
                "Deletion of the console passwords of users without MFA was requested. The request is next "
                "to each of their names."
            ),
        ),
    }[CampaignEnding(campaign.ending)]
    if campaign.state == CampaignState.RUNNING:
        return before
    return after if is_closed else f"{after} The campaign stays open for users who are exempt or unknown."


@require_POST
@require(Right.REQUEST_CHANGE)
def act(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Remind one or all, exempt someone, end an exemption, or close the campaign."""
    campaign = _campaign(request, pk)
    if not may_run(request.viewer, campaign):
        raise Http404
    try:
        _do(request, campaign)
    except RefusedError as refused:
        if request.POST.get("do") == "excuse":
            return _page(request, campaign, refused=refused)
        messages.error(request, refused.message)
    if request.POST.get("next") == "overview":
        return redirect("dashboard:overview")
    return redirect(f"{reverse('mfa:campaign', args=[pk])}?{request.GET.urlencode()}")


def _do(request: ViewerRequest, campaign: Campaign) -> None:
    do, viewer = request.POST.get("do", ""), request.viewer
    if do == "close":
        if services.close(viewer, campaign):
            messages.success(request, "Campaign closed. No more mails are sent.")
    elif do == "remind":
        chosen = [_participant(request, campaign)] if request.POST.get("who") else None
        count = services.remind(viewer, campaign=campaign, wanted=chosen)
        if count:
            messages.success(request, f"Sending {counted(count, 'reminder')}.")
        else:
            messages.info(request, NO_REMINDER)
    elif do == "excuse":
        until = date_or_none(request.POST.get("until", ""))
        why = request.POST.get("why", "")
        services.excuse(viewer, _participant(request, campaign), until=until, why=why)
    elif do == "unexcuse":
        services.end_exception(viewer, _participant(request, campaign))
    else:
        raise Http404


def _rows(part: list[Participant]) -> list[dict[str, Any]]:
    """Return the participants of a page, each with the first change requested for them."""
    sets = {participant.asked_id for participant in part if participant.asked_id}
    firsts = {
        change.change_set_id: change for change in Change.objects.filter(change_set__in=sets, position=0)
    }
    usages = Usage.objects.filter(entity__in=[participant.user_id for participant in part])
    seen = {
        user: details.get("password_last_used") for user, details in usages.values_list("entity", "details")
    }
    names = names_by_entity(participant.user for participant in part)
    shown = []
    for row in rows_of(part):
        asked = firsts.get(row.participant.asked_id) if row.participant.asked_id else None
        signed_in = moment_from(seen.get(row.participant.user_id))
        shown.append(_participant_row(row, asked, names) | {"signed_in": signed_in})
    return shown


def _participant_row(row: ParticipantRow, asked: Change | None, names: Mapping[int, str]) -> dict[str, Any]:
    participant, is_expired = row.participant, _is_expired(row)
    words, tone, icon_name = EXPIRED if is_expired else MARKS[row.standing]
    return {
        "pk": participant.pk,
        "user": participant.user,
        "name": row.person.name if row.person else names[participant.user_id],
        "words": words,
        "tone": tone,
        "icon_name": icon_name,
        "note": _note(row),
        "messages": participant.messages,
        "told_at": participant.told_at,
        "asked": asked,
        "remind": "Send new link" if is_expired else "Remind",
        "can_remind": row.standing in (ParticipantStatus.MISSING, ParticipantStatus.ENROLLING)
        and row.person is not None,
        "can_excuse": row.standing in (ParticipantStatus.MISSING, ParticipantStatus.ENROLLING),
        "is_excused": participant.excused_until is not None and row.standing is ParticipantStatus.EXCUSED,
    }


def _note(row: ParticipantRow) -> str:
    participant = row.participant
    if row.standing is ParticipantStatus.EXCUSED and participant.excused_until:
        until = day_text(participant.excused_until)
        return f"Until {until}: {participant.excused_why} ({participant.excused_by})"
    if row.standing is ParticipantStatus.MISSING:
        if row.person is None:
            return "No person linked"
        if row.opened_at:
            return f"Link opened {moment_text(row.opened_at)}, not finished"
    return ""


def _is_expired(row: ParticipantRow) -> bool:
    """Return whether the participant was notified, and the link expired unused."""
    is_unused = row.opened_at is None and row.link_until is None
    return (
        row.standing is ParticipantStatus.MISSING
        and row.person is not None
        and bool(row.participant.messages)
        and is_unused
    )


def _frame(request: ViewerRequest) -> dict[str, Any]:
    request.at = None
    return {
        "section": "fleet",
        "sees_accounts": request.viewer.sees_accounts,
        "has_mail": settings.MAIL_IS_CONFIGURED,
    }


def _campaign(request: ViewerRequest, pk: UUID) -> Campaign:
    return found_or_404(visible_campaigns(request.viewer).filter(pk=pk).first())


def _participant(request: ViewerRequest, campaign: Campaign) -> Participant:
    try:
        pk = UUID(request.POST.get("who", ""))
    except ValueError:
        raise Http404 from None
    rows = participants(campaign, viewer=request.viewer).select_related(
        "campaign__team", "campaign__account", "user"
    )
    participant: Participant | None = rows.filter(pk=pk).first()
    return found_or_404(participant)
