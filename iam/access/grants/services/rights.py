"""Rules on what a viewer can do with a grant, and why not. Services enforce them, whatever a page shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from iam.access.grants.models import GIVING, Grant, GrantState, LedgerEntry, PermissionSort
from iam.access.grants.services.reconcile import can_be_tried
from iam.access.grants.terms import WhoKind
from iam.guard import Right, Viewer
from iam.mirror.models import Entity, EntityState, Kind
from iam.moments import moment_words

ONLY_AGAIN: Final = (
    "You can’t extend it, because a policy or role of its own carries it. Request it again instead."
)


@dataclass(frozen=True, slots=True)
class GrantRights:
    """For each action, "" if the viewer can do it, else the reason why not."""

    extend: str
    shorten: str
    end: str
    retry: str
    withdraw: str
    reduce: str


def allowed(grant: Grant, *, viewer: Viewer) -> GrantRights:
    """The viewer's rights for all actions, for one page."""
    return GrantRights(
        extend=may_extend(grant, viewer=viewer),
        shorten=may_shorten(grant, viewer=viewer),
        end=may_end(grant, viewer=viewer),
        retry=may_retry(grant, viewer=viewer),
        withdraw=may_withdraw(grant, viewer=viewer),
        reduce=may_reduce(grant, viewer=viewer),
    )


def is_receiver(grant: Grant, viewer: Viewer) -> bool:
    """True if all receivers are the viewer's own users: those who had these ARNs when it was requested,
    under whatever name they exist today.
    """
    arns = set(grant.terms.get("who", {}).get("arns", ()))
    own_arns = viewer.scope.user_arns
    if not arns or len(arns) > len(own_arns):
        return False
    receivers: dict[str, int] = {}
    states = EntityState.objects.filter(kind=Kind.USER, arn__in=arns).order_by("valid_from", "pk")
    for arn, entity, begun in states.values_list("arn", "entity_id", "valid_from"):
        if arn not in receivers or begun <= grant.created_at:
            receivers[arn] = entity
    if not arns <= receivers.keys():
        return False
    own_users = Entity.objects.filter(kind=Kind.USER, arn__in=own_arns, gone_at__isnull=True)
    return set(receivers.values()) <= set(own_users.values_list("pk", flat=True))


def may_end(grant: Grant, *, viewer: Viewer) -> str:
    """Return "" if the viewer can end the grant, else why not.

    The requester, the recipients, and approvers or administrators of all its accounts can.
    """
    if grant.state not in (*GIVING, GrantState.APPLYING):
        return f"The status is “{grant.get_state_display().lower()}”: there is nothing to end."
    if _is_own(grant, viewer) or _rules_in_all(grant, viewer):
        return ""
    return "Only the requester, the people with access, and approvers of all its accounts can end it."


def may_shorten(grant: Grant, *, viewer: Viewer) -> str:
    """Return "" if the viewer can shorten the grant, else why not.

    The people who can end it can. While it waits, its approvers and the requester can.
    """
    if grant.state == GrantState.WAITING:
        return may_reduce(grant, viewer=viewer) if grant.requested_by != viewer.person_id else ""
    if grant.state == GrantState.APPLYING:
        return "It is being set up. Shorten it later, or end it now."
    return may_end(grant, viewer=viewer)


def may_act(grant: Grant, *, viewer: Viewer, extends: bool = False) -> bool:
    """True if the viewer could end and retry the grant, or with `extends` extend it, in some status."""
    if extends:
        return is_receiver(grant, viewer) or _asks_in_all(grant, viewer)
    return _is_own(grant, viewer) or _rules_in_all(grant, viewer)


def may_extend(grant: Grant, *, viewer: Viewer, again: bool = False) -> str:
    """Return "" if the viewer can extend the grant, which needs approval, else why not.

    People who could request it anew can. `again` ignores a waiting extension, for a form that is submitted
    twice.
    """
    if grant.state not in GIVING:
        return f"The status is “{grant.get_state_display().lower()}”. Submit a new request."
    if grant.ends_at is None:
        return "It is permanent, so there is nothing to extend."
    if grant.ends_at <= datetime.now(tz=UTC):
        return "This grant has ended. Submit a new request."
    if not again and (why := waiting_extension(grant)):
        return why
    if _asks_in_all(grant, viewer):
        return ""
    if not is_receiver(grant, viewer):
        return "You can view this grant, but not extend it."
    return ONLY_AGAIN if _has_its_own_carrier(grant) else ""


