"""An escalation path for pages: its stops, its steps with their evidence, and the statements that would close
it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from django.urls import reverse

from console.access.lines import ICONS, PathStop, parts_of, short
from console.access.stages import ExplanationStage
from console.identities.details.frame import SECTIONS
from console.web.query import QueryPairs
from iam.access.certainty import Certainty
from iam.access.effective import plain_name
from iam.access.escalation_calculation.path_records import (
    FindingAct,
    FindingPath,
    FindingPrincipal,
    FindingStep,
    RequiredRequest,
)
from iam.mirror.models import Kind
from iam.policy.escalation.held_statements import TRUST, HeldStatement
from iam.policy.escalation.states import GIVEN
from iam.policy.evaluate import EvaluationDecision
from iam.policy.explain import DecisionReason
from iam.policy.request import PrincipalKind, account_of

Sees = Callable[[str], bool]
SURE: Final = ("Confirmed", "bad", "shield-alert")
CONDITIONAL: Final = ("Conditional", "warn", "circle-help")
PATH_MARKS: Final = {
    Certainty.CONFIRMED: SURE,
    Certainty.CONDITIONAL: CONDITIONAL,
    Certainty.UNCONFIRMED: ("Unconfirmed", "info", "circle-dashed"),
}
HIDDEN: Final = "someone in an account that you can’t see"
ADMINISTRATOR: Final = "Administrator"
AWS: Final = "arn:aws:iam::aws:policy/"
SERVICES: Final = frozenset({PrincipalKind.SERVICE, PrincipalKind.PROVIDER})
OWNERS: Final = {
    "resource": "The trust policy there has a condition that you can’t see",
    "rcp": "The organization of that account has a condition that you can’t see",
}
"""Texts for an allowing policy of the resource's account if the viewer can’t see that account."""


@dataclass(frozen=True, slots=True)
class ClosingStatement:
    """A statement to remove: `text` names it, `where` names its holder, and `note` says what is special about
    it.
    """

    text: str
    where: str
    url: str
    note: str = ""
    policy: str = "a policy"
    statement: str = "a statement"
    is_managed: bool = False
    is_hidden: bool = False


@dataclass(frozen=True, slots=True)
class PathPageContext:
    """What all parts of a path need: the visible accounts, the page's query, policy IDs by account and ARN,
    and the goal's name.
    """

    sees: Sees
    query: QueryPairs
    policies: Mapping[tuple[str, str], int]
    goal: str = ADMINISTRATOR
    accounts: Mapping[str, str] = field(default_factory=dict)
    """Account names by ID."""
    members: Mapping[str, FindingPrincipal] = field(default_factory=dict)
    """Principals of the path by ARN, for links."""


def mark_of(path: FindingPath) -> tuple[str, str, str]:
    """Return (label, tone, icon)."""
    return SURE if path.is_sure else CONDITIONAL


def name_of(member: FindingPrincipal | None, frame: PathPageContext) -> str:
    """Return the name of a stop; None stands for any administrator of the account."""
    if member is None:
        return ADMINISTRATOR
    return member.name if frame.sees(member.account) else HIDDEN


def nodes_of(path: FindingPath, frame: PathPageContext) -> list[PathStop]:
    """Return the stops from the principal to the goal."""
    nodes = [PathStop(ICONS[path.who.kind], path.who.name)]
    for step in path.steps:
        if step.becomes is not None and step.becomes.arn != step.who.arn:
            nodes.append(PathStop(ICONS[step.becomes.kind], name_of(step.becomes, frame)))
    if frame.goal == ADMINISTRATOR:
        nodes.append(PathStop("shield-alert", ADMINISTRATOR, "bad"))
    return nodes


def titles_of(path: FindingPath, frame: PathPageContext) -> list[str]:
    """Return each step as a sentence."""
    return [title_of(step, frame) for step in path.steps]


def title_of(step: FindingStep, frame: PathPageContext) -> str:
    """Return 'Creates a Lambda function with role pay-admin and invokes it'."""
    if not step.acts:
        return f"Administers the account, so can become {name_of(step.becomes, frame)}"
    return title_of_acts(step.acts, frame)


def title_of_acts(acts: Sequence[FindingAct], frame: PathPageContext) -> str:
    """Return the sentence of the acts in a step."""
    titles = [_act_title(act, frame) for act in acts]
    return ", then ".join([titles[0], *(title[:1].lower() + title[1:] for title in titles[1:])])


