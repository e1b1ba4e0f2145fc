"""Every row of PCI DSS and CIS: an organization that passes, one that fails, one that needs a person, and a
past date.
"""

from __future__ import annotations

from typing import Final

import pytest

from iam.audit.frameworks.definitions import all_frameworks
from iam.audit.frameworks.terms import RequirementState as State
from iam.audit.frameworks.terms import ScopedArns
from iam.mirror.pull.sections import (
    ACCOUNT,
    CREDENTIAL_REPORT,
    GROUPS,
    INSTANCES,
    MFA_DEVICES,
    POLICIES,
    ROLES,
    SERVER_CERTIFICATES,
    TRAILS,
    USERS,
)
from tests.iam.audit.findings.rules.site import NUMBER
from tests.iam.audit.frameworks.organization import Organization
from tests.iam.audit.frameworks.spoils import (
    CIS_ALONE,
    CIS_FAILS,
    CIS_PASSES,
    FAILS,
    IN_THE_PAST,
    NEEDS_PERSON,
    PCI,
    root_features,
    share,
    trail,
    unsynced,
)

CIS: Final = [row.number for row in all_frameworks()["cis-aws-7.0"].requirements]


@pytest.mark.parametrize("number", PCI)
def test_a_good_organization_passes(number: str) -> None:
    result = Organization().results()[number]
    assert result.state is State.PASSED, result.reason
    assert result.reason


@pytest.mark.parametrize("number", PCI)
def test_a_bad_organization_fails(number: str) -> None:
    organization = Organization()
    FAILS[number](organization)
    result = organization.results()[number]
    assert result.state is State.FAILED, result
    assert result.reason


@pytest.mark.parametrize("number", PCI)
def test_what_was_not_read_or_attested_needs_a_person(number: str) -> None:
    organization = Organization()
    NEEDS_PERSON[number](organization)
    result = organization.results()[number]
    assert result.state is State.PERSON, result
    assert result.reason


@pytest.mark.parametrize("number", PCI)
def test_a_past_date_is_judged_by_what_is_known_of_it(number: str) -> None:
    result = Organization().results(is_past=True)[number]
    assert result.state is IN_THE_PAST.get(number, State.PASSED), result.reason


@pytest.mark.parametrize("number", [number for number in PCI if number not in IN_THE_PAST])
def test_a_past_failure_is_a_failure(number: str) -> None:
    organization = Organization()
    FAILS[number](organization)
    assert organization.results(is_past=True)[number].state is State.FAILED


def test_nothing_passes_of_an_account_that_was_never_synced() -> None:
    organization = Organization()
    unsynced(USERS, GROUPS, ROLES, POLICIES, CREDENTIAL_REPORT, ACCOUNT)(organization)
    unsynced(MFA_DEVICES, INSTANCES, TRAILS, SERVER_CERTIFICATES)(organization)
    organization.records.update(events=None, changes=None, unapproved=None, open_drifts=None, linked=None)
    organization.installation.clear()
    organization.decisions = {}
    states = {number: result.state for number, result in organization.results().items()}
    passed = [number for number, state in states.items() if state is State.PASSED]
    assert passed == []


@pytest.mark.parametrize("number", CIS_FAILS)
def test_cis_fails(number: str) -> None:
    organization = Organization()
    CIS_FAILS[number](organization)
    result = organization.results("cis-aws-7.0")[number]
    assert result.state is State.FAILED, result


@pytest.mark.parametrize("number", CIS)
def test_cis_passes_or_needs_a_person(number: str) -> None:
    organization = Organization()
    organization.decisions = {}
    result = organization.results("cis-aws-7.0")[number]
    expected = State.FAILED if number == CIS_ALONE else State.PERSON
    if number in CIS_PASSES:
        expected = State.PASSED
    assert result.state is expected, result


def test_central_root_access_passes_by_what_the_management_account_is_told() -> None:
    organization = Organization()
    organization.decisions = {}
    root_features("RootCredentialsManagement")(organization)
    assert organization.results("cis-aws-7.0")["2.1.1"].state is State.PASSED
    organization.records["root_features"] = None
    result = organization.results("cis-aws-7.0")["2.1.1"]
    assert result.state is State.PERSON
    assert "wasn’t synced" in result.reason
    organization.site.values["organization"] = None
    assert organization.results("cis-aws-7.0")["2.1.1"].state is State.FAILED


def test_a_scope_that_matches_nothing_passes_nothing() -> None:
    organization = Organization()
    organization.decisions = {}
    organization.arns = ScopedArns(frozenset())
    for number, result in organization.results().items():
        if NUMBER in result.account_verdicts:
            assert result.state in (State.PERSON, State.NOT_APPLICABLE), number


def test_a_scope_leaves_out_what_does_not_belong_to_it() -> None:
    organization = Organization()
    share(organization)
    organization.arns = ScopedArns(frozenset({organization.site.entities[organization.maya].arn}))
    assert organization.results()["8.2.1"].state is State.PASSED
    trail(IsLogging=False)(organization)
    assert organization.results()["10.2.1.6"].state is State.FAILED
