"""The parts of a grant, account by account."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from iam.access.grants.planning.holders import plan_holders
from iam.access.grants.planning.receivers import Receivers, receivers_in
from iam.access.grants.planning.roles import plan_through_role
from iam.access.grants.planning.site import Site
from iam.access.grants.plans import PartPlan, Way
from iam.access.grants.terms import Terms, WhatKind
from iam.access.grants.wording import listed
from iam.changes.errors import RefusedError
from iam.changes.services.planning import check_account
from iam.guard import Viewer
from iam.mirror.models import Account


def plan_parts(
    terms: Terms, *, viewer: Viewer, title: str, mark: str, end: datetime | None
) -> tuple[PartPlan, ...]:
    """A part for each account, in the order of the terms; one that cannot be has its refusal. Raises TermsError."""
    known = {
        one.account_id: one
        for one in Account.objects.filter(account_id__in=terms.accounts, removed_at__isnull=True)
    }
    return tuple(
        _part(known.get(number), number, terms=terms, viewer=viewer, title=title, mark=mark, end=end)
        for number in terms.accounts
    )


def _part(
    account: Account | None,
    number: str,
    *,
    terms: Terms,
    viewer: Viewer,
    title: str,
    mark: str,
    end: datetime | None,
) -> PartPlan:
    if account is None or not _knows(viewer, account):
        unknown = account or Account(account_id=number, name=number)
        return _refused(unknown, "No such account is connected, or it is not one of yours.")
    site = Site(account, terms, viewer, mark, title, end)
    try:
        check_account(account)
        return _planned(site)
    except RefusedError as refused:
        return _refused(account, refused.message)


def _knows(viewer: Viewer, account: Account) -> bool:
    """Whether they may learn that the account is there: they see it, or somebody in it."""
    scope = viewer.scope
    if scope.sees_account(account.account_id):
        return True
    if any(arn.split(":")[4] == account.account_id for arn in scope.user_arns):
        return True
    return any(number in ("", account.account_id) for number, _ in (*scope.groups, *scope.paths))


def _refused(account: Account, why: str) -> PartPlan:
    return PartPlan(account=account, way=Way.SEVERAL, why="", refusal=why)


def _planned(site: Site) -> PartPlan:
    if not site.terms.who.holds:
        return plan_through_role(site, Receivers(()))
    receivers = receivers_in(site)
    if receivers.elsewhere or site.terms.what.kind is WhatKind.ROLE:
        return plan_through_role(site, receivers)
    part = plan_holders(site, receivers.here)
    return _with_absent(part, receivers)


def _with_absent(part: PartPlan, receivers: Receivers) -> PartPlan:
    if not receivers.absent:
        return part
    said = f"{listed(receivers.absent)} {'has' if len(receivers.absent) == 1 else 'have'} no user here, and gets nothing in this account."
    return replace(part, notes=(*part.notes, said))
