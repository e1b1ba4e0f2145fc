"""Explains a decision about one principal as a vertical path: its own policies, what limits them, and the
decision.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from django.urls import reverse

from console.access.lines import ICONS, MARKS, NOT_KNOWN, entity_url, parts_of, policy_name
from console.web.query import QueryPairs
from iam.access.explanation import ExplanationStep
from iam.access.who_can import WhoCanRow
from iam.policy.document import Statement
from iam.policy.explain import ReasonOutcome
from iam.policy.request import PrincipalKind

MAX_STATEMENT_LENGTH: Final = 4000
"""Maximum length of a statement; longer ones are read on the policy's page."""
ORDER: Final = ("rule", "identity", "boundary", "session", "resource", "scp", "rcp", "endpoint")
OUTCOMES: Final = {
    ReasonOutcome.ALLOWS: ("check", "ok"),
    ReasonOutcome.DENIES: ("shield-x", "bad"),
    ReasonOutcome.DEPENDS: ("circle-help", "warn"),
    ReasonOutcome.WOULD: ("minus", ""),
    ReasonOutcome.MISSING: ("circle-dashed", "bad"),
    ReasonOutcome.PROBLEM: ("triangle-alert", "warn"),
    ReasonOutcome.RULE: ("info", "info"),
}
VERBS: Final = {
    (ReasonOutcome.ALLOWS, True): "allows it",
    (ReasonOutcome.DENIES, False): "denies it",
    (ReasonOutcome.DEPENDS, True): "allows it conditionally",
    (ReasonOutcome.DEPENDS, False): "denies it conditionally",
    (ReasonOutcome.WOULD, True): "allows the action, but not this request",
}
CONDITIONS: Final = {
    (ReasonOutcome.DEPENDS, True): ("Only on", "Only when"),
    (ReasonOutcome.DEPENDS, False): ("On", "When"),
    (ReasonOutcome.WOULD, True): ("It applies to", "It requires that"),
}
"""Beginnings of sentences about what a statement depends on or fails by, for a resource and for a
condition.
"""
LEVELS: Final = {"scp": "SCPs", "rcp": "RCPs"}
KIND_WORDS: Final = {
    PrincipalKind.USER: "IAM user",
    PrincipalKind.ROLE: "IAM role",
    PrincipalKind.ROOT: "Root user",
}


@dataclass(frozen=True, slots=True)
class ExplanationStage:
    """A step of the path: `notes` appear below its text, `statement` is JSON, and `url` is a page with
    details.
    """

    icon: str
    tone: str
    text: str
    notes: tuple[str, ...] = ()
    statement: str = ""
    url: str = ""


def stages_of(row: WhoCanRow, *, account: str, query: QueryPairs) -> list[ExplanationStage]:
    """Return the principal, each reason in AWS's evaluation order, and the decision."""
    words, tone, icon = MARKS[row.decision]
    steps = sorted(row.why.steps, key=lambda step: (ORDER.index(step.reason.kind), step.reason.level))
    return [
        ExplanationStage(
            ICONS[row.kind], "", row.name, (f"{KIND_WORDS[row.kind]} in {account}",), url=entity_url(row)
        ),
        *_stages(steps, query),
        ExplanationStage(icon, tone, words),
    ]


def _stages(steps: Iterable[ExplanationStep], query: QueryPairs) -> Iterator[ExplanationStage]:
    """Yield the stages; levels of the organization that only allow are merged into one."""
    for kind, stage_steps in groupby(steps, key=lambda step: step.reason.kind):
        mine = list(stage_steps)
        if kind in LEVELS and all(step.reason.outcome is ReasonOutcome.ALLOWS for step in mine):
            yield _levels(kind, mine)
        else:
            yield from (_stage(step, query) for step in mine)


def _levels(kind: str, steps: list[ExplanationStep]) -> ExplanationStage:
    count = len({step.reason.level for step in steps})
    policies = dict.fromkeys(step.reason.policy for step in steps)
    if count == 1:
        text = f"The 1 level of {LEVELS[kind]} allows it"
    else:
        text = f"All {count} levels of {LEVELS[kind]} allow it"
    return ExplanationStage("check", "ok", text, (", ".join(policies),))


def _stage(step: ExplanationStep, query: QueryPairs) -> ExplanationStage:
    icon, tone = OUTCOMES[step.reason.outcome]
    if step.is_unread:
        return ExplanationStage(icon, tone, NOT_KNOWN)
    verb = VERBS.get((step.reason.outcome, step.allows))
    text = f"{policy_name(step)}, {step.statement}, {verb}" if verb and step.statement else step.reason.text
    group = step.held.group if step.held else None
    statement = statement_text(step.source) if step.source else ""
    shown_statement = statement if len(statement) <= MAX_STATEMENT_LENGTH else ""
    return ExplanationStage(
        icon=icon,
        tone=tone,
        text=text.rstrip("."),
        notes=(*([f"Through group {group.name}"] if group else []), *_notes(step)),
        statement=shown_statement,
        url=_policy(step, query),
    )


def _notes(step: ExplanationStep) -> Iterator[str]:
    reason = step.reason
    about, when = CONDITIONS.get((reason.outcome, step.allows), ("On", "When"))
    places, phrases, doubts = parts_of(reason.conditions)
    for place in places:
        yield f"{about} {place}"
    for phrase in phrases:
        yield f"{when} {phrase}"
    is_open = reason.outcome is ReasonOutcome.DEPENDS
    concern = "Gatehouse can’t evaluate" if is_open else "Its principals"
    for doubt in doubts:
        yield f"{concern}: {doubt}"


def _policy(step: ExplanationStep, query: QueryPairs) -> str:
    if step.policy is None or step.policy.pk is None:
        return ""
    return f"{reverse('identities:policy', args=[step.policy.pk])}{query.with_only('as-of')}".rstrip("?")


def statement_text(statement: Statement) -> str:
    """Return the parsed statement as JSON."""
    statement_json: dict[str, Any] = {"Sid": statement.sid} if statement.sid else {}
    statement_json["Effect"] = "Allow" if statement.allows else "Deny"
    if statement.principals is not None:
        statement_json["NotPrincipal" if statement.is_not_principal else "Principal"] = {
            kind: _bare(names) for kind, names in statement.principals.items()
        }
    statement_json["NotAction" if statement.is_not_action else "Action"] = _bare(statement.actions)
    if statement.resources is not None:
        statement_json["NotResource" if statement.is_not_resource else "Resource"] = _bare(
            statement.resources
        )
    block: dict[str, dict[str, Any]] = {}
    for operator, key, values in statement.conditions:
        block.setdefault(operator, {})[key] = _bare(values)
    return json.dumps(statement_json | ({"Condition": block} if block else {}), ensure_ascii=False)


def _bare(values: tuple[str, ...]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)
