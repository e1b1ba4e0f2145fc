"""The base of rules about statements that allow an action on every resource of its type.

A resource with a name that no one uses stands for every resource, since a pattern that matches it
chooses none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import ClassVar, Final, NamedTuple

from iam.audit.findings.effect import PolicyEffect, able, effect_among
from iam.audit.findings.facts import AccountFacts, PolicyFact
from iam.audit.findings.holder_rules import problem_of
from iam.audit.findings.models import AuditFinding
from iam.audit.findings.policy_fixes import without_actions
from iam.audit.findings.rule import FindingRule, NotRead, RuleProblem
from iam.audit.findings.statements import (
    ACCOUNT_FIELD,
    ANSWERS_KEPT,
    PARTITIONS,
    SOME_ACCOUNT,
    AllowStatement,
    allows,
    is_full,
    matches_action,
)
from iam.changes.operations import Operation
from iam.mirror.pull.sections import AUTHORIZATION
from iam.policy.glob import compile_glob
from iam.policy.letter_case import fold, is_digits
from iam.policy.statements import as_list

SERVICE_FIELD: Final = 2
REGION_FIELD: Final = 3
SOME_REGION: Final = "us-east-1"
RESOURCE_TAG: Final = "resourcetag/"
IF_EXISTS: Final = "ifexists"
COVERED: Final = frozenset({"cloudtrail", "kms"})
"""The services whose full access on everything is the kind `full-access-to-service`."""


class WideAction(NamedTuple):
    """An action, and the ARN of a resource of its type after the partition, with {region} and {account}.

    `limits` are the beginnings of more condition keys, in lower case, that choose resources; tags of the
    resource always do. `reason` says why a finding is conditional; "" if it is certain.
    """

    action: str
    resource: str
    limits: tuple[str, ...] = ()
    reason: str = ""

    @property
    def service(self) -> str:
        """The service of the action."""
        return self.action.partition(":")[0]

    def example(self, partition: str, region: str, account: str) -> str:
        """The ARN of the resource in a Region and account."""
        return f"arn:{partition}:" + self.resource.format(region=region, account=account)


class WidePlace(NamedTuple):
    """A statement that allows an action on every resource of a Region, and of an account ("" for any)."""

    statement: AllowStatement
    region: str
    account: str


class WideActionRule(FindingRule):
    """A rule about actions that a policy of the customer allows on every resource.

    These are left out: statements that allow everything, or full access that is a kind of its own; statements
    that name resources, or choose them by a condition; and administrators, who can do it anyway.
    """

    sections = AUTHORIZATION
    actions: ClassVar[tuple[WideAction, ...]]

    def able_to(self, wide: WideAction, resource: str, facts: AccountFacts) -> Mapping[int, bool]:
        """Who can do the action on the resource, by primary key, with True if certain."""
        return able(facts, wide.action, resource)

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        known: dict[str, Mapping[int, bool]] = {}
        for policy in facts.policies:
            if policy.is_aws_managed or not policy.holders:
                continue
            effects: dict[str, tuple[AllowStatement, PolicyEffect]] = {}
            for wide, place in wide_places(facts.documents.get(policy.digest, ""), self.actions):
                effect = self._effect_in(place, wide, policy, facts, known)
                if effect is not None:
                    effects.setdefault(wide.action, (place.statement, effect))
            if effects:
                statement, effect = min(effects.values(), key=lambda pair: len(pair[1].reasons))
                principals = dict.fromkeys(chain.from_iterable(e.principals for _, e in effects.values()))
                problem = problem_of(policy, statement, effect._replace(principals=tuple(principals)), facts)
                yield problem._replace(evidence={**problem.evidence, "actions": list(effects)})

    def _effect_in(
        self,
        place: WidePlace,
        wide: WideAction,
        policy: PolicyFact,
        facts: AccountFacts,
        known: dict[str, Mapping[int, bool]],
    ) -> PolicyEffect | None:
        if place.account not in ("", facts.number):
            return None
        resource = wide.example(facts.partition, place.region, facts.number)
        key = f"{wide.action} {resource}"
        if key not in known:
            known[key] = _without_administrators(self.able_to(wide, resource, facts), facts)
        effect = effect_among(policy, facts, known[key])
        if effect is not None and wide.reason:
            effect = effect._replace(reasons=(*effect.reasons, wide.reason))
        return effect


def remove_wide_actions(actions: Sequence[WideAction]) -> Callable[[AuditFinding], list[Operation]]:
    """Remove the actions in a finding's evidence from every statement that allows them on every resource."""

    def build(finding: AuditFinding) -> list[Operation]:
        selected = [wide for wide in actions if wide.action in finding.evidence["actions"]]

        def fits(statement: AllowStatement) -> bool:
            return any(_places(statement, wide) for wide in selected)

        def is_meant(pattern: str) -> bool:
            return any(matches_action(wide.action)(pattern) for wide in selected)

        return without_actions(fits, is_meant)(finding)

    return build


