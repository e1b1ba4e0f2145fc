"""Defines approval rules and how they apply to requests. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import chain
from typing import Any, Final, Self

from iam.changes import risks
from iam.directory.models import Role

ROLE, LEAD, PERSON, TEAM = "role", "lead", "person", "team"
ROLES: Final = (Role.APPROVER.value, Role.ADMINISTRATOR.value)
"""The roles that rules can name: those that see the whole account."""
HIGH: Final = "high"
MAX_PEOPLE, MAX_STAGES, MAX_RULES = 9, 5, 100
MAX_HOURS: Final = 30 * 24


@dataclass(frozen=True, slots=True, order=True)
class ApproverSpec:
    """Someone who can decide: holders of a role, a lead of the teams concerned, one person by id, or the
    leads of one team by slug.

    The last form is only computed for a request, never part of a rule.
    """

    kind: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class ApprovalStage:
    """A number of approvals by these people, needed before the next stage begins."""

    who: tuple[ApproverSpec, ...]
    count: int = 1

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        """Parse the output of `asdict`."""
        return cls(who=tuple(ApproverSpec(**who) for who in body["who"]), count=int(body["count"]))


@dataclass(frozen=True, slots=True)
class ApprovalRule:
    """The approvals for requests with one of these accounts, teams and risks, and this sensitivity; empty
    matches all.

    `key` stays the same when a rule is edited. Hours count from the request; 0 means never.
    """

    key: str
    name: str
    stages: tuple[ApprovalStage, ...]
    accounts: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()
    sensitivity: str = ""
    wait_hours: int = 24
    remind_hours: int = 4
    escalate_hours: int = 0
    escalate_to: tuple[ApproverSpec, ...] = ()
    break_glass: tuple[ApproverSpec, ...] = ()

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        """Parse the output of `asdict`, also after JSON. Raises TypeError, ValueError or KeyError if it is
        invalid.
        """
        rule_body = dict(body)
        for name in ("accounts", "teams", "risks"):
            rule_body[name] = tuple(rule_body.get(name, ()))
        for name in ("escalate_to", "break_glass"):
            rule_body[name] = tuple(ApproverSpec(**who) for who in rule_body.get(name, ()))
        rule_body["stages"] = tuple(ApprovalStage.from_json(stage) for stage in rule_body["stages"])
        return cls(**rule_body)

    @property
    def people(self) -> int:
        """The number of different people who must approve."""
        return sum(stage.count for stage in self.stages)


@dataclass(frozen=True, slots=True)
class RuleMatter:
    """The properties of a change that determine its rule; sensitivity and risks are those of the
    whole set.
    """

    account_id: str
    teams: frozenset[str] = frozenset()
    sensitivity: str = ""
    risks: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ApprovalNeed:
    """The approvals that a request needs. `because` names the rules, in list order."""

    stages: tuple[ApprovalStage, ...]
    because: tuple[str, ...] = ()
    wait_hours: int = 24
    remind_hours: int = 0
    escalate_hours: int = 0
    escalate_to: tuple[ApproverSpec, ...] = ()
    break_glass: tuple[ApproverSpec, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def people(self) -> int:
        """The number of different people who must approve."""
        return sum(stage.count for stage in self.stages)


APPROVERS: Final = ApproverSpec(ROLE, Role.APPROVER.value)
ADMINISTRATORS: Final = ApproverSpec(ROLE, Role.ADMINISTRATOR.value)
REVIEWERS: Final = (APPROVERS, ADMINISTRATORS)
"""The reviewers of break-glass uses: everyone who could have approved, and all administrators."""
GRAVE: Final = risks.GRAVE
"""Risks that could let someone take over an account; a request with one of them is critical under
any rules.
"""
_TWO: Final = (ApprovalStage((APPROVERS,)), ApprovalStage((ADMINISTRATORS, APPROVERS)))
SHIPPED: Final = (
    ApprovalRule(
        key="risky",
        name="Requests that can take over an account",
        risks=GRAVE,
        stages=_TWO,
        escalate_hours=8,
        escalate_to=(ADMINISTRATORS,),
        break_glass=(ADMINISTRATORS,),
    ),
    ApprovalRule(
        key="sensitive",
        name="Sensitive requests",
        sensitivity=HIGH,
        stages=_TWO,
        escalate_hours=8,
        escalate_to=(ADMINISTRATORS,),
        break_glass=(ADMINISTRATORS,),
    ),
    ApprovalRule(
        key="rest",
        name="Everything else",
        stages=(ApprovalStage((APPROVERS,)),),
        escalate_hours=12,
        escalate_to=(ADMINISTRATORS,),
        break_glass=(ADMINISTRATORS, APPROVERS),
    ),
)
"""The rules of a new installation. The second stage accepts either role, so that two approvers and one
administrator are never stuck.
"""


def matches(rule: ApprovalRule, matter: RuleMatter) -> bool:
    """True if the change matches the rule, regardless of its position."""
    return (
        (not rule.accounts or matter.account_id in rule.accounts)
        and (not rule.teams or bool(matter.teams.intersection(rule.teams)))
        and (not rule.risks or bool(matter.risks.intersection(rule.risks)))
        and (not rule.sensitivity or rule.sensitivity == matter.sensitivity)
    )


def rule_for(rules: Sequence[ApprovalRule], matter: RuleMatter) -> ApprovalRule:
    """The first matching rule; if none matches, the last default rule."""
    return next((rule for rule in rules if matches(rule, matter)), SHIPPED[-1])


def need_of(rules: Sequence[ApprovalRule], matters: Iterable[RuleMatter]) -> ApprovalNeed:
    """The approvals that a set needs: those of all rules that its changes fall under.

    Stages with the same people are combined with the larger number. Times are the shortest of all rules that
    set one. Break-glass is limited to people whom every rule allows to use it.
    """
    applicable = list(dict.fromkeys(rule_for(rules, matter) for matter in matters)) or [SHIPPED[-1]]
    applicable.sort(key=lambda rule: rules.index(rule) if rule in rules else len(rules))
    glass = set(applicable[0].break_glass).intersection(*(rule.break_glass for rule in applicable))
    return ApprovalNeed(
        stages=_combined(applicable),
        because=tuple(rule.name for rule in applicable),
        wait_hours=min(rule.wait_hours for rule in applicable),
        remind_hours=_shortest(rule.remind_hours for rule in applicable),
        escalate_hours=_shortest(rule.escalate_hours for rule in applicable),
        escalate_to=tuple(dict.fromkeys(chain.from_iterable(rule.escalate_to for rule in applicable))),
        break_glass=tuple(sorted(glass)),
    )


def _combined(applicable: Sequence[ApprovalRule]) -> tuple[ApprovalStage, ...]:
    stages: list[ApprovalStage] = []
    for rule in applicable:
        free = list(range(len(stages)))
        for stage in rule.stages:
            same = next((at for at in free if set(stages[at].who) == set(stage.who)), None)
            if same is None:
                stages.append(stage)
                continue
            free.remove(same)
            stages[same] = replace(stages[same], count=max(stages[same].count, stage.count))
    return tuple(stages)


def _shortest(hours: Iterable[int]) -> int:
    return min((hour for hour in hours if hour), default=0)


def as_json(rules: Iterable[ApprovalRule]) -> list[dict[str, Any]]:
    """The JSON form that a version stores."""
    return [asdict(rule) for rule in rules]


def problems_of(rules: Sequence[ApprovalRule]) -> list[str]:
    """Sentences on why the rules are invalid; empty if they are valid."""
    problems = list(chain.from_iterable(_problems(rule) for rule in rules))
    if len(rules) > MAX_RULES:
        problems.append(f"There are {len(rules)} rules, and the limit is {MAX_RULES}.")
    names = [rule.name.casefold() for rule in rules]
    problems += [
        f"Two rules have the name “{rule.name}”. Rename one of them."
        for n, rule in enumerate(rules)
        if names.index(names[n]) < n
    ]
    if not rules or not _is_open(rules[-1]):
        problems.append(
            "The last rule must apply to all requests: remove its accounts, teams and risks. Otherwise some "
            "requests would have no rule."
        )
    problems += [
        f"“{rule.name}” applies to all requests, so the rules below it would never apply. Move it to the end."
        for rule in rules[:-1]
        if _is_open(rule)
    ]
    return problems


def _is_open(rule: ApprovalRule) -> bool:
    return not (rule.accounts or rule.teams or rule.risks or rule.sensitivity)


def _problems(rule: ApprovalRule) -> list[str]:
    problems = []
    if not rule.name.strip():
        problems.append("A rule needs a name.")
    if not rule.stages:
        problems.append(f"“{rule.name}” has no stages. At least one person must approve.")
    if len(rule.stages) > MAX_STAGES:
        problems.append(f"“{rule.name}” has {len(rule.stages)} stages, and the limit is {MAX_STAGES}.")
    for number, stage in enumerate(rule.stages, start=1):
        if not stage.who:
            problems.append(f"“{rule.name}” has no one in stage {number}.")
        if not 1 <= stage.count <= MAX_PEOPLE:
            problems.append(
                f"“{rule.name}” needs {stage.count} people in stage {number}. Enter 1 to {MAX_PEOPLE}."
            )
        named = {who for who in stage.who if who.kind == PERSON}
        if len(named) == len(stage.who) and len(named) < stage.count:
            problems.append(
                f"“{rule.name}” needs {stage.count} people in stage {number}, but only {len(named)} can "
                "approve."
            )
    if rule.stages and all(LEAD in {who.kind for who in stage.who} for stage in rule.stages):
        problems.append(
            f"“{rule.name}” could be approved by team leads alone, and one administrator can appoint team "
            "leads. Add a stage without them."
        )
    if any(who.kind == LEAD for who in rule.escalate_to):
        problems.append(
            f"“{rule.name}” escalates to team leads, and one administrator can appoint team leads. Choose "
            "someone else."
        )
    if not 1 <= rule.wait_hours <= MAX_HOURS:
        problems.append(f"“{rule.name}” expires after {rule.wait_hours} hours. Enter 1 to {MAX_HOURS}.")
    if rule.escalate_hours and not rule.escalate_to:
        problems.append(
            f"“{rule.name}” escalates after {rule.escalate_hours} hours, but to no one. Choose who it "
            "escalates to."
        )
    for what, hours in (("reminds", rule.remind_hours), ("escalates", rule.escalate_hours)):
        if hours < 0 or (hours and hours >= rule.wait_hours):
            problems.append(
                f"“{rule.name}” {what} after {hours} hours, when the request has already expired."
            )
    return problems
