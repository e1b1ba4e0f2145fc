"""The overview: totals, protection, what needs attention, what is new, and how fresh the data is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import reverse
from django.utils.text import capfirst

from console.changes.lists import rows_of
from console.dashboard.attention import AttentionLine, escalation_matter, matters
from console.dashboard.evidence import evidence_for
from console.dashboard.first_steps import first_steps
from console.dashboard.overview_reads import overview_reads
from console.dashboard.waiting_counts import OTHERS, OWN, WaitingCounts, waiting
from console.dashboard.worst_findings import findings_context
from console.identities.details.difference_texts import differences
from console.web.access import ViewerRequest, require
from console.web.asof import asof_context
from console.web.context import frame_of
from console.web.known_facts import figure
from console.web.query import QueryPairs
from console.web.render import render_page
from iam.access.escalation_groups import escalation_totals
from iam.access.visible_accounts import accounts_seen
from iam.changes.models import Change
from iam.changes.queries import narrowed, waiting_for, waiting_for_others
from iam.guard import Right, Viewer
from iam.mirror.models import Account
from iam.mirror.pull.sections import CREDENTIAL_REPORT, GROUPS, POLICIES, ROLES, USERS
from iam.mirror.queries import overview as mirror
from iam.mirror.queries.account_facts import facts_of
from iam.mirror.queries.account_lists import ATTENTION, accounts_by_need, readable_accounts
from iam.mirror.queries.figures import FigureTotals, figures, generation
from iam.mirror.queries.freshness import AccountStatus, FreshnessFacts, account_state
from iam.mirror.queries.lists.context import ListContext
from iam.mirror.queries.lists.core import ListQuery, list_page
from iam.mirror.queries.lists.freshness import unsynced_sections
from iam.mirror.queries.lists.people import PEOPLE
from iam.people.campaigns.audience import stuck_campaigns
from iam.people.onboarding.stuck_people import stuck_newcomers
from iam.planned_reads import read_ahead

NEWS, WAITING, ACCOUNTS, TEAM, STUCK, NAMED = 8, 5, 8, 8, 6, 3
WORRIES = (
    ("No MFA", "A password alone opens the AWS console.", "no-mfa", "bad"),
    ("Access keys older than 90 days", "Rotate them, or delete those that no one uses.", "old-keys", "warn"),
    ("Not used for 45 days", "Ask whether the user is still needed.", "inactive", "warn"),
    ("Console password never used", "Invite the person again, or remove the password.", "never", "warn"),
    (
        "Access keys without a password",
        "Most belong to programs. A role needs no key that can leak.",
        "machines",
        "",
    ),
)
"""Lines of “Needs attention”: title, meaning, view of the list of IAM users, and tone."""


@dataclass(frozen=True, slots=True)
class AccountSync:
    """An account with its freshness and status, and whether the list of accounts counts it as needing
    attention.
    """

    facts: FreshnessFacts
    standing: AccountStatus
    needs_attention: bool

    @property
    def is_live(self) -> bool:
        """True if the account is being synced."""
        return self.facts.pull is not None


@dataclass(frozen=True, slots=True)
class MfaCoverage:
    """Which MFA the IAM users with a console password have: shares in percent of those whose MFA is known.
    `percent` is None if it is known of no one.
    """

    percent: int | None
    words: str
    without: int
    unread: int
    strong_share: float
    app_share: float
    legend: tuple[tuple[str, str], ...]


TOTAL_SECTIONS = {"people": USERS, "roles": ROLES, "groups": GROUPS, "policies": POLICIES}
"""Sections from which the totals of the first line are counted."""

MATTER_SECTIONS = frozenset((*TOTAL_SECTIONS.values(), CREDENTIAL_REPORT))
"""If one of these sections is missing, the page doesn’t say that nothing needs attention."""


@dataclass(frozen=True, slots=True)
class OverviewTotal:
    """A total in the first line: its text, the address of its list, and the text after it."""

    text: str
    url: str
    after: str


class TotalsLine(NamedTuple):
    """The totals of all visible accounts and the end of the line; without totals if nothing was synced."""

    totals: list[OverviewTotal]
    end: str


@dataclass(frozen=True, slots=True)
class HeadAction:
    """A button in the page header."""

    label: str
    icon: str
    url: str


def look_after(request: ViewerRequest) -> HttpResponse:
    """Show the overview of the chosen account or of all visible accounts, or the first steps without any
    account.
    """
    viewer, frame = request.viewer, frame_of(request)
    chosen = frame.chosen
    if not frame.accounts:
        empty = {
            "section": "overview",
            "may_connect": viewer.may(Right.MANAGE_ACCOUNTS),
            "steps": first_steps(viewer),
        }
        return render_page(request, "dashboard/empty.html", empty)
    list_context = ListContext(viewer=viewer, at=request.at, account=chosen)
    with read_ahead(overview_reads(list_context)):
        return _overview(request, list_context)


def _overview(request: ViewerRequest, list_context: ListContext) -> HttpResponse:
    viewer, chosen = request.viewer, list_context.account
    whole = viewer.scope.sees_account(chosen.account_id) if chosen else viewer.may(Right.SEE_ACCOUNT)
    written = generation(list_context)
    context: dict[str, Any] = {
        "section": "overview",
        "chosen": chosen,
        "sees_accounts": whole,
        "may_connect": viewer.may(Right.MANAGE_ACCOUNTS),
        "is_sample": settings.SAMPLE_DATA,
        "news_since": mirror.news_since(list_context),
        "news": differences(
            mirror.recent_events(list_context, limit=NEWS, written=written), viewer=viewer, with_nouns=True
        ),
        "team": None if whole else list_page(PEOPLE, list_context, ListQuery()).rows[:TEAM],
        **asof_context(request, account=chosen),
    }
    waits = None if list_context.at else waiting(viewer, account=chosen)
    if waits is not None:
        context |= _waiting(request, chosen, waits) | _sync(request, chosen)
        context |= {
            "actions": actions_for(viewer),
            "is_auditor": viewer.may(Right.SEE_JOURNAL) and not viewer.may(Right.REQUEST_CHANGE),
            "steps": first_steps(viewer),
            "evidence": evidence_for(viewer, account=chosen),
            "stuck": _stuck(viewer) if viewer.leads else None,
            **findings_context(viewer, chosen),
        }
    numbers, unsynced = figures(list_context, written=written), unsynced_sections(list_context)
    context |= {
        "mfa": _mfa(numbers),
        "is_past": list_context.at is not None,
        "people": numbers.of("people"),
        "uncounted": numbers.uncounted,
        "totals_line": _totals_line(numbers, whole=whole, unsynced=unsynced),
        "nothing_synced": chosen is not None and unsynced >= set(TOTAL_SECTIONS.values()),
        "news_unsynced": bool(unsynced & set(TOTAL_SECTIONS.values())),
        "users_unsynced": USERS in unsynced,
        "may_miss_matters": bool(unsynced & MATTER_SECTIONS) or context.get("may_miss_findings", False),
        "passwords_unsynced": bool(unsynced & {USERS, CREDENTIAL_REPORT}),
        "where": _where(request, chosen, whole=whole, total=context.get("accounts")),
        "matters": _matters(
            request,
            list_context,
            _counted(request, list_context, numbers, unsynced),
            waits,
            _stale(context.get("sync", ()), context.get("behind", 0), chosen),
        ),
    }
    return render_page(request, "dashboard/overview.html", context)


@require(Right.SEE_ACCOUNT)
def escalation(request: ViewerRequest) -> HttpResponse:
    """Render the line about who can become administrator, which the overview reloads until a worker has
    calculated it.
    """
    account = frame_of(request).chosen
    account_id = account.account_id if account else ""
    seen = accounts_seen(request.viewer, account=account_id)
    totals = escalation_totals(seen, wait=False)
    kept = f"?account={account.account_id}" if account else ""
    matters = list(escalation_matter(totals, kept))
    if not matters:
        return HttpResponse("")
    return render_page(request, "dashboard/_matter.html", {"matter": matters[0]})


def _matters(
    request: ViewerRequest,
    list_context: ListContext,
    counted: Iterable[AttentionLine],
    waits: WaitingCounts | None,
    stale: Iterable[AttentionLine],
) -> list[AttentionLine]:
    """Return what needs attention; for a past moment only what the lists counted then."""
    if waits is None:
        return list(counted)
    return matters(request.viewer, account=list_context.account, waits=waits, figures=[*stale, *counted])


def _stale(sync: Iterable[AccountSync], behind: int, chosen: Account | None) -> Iterator[AttentionLine]:
    """Yield a line about the accounts that the list of accounts counts as needing attention."""
    if behind and chosen:
        yield AttentionLine(
            "Account that needs attention",
            f"What you see of {chosen.name} may be out of date or incomplete.",
            "1",
            "warn",
            reverse("setup:account", args=[chosen.account_id]),
        )
    elif behind:
        named = [row.facts.account.name for row in sync if row.needs_attention][:NAMED]
        more = f" and {behind - len(named):,} more" if behind > len(named) else ""
        yield AttentionLine(
            "Accounts that need attention",
            f"{', '.join(named)}{more}: what you see of them may be out of date or incomplete.",
            f"{behind:,}",
            "warn",
            f"{reverse('setup:accounts')}?state={ATTENTION}",
        )


def _counted(
    request: ViewerRequest, list_context: ListContext, numbers: FigureTotals, unsynced: Collection[str]
) -> Iterator[AttentionLine]:
    """Yield a line per view of the list of IAM users with the list's own count: "6+" if some were not
    synced.
    """
    views = PEOPLE.tabs_for(list_context)
    kept = QueryPairs.from_pairs([(name, request.GET.get(name, "")) for name in ("account", "as-of")])
    people, mfa = numbers.of("people"), numbers.of("mfa")
    unknown = mfa.get("unread", 0) + mfa.get("unknown", 0)
    if unknown:
        meaning = "Their MFA devices were not synced, so they are counted neither as safe nor as unsafe."
        count = figure(unknown, needs=(USERS,), unsynced=unsynced)
        url = f"{reverse('mfa:fleet')}{kept}".rstrip("?")
        yield AttentionLine("MFA unknown", meaning, count.text, "note", url)
    for title, meaning, view, tone in WORRIES:
        if not people.get(view):
            continue
        # Views based on last use exist only for today: past numbers are stored, past rows aren’t.
        url = f"{reverse('identities:people')}{kept.with_values(view=view)}" if view in views else ""
        count = figure(people[view], needs=(USERS, CREDENTIAL_REPORT), unsynced=unsynced)
        yield AttentionLine(title, meaning, count.text, tone, url)


def _totals_line(numbers: FigureTotals, *, whole: bool, unsynced: Collection[str]) -> TotalsLine:
    totals = Counter(numbers.values)
    names = [("people.all", "people", "IAM user", "IAM users")]
    if whole:
        names += [("roles", "roles", "role", "roles")]
    names += [("groups", "groups", "group", "groups")]
    if whole:
        names += [("policies", "policies", "policy", "policies")]
    is_known = any(totals[name] or TOTAL_SECTIONS[page] not in unsynced for name, page, _, _ in names)
    sums = []
    for place, (name, page, singular, plural) in enumerate(names):
        number = totals[name]
        after = {len(names) - 1: "", len(names) - 2: " and"}.get(place, ",")
        words = singular if number == 1 else plural
        text = f"{number:,} {words}"
        if not is_known:
            text = plural
        elif TOTAL_SECTIONS[page] in unsynced:
            text = f"at least {text}" if number else f"an unknown number of {plural}"
        if place == 0:
            text = capfirst(text)
        sums.append(OverviewTotal(text, reverse(f"identities:{page}"), after))
    end = "." if is_known else ": not synced."
    return TotalsLine(sums, end)


def _where(request: ViewerRequest, chosen: Account | None, *, whole: bool, total: int | None) -> str:
    if not whole:
        return "in your teams"
    if chosen:
        return f"in {chosen.name}"
    number = readable_accounts(request.viewer).count() if total is None else total
    return f"in {number:,} account{'' if number == 1 else 's'}"


def _mfa(numbers: FigureTotals) -> MfaCoverage:
    mfa = Counter(numbers.of("mfa"))
    mfa["unread"] += mfa.pop("unknown", 0)
    known = mfa.total() - mfa["unread"]
    covered = known - mfa["none"]
    legend = [
        ("ok", f"Passkey, security key or hardware token, {mfa['strong']:,}"),
        ("info", f"Authenticator app, {mfa['app']:,}"),
    ]
    legend += [("", f"None, {mfa['none']:,}")]
    legend += [("hollow", f"Unknown, {mfa['unread']:,}")] if mfa["unread"] else []
    whose = "a console password and known MFA" if mfa["unread"] else "a console password"
    # The page must not show 100 % while a user is missing.
    percent = 100 * covered // known if known else None
    return MfaCoverage(
        percent=percent,
        words=f"{covered:,} of {known:,} IAM users with {whose}",
        without=mfa["none"],
        unread=mfa["unread"],
        strong_share=round(100 * mfa["strong"] / (known or 1), 1),
        app_share=round(100 * mfa["app"] / (known or 1), 1),
        legend=tuple(legend),
    )


def actions_for(viewer: Viewer) -> list[HeadAction]:
    """Return the viewer's most common actions, the most usual first."""
    grant = HeadAction("Grant access", "key-round", reverse("access:grant-new"))
    onboard = HeadAction("Onboard", "user-plus", reverse("onboarding:runs"))
    offboard = HeadAction("Offboard", "log-out", reverse("offboarding:begin"))
    move = HeadAction("Change team", "arrow-left-right", reverse("moving:moves"))
    who_can = HeadAction("Who can …", "waypoints", reverse("access:who-can"))
    if not viewer.may(Right.REQUEST_CHANGE):
        return [who_can] if viewer.sees_accounts else []
    if viewer.sees_accounts:
        return [grant, onboard, who_can]
    return [onboard, offboard, move, grant]


