"""The metadata of a SAML provider expires soon or has expired."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from iam.audit.findings.dates import moment_in
from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import FindingFix, FindingRule, NotRead, RuleProblem
from iam.mirror.models import Kind
from iam.mirror.pull.sections import PROVIDERS

DAYS: Final = 30


class SamlMetadataExpiring(FindingRule):
    """Covers metadata that expires within 30 days or has expired."""

    kind = "saml-metadata-expiring"
    severity = FindingSeverity.MEDIUM
    title = "SAML metadata expiring"
    sentence = "The metadata of a SAML provider ends within 30 days, or has ended."
    risk = "When it ends, no one can sign in through the provider any longer."
    remedy = "Upload new metadata from the identity provider."
    sections = (PROVIDERS,)

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        for provider in facts.of_kind(Kind.SAML_PROVIDER):
            ends = moment_in(provider.attrs, "ValidUntil")
            if ends is not None and ends < facts.now + timedelta(days=DAYS):
                fix = FindingFix("metadata", provider.id)
                yield RuleProblem(provider, {"valid_until": ends.isoformat()}, fix=fix)
