"""What makes an organization fail each requirement, or need a person, and what a past date shows of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from iam.audit.findings.facts import KeyFact
from iam.audit.frameworks.checks.case import ReviewFact
from iam.audit.frameworks.definitions import all_frameworks
from iam.audit.frameworks.judgement import DecisionKind
from iam.audit.frameworks.terms import RequirementState as State
from iam.mirror.models import Kind
from iam.mirror.pull.sections import (
    ACCOUNT,
    CREDENTIAL_REPORT,
    GROUPS,
    INSTANCES,
    POLICIES,
    ROLES,
    TRAILS,
    USERS,
)
from iam.people.fleet.roots import RootStanding, RootUserFacts
from tests.iam.audit.findings.rules.site import FULL, INSIDE, NOW, NUMBER, OUTSIDE, allow, days, trusts
from tests.iam.audit.findings.rules.trails import GOOD
from tests.iam.audit.frameworks.organization import Organization, decision

PCI: Final = [row.number for row in all_frameworks()["pci-dss-4.0.1"].requirements]
Spoil = Callable[[Organization], object]


def _not_met(number: str) -> Spoil:
    """Someone looked, and it is not so."""

    def spoil(organization: Organization) -> None:
        organization.decisions[number].append(decision(DecisionKind.NOT_MET))

    return spoil


def _unattested(number: str) -> Spoil:
    """No one has looked."""

    def spoil(organization: Organization) -> None:
        rows = organization.decisions.get(number, [])
        organization.decisions[number] = [row for row in rows if row.kind != DecisionKind.MET]

    return spoil


def unsynced(*sections: str) -> Spoil:
    def spoil(organization: Organization) -> None:
        organization.site.unsynced.update(sections)

    return spoil


def _records(**values: Any) -> Spoil:
    return lambda organization: organization.records.update(values)


def _installation(**values: Any) -> Spoil:
    return lambda organization: organization.installation.update(values)


def _passwords(**values: Any) -> Spoil:
    return lambda organization: organization.site.values["password_policy"].update(values)


def trail(**attrs: Any) -> Spoil:
    def spoil(organization: Organization) -> None:
        entity = organization.site.entities[organization.trail]
        organization.site.entities[organization.trail] = entity._replace(attrs=GOOD | attrs)

    return spoil


def _no_trail(organization: Organization) -> None:
    del organization.site.entities[organization.trail]


def _direct_policy(organization: Organization) -> None:
    organization.site.inlined(organization.maya, "direct", allow("s3:GetObject", "arn:aws:s3:::a/*"))


def _administrator(organization: Organization) -> None:
    organization.site.policy("Everything", FULL, to=(_role(organization),))


def _role(organization: Organization) -> int:
    """A role of people, to whom nothing denies anything."""
    trust = trusts({"AWS": f"arn:aws:iam::{NUMBER}:root"})
    return organization.site.role("boss", trust, used=days(1), category="aws")


def _administrator_without_mfa(organization: Organization) -> None:
    number = organization.site.user("boss", mfa="none", used=days(1), changed=days(2), created_at=days(99))
    organization.site.policy("Everything", FULL, to=(organization.site.group("bosses", number),))


def _password_alone(organization: Organization) -> None:
    _passwords(expires=False)(organization)
    _user(mfa="none")(organization)


def share(organization: Organization) -> None:
    number = organization.site.user("shared-ops", used=days(1), created_at=days(100), changed=days(50))
    organization.site.members[organization.team].append(number)
    organization.records["reviews"][number] = ReviewFact("Autumn", days(30), "Ines Duarte")


def _open_role(organization: Organization) -> None:
    organization.site.role("open", trusts({"AWS": "*"}), used=days(1))


def _third_party(organization: Organization) -> None:
    organization.site.role("vendor", trusts({"AWS": f"arn:aws:iam::{OUTSIDE}:root"}), used=days(1))


def _known_third_party(organization: Organization) -> None:
    """With an external ID: no finding, but someone must say that it is needed."""
    condition = {"StringEquals": {"sts:ExternalId": "agreed-4711"}}
    trust = trusts({"AWS": f"arn:aws:iam::{OUTSIDE}:root"}, **condition)
    organization.site.role("vendor", trust, used=days(1))
    _unattested("8.2.7")(organization)


def _service_administrator(organization: Organization) -> None:
    role = organization.site.role("worker", used=days(1))
    organization.site.policy("Everything", FULL, to=(role,))


def _user(**fields: Any) -> Spoil:
    def spoil(organization: Organization) -> None:
        made = {"used": days(3), "changed": days(20), "created_at": days(200)} | fields
        number = organization.site.user("nora", **made)
        organization.site.members[organization.team].append(number)
        organization.records["linked"] |= {organization.site.entities[number].arn}
        organization.records["reviews"][number] = ReviewFact("Autumn", days(30), "Ines Duarte")

    return spoil


def _unmatched(organization: Organization) -> None:
    organization.records["linked"] = frozenset()


def _outside_of_policy(organization: Organization) -> None:
    organization.site.user("free", used=days(1), changed=days(2), created_at=days(100))


def _instance(organization: Organization) -> None:
    organization.site.entity(Kind.INSTANCE, "i-1", attrs={"State": "running", "HttpTokens": "required"})


def _leaver(organization: Organization) -> None:
    organization.site.gone = frozenset({organization.site.entities[organization.maya].arn})


def _trail_stopper(organization: Organization) -> None:
    organization.site.policy("Logs", allow("cloudtrail:StopLogging"), to=(_role(organization),))


def _old_review(organization: Organization) -> None:
    organization.records["reviews"] = {organization.maya: ReviewFact("Spring", days(200), "Ines Duarte")}


def _application_without_review(organization: Organization) -> None:
    reviewed = organization.site.role("reviewed", used=days(1))
    organization.site.role("forgotten", used=days(1))
    organization.records["reviews"][reviewed] = ReviewFact("Autumn", days(30), "Ines Duarte")


def _application(organization: Organization) -> None:
    organization.site.role("worker", used=days(1))
    _unattested("7.2.5.1")(organization)


def _no_review(number: str) -> Spoil:
    def spoil(organization: Organization) -> None:
        organization.records["reviews"] = {}
        _unattested(number)(organization)

    return spoil


def _no_support(organization: Organization) -> None:
    site = organization.site
    support = next(number for number, entity in site.entities.items() if entity.name == "AWSSupportAccess")
    site.attached = {holder: [p for p in held if p != support] for holder, held in site.attached.items()}


OLD_KEY: Final = (KeyFact(1, days(120), days(1)),)
UNUSED_KEY: Final = (KeyFact(1, days(200), days(120)),)
FAILS: Final[Mapping[str, Spoil]] = {
    "3.6.1": _not_met("3.6.1"),
    "3.6.1.3": _not_met("3.6.1.3"),
    "3.7": _not_met("3.7"),
    "7.2.1": _direct_policy,
    "7.2.2": _administrator,
    "7.2.3": _records(unapproved=1),
    "7.2.4": _old_review,
    "7.2.5": _service_administrator,
    "7.2.5.1": _application_without_review,
    "7.2.6": _not_met("7.2.6"),
    "7.3.1": _records(unconnected=("444444444444",)),
    "7.3.2": _direct_policy,
    "7.3.3": _open_role,
    "8.2.1": share,
    "8.2.2": share,
    "8.2.4": _records(open_drifts=2),
    "8.2.5": _installation(slow_offboardings=("Nora Whitfield",)),
    "8.2.6": _user(used=days(120), changed=days(120)),
    "8.2.7": _third_party,
    "8.2.8": _installation(idle_minutes=20),
    "8.3.2": _not_met("8.3.2"),
    "8.3.3": _installation(unverified_replacements=("Nora Whitfield",)),
    "8.3.4": _installation(lock_minutes=5),
    "8.3.5": _user(changed=days(200), created_at=days(200)),
    "8.3.6": _passwords(minimum_length=8),
    "8.3.7": _passwords(reuse_prevention=3),
    "8.3.9": _password_alone,
    "8.3.10.1": _password_alone,
    "8.3.11": share,
    "8.4.1": _administrator_without_mfa,
    "8.4.2": _user(mfa="none"),
    "8.4.3": _user(mfa="none"),
    "8.5.1": _outside_of_policy,
    "8.6.1": share,
    "8.6.2": _instance,
    "8.6.3": _user(keys=OLD_KEY),
    "10.2.1": _no_trail,
    "10.2.1.1": trail(IsLogging=False),
    "10.2.1.2": trail(IsMultiRegionTrail=False),
    "10.2.1.3": _not_met("10.2.1.3"),
    "10.2.1.4": _no_trail,
    "10.2.1.5": trail(IsMultiRegionTrail=False),
    "10.2.1.6": trail(IsLogging=False),
    "10.2.1.7": _no_trail,
    "10.2.2": _no_trail,
    "10.3.1": _not_met("10.3.1"),
    "10.3.2": _trail_stopper,
    "10.3.3": trail(LatestDeliveryError="AccessDenied"),
    "10.3.4": trail(LogFileValidationEnabled=False),
    "10.5.1": _no_trail,
    "12.10.3": _no_support,
    "A3.4.1": _old_review,
}
NEEDS_PERSON: Final[Mapping[str, Spoil]] = {
    "3.6.1": unsynced(POLICIES),
    "3.6.1.3": _unattested("3.6.1.3"),
    "3.7": _unattested("3.7"),
    "7.2.1": unsynced(USERS),
    "7.2.2": unsynced(POLICIES),
    "7.2.3": _records(changes=None, unapproved=None),
    "7.2.4": _no_review("7.2.4"),
    "7.2.5": unsynced(ROLES),
    "7.2.5.1": _application,
    "7.2.6": _unattested("7.2.6"),
    "7.3.1": unsynced(CREDENTIAL_REPORT),
    "7.3.2": unsynced(USERS),
    "7.3.3": unsynced(ROLES),
    "8.2.1": _unmatched,
    "8.2.2": unsynced(CREDENTIAL_REPORT),
    "8.2.4": _records(open_drifts=None),
    "8.2.5": _installation(offboardings=None),
    "8.2.6": unsynced(CREDENTIAL_REPORT),
    "8.2.7": _known_third_party,
    "8.2.8": _unattested("8.2.8"),
    "8.3.2": _unattested("8.3.2"),
    "8.3.3": _installation(replacements=None),
    "8.3.4": _unattested("8.3.4"),
    "8.3.5": unsynced(CREDENTIAL_REPORT),
    "8.3.6": unsynced(ACCOUNT),
    "8.3.7": unsynced(ACCOUNT),
    "8.3.9": unsynced(USERS),
    "8.3.10.1": unsynced(ACCOUNT),
    "8.3.11": _unattested("8.3.11"),
    "8.4.1": unsynced(USERS),
    "8.4.2": _user(mfa="unread"),
    "8.4.3": _user(mfa="unread"),
    "8.5.1": unsynced(GROUPS),
    "8.6.1": _unattested("8.6.1"),
    "8.6.2": unsynced(INSTANCES),
    "8.6.3": unsynced(USERS),
    **{number: unsynced(TRAILS) for number in PCI if number.startswith(("10.2.1", "10.3"))},
    "10.2.2": _records(events=0),
    "10.5.1": _unattested("10.5.1"),
    "12.10.3": _unattested("12.10.3"),
    "A3.4.1": _no_review("A3.4.1"),
}
IN_THE_PAST: Final[Mapping[str, State]] = {
    # What AWS tells of the last use, and Gatehouse of its settings, has no history.
    "8.2.6": State.PERSON,
    "8.2.8": State.PERSON,
    "8.3.4": State.PERSON,
    "8.3.5": State.PERSON,
}


def root_features(*features: str) -> Spoil:
    """The organization of the account has turned on these features of central root access."""

    def spoil(organization: Organization) -> None:
        organization.site.values["organization"] = {"Id": "o-inside0000", "ManagementAccountId": INSIDE}
        organization.records["root_features"] = features

    return spoil


CIS_FAILS: Final[Mapping[str, Spoil]] = {
    "2.1.1": root_features("RootSessions"),
    "2.4": lambda organization: setattr(
        organization.site, "root", RootUserFacts(NUMBER, "production", RootStanding.ON, 1, days(400), NOW)
    ),
    "2.5": lambda organization: setattr(
        organization.site, "root", RootUserFacts(NUMBER, "production", RootStanding.NONE, 0, days(400), NOW)
    ),
    "2.6": lambda organization: setattr(organization.site, "is_root_mfa_virtual", True),
    "2.7": lambda organization: setattr(
        organization.site, "root", RootUserFacts(NUMBER, "production", RootStanding.ON, 0, days(1), NOW)
    ),
    "2.8": _passwords(minimum_length=12),
    "2.9": _passwords(reuse_prevention=12),
    "2.10": _user(mfa="none"),
    "2.11": _user(used=days(60), changed=days(60)),
    "2.12": _user(keys=OLD_KEY),
    "2.13": _direct_policy,
    "2.14": _administrator,
    "2.15": _no_support,
    "2.16": _instance,
    "2.20": lambda organization: organization.site.policy(
        "AWSCloudShellFullAccess", allow("cloudshell:*"), to=(organization.team,), aws=True
    ),
    "2.21": _open_role,
}
CIS_PASSES: Final = (set(CIS_FAILS) | {"2.1.3", "2.17"}) - {"2.1.1", "2.21"}
CIS_ALONE: Final = "2.1.2"
"""An account in no organization."""
