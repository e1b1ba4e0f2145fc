"""Which risks come with what somebody can do afterwards and could not before: read from sets of actions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain
from typing import Final

from iam.changes.documents import OWN_ONLY
from iam.changes.risks import ADMINISTRATOR, ESCALATION, EXFILTRATION, IAM_WRITE, WORDS
from iam.policy.applicability import can_apply
from iam.policy.catalogue import Level
from iam.policy.compiled import PolicyKind
from iam.policy.escalation.administrators import DECISIVE
from iam.policy.escalation.methods import METHODS, Verb
from iam.policy.index.difference import Shift
from iam.policy.index.effective import Effective
from iam.policy.index.masks import Space
from iam.policy.index.sides import Side

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
"""Actions by which data can be shown to, or copied into, another account (service authorization
reference).
"""
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
"""Actions that hand out data itself, which are a risk when they hold on every resource."""


def risks_of(shift: Shift, space: Space, *, ceiling: Effective, has_way_up: bool) -> tuple[str, ...]:
    """The risks that a shift adds for its principals, the riskiest first; `ceiling` is what the organization
    leaves to an administrator, `has_way_up` says whether `ways_up` has any.
    """
    shift_risks = set(_risks(shift, space, ceiling))
    if has_way_up:
        shift_risks.add(ESCALATION)
    return tuple(risk for risk in WORDS if risk in shift_risks)


def _risks(shift: Shift, space: Space, ceiling: Effective) -> Iterator[str]:
    before, after = shift.before, shift.after
    more = shift.more
    if is_administrator(after, space, ceiling=ceiling) and not is_administrator(
        before, space, ceiling=ceiling
    ):
        yield ADMINISTRATOR
    if more & _mask(space, SHARES) or _mask(space, READS_ALL) & after.everywhere & ~before.everywhere:
        yield EXFILTRATION
    catalogue = space.catalogue
    reading = catalogue.mask_of_level(Level.LIST) | catalogue.mask_of_level(Level.READ)
    if more & catalogue.mask_of_service("iam") & ~reading & ~_mask(space, OWN_ONLY):
        yield IAM_WRITE


def stops_being_administrator(shift: Shift, space: Space, *, ceiling: Effective) -> bool:
    """Whether those whom the shift concerns are administrators before, and not after."""
    before, after = shift.before, shift.after
    return is_administrator(before, space, ceiling=ceiling) and not is_administrator(
        after, space, ceiling=ceiling
    )


def is_administrator(effective: Effective, space: Space, *, ceiling: Effective) -> bool:
    """Whether somebody can change the permissions of everybody in the account, as far as the organization
    leaves that to anybody.
    """
    decisive = _mask(space, tuple(action for action, _ in DECISIVE))
    lacks = (
        (ceiling.any & ~effective.any)
        | (ceiling.everywhere & ~effective.everywhere)
        | (ceiling.limited & effective.conditional)
    )
    return bool(decisive & ceiling.any) and not decisive & lacks


def ways_up(shift: Shift, space: Space, *, holders: Iterable[Side]) -> Iterator[tuple[str, ...]]:
    """The actions of each way to raise one's permissions of which all are allowed afterwards, in some way,
    and were not before.

    `holders` are principals of the shift as they are afterwards: what they held before counts where it can
    work on a resource that it names. On which targets, and whether a role trusts the service, is not asked
    here: the page on escalation does.
    """
    before, after = shift.before.any, shift.after.any
    more = shift.more
    known: list[Side] | None = None
    # Most shifts are about none of the hundreds of actions that the methods need.
    if not (after & ~before | more) & _mask(space, _needed_at_all()):
        return
    for actions in _needs():
        mask = _mask(space, actions)
        if not (mask and mask & ~after == 0 and (mask & ~before or mask & more)):
            continue
        # What is newly allowed has a witness.
        kept_actions = [action for action in actions if not _mask(space, (action,)) & more]
        if kept_actions and known is None:
            known = list(holders)
        if not kept_actions or any(
            all(_works(side, action) for action in kept_actions) for side in known or ()
        ):
            yield actions


def _works(side: Side, action: str) -> bool:
    """True if a statement of the principal allows the action on a resource that it can work on."""
    lowered = action.lower()
    return any(
        say.allows
        and say.kind is PolicyKind.IDENTITY
        and say.clause.actions.speaks_of(lowered)
        and can_apply(action, say.clause.source.resources, is_not=say.clause.source.is_not_resource)
        for say in side.says
    )


@lru_cache(maxsize=1)
def _needs() -> tuple[tuple[str, ...], ...]:
    """The actions of each method, once; to take a role that trusts one is what roles are for."""
    ways = (method for method in METHODS if method.needs and method.sort not in (Verb.ASSUME, Verb.REMOVE))
    return tuple(dict.fromkeys(tuple(need.action for need in method.needs) for method in ways))


@lru_cache(maxsize=1)
def _needed_at_all() -> tuple[str, ...]:
    """Every action that some method needs."""
    return tuple(dict.fromkeys(chain.from_iterable(_needs())))


@lru_cache(maxsize=4096)
def _mask_of(space: Space, width: int, actions: tuple[str, ...]) -> int:
    mask = 0
    for action in actions:
        mask |= space.actions.mask(action)
    return mask


def _mask(space: Space, actions: tuple[str, ...]) -> int:
    """Actions as a set; kept until the order of actions has grown."""
    return _mask_of(space, len(space.actions), actions)
