"""Why one user or role can or cannot do an action on a resource, told as far as the viewer may see the policies."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from iam.access import reasons
from iam.access.effective import Says, patterns_of, read_access
from iam.access.reasons import Step, Why
from iam.guard import Viewer
from iam.mirror.snapshot import snapshot
from iam.policy.catalogue import catalogue
from iam.policy.explain import Outcome, Reason
from iam.policy.index.classes import Member
from iam.policy.index.index import Index
from iam.policy.index.question import Question
from iam.policy.request import PrincipalKind, Request, account_of
from iam.policy.variables import VARIABLE

EVERY: Final = "*"
LAST: Final = "resource"
"""Where what is told of an organization stands, in one line whatever its levels."""
SAID: Final = {
    "scp": "The organization {verb} it",
    "rcp": "The organization that owns the resource {verb} it",
    "resource": "The owner of the resource {verb} it",
    "boundary": "The permissions boundary {verb} it",
}
VERBS: Final = {
    Outcome.ALLOWS: "allows",
    Outcome.DENIES: "forbids",
    Outcome.DEPENDS: "allows or forbids",
    Outcome.WOULD: "does not allow",
    Outcome.MISSING: "does not allow",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """The decision about one request, and its reasons. `is_placed` is False where the organization's policies are not known."""

    action: str
    resource: str
    arn: str
    kind: PrincipalKind
    why: Why
    is_placed: bool


def why_of(
    viewer: Viewer, number: int, *, account: str, at: datetime | None, action: str, resource: str = ""
) -> Answer | None:
    """The decision about an action at a moment; without a resource, about what the first statement that allows it names.

    None where the index does not have the principal. Policies of an account that the viewer does not see count too, since the
    question is what somebody can whom they do see; of these policies only what they come to is told.
    """
    action = spelt(action)
    with snapshot(at, accounts=[account]) as index:
        member = index.member(account, number)
        if member is None:
            return None
        resource = resource or _first_resource(index, member, action)
    place = account_of(resource) or account
    with snapshot(at, accounts={account, place}) as index:
        member = index.member(account, number)
        if member is None:
            return None
        why = reasons.why(index, member, Question(action, resource, resource_account=place))
        is_placed = index.accounts[account].standing.is_known
        told = _told(why, viewer, account, place)
        return Answer(action, resource, member.arn, member.kind, told, is_placed)


def spelt(action: str) -> str:
    """As AWS writes the action, if it is known."""
    found = catalogue().action(action)
    return found.name if found else action


def _first_resource(index: Index, member: Member, action: str) -> str:
    known = catalogue().action(action)
    if known is not None and not known.targets:
        return EVERY
    access = read_access(index, member)
    place = access.space.actions.index_of(action)
    allowing: list[Says] = [] if place is None else access.allowing(1 << place)
    for one in allowing:
        if not one.statement.is_not_resource:
            return _filled(patterns_of(one.statement)[0], index.effective().request_of(member))
    return EVERY


def _filled(pattern: str, request: Request) -> str:
    """A pattern with what its variables stand for; those that are open stand for anything."""

    def value(match: re.Match[str]) -> str:
        key = match.group(1).partition(",")[0].strip().lower()
        found = request.values(key)
        return found[0] if found and len(found) == 1 else EVERY

    return VARIABLE.sub(value, pattern)


def _told(why: Why, viewer: Viewer, account: str, place: str) -> Why:
    """What the viewer may be told: who does not see an account is not told the texts of its policies, nor its organization's."""
    hidden = set() if viewer.scope.sees_account(account) else {"scp", "boundary"}
    hidden |= set() if viewer.scope.sees_account(place) else {"rcp", "resource"}
    if not hidden:
        return why
    steps = [
        _hidden(step) if step.reason.kind in hidden else _plain(step, viewer, account) for step in why.steps
    ]
    return replace(why, steps=tuple(dict.fromkeys(steps)))


def _hidden(step: Step) -> Step:
    reason = step.reason
    verb = VERBS.get(reason.outcome, "says something that cannot be read about")
    words = SAID[reason.kind].format(verb=verb)
    if reason.outcome is Outcome.DEPENDS:
        words += ", depending on circumstances"
    return Step(Reason(LAST if reason.level else reason.kind, reason.outcome, words))


def _plain(step: Step, viewer: Viewer, account: str) -> Step:
    """Without the way to the policy's page, for who does not see the account; pages leave out the text of the statement too."""
    if viewer.scope.sees_account(account):
        return step
    return replace(step, policy=step.policy and replace(step.policy, pk=None))
