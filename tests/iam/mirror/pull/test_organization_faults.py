"""Each call about the organization goes wrong in each way: the section is out of date and says why, the rest
is synced.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from iam.aws.reads import organization
from iam.mirror.models import Account, AccountFact, Edge, EdgeKind, EntityState, Kind, Pull, Section, valid_at
from iam.mirror.pull.reach import open_account
from iam.mirror.snapshot.organizations import OrganizationStandings
from tests import factories
from tests.bench.fakeaws.accounts import account_id
from tests.bench.fakeaws.bulk import ApiError
from tests.bench.fakeaws.world import World

pytestmark = [pytest.mark.on_postgresql, pytest.mark.django_db]

CALLS = (
    "DescribeOrganization",
    "ListRoots",
    "ListOrganizationalUnitsForParent",
    "ListAccountsForParent",
    "ListAccounts",
    "ListPolicies",
    "ListTargetsForPolicy",
    "DescribePolicy",
)
FAULTS = ("denied", "missing", "500", "malformed")
TREE = (Kind.ORG_ROOT, Kind.ORG_UNIT, Kind.ORG_ACCOUNT, Kind.SCP)


def _tree(account: Account) -> set[tuple[str, str]]:
    entity_states = EntityState.objects.filter(valid_at(None), account=account, kind__in=TREE)
    return set(entity_states.values_list("kind", "entity__aws_id"))


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("call", CALLS)
def test_what_is_known_of_the_organization_stays_and_the_reason_is_told(
    world: World, account: Account, pull: Callable[..., Pull], call: str, fault: str
) -> None:
    assert pull(account).state == "complete"
    before = _tree(account)
    world.control("/_config", {"fail": f"{call}:1:{fault}"})
    done = pull(account)
    states = dict(done.sections.values_list("name", "state"))
    section = Section.objects.get(account=account, name="organization")
    assert _tree(account) == before
    assert {state for name, state in states.items() if name != "organization"} <= {"complete", "never"}
    if (call, fault) == ("ListAccounts", "denied"):
        # Only a check that nothing is missing; a delegated administrator may lack the permission.
        assert (done.state, section.state) == ("complete", "complete")
        return
    assert done.state == "partial"
    assert section.state == ("denied" if fault == "denied" else "failed")
    assert section.observed_at is not None
    assert section.message
    assert section.message in done.message or done.message in section.message


@pytest.mark.parametrize(
    "call", ["ListOrganizationalUnitsForParent", "ListAccountsForParent", "DescribePolicy"]
)
def test_a_part_that_was_deleted_in_between_is_no_failure(
    world: World, account: Account, pull: Callable[..., Pull], monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    answer, calls = getattr(world.organizations, call), []

    def once_gone(parameters: dict[str, str]) -> object:
        calls.append(parameters)
        if len(calls) == 2:
            raise ApiError(400, "ParentNotFoundException", "gone")
        return answer(parameters)

    monkeypatch.setattr(world.organizations, call, once_gone)
    assert pull(account).state == "complete"
    assert _tree(account)


def test_an_account_that_moves_while_the_tree_is_read_is_read_again(
    account: Account, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer, calls = world.organizations.ListAccountsForParent, []

    def moving(parameters: dict[str, str]) -> dict[str, list[object]]:
        calls.append(parameters["ParentId"])
        shaped = answer(parameters)
        # The first time, it is under none of the parents; the second time, under two of them.
        if len(calls) <= 4 and parameters["ParentId"] == "ou-root-security":
            return {"Accounts": []}
        if 4 < len(calls) <= 8 and parameters["ParentId"] == "r-root":
            return {
                "Accounts": [
                    *shaped["Accounts"],
                    *answer({"ParentId": "ou-root-security"})["Accounts"],
                ]
            }
        return shaped

    monkeypatch.setattr(world.organizations, "ListAccountsForParent", moving)
    aws = open_account(account)
    tree = organization.read_organization(aws)
    aws.close()
    assert len(calls) == 12
    assert sorted(member_account.account_id for member_account in tree.accounts) == [
        account_id(n) for n in range(world.count)
    ]


def test_an_account_without_a_parent_is_said_by_its_number(
    world: World, account: Account, pull: Callable[..., Pull], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = world.organizations.ListAccountsForParent
    hidden = account_id(1)

    def without(parameters: dict[str, str]) -> dict[str, list[dict[str, str]]]:
        return {
            "Accounts": [account for account in answer(parameters)["Accounts"] if account["Id"] != hidden]
        }

    monkeypatch.setattr(world.organizations, "ListAccountsForParent", without)
    assert pull(account).state == "partial"
    section = Section.objects.get(account=account, name="organization")
    assert f"account {hidden} has no parent" in section.message


def test_a_standing_without_its_root_is_not_known(
    world: World, account: Account, pull: Callable[..., Pull], monkeypatch: pytest.MonkeyPatch
) -> None:
    targets = [{"TargetId": text} for text in ("r-root", "ou-root-security", account_id(1))]
    monkeypatch.setattr(world.organizations, "ListTargetsForPolicy", lambda parameters: {"Targets": targets})
    assert pull(account).state == "complete"
    whole = OrganizationStandings(None).position_of(account_id(1))
    assert whole.is_known
    assert whole.paths == ("o-exampleorg1/r-root/ou-root-security/",)
    Edge.objects.get(
        valid_at(None), account=account, kind=EdgeKind.PARENT, source__aws_id="ou-root-security"
    ).delete()
    cut = OrganizationStandings(None).position_of(account_id(1))
    assert not cut.is_known
    assert cut.paths == ()


def _root_access(account: Account) -> object:
    facts = AccountFact.objects.filter(valid_at(None), account=account, name="root_access")
    return facts.values_list("value", flat=True)[0]


def test_central_root_access_is_known_of_the_management_account_alone(
    world: World, account: Account, pull: Callable[..., Pull]
) -> None:
    pull(account)
    assert _root_access(account) == {"EnabledFeatures": ["RootSessions"]}
    world.control("/_config", {"deny": "organizations:ListRoots"})
    number = account_id(1)
    member = factories.account(number, role_arn=f"arn:aws:iam::{number}:role/gatehouse-read")
    assert pull(member).state == "complete"
    assert _root_access(member) is None


@pytest.mark.parametrize("fault", ["denied", "500", "malformed"])
def test_what_was_known_of_central_root_access_stays_and_the_reason_is_told(
    world: World, account: Account, pull: Callable[..., Pull], fault: str
) -> None:
    pull(account)
    world.control("/_config", {"fail": f"ListOrganizationsFeatures:1:{fault}"})
    done = pull(account)
    section = Section.objects.get(account=account, name="root_access")
    assert done.state == "partial"
    assert section.state == ("denied" if fault == "denied" else "failed")
    assert _root_access(account) == {"EnabledFeatures": ["RootSessions"]}
    assert Section.objects.get(account=account, name="organization").state == "complete"
