"""Converts parts and results to and from their stored form."""

from __future__ import annotations

from typing import Any, Final

from iam.audit.frameworks.evaluation import FindingRef, RequirementPart
from iam.audit.frameworks.judgement import RequirementResult
from iam.audit.frameworks.terms import WORST_FIRST, AutomaticVerdict

KEPT_ACCOUNTS: Final = 20
"""The number of accounts shown per requirement, worst first."""
KEPT_FINDINGS: Final = 200
"""The number of stored findings per requirement, for an account and in total; counts include all."""


def part_to_json(part: RequirementPart) -> dict[str, Any]:
    """The stored form. Keys of failures are stored completely, because exceptions are compared with them."""
    return {
        "verdict": part.verdict.value,
        "reasons": list(part.reasons),
        "findings": [list(ref) for ref in part.findings[:KEPT_FINDINGS]],
        "failing": list(part.failing),
        "facts": dict(part.facts),
        "is_settled": part.is_settled,
    }


def part_from_json(value: dict[str, Any]) -> RequirementPart:
    """Parse the stored form."""
    return RequirementPart(
        AutomaticVerdict(value["verdict"]),
        tuple(value["reasons"]),
        tuple(FindingRef(*ref) for ref in value["findings"]),
        tuple(value["failing"]),
        value["facts"],
        value["is_settled"],
    )


def result_to_json(result: RequirementResult) -> dict[str, Any]:
    """Return what the page of a framework shows about a requirement."""
    counts: dict[str, int] = {}
    verdicts = result.account_verdicts
    worst = sorted(verdicts, key=lambda number: (WORST_FIRST.index(verdicts[number]), number))
    for verdict in result.account_verdicts.values():
        counts[verdict.value] = counts.get(verdict.value, 0) + 1
    return {
        "state": result.state.value,
        "reason": result.reason,
        "verdict": result.verdict.value,
        "accounts": counts,
        "worst": worst[:KEPT_ACCOUNTS],
        "findings": list(result.findings[:KEPT_FINDINGS]),
        "problems": len(result.failing),
        "attestation": result.attestation.to_json() if result.attestation else None,
        "exception": result.exception.to_json() if result.exception else None,
    }


def row_of(result: RequirementResult, *, as_of: str) -> dict[str, Any]:
    """A row of the JSON list of `manage.py framework`."""
    accounts = {}
    for number, verdict in result.account_verdicts.items():
        accounts[number or "gatehouse"] = {
            "result": verdict.value,
            "reasons": list(result.reasons[number]),
        }
    return {
        "requirement": result.number,
        "state": result.state.value,
        "reason": result.reason,
        "automatic": {"result": result.verdict.value, "as_of": as_of, "accounts": accounts},
        "attestation": result.attestation.to_json() if result.attestation else None,
        "exception": result.exception.to_json() if result.exception else None,
        "findings": list(result.findings),
        "facts": {number or "gatehouse": dict(facts) for number, facts in result.facts.items()},
    }
