"""The sample organisation as rows of the index, read from the stand-in with boto3 and not by the mirror."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from itertools import count
from typing import Any

from console.demo.organisation.people import ACCOUNT_IDS
from console.demo.standin.server import RunningStandin
from iam.policy.escalation.states import OutsideFacts
from iam.policy.index.documents import IndexedDocument, SharedDocuments
from iam.policy.index.index import PolicyIndex
from iam.policy.index.rows import (
    AccountRows,
    GroupRow,
    Level,
    OrganizationStanding,
    PolicyHoldings,
    PolicyRow,
    PrincipalRow,
)
from tests.console.demo.clients import all_pages, hub
from tests.console.demo.served import Served


class Northline:
    """All accounts. `served` are by the names of the accounts, `index` holds them, `facts` what policies do
    not tell.
    """

    def __init__(self, standin: RunningStandin) -> None:
        self._numbers = count(1)
        self._texts: dict[str, str] = {}
        self.served = {name: Served(standin, name) for name in ACCOUNT_IDS}
        self._organizations = hub(standin, "organizations")
        self._group_arns: dict[int, str] = {}
        self._profiled: dict[str, set[int]] = {number: set() for number in ACCOUNT_IDS.values()}
        self._versions: dict[int, tuple[str, ...]] = {}
        accounts = [self._account(name, served) for name, served in self.served.items()]
        self.documents = SharedDocuments()
        self.held: list[IndexedDocument] = [
            self.documents.add(digest, text) for digest, text in self._texts.items()
        ]
        self.index = PolicyIndex(self.documents)
        for rows in accounts:
            self.index.enter_account(rows)
        self.facts = OutsideFacts(
            group_arns=self._group_arns,
            profiled={n: frozenset(role_numbers) for n, role_numbers in self._profiled.items()},
            versions=self._versions,
        )

    def _digest(self, document: Any) -> str:
        text = document if isinstance(document, str) else json.dumps(document)
        digest = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
        self._texts[digest] = text
        return digest

    def _account(self, name: str, served: Served) -> AccountRows:
        details, number = served.details, ACCOUNT_IDS[name]
        policies = {item["Arn"]: self._policy(item) for item in details["Policies"]}
        groups = {}
        for item in details["GroupDetailList"]:
            row = GroupRow(
                next(self._numbers), item["GroupName"], self._grants(item, "GroupPolicyList", policies, {})
            )
            groups[item["GroupName"]] = row
            self._group_arns[row.id] = item["Arn"]
        people = [*self._principals(details, policies, groups)]
        return AccountRows(
            people, list(groups.values()), list(policies.values()), (), number, "aws", self._standing(number)
        )

    def _policy(self, item: dict[str, Any]) -> PolicyRow:
        digests = {v["IsDefaultVersion"]: self._digest(v["Document"]) for v in item["PolicyVersionList"]}
        row = PolicyRow(next(self._numbers), item["Arn"], digests[True])
        others = [self._digest(v["Document"]) for v in item["PolicyVersionList"] if not v["IsDefaultVersion"]]
        if others:
            self._versions[row.id] = tuple(others)
        return row

    def _grants(
        self, item: dict[str, Any], inline: str, policies: dict[str, PolicyRow], groups: dict[str, GroupRow]
    ) -> PolicyHoldings:
        boundary = item.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
        return PolicyHoldings(
            tuple((p["PolicyName"], self._digest(p["PolicyDocument"])) for p in item.get(inline, ())),
            tuple(
                policies[p["PolicyArn"]].id
                for p in item["AttachedManagedPolicies"]
                if p["PolicyArn"] in policies
            ),
            tuple(groups[name].id for name in item.get("GroupList", ())),
            policies[boundary].id if boundary else None,
        )

    def _principals(
        self, details: dict[str, Any], policies: dict[str, PolicyRow], groups: dict[str, GroupRow]
    ) -> Iterator[PrincipalRow]:
        for item in (*details["UserDetailList"], *details["RoleDetailList"]):
            is_role = "RoleName" in item
            inline = "RolePolicyList" if is_role else "UserPolicyList"
            tags = {tag["Key"]: tag["Value"] for tag in item.get("Tags", ())}
            row = PrincipalRow(
                next(self._numbers),
                item["Arn"],
                item["RoleId" if is_role else "UserId"],
                self._grants(item, inline, policies, groups),
                tags,
                self._digest(item["AssumeRolePolicyDocument"]) if is_role else None,
            )
            if item.get("InstanceProfileList"):
                self._profiled[item["Arn"].split(":")[4]].add(row.id)
            yield row

    def _standing(self, number: str) -> OrganizationStanding:
        organization = self._organizations.describe_organization()["Organization"]
        way = [number]
        while not way[0].startswith("r-"):
            way.insert(0, self._organizations.list_parents(ChildId=way[0])["Parents"][0]["Id"])
        return OrganizationStanding(
            organization["Id"],
            ("/".join([organization["Id"], *way[:-1], ""]),),
            is_management=number == organization["MasterAccountId"],
            scps=tuple(self._level(step) for step in way),
        )

    def _level(self, place: str) -> Level:
        listed = all_pages(
            self._organizations,
            "list_policies_for_target",
            "Policies",
            TargetId=place,
            Filter="SERVICE_CONTROL_POLICY",
        )
        contents = (
            (policy["Name"], self._organizations.describe_policy(PolicyId=policy["Id"])["Policy"]["Content"])
            for policy in listed
        )
        return tuple(PolicyRow(next(self._numbers), name, self._digest(text)) for name, text in contents)
