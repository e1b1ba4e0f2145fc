"""STS, Organizations and the part of EC2 that shows instances."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from tests.bench.fakeaws.account import Account
from tests.bench.fakeaws.accounts import account_id, key_of
from tests.bench.fakeaws.bulk import ApiError, Params
from tests.bench.fakeaws.ids import BASE_ACCOUNT, iso, uid
from tests.bench.fakeaws.xml import x

_ORGANIZATION = f"arn:aws:organizations::{BASE_ACCOUNT}"
_SCP_TEXT = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Action": "organizations:LeaveOrganization", "Resource": "*"}],
    }
)
_FULL_ACCESS = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
UNITS = ("Workloads", "Security", "Sandbox")


class Sts:
    """Who asks, and the keys of an assumed role."""

    def GetCallerIdentity(self, p: Params) -> str:
        arn = f"arn:aws:iam::{BASE_ACCOUNT}:user/user-00000"
        return x("Arn", arn) + x("UserId", uid("AIDA", 0)) + x("Account", BASE_ACCOUNT)

    def AssumeRole(self, p: Params) -> str:
        number = int(p["RoleArn"].split(":")[4]) - BASE_ACCOUNT
        session, role = p.get("RoleSessionName", "s"), p["RoleArn"].split("/")[-1]
        end = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=int(p.get("DurationSeconds", 3600)))
        credentials = (
            x("AccessKeyId", key_of(number, prefix="ASIA", suffix="ROLE"))
            + x("SecretAccessKey", "s" * 40)
            + x("SessionToken", "t" * 64)
            + x("Expiration", iso(end))
        )
        arn = f"arn:aws:sts::{account_id(number)}:assumed-role/{role}/{session}"
        who = x("AssumedRoleId", f"AROAFAKE:{session}") + x("Arn", arn)
        return f"<AssumedRoleUser>{who}</AssumedRoleUser><Credentials>{credentials}</Credentials>"


class Organizations:
    """JSON protocol: one root, three units, the accounts dealt out to them, and two SCPs."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.exists = True

    def call(self, action: str, p: Params) -> dict[str, Any]:
        """The answer of an action; ApiError when the account is in no organization."""
        if not self.exists:
            message = "Your account is not a member of an organization."
            raise ApiError(400, "AWSOrganizationsNotInUseException", message)
        answer: dict[str, Any] = getattr(self, action)(p)
        return answer

    def DescribeOrganization(self, p: Params) -> dict[str, Any]:
        return {
            "Organization": {
                "Id": "o-exampleorg1",
                "Arn": f"{_ORGANIZATION}:organization/o-exampleorg1",
                "FeatureSet": "ALL",
                "MasterAccountId": account_id(0),
                "MasterAccountArn": _account(0)["Arn"],
                "MasterAccountEmail": "aws+0@example.com",
                "AvailablePolicyTypes": [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}],
            }
        }

    def ListAccounts(self, p: Params) -> dict[str, Any]:
        return _paged("Accounts", [_account(number) for number in range(self.count)], p)

    def ListAccountsForParent(self, p: Params) -> dict[str, Any]:
        numbers = [number for number in range(self.count) if _parent(number) == p["ParentId"]]
        return _paged("Accounts", [_account(number) for number in numbers], p)

    def ListRoots(self, p: Params) -> dict[str, Any]:
        types = [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}]
        arn = f"{_ORGANIZATION}:root/o-exampleorg1/r-root"
        return {"Roots": [{"Id": "r-root", "Arn": arn, "Name": "Root", "PolicyTypes": types}]}

    def ListOrganizationalUnitsForParent(self, p: Params) -> dict[str, Any]:
        units = UNITS if p["ParentId"] == "r-root" else ()
        arn = f"{_ORGANIZATION}:ou/o-exampleorg1/"
        described = [{"Id": _unit_id(name), "Arn": arn + _unit_id(name), "Name": name} for name in units]
        return {"OrganizationalUnits": described}

    def DescribeAccount(self, p: Params) -> dict[str, Any]:
        return {"Account": _account(int(p["AccountId"]) - BASE_ACCOUNT)}

    def ListParents(self, p: Params) -> dict[str, Any]:
        parent = _parent(int(p["ChildId"]) - BASE_ACCOUNT)
        return {"Parents": [{"Id": parent, "Type": "ROOT" if parent == "r-root" else "ORGANIZATIONAL_UNIT"}]}

    def ListPolicies(self, p: Params) -> dict[str, Any]:
        return {"Policies": [_scp(key) for key in _SCPS] if p["Filter"] == "SERVICE_CONTROL_POLICY" else []}

    def DescribePolicy(self, p: Params) -> dict[str, Any]:
        return {"Policy": {"PolicySummary": _scp(p["PolicyId"]), "Content": _SCPS[p["PolicyId"]][1]}}

    def ListTargetsForPolicy(self, p: Params) -> dict[str, Any]:
        targets = ["r-root", *map(_unit_id, UNITS)] if p["PolicyId"] == "p-FullAWSAccess" else ["r-root"]
        return {
            "Targets": [{"TargetId": target, "Arn": "", "Name": "", "Type": "ROOT"} for target in targets]
        }

    def ListPoliciesForTarget(self, p: Params) -> dict[str, Any]:
        return {"Policies": []}

    def ListDelegatedAdministrators(self, p: Params) -> dict[str, Any]:
        return {"DelegatedAdministrators": []}


