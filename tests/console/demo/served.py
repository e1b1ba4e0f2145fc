"""What boto3 sees of one account of the stand-in, gathered once for the checks of the planted problems."""

from __future__ import annotations

import csv
import functools
import io
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from console.demo.standin.server import RunningStandin
from tests.console.demo.clients import all_pages, authorization_details, reader

Statement = dict[str, Any]


def listed(value: Any) -> list[Any]:
    """A policy element as a list."""
    return value if isinstance(value, list) else [value]


def days_since(moment: datetime) -> float:
    """Age in days."""
    return (datetime.now(UTC) - moment).total_seconds() / 86400


class Served:
    """One account."""

    def __init__(self, standin: RunningStandin, account: str) -> None:
        self.standin, self.account = standin, account
        self.iam = reader(standin, "iam", account)

    @functools.cached_property
    def details(self) -> dict[str, list[Any]]:
        """GetAccountAuthorizationDetails."""
        return authorization_details(self.iam, PaginationConfig={"PageSize": 1000})

    @functools.cached_property
    def by_arn(self) -> dict[str, Any]:
        """Users, groups, roles and policies by ARN."""
        return {item["Arn"]: item for items in self.details.values() for item in items}

    @functools.cached_property
    def report(self) -> dict[str, dict[str, str]]:
        """Rows of the credential report by ARN."""
        while self.iam.generate_credential_report()["State"] != "COMPLETE":
            time.sleep(0.1)
        content = self.iam.get_credential_report()["Content"].decode()
        return {row["arn"]: row for row in csv.DictReader(io.StringIO(content))}

    @functools.cached_property
    def instances(self) -> dict[str, Any]:
        """EC2 instances by name."""
        ec2 = reader(self.standin, "ec2", self.account, region="eu-west-1")
        listed_instances = [
            i for r in all_pages(ec2, "describe_instances", "Reservations") for i in r["Instances"]
        ]
        return {next(t["Value"] for t in i["Tags"] if t["Key"] == "Name"): i for i in listed_instances}

    @functools.cached_property
    def trails(self) -> dict[str, Any]:
        """CloudTrail trails by ARN."""
        trail = reader(self.standin, "cloudtrail", self.account, region="eu-west-1")
        return {
            trail_of_account["TrailARN"]: trail_of_account
            for trail_of_account in trail.describe_trails()["trailList"]
        }

    @functools.cached_property
    def anywhere(self) -> dict[str, Any]:
        """Profiles of Roles Anywhere by ARN."""
        client = reader(self.standin, "rolesanywhere", self.account, region="eu-west-1")
        return {profile["profileArn"]: profile for profile in client.list_profiles()["profiles"]}

    @functools.cached_property
    def pods(self) -> dict[tuple[str, str, str], str]:
        """The roles of pod identity associations by cluster, namespace and service account."""
        client = reader(self.standin, "eks", self.account, region="eu-west-1")
        roles = {}
        for cluster in client.list_clusters()["clusters"]:
            answer = client.list_pod_identity_associations(clusterName=cluster)
            for row in answer["associations"]:
                association = client.describe_pod_identity_association(
                    clusterName=cluster, associationId=row["associationId"]
                )["association"]
                place = cluster, association["namespace"], association["serviceAccount"]
                roles[place] = association["roleArn"]
        return roles

    def keys(self, user: str) -> Iterator[tuple[str, float, float | None]]:
        """(status, age in days, days since last use or None) of each key of a user."""
        for key in self.iam.list_access_keys(UserName=user)["AccessKeyMetadata"]:
            used = self.iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])["AccessKeyLastUsed"]
            moment = used.get("LastUsedDate")
            yield key["Status"], days_since(key["CreateDate"]), days_since(moment) if moment else None

    def documents(self, arn: str) -> list[dict[str, Any]]:
        """Inline documents and default versions of attached policies of a principal, or the policy's own
        document.
        """
        entity = self.by_arn[arn]
        if "PolicyVersionList" in entity:
            return [v["Document"] for v in entity["PolicyVersionList"] if v["IsDefaultVersion"]]
        inline = [
            p["PolicyDocument"]
            for kind in ("User", "Group", "Role")
            for p in entity.get(f"{kind}PolicyList", [])
        ]
        attached = [p["PolicyArn"] for p in entity["AttachedManagedPolicies"]]
        return inline + [document for policy in attached for document in self.documents(policy)]

    def statements(self, arn: str, *, effect: str = "Allow") -> list[Statement]:
        """The statements of all those documents with this effect."""
        statements = [s for document in self.documents(arn) for s in listed(document["Statement"])]
        return [s for s in statements if s["Effect"] == effect]

    def allows(self, arn: str, action: str) -> bool:
        """Whether some Allow names the action (exactly, by service, or everything), conditions left aside."""
        service = action.partition(":")[0]
        names = {action, f"{service}:*", "*"}
        return any(names & set(listed(s.get("Action", []))) for s in self.statements(arn))

    def trust(self, arn: str) -> list[Statement]:
        """The statements of a role's trust policy."""
        return listed(self.by_arn[arn]["AssumeRolePolicyDocument"]["Statement"])
