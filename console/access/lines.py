"""Rows of an answer to “Who can” for pages: names, paths from principal to resource, and conditions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from django.urls import reverse

from console.identities.details.frame import SECTIONS
from console.web.query import QueryPairs
from iam.access.certainty import Certainty
from iam.access.explanation import DecisionReasons, ExplanationStep
from iam.access.who_can import WhoCanRow
from iam.mirror.models import Kind
from iam.policy.evaluate import EvaluationDecision
from iam.policy.explain import ReasonOutcome
from iam.policy.request import PrincipalKind
from iam.policy.sentences.conditions import phrase_of

PRINCIPAL_COLUMNS: Final = ("account_id", "arn", "name", "display_name", "kind")
"""Columns of a file that identify the user or role of a row."""
WAYS: Final = 2
PREVIEW_LENGTH: Final = 80
RESOURCE: Final = "Resource: "
DOUBTS: Final = ("undecidable: ", "Principal: ")
NOT_KNOWN: Final = (
    "The resource-based policy isn’t synced. It must allow this too, or leave it to the account"
)
ICONS: Final = {
    PrincipalKind.USER: "user-round",
    PrincipalKind.ROLE: "bot",
    PrincipalKind.ROOT: "shield-alert",
}
KINDS: Final = {PrincipalKind.USER: Kind.USER, PrincipalKind.ROLE: Kind.ROLE}
MARKS: Final = {
    EvaluationDecision.ALLOWED: ("Allowed", "ok", "check"),
    EvaluationDecision.CONDITIONAL: ("Conditional", "warn", "circle-help"),
    EvaluationDecision.EXPLICITLY_DENIED: ("Denied", "bad", "x"),
    EvaluationDecision.IMPLICITLY_DENIED: ("Not allowed", "", "minus"),
}
CERTAINTY_MARKS: Final = {
    Certainty.CONFIRMED: ("Confirmed", "ok", "check"),
    Certainty.CONDITIONAL: ("Conditional", "warn", "circle-help"),
    Certainty.UNCONFIRMED: ("Unconfirmed", "info", "circle-dashed"),
}
CAN: Final = frozenset({EvaluationDecision.ALLOWED, EvaluationDecision.CONDITIONAL})
LAYERS: Final = {
    "boundary": "Permissions boundary",
    "scp": "SCP",
    "rcp": "RCP",
    "resource": "Resource-based policy",
}


@dataclass(frozen=True, slots=True)
class PathStop:
    """A stop on the path from a principal to a resource; `tone` is one of the design system's."""

    icon: str
    text: str
    tone: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class AnswerLine:
    """A row: `mark` is (label, tone, icon), `ways` are paths, `more` counts paths not shown, and `conditions`
    are sentences.
    """

    row: WhoCanRow = field(compare=False)
    name: str
    account: str
    url: str
    why: str
    mark: tuple[str, str, str]
    ways: tuple[tuple[PathStop, ...], ...]
    more: int
    conditions: tuple[str, ...]
    tally: str
    note: str
    is_full: bool
    is_role: bool


def line_of(
    row: WhoCanRow, *, accounts: Mapping[str, str], query: QueryPairs, total: int, resource: str
) -> AnswerLine:
    """Return the line of a row.

    `accounts` are names by ID, `query` is the question's query, and `total` counts the actions asked about.
    """
    granting_steps = [
        step for step in row.why.grants if row.decision is not EvaluationDecision.EXPLICITLY_DENIED
    ]
    steps = granting_steps or list(row.why.denies)
    mark = CERTAINTY_MARKS[row.certainty] if row.decision in CAN else MARKS[row.decision]
    note = ""
    if row.decision is EvaluationDecision.EXPLICITLY_DENIED:
        note = f"Denied by {' and '.join(dict.fromkeys(map(policy_name, row.why.denies)))}"
    return AnswerLine(
        row=row,
        name=row.display,
        account=accounts.get(row.account, row.account),
        url=f"{entity_url(row)}{query.with_only('as-of')}".rstrip("?"),
        why=f"{_why_address(row.pk)}{query}",
        mark=mark,
        ways=tuple(tuple(way_nodes(row, step, resource=resource, query=query)) for step in steps[:WAYS]),
        more=max(0, len(steps) - WAYS),
        conditions=tuple(_doubts(row)),
        tally=_tally(row, total),
        note=note,
        is_full=any(step.allows_everything for step in granting_steps),
        is_role=row.kind is PrincipalKind.ROLE,
    )


def entity_url(row: WhoCanRow) -> str:
    """Return the address of the principal's page."""
    return address_of(KINDS[row.kind], row.pk)


@lru_cache(maxsize=4096)
def address_of(kind: Kind, pk: int) -> str:
    """Return the address of an entity's page; cached, since an answer has hundreds of links and reversing
    each is slow.
    """
    return reverse(SECTIONS[kind][2], args=[pk])


