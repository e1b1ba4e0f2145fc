"""Judges a requirement from the parts of the accounts and the decisions of people. Pure.

A failure counts until it is fixed, or until a second person has approved an exception, a compensating
control, or that the requirement does not apply. An attestation alone covers neither a failure nor unsynced
data.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from iam.audit.frameworks.definitions import FrameworkRequirement
from iam.audit.frameworks.evaluation import RequirementPart
from iam.audit.frameworks.reasons import OWN, combined_reason
from iam.audit.frameworks.terms import AutomaticVerdict, RequirementState, worst
from iam.phrases import counted

Verdict, State = AutomaticVerdict, RequirementState


class DecisionKind(StrEnum):
    """The kinds of decisions.

    The first three need no second person: they improve no result, or record what someone checked.
    """

    MET = "met"
    NOT_MET = "not-met"
    APPLIES = "applies"
    EXCEPTION = "exception"
    COMPENSATING = "compensating"
    NOT_APPLICABLE = "not-applicable"


DECISION_LABELS: Final[Mapping[str, str]] = {
    DecisionKind.MET: "Attested as met",
    DecisionKind.NOT_MET: "Attested as not met",
    DecisionKind.APPLIES: "Applies to us",
    DecisionKind.EXCEPTION: "Exception",
    DecisionKind.COMPENSATING: "Compensating control",
    DecisionKind.NOT_APPLICABLE: "Not applicable",
}
NEEDS_APPROVAL: Final = (DecisionKind.EXCEPTION, DecisionKind.COMPENSATING, DecisionKind.NOT_APPLICABLE)


class DecisionFact(NamedTuple):
    """A decision in force. `covers` are the keys that failed when an exception was requested."""

    kind: str
    by: str
    at: datetime
    until: datetime
    reason: str
    approved_by: str = ""
    covers: frozenset[str] = frozenset()

    def to_json(self) -> dict[str, Any]:
        """Decider, time, content and expiry as JSON."""
        value = {
            "kind": self.kind,
            "by": self.by,
            "at": self.at.isoformat(),
            "reason": self.reason,
            "valid_until": self.until.isoformat(),
        }
        if self.approved_by:
            value["approved_by"] = self.approved_by
        return value


@dataclass(frozen=True, slots=True)
class RequirementResult:
    """The result for a requirement, with its reason. `account_verdicts` are by account ID; OWN is Gatehouse
    itself.
    """

    number: str
    state: RequirementState
    reason: str
    verdict: AutomaticVerdict
    reasons: Mapping[str, tuple[str, ...]]
    account_verdicts: Mapping[str, AutomaticVerdict]
    findings: tuple[int | str, ...]
    failing: tuple[str, ...]
    facts: Mapping[str, Mapping[str, Any]]
    attestation: DecisionFact | None = None
    exception: DecisionFact | None = None


def judge(
    requirement: FrameworkRequirement,
    parts: Mapping[str, RequirementPart],
    decisions: Sequence[DecisionFact] = (),
) -> RequirementResult:
    """The result from the parts of accounts and the decisions in force."""
    verdict = worst(part.verdict for part in parts.values())
    by_kind = {decision.kind: decision for decision in decisions}
    findings: list[int | str] = []
    failing: list[str] = []
    for part in parts.values():
        findings.extend(ref.id for ref in part.findings)
        failing.extend(part.failing)
    attested = by_kind.get(DecisionKind.NOT_MET) or by_kind.get(DecisionKind.MET)
    excepted = by_kind.get(DecisionKind.EXCEPTION) if requirement.has_exception else None
    cover = excepted or by_kind.get(DecisionKind.COMPENSATING) or by_kind.get(DecisionKind.NOT_APPLICABLE)
    state, reason = _state(requirement, parts, verdict, by_kind, failing)
    return RequirementResult(
        requirement.number,
        state,
        reason,
        verdict,
        {number: part.reasons for number, part in parts.items()},
        {number: part.verdict for number, part in parts.items()},
        tuple(dict.fromkeys(findings)),
        tuple(dict.fromkeys(failing)),
        {number: part.facts for number, part in parts.items() if part.facts},
        attested,
        cover,
    )


def _state(
    requirement: FrameworkRequirement,
    parts: Mapping[str, RequirementPart],
    verdict: AutomaticVerdict,
    by_kind: Mapping[str, DecisionFact],
    failing: Collection[str],
) -> tuple[RequirementState, str]:
    excluded = by_kind.get(DecisionKind.NOT_APPLICABLE)
    if excluded is not None:
        return State.NOT_APPLICABLE, f"{excluded.reason} Approved by {excluded.approved_by}."
    if requirement.not_applicable and DecisionKind.APPLIES not in by_kind:
        return State.NOT_APPLICABLE, requirement.not_applicable
    not_met = by_kind.get(DecisionKind.NOT_MET)
    if verdict is Verdict.FAILED or not_met:
        return _failure(requirement, parts, by_kind, failing)
    met = by_kind.get(DecisionKind.MET)
    if verdict is Verdict.UNKNOWN:
        return State.PERSON, combined_reason(parts, Verdict.UNKNOWN)
    if met is not None:
        return State.PASSED, f"Attested by {met.by}: {met.reason}"
    is_settled = bool(parts) and all(part.is_settled for part in parts.values())
    if verdict is Verdict.PASSED and (not requirement.attest or is_settled):
        return State.PASSED, combined_reason(parts, Verdict.PASSED)
    accounts = [number for number in parts if number != OWN]
    says_each = not requirement.attest or len(accounts) < 2 or OWN in parts
    if verdict is Verdict.PERSON and parts and says_each:
        return State.PERSON, combined_reason(parts, Verdict.PERSON)
    if not parts and not requirement.attest:
        return State.PERSON, "No account is in the scope."
    return State.PERSON, f"A person must attest: {requirement.attest}"


def _failure(
    requirement: FrameworkRequirement,
    parts: Mapping[str, RequirementPart],
    by_kind: Mapping[str, DecisionFact],
    failing: Collection[str],
) -> tuple[RequirementState, str]:
    """Return the failure, unless a second person approved something that covers it."""
    control = by_kind.get(DecisionKind.COMPENSATING)
    if control is not None:
        words = f"Compensating control, approved by {control.approved_by}: {control.reason}"
        return State.PASSED, words
    not_met = by_kind.get(DecisionKind.NOT_MET)
    exception = by_kind.get(DecisionKind.EXCEPTION) if requirement.has_exception else None
    if exception is not None and not_met is None:
        left = [key for key in failing if key not in exception.covers]
        if not left:
            return State.PASSED, f"Exception, approved by {exception.approved_by}: {exception.reason}"
        return State.FAILED, f"The exception doesn’t cover {counted(len(left), 'problem')} that came later."
    if not_met is not None:
        return State.FAILED, f"Attested as not met by {not_met.by}: {not_met.reason}"
    return State.FAILED, combined_reason(parts, Verdict.FAILED)
