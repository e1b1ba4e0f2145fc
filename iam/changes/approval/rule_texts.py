"""Describes approval rules, and differences between two versions of them, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from iam.changes.approval.rules import (
    HIGH,
    LEAD,
    PERSON,
    ROLE,
    TEAM,
    ApprovalNeed,
    ApprovalRule,
    ApprovalStage,
    ApproverSpec,
)
from iam.changes.risks import WORDS
from iam.directory.models import Role
from iam.phrases import joined

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_ROLES = {
    Role.APPROVER.value: ("approver", "approvers"),
    Role.ADMINISTRATOR.value: ("administrator", "administrators"),
}
Names = Mapping[str, str]
"""Names for ids and slugs: people by id, teams by slug, accounts by number."""


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One line of a rule: label and text."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class RuleDifference:
    """The change of one rule: `sort` is added, removed, changed or moved; `lines` are (label,
    before, after).
    """

    sort: str
    name: str
    lines: tuple[tuple[str, str, str], ...]


def sentence(need: ApprovalNeed, *, names: Names) -> str:
    """ "Needs one approver", "Needs one approver, then an administrator or approver"."""
    return f"Needs {', then '.join(stage_words(stage, names=names) for stage in need.stages)}"


def stage_words(stage: ApprovalStage, *, names: Names) -> str:
    """ "two approvers", "one administrator or approver", "Hana Sato"."""
    if stage.count == 1 and len(stage.who) == 1 and stage.who[0].kind in (PERSON, TEAM, LEAD):
        return _single(stage.who[0], names=names)
    people = _ordered(stage.who, names=names)
    is_by_role = all(who.kind == ROLE for who in stage.who)
    if stage.count == 1 and not is_by_role:
        return _or([_single(who, names=names) for who in people])
    words = [_approver_word(who, many=stage.count > 1, names=names) for who in people]
    number = _NUMBERS[stage.count] if stage.count < len(_NUMBERS) else str(stage.count)
    return f"{number} {_or(words)}" if is_by_role else f"{number} of {_or(words)}"


def _ordered(ordered: Iterable[ApproverSpec], *, names: Names) -> list[ApproverSpec]:
    """Roles, then leads, then people by name. The order in which they were entered has no meaning and is no
    difference.
    """
    kinds = (ROLE, LEAD, TEAM, PERSON)
    return sorted(ordered, key=lambda who: (kinds.index(who.kind), names.get(who.value, who.value).lower()))


def _single(who: ApproverSpec, *, names: Names) -> str:
    if who.kind == ROLE:
        return f"one {_approver_word(who, many=False, names=names)}"
    if who.kind == PERSON:
        return names.get(who.value, "someone who has left")
    return "the team’s lead" if who.kind == LEAD else f"a lead of {names.get(who.value, who.value)}"


def _approver_word(who: ApproverSpec, *, many: bool, names: Names) -> str:
    if who.kind == ROLE:
        return _ROLES[who.value][many]
    if who.kind == PERSON:
        return names.get(who.value, "someone who has left")
    plain = "team leads" if many else "the team’s lead"
    return plain if who.kind == LEAD else f"leads of {names.get(who.value, who.value)}"


def who_words(who: Iterable[ApproverSpec], *, names: Names) -> str:
    """ "administrators and approvers"; "no one"."""
    words = [_approver_word(candidate, many=True, names=names) for candidate in _ordered(who, names=names)]
    return joined(words) or "no one"


def applies_when(rule: ApprovalRule, *, names: Names) -> str:
    """When the rule applies: "to all requests", or "when it makes someone an administrator and it is in
    production".
    """
    parts = []
    if rule.risks:
        known = list(WORDS)
        risks = sorted(
            rule.risks, key=lambda risk: (known.index(risk) if risk in known else len(known), risk)
        )
        parts.append(f"it {_or([_lower(WORDS.get(risk, risk)) for risk in risks])}")
    if rule.sensitivity == HIGH:
        parts.append("it is sensitive")
    if rule.teams:
        parts.append(f"it concerns people of {_or(sorted(names.get(slug, slug) for slug in rule.teams))}")
    if rule.accounts:
        parts.append(f"it is in {_or(sorted(names.get(number, number) for number in rule.accounts))}")
    return f"when {', and '.join(parts)}" if parts else "to all requests"


def lines_of(rule: ApprovalRule, *, names: Names) -> list[RuleLine]:
    """The lines of a rule, for its card and for differences."""
    stages = []
    for number, stage in enumerate(rule.stages, start=1):
        label = f"Stage {number}" if len(rule.stages) > 1 else "Approval"
        stages.append(RuleLine(label, stage_words(stage, names=names)))
    reminds = f"every {hours(rule.remind_hours)}" if rule.remind_hours else "never"
    escalates = "never"
    if rule.escalate_hours:
        escalates = f"after {hours(rule.escalate_hours)}, to {who_words(rule.escalate_to, names=names)}"
    return [
        RuleLine("Applies", applies_when(rule, names=names)),
        *stages,
        RuleLine("Expires", f"after {hours(rule.wait_hours)}"),
        RuleLine("Reminds", reminds),
        RuleLine("Escalates", escalates),
        RuleLine("Break-glass", who_words(rule.break_glass, names=names)),
    ]


def differences(
    before: Sequence[ApprovalRule], after: Sequence[ApprovalRule], *, names: Names
) -> list[RuleDifference]:
    """The changes from one version to the next, in the new order; removed rules come last."""
    old, new = {rule.key: rule for rule in before}, {rule.key: rule for rule in after}
    was = [rule.key for rule in before if rule.key in new]
    order = [rule.key for rule in after if rule.key in old]
    differences = []
    for place, rule in enumerate(after, start=1):
        if rule.key not in old:
            lines = _all(rule, names=names)
            added = (("Place", "", str(place)), *((label, "", text) for label, text in lines))
            differences.append(RuleDifference("added", rule.name, added))
            continue
        changed = _changed(old[rule.key], rule, names=names)
        moved = was.index(rule.key) != order.index(rule.key)
        places = (("Place", str(was.index(rule.key) + 1), str(order.index(rule.key) + 1)),) if moved else ()
        if changed or moved:
            sort = "changed" if changed else "moved"
            differences.append(RuleDifference(sort, rule.name, (*changed, *places)))
    for rule in before:
        if rule.key not in new:
            lines = _all(rule, names=names)
            differences.append(
                RuleDifference("removed", rule.name, tuple((label, text, "") for label, text in lines))
            )
    return differences


def _all(rule: ApprovalRule, *, names: Names) -> list[tuple[str, str]]:
    return [(line.label, line.text) for line in lines_of(rule, names=names)]


def _changed(before: ApprovalRule, after: ApprovalRule, *, names: Names) -> tuple[tuple[str, str, str], ...]:
    old, new = dict(_all(before, names=names)), dict(_all(after, names=names))
    name = (("Name", before.name, after.name),) if before.name != after.name else ()
    labels = dict.fromkeys([*new, *old])
    return (
        *name,
        *(
            (label, old.get(label, ""), new.get(label, ""))
            for label in labels
            if old.get(label) != new.get(label)
        ),
    )


def hours(number: int) -> str:
    """ "4 hours", "2 days"."""
    if number % 24 == 0 and number:
        return f"{number // 24} day{'s' if number > 24 else ''}"
    return f"{number} hour{'s' if number != 1 else ''}"


def _or(words: Sequence[str]) -> str:
    return joined(words, last="or")


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
