"""Finds the changes that a viewer sees, what waits for them, and the list of requests page by page."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from iam.changes.approval.models import StageDecider
from iam.changes.approval.rules import PERSON, ROLE, TEAM
from iam.changes.models import (
    OPEN,
    RUNNING,
    Approval,
    Change,
    ChangeEvent,
    ChangeSet,
    ChangeState,
    Decision,
)
from iam.directory.models import Person, RoleAssignment
from iam.guard import Right, Viewer
from iam.guard.viewer import ANY_ACCOUNT, RIGHTS
from iam.keyset import NEWEST_FIRST, KeysetPlace, RowPage, page
from iam.mirror.models import Entity, Kind
from iam.mirror.queries.visibility import visible_entities
from iam.search_words import matches

PAGE = 50

STATES: dict[str, tuple[ChangeState, ...]] = {
    "waiting": (ChangeState.AWAITING,),
    "running": RUNNING,
    "applied": (ChangeState.APPLIED,),
    "trouble": (ChangeState.FAILED, ChangeState.UNKNOWN),
    "unknown": (ChangeState.UNKNOWN,),
    "closed": (ChangeState.REJECTED, ChangeState.CANCELLED, ChangeState.EXPIRED),
}
"""The tabs of the list, by their word in the URL, with the states of their changes."""


def visible_changes(viewer: Viewer) -> QuerySet[Change]:
    """Changes of the viewer and of people they see, of accounts they see whole, and their own requests.

    Own requests stay visible in accounts in which the viewer can still make requests, even if the person
    concerned has left the team: they show only what the viewer wrote and saw. Changes of a disconnected
    account stay visible to people who see the account, as evidence.
    """
    changes = Change.objects.exclude(state=ChangeState.DRAFT)
    scope = viewer.scope
    if scope.sees_everything:
        return changes
    own = Q(requested_by=viewer.person_id) & in_accounts(viewer, Right.REQUEST_CHANGE)
    seen = own | Q(entity__in=visible_entities(viewer).values("pk"))
    if scope.accounts:
        seen |= Q(account__account_id__in=scope.accounts)
    return changes.filter(seen)


def in_accounts(viewer: Viewer, right: Right) -> Q:
    """A filter for changes of accounts in which the viewer has a right."""
    accounts = {account for granted, account in viewer.grants if granted is right}
    return Q() if ANY_ACCOUNT in accounts else Q(account__account_id__in=accounts)


def narrowed(changes: QuerySet[Change], *, viewer: Viewer, account_id: str) -> QuerySet[Change]:
    """The changes whose request has a visible change in the account; all of them if `account_id` is ""."""
    if not account_id:
        return changes
    there = visible_changes(viewer).filter(change_set=OuterRef("change_set"), account__account_id=account_id)
    return changes.filter(Q(account__account_id=account_id) | Exists(there))


def waiting_for(viewer: Viewer) -> QuerySet[Change]:
    """Changes that wait for a decision that this viewer can make now, one per set (the first)."""
    mine = Exists(_ballots_of(viewer).filter(requirement=OuterRef("change_set")))
    # Requests older than the rules: approvers decide.
    no_rule = Q(change_set__requirement__isnull=True) & in_accounts(viewer, Right.APPROVE_CHANGE)
    waiting = _awaiting().filter(mine | no_rule).exclude(_has_agreed(viewer))
    if settings.SINGLE_OPERATOR:
        return waiting
    waiting = waiting.exclude(requested_by=viewer.person_id)
    arns = viewer.scope.user_arns
    of_own = Change.objects.filter(change_set=OuterRef("change_set"), subject_arn__in=arns)
    return waiting.exclude(Exists(of_own)) if arns else waiting


def _ballots_of(viewer: Viewer) -> QuerySet[StageDecider]:
    """The rows of deciders that match this viewer: by a role in all accounts of the set, a team they lead, or
    themselves.
    """
    wanted = Q(kind=PERSON, value=str(viewer.person_id))
    for slug in viewer.leads:
        wanted |= Q(kind=TEAM, value=slug)
    for role, accounts in viewer.accounts_by_role.items():
        named = Q(kind=ROLE, value=role)
        if ANY_ACCOUNT not in accounts:
            elsewhere = Change.objects.filter(change_set=OuterRef("requirement")).exclude(
                account__account_id__in=accounts
            )
            named &= ~Q(Exists(elsewhere))
        wanted |= named
    return StageDecider.objects.filter(wanted)


def _has_agreed(viewer: Viewer) -> Q:
    """A filter for sets whose current receipt the viewer has approved."""
    own_approvals = Approval.objects.filter(
        change_set=OuterRef("change_set"),
        approver_id=viewer.person_id,
        decision=Decision.APPROVE,
        receipt_digest=OuterRef("change_set__requirement__digest"),
    )
    return Q(Exists(own_approvals))


def waiting_for_others(viewer: Viewer) -> QuerySet[Change]:
    """Visible changes that wait for someone else's decision, one per set."""
    return _awaiting() & visible_changes(viewer).exclude(pk__in=waiting_for(viewer).values("pk"))


def _awaiting() -> QuerySet[Change]:
    awaiting = Change.objects.filter(state=ChangeState.AWAITING, position=0)
    return awaiting.select_related("account").order_by("created_at", "id")