def _act_title(act: FindingAct, frame: PathPageContext) -> str:
    account = act.subject_arn.split(":", 5)[4] if act.subject_arn.startswith("arn:") else ""
    return act.title.format(act.subject) if frame.sees(account) else _hidden_title(act.title)


def _hidden_title(title: str) -> str:
    """Return the sentence without names of an account that the viewer can’t see."""
    for kind in ("role", "group", "policy"):
        if f"{kind} {{0}}" in title:
            return title.replace(f"{kind} {{0}}", f"a {kind} in an account that you can’t see")
    return title.format(HIDDEN)


def conditions_of(path: FindingPath, frame: PathPageContext) -> list[str]:
    """Return the conditions of the path as sentences."""
    conditions: list[str] = []
    for step in path.steps:
        for act in step.acts:
            if act.is_assumed:
                conditions.append(act.assumes)
            if frame.sees(step.who.account):
                for ground in act.grounds:
                    conditions += _open(ground, frame)
    if not path.ends_sure and frame.goal == ADMINISTRATOR:
        last = next((step.becomes for step in reversed(path.steps)), path.who)
        conditions.append(f"{name_of(last, frame)} is an administrator only conditionally")
    return list(dict.fromkeys(conditions))


def _open(ground: RequiredRequest, frame: PathPageContext) -> Iterator[str]:
    for reason in ground.open_reasons:
        if reason.kind in OWNERS and not _sees_resource(ground, frame):
            yield OWNERS[reason.kind]
        else:
            yield _sentence(reason)


def _sees_resource(ground: RequiredRequest, frame: PathPageContext) -> bool:
    account = account_of(ground.resource)
    return not account or frame.sees(account)


def _sentence(reason: DecisionReason) -> str:
    places, phrases, doubts = parts_of(reason.conditions)
    verb = "denies it" if reason.is_deny else "allows it"
    only = " only" if not reason.is_deny and (places or phrases) else ""
    where = f" on {' and '.join(places)}" if places else ""
    when = f" when {' and '.join(phrases)}" if phrases else ""
    doubt = f", which Gatehouse can’t evaluate ({'; '.join(doubts)})" if doubts else ""
    return f"{plain_name(reason.policy)}, {_label(reason)}, {verb}{only}{where}{when}{doubt}"


def _label(reason: DecisionReason) -> str:
    if reason.statement is None:
        return ""
    sid = f" ({reason.sid})" if reason.sid else ""
    return f"statement {reason.statement + 1}{sid}"


def stages_of(
    path: FindingPath, frame: PathPageContext, mark: tuple[str, str, str]
) -> list[ExplanationStage]:
    """Return the whole path as stages: the principal, each step with its requests, and the result."""
    stages = [_principal(path.who, frame)]
    for step in path.steps:
        stages += _step(step, frame)
    words, tone, icon = mark
    goal = "administrator" if frame.goal == ADMINISTRATOR else frame.goal
    end = f"{path.who.name} becomes {goal}" if path.steps else f"{path.who.name} is already {goal}"
    return [
        *stages,
        ExplanationStage(icon, tone, f"{end}: {words.lower()}", tuple(conditions_of(path, frame))),
    ]


def _principal(member: FindingPrincipal, frame: PathPageContext) -> ExplanationStage:
    url = page_of(member, frame)
    kind = "IAM role" if member.kind is PrincipalKind.ROLE else "IAM user"
    place = frame.accounts.get(member.account, member.account)
    return ExplanationStage(ICONS[member.kind], "", name_of(member, frame), (f"{kind} in {place}",), url=url)


def page_of(member: FindingPrincipal, frame: PathPageContext) -> str:
    """Return the address of a principal's page; "" if the viewer can’t see it, or if the path creates the
    principal.
    """
    if member.is_new or not frame.sees(member.account):
        return ""
    kind = Kind.ROLE if member.kind is PrincipalKind.ROLE else Kind.USER
    return f"{reverse(SECTIONS[kind][2], args=[member.id])}{frame.query.with_only('as-of')}".rstrip("?")


def _step(step: FindingStep, frame: PathPageContext) -> Iterator[ExplanationStage]:
    notes = () if not step.becomes else tuple(_state(step, name_of(step.becomes, frame)))
    tone = "" if step.is_sure or not step.acts else "warn"
    yield ExplanationStage("arrow-right", tone, title_of(step, frame), notes)
    if frame.sees(step.who.account):
        for ground in step.all_evidence:
            yield _evidence_row(ground, frame)
    elif step.acts:
        yield ExplanationStage("circle-dashed", "", "By policies of an account that you can’t see")


