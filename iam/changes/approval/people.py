"""Finds the people that a rule means: holders of a role in every account of a set, team leads or one person;
and the teams concerned.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain
from typing import Final, NamedTuple
from uuid import UUID

from django.db.models import F, Q, Value

from iam.changes.approval.rules import PERSON, ROLE, TEAM, ApproverSpec
from iam.changes.operations import Operation
from iam.directory.models import OwnedUser, Role, RoleAssignment, RuleKind, TeamRule
from iam.guard import Right
from iam.guard.viewer import ANY_ACCOUNT, RIGHTS
from iam.linking.ownership import people_concerned
from iam.mirror.models import Edge, EdgeKind, Entity, Kind, valid_at

ACTING = tuple(role for role, rights in RIGHTS.items() if {Right.SEE_ACCOUNT, Right.REQUEST_CHANGE} <= rights)
"""The roles that rules can name: those that see a whole account and can do more than view it."""

_OWNED: Final = "owned"


def people_of(who: Collection[ApproverSpec], *, accounts: Collection[str]) -> dict[UUID, str]:
    """Ids and names, by name, of active people who are meant and can act in all these accounts. One query."""
    wanted = _assignments(who)
    if not wanted:
        return {}
    rows = RoleAssignment.objects.filter(wanted, person__is_active=True, account_id__in=["", *accounts])
    who_holds: dict[UUID, set[str]] = defaultdict(set)
    names: dict[UUID, str] = {}
    for pk, name, account_id in rows.order_by("person__name").values_list(
        "person_id", "person__name", "account_id"
    ):
        who_holds[pk].add(account_id)
        names[pk] = name
    return {
        pk: name
        for pk, name in names.items()
        if ANY_ACCOUNT in who_holds[pk] or who_holds[pk].issuperset(accounts)
    }


def _assignments(who: Iterable[ApproverSpec]) -> Q:
    wanted = Q()
    for candidate in who:
        if candidate.kind == ROLE:
            wanted |= Q(role=candidate.value)
        elif candidate.kind == TEAM:
            wanted |= Q(role=Role.TEAM_LEAD, team__slug=candidate.value)
        elif candidate.kind == PERSON and (pk := uuid_of(candidate.value)):
            wanted |= Q(role__in=ACTING, person_id=pk)
    return wanted


def uuid_of(text: str) -> UUID | None:
    """The UUID, or None if the text is not one."""
    try:
        return UUID(text)
    except ValueError:
        return None


def owners_of(arns: Iterable[str]) -> frozenset[UUID]:
    """The people to whom these IAM users belong, by hand or any matching method. Two queries; none without
    users.
    """
    return people_concerned(arn for arn in arns if ":user/" in arn)


def subject_arn_of(operation: Operation) -> str:
    """The ARN of an operation's subject or of what it creates; "" for an account as a whole."""
    subject = operation.subject()
    return subject.arn if subject else next(iter(operation.created_arns()), "")


def teams_of(arns: Mapping[int, Collection[str]]) -> dict[str, frozenset[str]]:
    """The slugs of the teams of users, by ARN; `arns` are grouped by the primary key of their account. At
    most two queries.
    """
    users = {arn for arn in chain.from_iterable(arns.values()) if ":user/" in arn}
    rules = _rules_for(users) if users else []
    if not rules:
        return dict.fromkeys(users, frozenset())
    groups = _groups_of(arns)
    return {arn: _teams(arn, groups=groups.get(arn, set()), rules=rules) for arn in users}


class _Rule(NamedTuple):
    """What makes a user part of a team: a group, a path, or the user's ARN owned by the team."""

    kind: str
    value: str
    account_id: str
    team: str


def _rules_for(users: Collection[str]) -> list[_Rule]:
    """The rules of all teams, and the teams that own these users. One query."""
    rules = TeamRule.objects.values_list("kind", "value", "account_id", "team__slug")
    owned = OwnedUser.objects.filter(user_arn__in=users)
    owners = owned.values_list(Value(_OWNED), F("user_arn"), F("account_id"), F("team__slug"))
    return [_Rule(*row) for row in rules.union(owners, all=True)]


def _teams(arn: str, *, groups: Collection[str], rules: Sequence[_Rule]) -> frozenset[str]:
    number = arn.split(":")[4]
    path = "/" + arn.partition(":user/")[2].rpartition("/")[0] + "/"
    path = path.replace("//", "/")
    slugs = set()
    for rule in rules:
        if rule.kind == _OWNED:
            is_in = rule.value == arn
        elif rule.kind == RuleKind.GROUP:
            is_in = rule.value in groups
        else:
            start = f"/{rule.value.strip('/')}/" if rule.value.strip("/") else "/"
            is_in = path.startswith(start)
        if is_in and rule.account_id in ("", number):
            slugs.add(rule.team)
    return frozenset(slugs)


def _groups_of(arns: Mapping[int, Collection[str]]) -> dict[str, set[str]]:
    groups: dict[str, set[str]] = defaultdict(set)
    which = Q()
    for account, account_arns in arns.items():
        which |= Q(account=account, arn__in=[arn for arn in account_arns if ":user/" in arn])
    users = Entity.objects.filter(which, kind=Kind.USER, gone_at__isnull=True)
    edges = Edge.objects.filter(valid_at(None), kind=EdgeKind.MEMBER, source__in=users.values("pk"))
    for arn, name in edges.values_list("source__arn", "target__name"):
        groups[arn].add(name)
    return groups
