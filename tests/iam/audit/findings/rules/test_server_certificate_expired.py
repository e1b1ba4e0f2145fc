"""Cases of `server-certificate-expired`."""

from __future__ import annotations

from iam.audit.findings.rules.server_certificate_expired import ServerCertificateExpired
from iam.mirror.models import Kind
from tests.iam.audit.findings.rules.site import FALSE, TRUE, UNREAD, cases_of

CASES = {
    "expired": (
        lambda site: site.entity(Kind.SERVER_CERTIFICATE, "c", attrs={"Expiration": "2026-10-01T00:00:00Z"}),
        TRUE,
    ),
    "valid": (
        lambda site: site.entity(Kind.SERVER_CERTIFICATE, "c", attrs={"Expiration": "2027-10-01T00:00:00Z"}),
        FALSE,
    ),
    "not read": (lambda site: site.unsynced.add("server_certificates"), UNREAD),
}
test_cases = cases_of(ServerCertificateExpired(), CASES)
