"""An organization of one account in memory that meets every requirement, and the judgement of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from iam.audit.findings.identity import compute
from iam.audit.findings.rules import all_rules
from iam.audit.frameworks.checks.account import NEEDED
from iam.audit.frameworks.checks.case import AccountCase, AccountRecords, InstallationFacts, ReviewFact
from iam.audit.frameworks.definitions import all_frameworks
from iam.audit.frameworks.evaluation import FindingRef, account_parts, installation_parts
from iam.audit.frameworks.judgement import DecisionFact, DecisionKind, RequirementResult, judge
from iam.audit.frameworks.reasons import OWN
from iam.audit.frameworks.terms import ALL_ARNS, EVERYTHING, ScopedArns, ScopeTerms
from tests.iam.audit.findings.rules.site import NOW, NUMBER, Site, allow, days, trusts
from tests.iam.audit.findings.rules.trails import trail

ENFORCES = {
    "Effect": "Deny",
    "NotAction": ["iam:ChangePassword", "iam:EnableMFADevice"],
    "Resource": "*",
    "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
}
POLICY = {
    "minimum_length": 14,
    "requires_numbers": True,
    "requires_lowercase": True,
    "requires_uppercase": True,
    "requires_symbols": True,
    "reuse_prevention": 24,
    "expires": True,
    "maximum_age": 90,
}


def decision(kind: DecisionKind, **fields: Any) -> DecisionFact:
    """A decision in force."""
    made = {
        "by": "Ines Duarte",
        "at": days(10),
        "until": NOW + timedelta(days=90),
        "reason": "Looked at it",
        "approved_by": "Hana Sato",
    } | fields
    return DecisionFact(kind, **made)


@dataclass
class Organization:
    """What there is; `decisions` by requirement."""

    site: Site = field(default_factory=Site)
    records: dict[str, Any] = field(default_factory=dict)
    installation: dict[str, Any] = field(default_factory=dict)
    decisions: dict[str, list[DecisionFact]] = field(default_factory=dict)
    terms: ScopeTerms = EVERYTHING
    arns: ScopedArns = ALL_ARNS
    maya: int = 0
    team: int = 0
    trail: int = 0

    def __post_init__(self) -> None:
        site = self.site
        self.maya = site.user("maya", used=days(3), changed=days(20), created_at=days(200))
        self.team = site.group("readers", self.maya)
        logs = allow("logs:GetLogEvents", "arn:aws:logs:*:*:log-group:app:*")
        site.policy("ReadLogs", logs, to=(self.team,))
        site.policy("RequireMfa", ENFORCES, to=(self.team,))
        own = trusts({"AWS": f"arn:aws:iam::{NUMBER}:root"})
        support = site.role("support", own, used=days(2), category="aws")
        site.policy("AWSSupportAccess", allow("support:*"), to=(support,), aws=True)
        audit = site.role("audit", own, used=days(2), category="aws")
        site.policy("SecurityAudit", allow("iam:GetUser"), to=(audit,), aws=True)
        site.values["password_policy"] = dict(POLICY)
        self.trail = trail(site)
        self.records = {
            "synced_at": dict.fromkeys(NEEDED, NOW),
            "linked": frozenset({site.entities[self.maya].arn}),
            "changes": 4,
            "unapproved": 0,
            "open_drifts": 0,
            "events": 100,
            "denied_events": 3,
            "reviews": {self.maya: ReviewFact("Autumn", days(30), "Ines Duarte")},
        }
        self.installation = {
            "idle_minutes": 15,
            "lock_failures": 5,
            "lock_minutes": 30,
            "offboardings": 2,
            "replacements": 1,
        }
        for row in all_frameworks()["pci-dss-4.0.1"].requirements:
            if row.attest:
                self.decisions[row.number] = [decision(DecisionKind.MET)]
            if row.not_applicable:
                self.decisions.setdefault(row.number, []).append(decision(DecisionKind.APPLIES))

    def results(
        self, framework: str = "pci-dss-4.0.1", *, is_past: bool = False
    ) -> Mapping[str, RequirementResult]:
        """How every requirement stands."""
        definition, facts = all_frameworks()[framework], self.site.facts()
        computed = compute(all_rules().values(), facts, is_past=is_past)
        refs = []
        for key, finding in computed.findings.items():
            values = finding.values
            if self.arns.has_finding(values["subject"], values["related"]):
                refs.append(FindingRef(key, key, finding.kind, values["certainty"] == "confirmed"))
        unread = set(computed.unread) | {kind for kind, _ in computed.unread_subjects}
        records = AccountRecords(**self.records)
        case = AccountCase(facts, self.arns, self.terms, records, is_past=is_past)
        installation = dict(self.installation)
        if is_past:
            installation |= {"idle_minutes": None, "lock_failures": None, "lock_minutes": None}
        parts = {
            NUMBER: account_parts(definition, case, refs, unread),
            OWN: installation_parts(definition, InstallationFacts(now=NOW, **installation)),
        }
        results = {}
        for requirement in definition.requirements:
            number = requirement.number
            own = {account: of[number] for account, of in parts.items() if number in of}
            results[number] = judge(requirement, own, self.decisions.get(number, ()))
        return results
