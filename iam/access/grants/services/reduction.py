"""Lets approvers reduce a waiting grant: fewer people, accounts, actions or resources, or a shorter time, but
never more.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from django.db import transaction

from iam.access.grants.models import Grant, GrantAct, GrantPart, GrantState, LedgerEntry
from iam.access.grants.planning.account_context import GrantSite
from iam.access.grants.plans import GrantPlan
from iam.access.grants.policy_subset import is_within
from iam.access.grants.services.reconcile import settle
from iam.access.grants.services.requests import (
    ask_for_changes,
    examine_plan,
    plan_for,
    record_act,
    write_entries,
)
from iam.access.grants.services.rights import may_reduce
from iam.access.grants.terms import GrantTerms, TermsError, WhatKind
from iam.changes.errors import RefusedError
from iam.changes.models import ChangeSet, ChangeState
from iam.changes.states import move
from iam.directory.models import Person
from iam.guard import Viewer, viewer_for
from iam.mirror.models import Account

MORE = "This would give more than was requested. For more access, submit a new request."


def plan_reduced(grant: Grant, *, terms: GrantTerms, actor: Viewer) -> GrantPlan:
    """Plan the reduced grant. Raises TermsError, and RefusedError if it is not a reduction."""
    if why := may_reduce(grant, viewer=actor):
        raise RefusedError(why)
    asked = grant.agreed
    terms = replace(terms, why=asked.why)
    if terms == asked:
        raise RefusedError("Nothing is reduced yet. Remove something first.")
    requester = _requester(grant)
    _check_less(grant, asked, terms, viewer=requester)
    plan = plan_for(terms, viewer=requester, grant_id=grant.pk)
    if plan.refusals:
        raise RefusedError(" ".join(plan.refusals))
    return plan


def reduce_grant(grant: Grant, *, terms: GrantTerms, actor: Viewer, reason: str = "") -> Grant:
    """Replace a waiting request by a smaller one in the name of the same requester.

    Approval starts over, so that nobody approves what they have not seen. Raises RefusedError or TermsError,
    and then writes nothing.
    """
    plan = plan_reduced(grant, terms=terms, actor=actor)
    with transaction.atomic():
        locked_grant = Grant.objects.select_for_update().get(pk=grant.pk)
        if locked_grant.state != GrantState.WAITING or locked_grant.terms != grant.terms:
            raise RefusedError("The request has changed meanwhile. Reload the page.")
        _take_back(locked_grant, actor=actor)
        _write(locked_grant, plan)
        record_act(locked_grant, act=GrantAct.REDUCED, actor=actor, reason=reason)
    return settle(locked_grant)


def _requester(grant: Grant) -> Viewer:
    person = Person.objects.filter(pk=grant.requested_by, is_active=True).first()
    if person is None:
        raise RefusedError(
            f"{grant.requested_label}, who requested this, no longer has a sign-in. Reject the request."
        )
    return viewer_for(person)


def _check_less(grant: Grant, asked: GrantTerms, terms: GrantTerms, *, viewer: Viewer) -> None:
    if not set(terms.who.arns) <= set(asked.who.arns) or not set(terms.accounts) <= set(asked.accounts):
        raise RefusedError(MORE)
    if replace(terms.who, arns=asked.who.arns) != asked.who or terms.session > asked.session:
        raise RefusedError(MORE)
    now = datetime.now(tz=UTC)
    end = terms.end_when(begun=now)
    latest_end = asked.end_when(begun=now)
    if latest_end is not None and (end is None or end > latest_end):
        raise RefusedError("This would last longer than was requested.")
    if terms.what != asked.what:
        _check_what(grant, asked, terms, viewer=viewer)


def _check_what(grant: Grant, asked: GrantTerms, terms: GrantTerms, *, viewer: Viewer) -> None:
    written = (WhatKind.STATEMENTS, WhatKind.TEMPLATE)
    if asked.what.kind not in written or terms.what.kind not in written:
        raise RefusedError(MORE)
    for account in Account.objects.filter(account_id__in=terms.accounts, removed_at__isnull=True):
        mine, theirs = (
            GrantSite(account, side, viewer, "", grant.title, None).documents for side in (terms, asked)
        )
        if not is_within(mine, theirs):
            raise RefusedError(MORE)


def _take_back(grant: Grant, *, actor: Viewer) -> None:
    for group in ChangeSet.objects.filter(pk__in=grant.parts.values("change_set")):
        for change in group.changes.select_related("account").order_by("position"):
            if change.state != ChangeState.AWAITING:
                raise RefusedError("This request was already decided.")
            move(
                change,
                to=ChangeState.CANCELLED,
                actor=actor,
                kind="reduced",
                note="Replaced by a reduced request.",
            )


def _write(grant: Grant, plan: GrantPlan) -> None:
    requester = _requester(grant)
    weighed = examine_plan(plan, actor=requester)
    again = grant.versions.count()
    written = ask_for_changes(plan, actor=requester, grant_id=grant.pk, weighed=weighed, again=again)
    grant.terms, grant.title, grant.planned_end, grant.ends_at = (
        plan.terms.body,
        plan.title,
        plan.ends_at,
        plan.ends_at,
    )
    grant.what_kind, grant.template, grant.template_version = (
        plan.terms.what.kind,
        plan.terms.what.template,
        plan.terms.what.version,
    )
    grant.save()
    # None of the earlier entries ever began.
    LedgerEntry.objects.filter(part__grant=grant).delete()
    kept = [part.account.pk for part in plan.parts]
    grant.parts.exclude(account__in=kept).delete()
    for lane, part in enumerate(plan.parts):
        row = GrantPart.objects.get(grant=grant, account=part.account)
        row.lane, row.way, row.plan, row.change_set = lane, part.way, part.body, written[0].change_set
        row.save(update_fields=["lane", "way", "plan", "change_set"])
        write_entries(row, part, [change for change in written if change.lane == lane])


__all__ = ["TermsError", "plan_reduced", "reduce_grant"]