def _has_its_own_carrier(grant: Grant) -> bool:
    """True if a policy or role created for the grant carries the end date; recipients alone can't change
    that.
    """
    standing = LedgerEntry.objects.filter(part__grant=grant, since__isnull=False, until__isnull=True)
    return standing.filter(
        sort__in=[PermissionSort.POLICY, PermissionSort.TRUST, PermissionSort.ROLE], stood_before=False
    ).exists()


def waiting_extension(grant: Grant) -> str:
    """Return why the grant can't be extended while an extension is waiting; "" if none is."""
    if grant.extends_to is None:
        return ""
    return (
        f"An extension until {moment_words(grant.extends_to)} was already requested. Wait for it, or "
        "withdraw it first."
    )


def may_retry(grant: Grant, *, viewer: Viewer) -> str:
    """Return "" if the viewer can retry what failed, else why not.

    The people who can end the grant can.
    """
    if grant.state not in (GrantState.PARTLY, GrantState.FAILED, GrantState.ENDING):
        return "Nothing failed."
    if not (_is_own(grant, viewer) or _rules_in_all(grant, viewer)):
        return "Only the requester can retry it."
    return "" if can_be_tried(grant) else "Nothing of it can be retried. Submit a new request."


def may_withdraw(grant: Grant, *, viewer: Viewer) -> str:
    """Return "" if the viewer can withdraw the request, else why not. The requester can while it waits."""
    if grant.state not in (GrantState.PREPARING, GrantState.WAITING):
        return f"It is {grant.get_state_display().lower()}."
    return "" if grant.requested_by == viewer.person_id else "Only the requester can withdraw it."


def may_ask_again(grant: Grant, *, viewer: Viewer) -> bool:
    """True if the viewer can start a draft with these terms.

    The requester can once the grant is over; recipients can if they are not able to extend it.
    """
    if grant.is_over:
        return grant.requested_by == viewer.person_id
    return may_extend(grant, viewer=viewer) == ONLY_AGAIN


def may_reduce(grant: Grant, *, viewer: Viewer) -> str:
    """Return "" if the viewer can reduce the request, else why not. Its approvers and the requester can."""
    if grant.state != GrantState.WAITING:
        return f"It is {grant.get_state_display().lower()}."
    if grant.requested_by == viewer.person_id:
        return ""
    numbers = _accounts(grant)
    decides = all(viewer.may(Right.APPROVE_CHANGE, account_id=number) for number in numbers)
    return "" if decides else "Only those who can approve it can reduce it."


def _is_own(grant: Grant, viewer: Viewer) -> bool:
    return grant.requested_by == viewer.person_id or is_receiver(grant, viewer)


def _rules_in_all(grant: Grant, viewer: Viewer) -> bool:
    rights = (Right.APPROVE_CHANGE, Right.MANAGE_ACCOUNTS)
    return all(any(viewer.may(right, account_id=number) for right in rights) for number in _accounts(grant))


def _asks_in_all(grant: Grant, viewer: Viewer) -> bool:
    return all(viewer.may(Right.REQUEST_CHANGE, account_id=number) for number in _accounts(grant))


def _accounts(grant: Grant) -> list[str]:
    return list(grant.parts.values_list("account__account_id", flat=True))


def may_hand_over(grant: Grant, *, viewer: Viewer) -> bool:
    """True if the grant has a sheet for the partner and the viewer can read it: the requester, and people who
    see all its accounts.

    AWS does not treat the external ID as a secret, but it is shown only to people who can see the trust
    policy.
    """
    if grant.who_kind != WhoKind.PARTNER or grant.state not in GIVING:
        return False
    if grant.requested_by == viewer.person_id:
        return True
    return all(viewer.may(Right.SEE_ACCOUNT, account_id=number) for number in grant.terms["accounts"])
