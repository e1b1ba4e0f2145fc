"""Runs checks before a grant is requested: policy validity, limits by boundaries and SCPs, MFA, end date and
age of the data.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import chain
from typing import Final

from iam.access.actions import ActionsError, select_actions
from iam.access.grants.phrases import listed
from iam.access.grants.plans import GrantPlan
from iam.access.grants.terms import WhatKind
from iam.mirror.display_names import names_by_entity
from iam.mirror.models import Entity, Kind, PolicyVersion, Section, UserCredentials, valid_at
from iam.mirror.pull.sections import GROUPS, ROLES, USERS
from iam.mirror.snapshot import snapshot
from iam.phrases import counted
from iam.policy.compiled import PolicySet
from iam.policy.document import read
from iam.policy.evaluate import has_scps
from iam.policy.index.index import PolicyIndex
from iam.policy.index.question import AccessQuestion
from iam.policy.lint import LintFinding, LintSeverity, lint
from iam.policy.lint import LintKind as LintKind
from iam.policy.logic import NO, YES
from iam.policy.request import Request

MEMBERS: Final = 5
ACTIONS: Final = 24
TEXTS: Final = 6
NAMED: Final = 3
"""Upper limits: how many of each are checked or named."""
STALE: Final = timedelta(hours=1)
ASKS_FOR_MFA: Final = ("aws:multifactorauthpresent", "aws:multifactorauthage")
NO_MFA: Final = "none"


class CheckTone(StrEnum):
    """The result of a check."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class GrantCheck:
    """The result of one check.

    `user` is the mirror's primary key of the user, if the check concerns a single one; `people` are primary
    keys and names if it concerns several.
    """

    tone: CheckTone
    text: str
    note: str = ""
    user: int | None = None
    people: tuple[tuple[int, str], ...] = ()

    @property
    def first(self) -> tuple[tuple[int, str], ...]:
        """The entries of `people` that are shown at once."""
        return self.people[:NAMED]

    @property
    def rest(self) -> tuple[tuple[int, str], ...]:
        """The entries of `people` that are shown on demand."""
        return self.people[NAMED:]


def checks_of(plan: GrantPlan, *, now: datetime) -> list[GrantCheck]:
    """All checks, in display order. Makes a few queries and a few evaluations."""
    return [*warning_checks(plan), *_end(plan), *_age(plan, now)]


def warning_checks(plan: GrantPlan) -> list[GrantCheck]:
    """The checks whose result is stored with the request.

    The end date has warnings of its own, and every page shows the age of the data.
    """
    texts = list(_texts(plan))
    holders = list(_holders(plan))
    return [*_limits(plan, texts, holders), *_sound(texts), *_mfa(texts, holders)]


def _texts(plan: GrantPlan) -> Iterator[str]:
    """The policy documents that the grant writes, or the text of the managed policy that it attaches."""
    what = plan.terms.what
    if what.kind is WhatKind.MANAGED:
        named = PolicyVersion.objects.filter(valid_at(None), is_default=True, policy__arn=what.policy_arn)
        yield from named.values_list("document__text", flat=True)[:1]
        return
    documents = (
        str(operation.params.get("document", ""))
        for operation in plan.operations
        if "trust" not in operation.slug
    )
    yield from list(dict.fromkeys(text for text in documents if text))[:TEXTS]


def _holders(plan: GrantPlan) -> Iterator[Entity]:
    """The existing users and roles that receive permissions directly."""
    steps = chain.from_iterable(part.steps for part in plan.parts)
    arns = {permission.holder_arn for permission in chain.from_iterable(step.permissions for step in steps)}
    yield from Entity.objects.filter(
        arn__in=arns, kind__in=[Kind.USER, Kind.ROLE], gone_at__isnull=True
    ).order_by("name", "pk")


def _sound(texts: Sequence[str]) -> Iterator[GrantCheck]:
    if not texts:
        return
    linted = chain.from_iterable(lint(text, kind=LintKind.IDENTITY) for text in texts)
    warnings_found = [finding for finding in linted if not finding.is_refused]
    wrong: list[LintFinding] = [
        finding for finding in warnings_found if finding.severity is not LintSeverity.SUGGESTION
    ]
    if not wrong:
        yield GrantCheck(
            CheckTone.OK, "The policy is valid", "AWS accepts it, according to our policy checks."
        )
        return
    more = f" And {len(wrong) - 1} more." if len(wrong) > 1 else ""
    yield GrantCheck(CheckTone.WARN, "The policy is valid, but needs attention", f"{wrong[0].message}{more}")


def _limits(plan: GrantPlan, texts: Sequence[str], holders: Sequence[Entity]) -> Iterator[GrantCheck]:
    """Checks whether a permissions boundary or a service control policy blocks part of the access."""
    numbers = {part.account.account_id for part in plan.parts if not part.refusal}
    asked = list(_single_actions(texts))
    if not asked or not numbers:
        return
    with snapshot(accounts=numbers) as index:
        known = {number: index.accounts[number].standing.is_known for number in numbers & set(index.accounts)}
        stopped = _Restrictions()
        for entity in holders[:MEMBERS]:
            _check_one(index, entity, asked[:ACTIONS], stopped)
    yield from stopped.checks(holders)
    if not all(known.values()):
        places = listed(
            sorted(part.account.name for part in plan.parts if not known.get(part.account.account_id, True))
        )
        note = f"They aren’t synced for {places}, so they may block some of this access."
        yield GrantCheck(CheckTone.WARN, "Service control policies are unknown", note)