@lru_cache(maxsize=4096)
def _why_address(pk: int) -> str:
    return reverse("access:who-can-why", args=[pk])


def _doubts(row: WhoCanRow) -> list[str]:
    """Return what a decision depends on, or what was not synced that could prevent it."""
    if row.decision is EvaluationDecision.CONDITIONAL:
        return conditions(row.why)
    if row.certainty is Certainty.UNCONFIRMED:
        return [f"Unconfirmed: {unread_words(row.unread)}"]
    return []


def unread_words(clauses: Iterable[str]) -> str:
    """Return 'SCPs weren't synced, and a policy of it couldn't be read'."""
    return ", and ".join(clauses)


def _tally(row: WhoCanRow, total: int) -> str:
    if total == 1 or not (row.can or row.may):
        return ""
    parts = [f"{row.can} of {total} actions"] if row.can else []
    if row.may:
        parts.append(
            f"{row.may} {'more ' if row.can else f'of {total} actions '}only for some resources or conditions"
        )
    return ", ".join(parts)


def policy_name(step: ExplanationStep) -> str:
    """Return the name of a policy for a sentence."""
    layer = LAYERS.get(step.reason.kind, "")
    name = step.policy.name if step.policy else ""
    if step.reason.kind == "resource" or not name:
        return layer or step.reason.text
    level = f" at level {step.reason.level}" if step.reason.level else ""
    return f"{layer} {name}{level}".strip()


def way_nodes(row: WhoCanRow, step: ExplanationStep, *, resource: str, query: QueryPairs) -> list[PathStop]:
    """Return the stops from the principal through the group to the statement and, if it allows, to the
    resource.
    """
    nodes = [PathStop(ICONS[row.kind], row.name)]
    if step.held is not None and step.held.group is not None:
        group = step.held.group
        nodes.append(PathStop("users", group.name, url=entity_page(Kind.GROUP, group.pk, query)))
    label = policy_name(step)
    if step.statement:
        label = f"{label}, {step.statement}"
    linked = step.policy if step.reason.kind in {"identity", "boundary"} else None
    policy_url = entity_page(Kind.POLICY, linked.pk, query) if linked else ""
    tone = "" if step.allows else "bad"
    icon = "scroll-text" if step.allows else "shield-x"
    nodes.append(PathStop(icon, label, tone, policy_url))
    if step.allows:
        nodes.append(PathStop("database", short(resource), "info"))
    return nodes


def entity_page(kind: Kind, pk: int | None, query: QueryPairs) -> str:
    """The page of an entity at the moment of the question; empty where it has none."""
    if pk is None:
        return ""
    return f"{address_of(kind, pk)}{query.with_only('as-of')}".rstrip("?")


def short(resource: str) -> str:
    """Return the end of an ARN, by which people recognize a resource, cut if it is too long."""
    if resource == "*":
        return "Any resource"
    text = resource.split(":", 5)[-1] or resource
    return text if len(text) <= PREVIEW_LENGTH else f"{text[: PREVIEW_LENGTH - 1]}…"


def conditions(why: DecisionReasons) -> list[str]:
    """Return a sentence for each statement that makes a decision conditional."""
    open_ones = [step for step in why.deciding if step.reason.outcome is ReasonOutcome.DEPENDS]
    return list(dict.fromkeys(_sentence(step) for step in open_ones))


def _sentence(step: ExplanationStep) -> str:
    if step.is_unread:
        return NOT_KNOWN
    name = policy_name(step)
    label = f"{name}, {step.statement}," if step.statement else name
    places, phrases, doubts = parts_of(step.reason.conditions)
    only = " only" if step.allows and (places or phrases) else ""
    where = f" on {' and '.join(places)}" if places else ""
    when = f" when {' and '.join(phrases)}" if phrases else ""
    doubt = f", which Gatehouse can’t evaluate ({'; '.join(doubts)})" if doubts else ""
    return f"{label} {'allows it' if step.allows else 'denies it'}{only}{where}{when}{doubt}"


def parts_of(conditions: Iterable[str]) -> tuple[list[str], list[str], list[str]]:
    """Split what a statement leaves open into (resources, conditions, undecidable parts)."""
    places, phrases, doubts = list[str](), list[str](), list[str]()
    for condition in conditions:
        if condition.startswith(RESOURCE):
            places.append(condition.removeprefix(RESOURCE))
        elif condition.startswith(f"Not{RESOURCE}"):
            places.append(f"anything except {condition.removeprefix(f'Not{RESOURCE}')}")
        elif condition.startswith(DOUBTS):
            doubts.append(condition.partition(": ")[2])
        else:
            phrases.append(phrase_of(condition))
    return places, phrases, doubts