def _stuck(viewer: Viewer) -> dict[str, Any]:
    """Return who is stuck in campaigns and onboardings of the teams that the viewer leads."""
    campaigns, newcomers = stuck_campaigns(viewer, most=STUCK), stuck_newcomers(viewer, most=STUCK)
    return {
        "campaigns": campaigns,
        "newcomers": newcomers,
        "total": newcomers.total + sum(campaign.to_remind + campaign.unlinked for campaign in campaigns),
    }


def _waiting(request: ViewerRequest, chosen: Account | None, waits: WaitingCounts) -> dict[str, Any]:
    """Return the changes that wait for the viewer's decision or, if there are none, for other people's.

    Administrators and team leads can have decisions too, if a rule requires them.
    """
    viewer, number = request.viewer, chosen.account_id if chosen else ""
    # The rows were counted before, so they are loaded only if there are any.
    changes = _first_waiting(waiting_for(viewer), viewer, number) if waits.count_of(OWN) else []
    mine = bool(changes) or viewer.may(Right.APPROVE_CHANGE)
    if not mine and waits.count_of(OTHERS):
        changes = _first_waiting(waiting_for_others(viewer), viewer, number)
    url = reverse("changes:approvals") if mine else reverse("changes:list")
    kept = QueryPairs.from_pairs([("tab", "" if mine else "waiting"), ("account", number)])
    return {
        "waits_for_me": mine,
        "waiting": rows_of(changes[:WAITING], viewer=request.viewer) if changes else [],
        "waiting_more": len(changes) > WAITING,
        "waiting_url": f"{url}{kept}".rstrip("?"),
        "asks": request.viewer.may(Right.REQUEST_CHANGE),
    }


def _first_waiting(waiting: QuerySet[Change], viewer: Viewer, number: str) -> list[Change]:
    waiting = narrowed(waiting, viewer=viewer, account_id=number)
    return list(waiting.select_related("change_set")[: WAITING + 1])


def _sync(request: ViewerRequest, chosen: Account | None) -> dict[str, Any]:
    """Return the accounts that need attention first, then others up to the limit, or the chosen account; and
    how many there are.
    """
    if not request.viewer.may(Right.SEE_ACCOUNT):
        return {}
    by_need = accounts_by_need(request.viewer, account=chosen)
    shown = dict(by_need[:ACCOUNTS])
    facts_by_account = facts_of(list(shown), for_standing=True)
    rows = [AccountSync(facts, account_state(facts), shown[facts.account.pk]) for facts in facts_by_account]
    return {"sync": rows, "accounts": len(by_need), "behind": sum(needs for _, needs in by_need)}