_SCPS = {"p-FullAWSAccess": ("FullAWSAccess", _FULL_ACCESS), "p-stay00001": ("StayInOrganization", _SCP_TEXT)}


def _scp(policy_id: str) -> dict[str, Any]:
    return {
        "Id": policy_id,
        "Arn": f"{_ORGANIZATION}:policy/o-exampleorg1/service_control_policy/{policy_id}",
        "Name": _SCPS[policy_id][0],
        "Description": "",
        "Type": "SERVICE_CONTROL_POLICY",
        "AwsManaged": policy_id == "p-FullAWSAccess",
    }


def _unit_id(name: str) -> str:
    return f"ou-root-{name.lower()}"


def _parent(number: int) -> str:
    return "r-root" if number == 0 else _unit_id(UNITS[number % len(UNITS)])


def _account(number: int) -> dict[str, Any]:
    return {
        "Id": account_id(number),
        "Arn": f"{_ORGANIZATION}:account/o-exampleorg1/{account_id(number)}",
        "Email": f"aws+{number}@example.com",
        "Name": f"account-{number:04d}",
        "Status": "ACTIVE",
        "State": "ACTIVE",
        "JoinedMethod": "CREATED",
        "JoinedTimestamp": 1577836800 + number,
    }


def _paged(key: str, items: list[dict[str, Any]], p: Params) -> dict[str, Any]:
    start = int(p.get("NextToken") or 0)
    end = start + min(20, p.get("MaxResults", 20))
    return {key: items[start:end], **({"NextToken": str(end)} if end < len(items) else {})}


class Ec2:
    """An instance for every instance profile, up to fifty, in us-east-1."""

    def __init__(self, account: Account) -> None:
        self._profiles = [profile for role in account.roles for profile in role["profiles"]][:50]

    def _in(self, p: Params) -> list[tuple[str, str, str]]:
        return self._profiles if p["_region"] == "us-east-1" else []

    def DescribeInstances(self, p: Params) -> str:
        return (
            f"<reservationSet>"
            f"{''.join(self._instance(*pair) for pair in enumerate(self._in(p)))}</reservationSet>"
        )

    def DescribeIamInstanceProfileAssociations(self, p: Params) -> str:
        items = "".join(
            f"<item>{x('associationId', f'iip-assoc-{n:017x}')}{x('instanceId', _instance_id(n))}"
            f"{x('state', 'associated')}</item>"
            for n in range(len(self._in(p)))
        )
        return f"<iamInstanceProfileAssociationSet>{items}</iamInstanceProfileAssociationSet>"

    def DescribeRegions(self, p: Params) -> str:
        regions = "".join(f"<item>{x('regionName', name)}</item>" for name in ("eu-west-1", "us-east-1"))
        return f"<regionInfo>{regions}</regionInfo>"

    def _instance(self, n: int, profile: tuple[str, str, str]) -> str:
        name, profile_id, created = profile
        arn = f"arn:aws:iam::{BASE_ACCOUNT}:instance-profile/{name}"
        tokens = "optional" if n % 4 == 0 else "required"
        inner = (
            x("instanceId", _instance_id(n))
            + f"<instanceState>{x('code', 16)}{x('name', 'running')}</instanceState>"
            + x("launchTime", created)
            + f"<iamInstanceProfile>{x('arn', arn)}{x('id', profile_id)}</iamInstanceProfile>"
            + f"<metadataOptions>{x('httpTokens', tokens)}{x('httpEndpoint', 'enabled')}</metadataOptions>"
            + f"<tagSet><item>{x('key', 'Name')}{x('value', f'web-{n:03d}')}</item></tagSet>"
        )
        return (
            f"<item>{x('reservationId', f'r-{n:017x}')}<instancesSet>"
            f"<item>{inner}</item></instancesSet></item>"
        )


def _instance_id(n: int) -> str:
    return f"i-{n:017x}"