class _Restrictions:
    """Collects the boundaries of the holders and the actions that boundaries and SCPs block."""

    def __init__(self) -> None:
        self.boundaries: dict[str, None] = {}
        self.by_boundary: dict[int, set[str]] = {}
        self.by_scp: dict[str, None] = {}
        self.has_scps = False

    def checks(self, holders: Sequence[Entity]) -> Iterator[GrantCheck]:
        """The check results for these holders."""
        names = names_by_entity(entity for entity in holders if entity.pk in self.by_boundary)
        if self.by_scp:
            stopped = counted(len(self.by_scp), "action")
            yield GrantCheck(
                CheckTone.BAD,
                f"A service control policy blocks {stopped}",
                f"{_first_names(self.by_scp)} stay denied.",
            )
        elif self.has_scps:
            yield GrantCheck(CheckTone.OK, "Service control policies allow it")
        for pk, actions in self.by_boundary.items():
            stopped = counted(len(actions), "action")
            yield GrantCheck(
                CheckTone.BAD,
                f"The permissions boundary of {names[pk]} blocks {stopped}",
                f"{_first_names(sorted(actions))}.",
            )
        if self.boundaries and not self.by_boundary:
            yield GrantCheck(
                CheckTone.OK, f"Inside {listed(list(self.boundaries))}", "Their permissions boundary."
            )


def _first_names(names: Sequence[str] | dict[str, None]) -> str:
    shown = list(names)
    more = f" and {len(shown) - NAMED} more" if len(shown) > NAMED else ""
    return f"{', '.join(shown[:NAMED])}{more}"


def _single_actions(texts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The single actions that the documents allow, each with a resource."""
    for text in texts:
        for statement in read(text).statements:
            if not statement.allows or statement.is_not_action:
                continue
            resource = next(iter(statement.resources or ()), "*")
            for pattern in statement.actions:
                yield from _single(pattern, resource)


def _single(pattern: str, resource: str) -> Iterator[tuple[str, str]]:
    try:
        meaning = select_actions(pattern, resource=resource)
    except ActionsError:
        return
    yield from ((name, resource) for name in meaning.actions[:ACTIONS])


def _check_one(
    index: PolicyIndex, entity: Entity, asked: Sequence[tuple[str, str]], stopped: _Restrictions
) -> None:
    member = index.find(entity.arn)
    if member is None:
        return
    bounding = index.accounts[member.account].boundary_of(member.grants)
    if bounding is not None:
        stopped.boundaries[bounding[0].rpartition("/")[2]] = None
    for action, resource in asked:
        request, policies = index.request_and_policies(member, AccessQuestion(action, resource))
        if policies.boundary is not None and _stops(policies.boundary, request):
            stopped.by_boundary.setdefault(entity.pk, set()).add(action)
        if policies.scps and has_scps(request):
            stopped.has_scps = True
            if any(_stops(level, request) for level in policies.scps):
                stopped.by_scp[action] = None


def _stops(limit: PolicySet, request: Request) -> bool:
    """True if the limit blocks the request for certain; results that depend on conditions count as not
    blocked.
    """
    denied, allowed = limit.judge(request)
    return denied == YES or allowed == NO


def _asks_for_mfa(text: str) -> bool:
    return any(key in text.lower() for key in ASKS_FOR_MFA)


def _mfa(texts: Sequence[str], holders: Sequence[Entity]) -> Iterator[GrantCheck]:
    """Checks whether the users have an MFA device. If the policy requires MFA, nothing works without one."""
    users = {entity.pk: entity for entity in holders if entity.kind == Kind.USER}
    if not users:
        return
    rows = UserCredentials.objects.filter(valid_at(None), user__in=users)
    devices = dict(rows.values_list("user_id", "mfa"))
    without = [users[pk] for pk, mfa in devices.items() if mfa == NO_MFA]
    is_asked = any(_asks_for_mfa(text) for text in texts)
    note = (
        "The policy requires MFA: nothing works until they have a device."
        if is_asked
        else "A password or an access key alone is enough to use it."
    )
    tone = CheckTone.BAD if is_asked else CheckTone.WARN
    names = names_by_entity(without)
    if len(without) == 1:
        yield GrantCheck(tone, f"{names[without[0].pk]} has no MFA device", note, without[0].pk)
    elif without:
        people = tuple((entity.pk, names[entity.pk]) for entity in without)
        yield GrantCheck(tone, f"{len(without):,} IAM users have no MFA device", note, people=people)
    if devices and not without and len(devices) == len(users):
        yield GrantCheck(CheckTone.OK, "Everyone who gets access has an MFA device")


def _end(plan: GrantPlan) -> Iterator[GrantCheck]:
    if plan.ends_at is None:
        yield GrantCheck(CheckTone.WARN, "Permanent", "Access lasts until someone ends it.")
    elif plan.ends_only:
        yield GrantCheck(CheckTone.WARN, "Part of this access ends only while Gatehouse runs")
    elif not plan.refusals:
        yield GrantCheck(CheckTone.OK, "AWS ends the access", "Even while Gatehouse is down.")


def _age(plan: GrantPlan, now: datetime) -> Iterator[GrantCheck]:
    """Checks the age of the oldest sync that the preview is based on."""
    accounts = [part.account.pk for part in plan.parts if part.account.pk]
    read_at = Section.objects.filter(account__in=accounts, name__in=[USERS, GROUPS, ROLES])
    moments = [at for at in read_at.values_list("observed_at", flat=True) if at]
    if not moments:
        return
    age = now - min(moments)
    if age > STALE:
        age_text = f"{counted(int(age / STALE), 'hour')} ago"
        yield GrantCheck(
            CheckTone.WARN, f"Last synced {age_text}", "AWS is checked again before anything changes."
        )
    else:
        minutes = max(1, round(age.total_seconds() / 60))
        yield GrantCheck(CheckTone.OK, f"Synced {counted(minutes, 'minute')} ago")
