"""Cases of `saml-metadata-expiring`."""

from __future__ import annotations

from iam.audit.findings.rules.saml_metadata_expiring import SamlMetadataExpiring
from iam.mirror.models import Kind
from tests.iam.audit.findings.rules.site import FALSE, TRUE, cases_of

CASES = {
    "in two weeks": (
        lambda site: site.entity(Kind.SAML_PROVIDER, "p", attrs={"ValidUntil": "2026-12-12T00:00:00Z"}),
        TRUE,
    ),
    "next year": (
        lambda site: site.entity(Kind.SAML_PROVIDER, "p", attrs={"ValidUntil": "2027-12-12T00:00:00Z"}),
        FALSE,
    ),
    "unknown": (lambda site: site.entity(Kind.SAML_PROVIDER, "p", attrs={"ValidUntil": None}), FALSE),
}
test_cases = cases_of(SamlMetadataExpiring(), CASES)