@lru_cache(maxsize=ANSWERS_KEPT)
def wide_places(text: str, actions: tuple[WideAction, ...]) -> tuple[tuple[WideAction, WidePlace], ...]:
    """The places where a policy allows each action on every resource; unconditional ones come first."""
    every: list[tuple[WideAction, WidePlace]] = []
    for wide in actions:
        places: list[WidePlace] = []
        for statement in allows(text):
            places += _places(statement, wide)
        places.sort(key=lambda place: place.statement.has_condition)
        every += [(wide, place) for place in places]
    return tuple(every)


def _places(statement: AllowStatement, wide: WideAction) -> list[WidePlace]:
    if not _is_meant(statement, wide):
        return []
    if "NotResource" in statement.body:
        excluded = as_list(statement.body["NotResource"])
        is_choice = any(_is_of_service(str(pattern), wide.service) for pattern in excluded)
        return [] if is_choice else [WidePlace(statement, SOME_REGION, "")]
    every: list[WidePlace] = []
    for pattern in statement.resources:
        region, account = _region_and_account(pattern)
        matches = compile_glob(pattern)
        if any(matches(wide.example(partition, region, account or SOME_ACCOUNT)) for partition in PARTITIONS):
            every.append(WidePlace(statement, region, account))
    return every


def _is_meant(statement: AllowStatement, wide: WideAction) -> bool:
    """True if it allows the action, no other kind covers it, and no condition chooses resources."""
    if statement.is_not or is_full(statement):
        return False
    if wide.service in COVERED and statement.is_everything and f"{wide.service}:*" in statement.actions:
        return False
    return any(map(matches_action(wide.action), statement.actions)) and not _is_choice(statement, wide.limits)


def _is_choice(statement: AllowStatement, limits: tuple[str, ...]) -> bool:
    """True if a condition chooses resources. Operators with IfExists let those without a tag pass."""
    block = statement.body.get("Condition")
    keys: list[str] = []
    for operator, tests in block.items() if isinstance(block, dict) else ():
        if isinstance(tests, dict) and not fold(str(operator)).endswith(IF_EXISTS):
            keys += [fold(str(key)) for key in tests]
    return any(RESOURCE_TAG in key or key.startswith(limits) for key in keys)


def _region_and_account(pattern: str) -> tuple[str, str]:
    """The Region that a pattern names, or any one; and the account that it names, or ""."""
    fields = pattern.split(":")
    if len(fields) <= ACCOUNT_FIELD:
        return SOME_REGION, ""
    region, account = fields[REGION_FIELD], fields[ACCOUNT_FIELD]
    if not region.strip("*"):
        region = SOME_REGION
    return region.replace("*", "x").replace("?", "x"), account if is_digits(account) else ""


def _is_of_service(pattern: str, service: str) -> bool:
    fields = pattern.split(":")
    name = fields[SERVICE_FIELD] if len(fields) > SERVICE_FIELD else "*"
    return bool(compile_glob(name)(service))


def _without_administrators(able: Mapping[int, bool], facts: AccountFacts) -> Mapping[int, bool]:
    administrators = facts.administrators or {}
    certain = {number for number, is_sure in administrators.items() if is_sure}
    return {number: is_sure for number, is_sure in able.items() if number not in certain}
