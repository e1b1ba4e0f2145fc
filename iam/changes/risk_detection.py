"""Detects the risks of actions that a principal can do after a change but not before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache, reduce
from itertools import chain
from operator import or_
from typing import Final, NamedTuple

from iam.changes.documents import OWN_ONLY
from iam.changes.risks import ADMINISTRATOR, ESCALATION, EXFILTRATION, IAM_WRITE, WORDS
from iam.policy.applicability import can_apply
from iam.policy.compiled import PolicyKind
from iam.policy.escalation.administrators import DECISIVE
from iam.policy.escalation.method_types import EdgeVerb
from iam.policy.escalation.methods import METHODS
from iam.policy.index.classes import IndexedPrincipal
from iam.policy.index.difference import AccessShift
from iam.policy.index.documents import IndexedDocument, IndexedStatement
from iam.policy.index.effective import AllowedActionSets
from iam.policy.index.masks import ActionNumbering
from iam.policy.index.sides import PrincipalSide

SHARES: Final = (
    "ec2:ModifySnapshotAttribute",
    "ec2:ModifyImageAttribute",
    "rds:ModifyDBSnapshotAttribute",
    "rds:ModifyDBClusterSnapshotAttribute",
    "rds:StartExportTask",
    "dynamodb:ExportTableToPointInTime",
    "s3:PutBucketPolicy",
    "s3:PutBucketAcl",
    "s3:PutObjectAcl",
    "s3:PutReplicationConfiguration",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutAccessPointPolicy",
    "ecr:SetRepositoryPolicy",
    "kms:PutKeyPolicy",
    "kms:CreateGrant",
    "lambda:AddPermission",
    "secretsmanager:PutResourcePolicy",
    "sns:AddPermission",
    "sns:SetTopicAttributes",
    "sqs:AddPermission",
    "sqs:SetQueueAttributes",
    "glacier:SetVaultAccessPolicy",
    "backup:PutBackupVaultAccessPolicy",
    "backup:StartCopyJob",
    "logs:PutSubscriptionFilter",
    "ram:CreateResourceShare",
    "ram:AssociateResourceShare",
    "redshift:AuthorizeSnapshotAccess",
)
"""Actions that can expose or copy data to another account (service authorization reference)."""
READS_ALL: Final = (
    "s3:GetObject",
    "secretsmanager:GetSecretValue",
    "ssm:GetParameter",
    "dynamodb:Scan",
    "rds-data:ExecuteStatement",
    "athena:GetQueryResults",
    "ebs:GetSnapshotBlock",
    "codecommit:GitPull",
    "ecr:BatchGetImage",
)
"""Actions that return data themselves, which are a risk if allowed on every resource."""


def risks_of(
    shift: AccessShift, space: ActionNumbering, *, ceiling: AllowedActionSets, has_way_up: bool
) -> tuple[str, ...]:
    """The risks that a shift adds for its principals, riskiest first.

    `ceiling` is what the organization allows an administrator; `has_way_up` is true if `ways_up` has results.
    """
    shift_risks = set(_risks(shift, space, ceiling))
    if has_way_up:
        shift_risks.add(ESCALATION)
    return tuple(risk for risk in WORDS if risk in shift_risks)


def _risks(shift: AccessShift, space: ActionNumbering, ceiling: AllowedActionSets) -> Iterator[str]:
    before, after = shift.before, shift.after
    more = shift.any_gain
    if is_administrator(after, space, ceiling=ceiling) and not is_administrator(
        before, space, ceiling=ceiling
    ):
        yield ADMINISTRATOR
    if more & _mask(space, SHARES) or _mask(space, READS_ALL) & after.everywhere & ~before.everywhere:
        yield EXFILTRATION
    catalogue = space.catalogue
    if more & catalogue.mask_of_service("iam") & ~catalogue.mask_of_reads & ~_mask(space, OWN_ONLY):
        yield IAM_WRITE


def bears_on_administrators(shift: AccessShift, space: ActionNumbering) -> bool:
    """True if the shift changes any action that defines administrators."""
    decisive = _decisive(space)
    return any((was ^ becomes) & decisive for was, becomes in zip(shift.before, shift.after, strict=True))


def stops_being_administrator(
    shift: AccessShift, space: ActionNumbering, *, ceiling: AllowedActionSets
) -> bool:
    """True if principals with this shift are administrators before it but not after."""
    before, after = shift.before, shift.after
    return is_administrator(before, space, ceiling=ceiling) and not is_administrator(
        after, space, ceiling=ceiling
    )


def is_administrator(
    effective: AllowedActionSets, space: ActionNumbering, *, ceiling: AllowedActionSets
) -> bool:
    """True if a principal can change everyone's permissions in the account, as far as the organization allows
    that at all.
    """
    decisive = _decisive(space)
    lacks = (
        (ceiling.allowed_mask & ~effective.allowed_mask)
        | (ceiling.everywhere & ~effective.everywhere)
        | (ceiling.limited & effective.conditional)
    )
    return bool(decisive & ceiling.allowed_mask) and not decisive & lacks


def _decisive(space: ActionNumbering) -> int:
    return _mask(space, _decisive_actions())


@lru_cache(maxsize=1)
def _decisive_actions() -> tuple[str, ...]:
    return tuple(action for action, _ in DECISIVE)


class OpenedWay(NamedTuple):
    """A method of privilege escalation whose actions are all allowed after a change but not before.

    `kept` are actions among them that no request newly allows.
    """

    actions: tuple[str, ...]
    kept: tuple[str, ...]


def opened_ways(shift: AccessShift, space: ActionNumbering) -> tuple[OpenedWay, ...]:
    """The escalation methods that a shift may open."""
    needed = _mask(space, _needed_at_all())
    allowed = shift.after.allowed_mask & needed
    more = shift.any_gain & needed
    # Most shifts include none of the hundreds of actions that the methods need.
    fresh = more | (allowed ^ (allowed & shift.before.allowed_mask))
    return _opened(space, len(space.actions), allowed, more, fresh) if fresh else ()


@lru_cache(maxsize=1024)
def _opened(space: ActionNumbering, width: int, allowed: int, more: int, fresh: int) -> tuple[OpenedWay, ...]:
    opened = []
    for masks, mask in _masks_of_needs(space, width):
        if mask & allowed == mask and mask & fresh:
            kept = tuple(action for action, bit in masks.items() if not bit & more)
            opened.append(OpenedWay(tuple(masks), kept))
    return tuple(opened)


def ways_up(
    opened: Iterable[OpenedWay],
    members: Iterable[IndexedPrincipal],
    *,
    side_of: Callable[[IndexedPrincipal], PrincipalSide],
) -> Iterator[tuple[str, ...]]:
    """The actions of each escalation method that the shift opens to some of these principals.

    `members` are the principals after the change; `side_of` returns the policies of each. Permissions they
    already had count if they can work on a named resource. Possible targets, and whether a role trusts the
    service, are left to the escalation page.
    """
    holders = list({member.cls: member for member in members}.values())
    for actions, kept in opened:
        # A newly allowed action has a witness request.
        if not kept or any(all(_works(each, action, side_of) for action in kept) for each in holders):
            yield actions


def _works(
    member: IndexedPrincipal, action: str, side_of: Callable[[IndexedPrincipal], PrincipalSide]
) -> bool:
    """True if a statement of the principal allows the action on a resource it can work on."""
    uses = {_use_of(doc, action) for doc in member.cls.profile.bundle.docs}
    if True in uses or None not in uses:
        return True in uses
    statements = side_of(member).applicable_statements
    return any(
        placed.kind is PolicyKind.IDENTITY and _can_allow(placed.clause, action) for placed in statements
    )


@lru_cache(maxsize=65536)
def _use_of(doc: IndexedDocument, action: str) -> bool | None:
    """True if a document allows the action on a resource it can work on; None if that depends on
    the holder.
    """
    allowing = [clause for clause in doc.clauses if _can_allow(clause, action)]
    if any(not clause.source.conditions and clause.source.principals is None for clause in allowing):
        return True
    return None if allowing else False


@lru_cache(maxsize=65536)
def _can_allow(clause: IndexedStatement, action: str) -> bool:
    source = clause.source
    speaks = clause.allows and clause.actions.covers_action(action.lower())
    return speaks and can_apply(action, source.resources, is_not=source.is_not_resource)


@lru_cache(maxsize=1)
def _needs() -> tuple[tuple[str, ...], ...]:
    """The actions of each escalation method, without duplicates.

    Assuming a role that trusts a principal is not one, since roles are for that.
    """
    ways = (
        method for method in METHODS if method.needs and method.sort not in (EdgeVerb.ASSUME, EdgeVerb.REMOVE)
    )
    return tuple(dict.fromkeys(tuple(need.action for need in method.needs) for method in ways))


@lru_cache(maxsize=64)
def _masks_of_needs(space: ActionNumbering, width: int) -> tuple[tuple[dict[str, int], int], ...]:
    """The actions of each method as bit masks: one per action, and one for all."""
    masks = [{action: _mask_of(space, width, (action,)) for action in actions} for actions in _needs()]
    return tuple((each, reduce(or_, each.values())) for each in masks)


@lru_cache(maxsize=1)
def _needed_at_all() -> tuple[str, ...]:
    """All actions that some method needs, without duplicates."""
    return tuple(dict.fromkeys(chain.from_iterable(_needs())))


@lru_cache(maxsize=4096)
def _mask_of(space: ActionNumbering, width: int, actions: tuple[str, ...]) -> int:
    mask = 0
    for action in actions:
        mask |= space.actions.mask(action)
    return mask


def _mask(space: ActionNumbering, actions: tuple[str, ...]) -> int:
    """The actions as a bit mask; cached until more actions are numbered."""
    return _mask_of(space, len(space.actions), actions)