def decided_by(viewer: Viewer) -> QuerySet[Change]:
    """Changes that this viewer decided on and still sees, newest first."""
    seen = visible_changes(viewer)
    decided = seen.filter(change_set__approvals__approver_id=viewer.person_id, position=0)
    return decided.select_related("account").distinct().order_by("-created_at", "-id")


def approvers_of(account_id: str, *, but: UUID) -> list[str]:
    """The sorted names of people who can approve in an account, without the requester."""
    roles = [role for role, rights in RIGHTS.items() if Right.APPROVE_CHANGE in rights]
    assignments = RoleAssignment.objects.filter(role__in=roles, account_id__in=["", account_id])
    people = Person.objects.filter(is_active=True, pk__in=assignments.values("person")).exclude(pk=but)
    return list(people.order_by("name").values_list("name", flat=True))


def group_of(change: Change) -> int | None:
    """The primary key of a membership change's group; None for other changes, or if the group is gone."""
    aws_id = change.params.get("group_id")
    groups = Entity.objects.filter(
        account=change.account_id, kind=Kind.GROUP, aws_id=aws_id, gone_at__isnull=True
    )
    return groups.values_list("pk", flat=True).first() if aws_id else None


def timeline(change: Change) -> list[ChangeEvent]:
    """The events of the change, oldest first."""
    return list(change.events.order_by("id"))


def list_changes(
    viewer: Viewer,
    *,
    tab: str = "",
    text: str = "",
    account_id: str = "",
    mine: bool = False,
    after: KeysetPlace | None = None,
) -> RowPage[Change]:
    """A page of requests, newest first, each represented by its first visible change.

    A filter keeps requests with a matching visible change. One query; keyset pagination makes every page
    equally fast.
    """
    seen = visible_changes(viewer)
    changes = _firsts(seen, viewer=viewer)
    if mine:
        changes = changes.filter(requested_by=viewer.person_id)
    if tab in STATES:
        # Whether a request is done or closed depends on all accounts; the other tabs look at the filtered
        # account.
        is_whole = tab in ("applied", "closed") or not account_id
        deciding = seen if is_whole else seen.filter(account__account_id=account_id)
        changes = _in_tab(changes, deciding, tab)
    matching = seen
    if account_id:
        matching = matching.filter(account__account_id=account_id)
    if text:
        changes = changes.filter(_matching_requests(text, matching, in_title=viewer.scope.sees_everything))
    elif matching is not seen:
        changes = changes.filter(Exists(matching.filter(change_set=OuterRef("change_set"))))
    changes = changes.select_related("account", "change_set")
    return page(changes, order=NEWEST_FIRST, size=PAGE, after=after)


def _firsts(seen: QuerySet[Change], *, viewer: Viewer) -> QuerySet[Change]:
    """The first visible change of each request."""
    if viewer.scope.sees_everything:
        return seen.filter(position=0)
    earlier = seen.filter(change_set=OuterRef("change_set"), position__lt=OuterRef("position"))
    return seen.filter(~Exists(earlier))


def _in_tab(changes: QuerySet[Change], seen: QuerySet[Change], tab: str) -> QuerySet[Change]:
    """Requests with a change in one of the tab's states; in "applied" and "closed", all changes must be done
    or closed.
    """
    of_set = seen.filter(change_set=OuterRef("change_set"))
    if tab == "applied":
        # Most requests are done, so scanning from the newest fills a page quickly.
        return changes.filter(Exists(of_set.filter(state=ChangeState.APPLIED))).exclude(
            Exists(of_set.filter(state__in=[*OPEN, *STATES["trouble"]]))
        )
    within = changes.filter(change_set__in=seen.filter(state__in=STATES[tab]).values("change_set"))
    return within.exclude(Exists(of_set.exclude(state__in=STATES[tab]))) if tab == "closed" else within


def _matching_requests(text: str, changes: QuerySet[Change], *, in_title: bool) -> Q:
    """Requests with a change that contains the text.

    `in_title` also searches the request's own title, which is safe only for viewers who see every request
    whole. Each table is searched separately, because a combined condition would use no index.
    """
    requests = changes.filter(_matches(text)).order_by().values("change_set")
    if in_title:
        titled = ChangeSet.objects.filter(matches(text, "title"))
        requests = requests.union(
            changes.filter(change_set__in=titled.values("pk")).order_by().values("change_set")
        )
    elif number := _has_number(text):
        # A request's reference is that of its first change, which the viewer need not see.
        firsts = Change.objects.filter(number, position=0)
        requests = requests.union(
            changes.filter(change_set__in=firsts.values("change_set")).order_by().values("change_set")
        )
    return Q(change_set__in=requests)


def _matches(text: str) -> Q:
    return matches(text, "title", "requested_label", "reason", "subject_arn") | _has_number(text)


def _has_number(text: str) -> Q:
    """A filter for changes whose reference starts with the text; empty if the text can't be a reference."""
    reference = text.strip().lower().removeprefix("chg-")
    if len(reference) < 4 or any(c not in "0123456789abcdef" for c in reference):
        return Q()
    low, high = reference[:32].ljust(32, "0"), reference[:32].ljust(32, "f")
    return Q(pk__gte=UUID(low), pk__lte=UUID(high))