def _state(step: FindingStep, name: str) -> Iterator[str]:
    """Yield sentences about the state of the reached principal, if the step changes it."""
    if "full" in step.gains:
        yield f"{name} then has every permission that its permissions boundary and SCPs allow"
    if "unbound" in step.gains:
        yield f"{name} then has no permissions boundary"
    if "removed" in step.gains:
        yield f"{name} then no longer has the policy that denied access"
    if "freed" in step.gains:
        yield f"{name} is then limited by no SCP"


def _evidence_row(ground: RequiredRequest, frame: PathPageContext) -> ExplanationStage:
    icon, tone = ("check", "ok") if ground.decision is EvaluationDecision.ALLOWED else ("circle-help", "warn")
    resource = ground.resource
    is_seen = _sees_resource(ground, frame)
    place = short(resource) if is_seen else HIDDEN
    where = "" if resource == "*" else f" on {place}"
    asks = f"{ground.who_arn} calls " if ground.who_kind in SERVICES else ""
    statements = ground.statements if is_seen else ground.identity
    allowing = dict.fromkeys(statements)
    notes = [_allowed_by(statement) for statement in allowing]
    return ExplanationStage(icon, tone, f"{asks}{ground.action}{where}", (*notes, *_open(ground, frame)))


def _allowed_by(statement: HeldStatement) -> str:
    if statement.policy.startswith(GIVEN):
        return "Allowed by the policy that it was given on the way"
    return f"{closer_text(statement)} allows it"


def members_of(path: FindingPath) -> dict[str, FindingPrincipal]:
    """Return all principals of a path by ARN."""
    members = {step.becomes.arn: step.becomes for step in path.steps if step.becomes is not None}
    return {path.who.arn: path.who} | members


def closer_text(statement: HeldStatement) -> str:
    """Return 'PaymentsDeploy, statement 2 (PassDeployRole)'."""
    return f"{'Trust policy' if statement.policy == TRUST else statement.policy}, {statement_text(statement)}"


def statement_text(statement: HeldStatement) -> str:
    """Return 'statement 2 (PassDeployRole)' or 'statement 1'."""
    sid = f" ({statement.sid})" if statement.sid else ""
    return f"statement {statement.number + 1}{sid}"


def closers_of(statements: Iterable[HeldStatement], frame: PathPageContext) -> list[ClosingStatement]:
    """Return the statements, sorted; names in accounts that the viewer can’t see are hidden."""
    return [_closer(statement, frame) for statement in sorted(statements, key=closer_text)]


def _closer(statement: HeldStatement, frame: PathPageContext) -> ClosingStatement:
    role = statement.holder.rpartition("/")[2]
    policy = f"the trust policy of {role}" if statement.policy == TRUST else statement.policy
    if statement.holder.startswith(AWS):
        note = "AWS manages this policy: detach it, or attach a narrower one instead"
        number = next((pk for (_, arn), pk in frame.policies.items() if arn == statement.holder), None)
        url = "" if number is None else _policy_url(number, frame)
        return ClosingStatement(
            closer_text(statement), "AWS managed policy", url, note, policy, statement_text(statement)
        )
    account = _account_of(statement)
    if not frame.sees(account):
        return ClosingStatement("A statement", HIDDEN, "", is_hidden=True)
    number = frame.policies.get((account, statement.holder))
    url = "" if number is None else _policy_url(number, frame)
    name = frame.accounts.get(account, account)
    where = f"Managed policy in {name}" if number is not None else f"{_owner_text(statement)} in {name}"
    if not url and statement.holder in frame.members:
        url = page_of(frame.members[statement.holder], frame)
    is_managed = number is not None
    return ClosingStatement(
        closer_text(statement), where, url, "", policy, statement_text(statement), is_managed
    )


def _policy_url(number: int, frame: PathPageContext) -> str:
    return f"{reverse('identities:policy', args=[number])}{frame.query.with_only('as-of')}".rstrip("?")


def _account_of(statement: HeldStatement) -> str:
    return (
        statement.holder.split(":", 5)[4]
        if statement.holder.startswith("arn:")
        else statement.holder.rpartition(" ")[2]
    )


def _owner_text(statement: HeldStatement) -> str:
    if statement.policy == TRUST:
        return f"Role {statement.holder.rpartition('/')[2]}"
    name = (
        statement.holder.rpartition("/")[2]
        if statement.holder.startswith("arn:")
        else statement.holder.partition(" of ")[0]
    )
    return f"Inline policy of {name}"
