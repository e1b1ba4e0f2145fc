"""Plans the parts of a grant, account by account."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain
from typing import Final

from iam.access.grants.phrases import listed
from iam.access.grants.planning.account_context import GrantSite
from iam.access.grants.planning.callers import CallerRights, with_callers
from iam.access.grants.planning.holders import plan_holders
from iam.access.grants.planning.receivers import GrantReceivers, receivers_in
from iam.access.grants.planning.roles import plan_through_role
from iam.access.grants.plans import GrantWay, PartPlan
from iam.access.grants.terms import GrantTerms, WhatKind
from iam.changes.errors import RefusedError
from iam.changes.operations.lifecycle import Create
from iam.changes.services.own_resources import is_own
from iam.changes.services.plans import check_account
from iam.guard import Viewer
from iam.mirror.models import Account

OWN: Final = "Gatehouse itself needs this to work. Its owner can change it in AWS."


def plan_parts(
    terms: GrantTerms, *, viewer: Viewer, title: str, mark: str, end: datetime | None
) -> tuple[PartPlan, ...]:
    """A part for each account, in the order of the terms; an impossible part has a `refusal`. Raises
    TermsError.
    """
    known = {
        account.account_id: account
        for account in Account.objects.filter(account_id__in=terms.accounts, removed_at__isnull=True)
    }
    parts = [
        _part(known.get(number), number, terms=terms, viewer=viewer, title=title, mark=mark, end=end)
        for number in terms.accounts
    ]
    parts = [_sparing_own(part) for part in parts]
    return _within_quotas(with_callers(parts, CallerRights(viewer, mark, end)))


def _sparing_own(part: PartPlan) -> PartPlan:
    """The part, or a refusal if it would change resources that Gatehouse itself uses."""
    return _refused(part.account, OWN) if not part.refusal and _is_own(part) else part


def _within_quotas(parts: Sequence[PartPlan]) -> tuple[PartPlan, ...]:
    """The parts, with refusals for those that would exceed an account's quotas for created resources."""
    creates: dict[tuple[int, str], list[Create]] = defaultdict(list)
    for step in chain.from_iterable(part.steps for part in parts):
        operation = step.operation
        if isinstance(operation, Create):
            creates[operation.account.pk, operation.slug].append(operation)
    refusals: dict[tuple[int, str], str] = {}
    for key, operations in creates.items():
        quota = operations[0].quota()
        if quota is not None and quota.used + len(operations) > quota.limit:
            refusals[key] = quota.refusal
    if not refusals:
        return tuple(parts)
    return tuple(_fitting(part, refusals) for part in parts)


def _fitting(part: PartPlan, why: Mapping[tuple[int, str], str]) -> PartPlan:
    keys = [(step.operation.account.pk, step.operation.slug) for step in part.steps]
    reason = next((why[key] for key in keys if key in why), "")
    return _refused(part.account, reason) if reason else part


def _is_own(part: PartPlan) -> bool:
    """True if the part would change resources that Gatehouse itself uses. Resources that the part creates
    don't count.
    """
    operations = [step.operation for step in part.steps]
    made = set(chain.from_iterable(operation.created_arns() for operation in operations))
    return any(is_own(operation) for operation in operations if not set(operation.modified_arns()) <= made)


def _part(
    account: Account | None,
    number: str,
    *,
    terms: GrantTerms,
    viewer: Viewer,
    title: str,
    mark: str,
    end: datetime | None,
) -> PartPlan:
    if account is None or not _knows(viewer, account):
        unknown = account or Account(account_id=number, name=number)
        return _refused(unknown, "This account isn’t connected, or isn’t one of yours.")
    site = GrantSite(account, terms, viewer, mark, title, end)
    try:
        check_account(account)
        return _planned(site)
    except RefusedError as refused:
        return _refused(account, refused.message)


def _knows(viewer: Viewer, account: Account) -> bool:
    """True if the viewer may learn that the account exists: they see it or somebody in it."""
    scope = viewer.scope
    if scope.sees_account(account.account_id):
        return True
    if any(arn.split(":")[4] == account.account_id for arn in scope.user_arns):
        return True
    return any(
        number in ("", account.account_id) for number, _ in (*scope.groups, *scope.paths, *scope.owned)
    )


def _refused(account: Account, why: str) -> PartPlan:
    return PartPlan(account=account, way=GrantWay.SEVERAL, why="", refusal=why)


def _planned(site: GrantSite) -> PartPlan:
    if not site.terms.who.holds_permissions:
        return plan_through_role(site, GrantReceivers(()))
    receivers = receivers_in(site)
    if receivers.elsewhere or site.terms.what.kind is WhatKind.ROLE:
        return plan_through_role(site, receivers)
    part = plan_holders(site, receivers.here)
    return _with_absent(part, receivers)


def _with_absent(part: PartPlan, receivers: GrantReceivers) -> PartPlan:
    if not receivers.absent:
        return part
    sentence = (
        f"{listed(receivers.absent)} {'has' if len(receivers.absent) == 1 else 'have'} no user here, and "
        "gets no access in this account."
    )
    return replace(part, notes=(*part.notes, sentence))
