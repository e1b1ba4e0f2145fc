"""A server certificate has expired."""

from __future__ import annotations

from collections.abc import Iterator

from iam.audit.findings.dates import moment_in
from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import FindingFix, FindingRule, NotRead, RuleProblem
from iam.mirror.models import Kind
from iam.mirror.pull.sections import SERVER_CERTIFICATES


class ServerCertificateExpired(FindingRule):
    """Covers certificates stored in IAM."""

    kind = "server-certificate-expired"
    severity = FindingSeverity.LOW
    title = "Server certificate expired"
    sentence = "A server certificate in IAM has expired."
    risk = "If a load balancer still uses it, visitors see a warning or learn to ignore one."
    remedy = "Delete the certificate, after checking that nothing uses it."
    sections = (SERVER_CERTIFICATES,)

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        for certificate in facts.of_kind(Kind.SERVER_CERTIFICATE):
            ends = moment_in(certificate.attrs, "Expiration")
            if ends is not None and ends < facts.now:
                fix = FindingFix("delete-certificate", certificate.id)
                yield RuleProblem(certificate, {"expired": ends.isoformat()}, fix=fix)
