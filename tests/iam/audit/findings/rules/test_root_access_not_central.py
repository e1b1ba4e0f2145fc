"""Cases of `root-access-not-central`."""

from __future__ import annotations

from iam.audit.findings.rules.root_access_not_central import RootAccessNotCentral
from tests.iam.audit.findings.rules.site import FALSE, INSIDE, NUMBER, TRUE, UNREAD, Site, cases_of


def organization(site: Site, *features: str, management: str = NUMBER, is_told: bool = True) -> None:
    """The account's organization, and the features of central root access that are on."""
    site.values["organization"] = {"Id": "o-inside0000", "ManagementAccountId": management}
    site.values["root_access"] = {"EnabledFeatures": list(features)} if is_told else None


def unsynced(site: Site) -> None:
    organization(site)
    site.unsynced.add("root_access")


CASES = {
    "nothing is on": (organization, TRUE),
    "sessions only": (lambda site: organization(site, "RootSessions"), TRUE),
    "credentials": (lambda site: organization(site, "RootCredentialsManagement"), FALSE),
    "both": (lambda site: organization(site, "RootCredentialsManagement", "RootSessions"), FALSE),
    "a member": (lambda site: organization(site, management=INSIDE, is_told=False), FALSE),
    "a delegated administrator": (lambda site: organization(site, management=INSIDE), FALSE),
    "no organization": (lambda site: site.values.update(organization=None), FALSE),
    "the management account is not told": (lambda site: organization(site, is_told=False), UNREAD),
    "not synced": (unsynced, UNREAD),
}
test_cases = cases_of(RootAccessNotCentral(), CASES)
