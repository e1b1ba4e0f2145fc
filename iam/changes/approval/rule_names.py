"""Finds the names of the people, teams and accounts in rules."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from iam.changes.approval.people import uuid_of
from iam.changes.approval.rules import PERSON, TEAM, ApprovalNeed, ApprovalRule, ApproverSpec
from iam.directory.models import Person, Team
from iam.guard import Viewer
from iam.mirror.models import Account

ELSEWHERE = "an account that you do not see"


def names_for(rules: Iterable[ApprovalRule], *, viewer: Viewer) -> dict[str, str]:
    """The names of people by id, teams by slug and accounts by number. At most three queries.

    Accounts that the viewer doesn't see have no name.
    """
    rules = list(rules)
    who = set(chain.from_iterable(_approver_words(rule) for rule in rules))
    slugs = set(chain.from_iterable(rule.teams for rule in rules)) | _slugs(who)
    names = _people(who) | _teams(slugs)
    numbers = set(chain.from_iterable(rule.accounts for rule in rules))
    known = (
        dict(Account.objects.filter(account_id__in=numbers).values_list("account_id", "name"))
        if numbers
        else {}
    )
    for number in numbers:
        sees = viewer.scope.sees_account(number)
        names[number] = known.get(number, number) if sees else ELSEWHERE
    return names


def names_in(need: ApprovalNeed) -> dict[str, str]:
    """The same names for the requirement of one set. At most two queries."""
    who = set(chain.from_iterable(stage.who for stage in need.stages))
    who |= {*need.escalate_to, *need.break_glass}
    return _people(who) | _teams(_slugs(who))


def _approver_words(rule: ApprovalRule) -> set[ApproverSpec]:
    approvers = chain.from_iterable(stage.who for stage in rule.stages)
    return {*approvers, *rule.escalate_to, *rule.break_glass}


def _slugs(who: Iterable[ApproverSpec]) -> set[str]:
    return {who_may.value for who_may in who if who_may.kind == TEAM}


def _people(who: Iterable[ApproverSpec]) -> dict[str, str]:
    ids = [pk for who_may in who if who_may.kind == PERSON and (pk := uuid_of(who_may.value))]
    rows = Person.objects.filter(pk__in=ids).values_list("pk", "name") if ids else []
    return {str(pk): name for pk, name in rows}


def _teams(slugs: set[str]) -> dict[str, str]:
    return dict(Team.objects.filter(slug__in=slugs).values_list("slug", "name")) if slugs else {}
