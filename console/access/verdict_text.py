"""Formats a verdict as text for a terminal and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from console.access.lines import MARKS
from console.access.verdicts import APPLIES, CHECKS, VOICES
from console.web.files import json_value
from iam.access.simulate import SimulationInquiry, SimulationResult
from iam.access.verdict import VerdictBranch, VerdictStatement
from iam.policy.logic import NO, OPEN, YES

MARK_WORDS: Final = {YES: "yes", OPEN: "open", NO: "no"}
LISTS: Final = (("missing", "Missing"), ("open_conditions", "Depends"), ("limits", "Not known"))
MAX_LENGTH: Final = 200


def text_of(inquiry: SimulationInquiry, verdict: SimulationResult) -> Iterator[str]:
    """Yield the lines: the decision, its summary, what is missing or open, and the tree."""
    yield f"{MARKS[verdict.decision][0]}: {inquiry.who.arn}, {inquiry.action} on {inquiry.resource}"
    yield verdict.summary
    for name, label in LISTS:
        for line in getattr(verdict, name):
            yield f"{label}: {line}"
    yield ""
    yield from _tree([_branch(branch) for branch in verdict.branches], "")


Node = tuple[str, list[Any]]


def _tree(nodes: Sequence[Node], before: str) -> Iterator[str]:
    for place, (text, below) in enumerate(nodes, start=1):
        is_last = place == len(nodes)
        yield f"{before}{'└─' if is_last else '├─'} {text}"
        yield from _tree(below, f"{before}{'   ' if is_last else '│  '}")


def _branch(branch: VerdictBranch) -> Node:
    leaves = sorted(branch.leaves, key=lambda leaf: -leaf.mark)
    below: list[Node] = [_leaf(leaf) for leaf in leaves]
    below += [_branch(part) for part in branch.parts]
    below += [(problem, []) for problem in branch.problems]
    if branch.others:
        other = "other " if branch.leaves else ""
        noun = "statements" if branch.others > 1 else "statement"
        below.append((f"{branch.others} {other}{noun} about other actions", []))
    mark = "" if branch.kind == "deny" else f" [{VOICES[branch.voice][0].lower()}]"
    title = f"{branch.title[0].upper()}{branch.title[1:]}"
    return f"{title}{mark}: {branch.text}", below


def _leaf(leaf: VerdictStatement) -> Node:
    name = leaf.held.policy.name if leaf.held else leaf.policy
    checks: list[Node] = [
        (
            (
                f"{CHECKS[check.mark][0]}: {check.element} {_short(check.text)} (request has: "
                f"{_short(check.found)})"
            ),
            [],
        )
        for check in leaf.checks
    ]
    return f"{name}, {leaf.label}: {APPLIES[leaf.allows, leaf.mark][0].lower()}", [
        *checks,
        *((problem, []) for problem in leaf.problems),
    ]


def _short(text: str) -> str:
    return text if len(text) <= MAX_LENGTH else f"{text[:MAX_LENGTH]}…"


def json_of(inquiry: SimulationInquiry, verdict: SimulationResult) -> dict[str, Any]:
    """Return the question and the complete answer."""
    return {
        "principal": inquiry.who.arn,
        "account": inquiry.who.account,
        "action": inquiry.action,
        "resource": inquiry.resource,
        "resource_account": inquiry.resource_account,
        "context": dict(inquiry.context),
        "strict": inquiry.strict,
        "as_of": json_value(inquiry.at),
        "decision": str(verdict.decision),
        "summary": verdict.summary,
        "missing": list(verdict.missing),
        "depends_on": list(verdict.open_conditions),
        "not_known": list(verdict.limits),
        "branches": [_json_branch(branch) for branch in verdict.branches],
    }


def _json_branch(branch: VerdictBranch) -> dict[str, Any]:
    return {
        "kind": branch.kind,
        "title": branch.title,
        "says": str(branch.voice),
        "text": branch.text,
        "statements": [_json_leaf(leaf) for leaf in branch.leaves],
        "parts": [_json_branch(part) for part in branch.parts],
        "statements_about_other_actions": branch.others,
        "problems": list(branch.problems),
    }


def _json_leaf(leaf: VerdictStatement) -> dict[str, Any]:
    return {
        "policy": leaf.held.policy.name if leaf.held else leaf.policy,
        "group": leaf.held.group.name if leaf.held and leaf.held.group else None,
        "statement": leaf.source.index,
        "sid": leaf.source.sid,
        "effect": "Allow" if leaf.allows else "Deny",
        "applies": MARK_WORDS[leaf.mark],
        "checks": [
            {
                "element": check.element,
                "text": check.text,
                "fits": MARK_WORDS[check.mark],
                "in_request": check.found,
            }
            for check in leaf.checks
        ],
        "problems": list(leaf.problems),
    }
