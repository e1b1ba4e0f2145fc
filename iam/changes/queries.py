"""Which changes a viewer sees, what waits for them, and the list of changes page by page."""

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
"""The tabs of the list: a word of the address → the states of the changes that it shows."""


def visible_changes(viewer: Viewer) -> QuerySet[Change]:
    """What is about oneself and one's people, all of the accounts that one sees whole, and one's own requests
    in accounts in which one may still ask: they tell what one wrote and was shown, also of somebody who has
    left one's teams since.

    Changes of an account that was disconnected stay visible to those who see the account: they are evidence.
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
    """The changes of the accounts in which the viewer holds a right."""
    accounts = {account for granted, account in viewer.grants if granted is right}
    return Q() if ANY_ACCOUNT in accounts else Q(account__account_id__in=accounts)


def narrowed(changes: QuerySet[Change], *, viewer: Viewer, account_id: str) -> QuerySet[Change]:
    """Those of them whose request has a change in the account that the viewer sees; all of them for no
    account.
    """
    if not account_id:
        return changes
    there = visible_changes(viewer).filter(change_set=OuterRef("change_set"), account__account_id=account_id)
    return changes.filter(Q(account__account_id=account_id) | Exists(there))


def waiting_for(viewer: Viewer) -> QuerySet[Change]:
    """What waits for a decision that this viewer may take now; of a set, the first."""
    mine = Exists(_ballots_of(viewer).filter(requirement=OuterRef("change_set")))
    # Asked for before there were rules: approvers decide.
    no_rule = Q(change_set__requirement__isnull=True) & in_accounts(viewer, Right.APPROVE_CHANGE)
    waiting = _awaiting().filter(mine | no_rule).exclude(_has_agreed(viewer))
    if settings.SINGLE_OPERATOR:
        return waiting
    waiting = waiting.exclude(requested_by=viewer.person_id)
    arns = viewer.scope.user_arns
    of_own = Change.objects.filter(change_set=OuterRef("change_set"), subject_arn__in=arns)
    return waiting.exclude(Exists(of_own)) if arns else waiting


def _ballots_of(viewer: Viewer) -> QuerySet[StageDecider]:
    """The ballots that name this viewer: by a role in all accounts of the set, by a team that they lead, by
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
    """Whether they have approved the receipt as it is."""
    own_approvals = Approval.objects.filter(
        change_set=OuterRef("change_set"),
        approver_id=viewer.person_id,
        decision=Decision.APPROVE,
        receipt_digest=OuterRef("change_set__requirement__digest"),
    )
    return Q(Exists(own_approvals))


def waiting_for_others(viewer: Viewer) -> QuerySet[Change]:
    """What waits for a decision that somebody else has to take."""
    return _awaiting() & visible_changes(viewer).exclude(pk__in=waiting_for(viewer).values("pk"))


def _awaiting() -> QuerySet[Change]:
    awaiting = Change.objects.filter(state=ChangeState.AWAITING, position=0)
    return awaiting.select_related("account").order_by("created_at", "id")


def decided_by(viewer: Viewer) -> QuerySet[Change]:
    """What this viewer has decided, as far as they still see it, newest first."""
    seen = visible_changes(viewer)
    decided = seen.filter(change_set__approvals__approver_id=viewer.person_id, position=0)
    return decided.select_related("account").distinct().order_by("-created_at", "-id")


def approvers_of(account_id: str, *, but: UUID) -> list[str]:
    """The names of those who may approve in an account, without the one who asked; sorted."""
    roles = [role for role, rights in RIGHTS.items() if Right.APPROVE_CHANGE in rights]
    assignments = RoleAssignment.objects.filter(role__in=roles, account_id__in=["", account_id])
    people = Person.objects.filter(is_active=True, pk__in=assignments.values("person")).exclude(pk=but)
    return list(people.order_by("name").values_list("name", flat=True))


def group_of(change: Change) -> int | None:
    """The mirror's row of the group that a membership change is about; None for others, and when it is
    gone.
    """
    aws_id = change.params.get("group_id")
    groups = Entity.objects.filter(
        account=change.account_id, kind=Kind.GROUP, aws_id=aws_id, gone_at__isnull=True
    )
    return groups.values_list("pk", flat=True).first() if aws_id else None


def timeline(change: Change) -> list[ChangeEvent]:
    """What happened to it, oldest first."""
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
    """Requests, newest first, each by the first of its changes that the viewer sees; one query, as fast at
    any depth.

    A filter keeps a request of which one of these changes matches.
    """
    seen = visible_changes(viewer)
    changes = _firsts(seen, viewer=viewer)
    if mine:
        changes = changes.filter(requested_by=viewer.person_id)
    if tab in STATES:
        # A request that is done or closed is so in all accounts; any other is where one of its changes is.
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
    """Of each request the first change that is seen."""
    if viewer.scope.sees_everything:
        return seen.filter(position=0)
    earlier = seen.filter(change_set=OuterRef("change_set"), position__lt=OuterRef("position"))
    return seen.filter(~Exists(earlier))


def _in_tab(changes: QuerySet[Change], seen: QuerySet[Change], tab: str) -> QuerySet[Change]:
    """Requests with a change in one of the states of a tab; a request is done, or cancelled, when nothing of
    it is otherwise.
    """
    of_set = seen.filter(change_set=OuterRef("change_set"))
    if tab == "applied":
        # Most requests are done: looking at each from the newest on soon fills a page.
        return changes.filter(Exists(of_set.filter(state=ChangeState.APPLIED))).exclude(
            Exists(of_set.filter(state__in=[*OPEN, *STATES["trouble"]]))
        )
    within = changes.filter(change_set__in=seen.filter(state__in=STATES[tab]).values("change_set"))
    return within.exclude(Exists(of_set.exclude(state__in=STATES[tab]))) if tab == "closed" else within


def _matching_requests(text: str, changes: QuerySet[Change], *, in_title: bool) -> Q:
    """The requests in one of whose changes the text is found. `in_title`: also those with the text in their
    own title. For who does not see every request whole, a hit would tell what they do not read.

    Each table is searched by an index of its own: one condition over both would use none.
    """
    requests = changes.filter(_matches(text)).order_by().values("change_set")
    if in_title:
        titled = ChangeSet.objects.filter(matches(text, "title"))
        requests = requests.union(
            changes.filter(change_set__in=titled.values("pk")).order_by().values("change_set")
        )
    elif number := _has_number(text):
        # The number of a request is that of its first change, which they need not see.
        firsts = Change.objects.filter(number, position=0)
        requests = requests.union(
            changes.filter(change_set__in=firsts.values("change_set")).order_by().values("change_set")
        )
    return Q(change_set__in=requests)


def _matches(text: str) -> Q:
    return matches(text, "title", "requested_label", "reason", "subject_arn") | _has_number(text)


def _has_number(text: str) -> Q:
    """The changes whose number begins so; no condition for a text that cannot be one."""
    reference = text.strip().lower().removeprefix("chg-")
    if len(reference) < 4 or any(c not in "0123456789abcdef" for c in reference):
        return Q()
    low, high = reference[:32].ljust(32, "0"), reference[:32].ljust(32, "f")
    return Q(pk__gte=UUID(low), pk__lte=UUID(high))
