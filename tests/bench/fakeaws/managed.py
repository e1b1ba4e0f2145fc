"""The policies that AWS itself manages: moto's table, a file, or a handful of our own."""

from __future__ import annotations

import collections
import importlib.util
import json
from functools import cache
from pathlib import Path
from typing import Any

from tests.bench.fakeaws.ids import EPOCH

FALLBACK: dict[str, list[str]] = {
    "AdministratorAccess": ["*"],
    "ReadOnlyAccess": ["ec2:Describe*", "s3:Get*", "s3:List*", "iam:Get*", "iam:List*"],
    "IAMReadOnlyAccess": ["iam:Get*", "iam:List*", "iam:Simulate*"],
    "AmazonS3FullAccess": ["s3:*", "s3-object-lambda:*"],
}
WANTED = (
    "AdministratorAccess",
    "PowerUserAccess",
    "ReadOnlyAccess",
    "ViewOnlyAccess",
    "SecurityAudit",
    "IAMFullAccess",
    "IAMReadOnlyAccess",
    "AmazonS3FullAccess",
    "AmazonS3ReadOnlyAccess",
    "AmazonEC2FullAccess",
    "AWSLambdaBasicExecutionRole",
    "AmazonSSMManagedInstanceCore",
    "AmazonEKSWorkerNodePolicy",
    "IAMUserChangePassword",
)


@cache
def load(path: str | None) -> dict[str, dict[str, Any]]:
    """{name: {"Arn", "Path", "Document", "DefaultVersionId", "CreateDate", "UpdateDate", "Text"}}; read once,
    and not to be changed.
    """
    read = _read(path)
    return {
        name: {**policy, "Text": json.dumps(policy["Document"], indent=4)} for name, policy in read.items()
    }


def _read(path: str | None) -> dict[str, dict[str, Any]]:
    if path:
        return dict(json.loads(Path(path).read_text(encoding="utf-8")))
    module_spec = importlib.util.find_spec("moto")
    if module_spec and module_spec.submodule_search_locations:
        source = Path(module_spec.submodule_search_locations[0]) / "iam/aws_managed_policies.py"
        data = json.loads(source.read_text(encoding="utf-8").split('"""')[1])
        return {
            name: {"Arn": "arn:aws:iam::aws:policy" + (policy.get("Path") or "/") + name, **policy}
            for name, policy in data.items()
        }
    return {name: _own(name, actions) for name, actions in FALLBACK.items()}


def _own(name: str, actions: list[str]) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    return {
        "Arn": f"arn:aws:iam::aws:policy/{name}",
        "Path": "/",
        "Document": {"Version": "2012-10-17", "Statement": [statement]},
        "DefaultVersionId": "v1",
        "CreateDate": EPOCH.isoformat(),
        "UpdateDate": EPOCH.isoformat(),
    }


def actions_by_service(managed: dict[str, dict[str, Any]]) -> dict[str, list[str]]:
    """{service prefix: sorted actions} that the managed documents name."""
    seen: dict[str, set[str]] = collections.defaultdict(set)
    for policy in managed.values():
        statements = policy["Document"]["Statement"]
        for statement in statements if isinstance(statements, list) else [statements]:
            actions = statement.get("Action", [])
            for action in [actions] if isinstance(actions, str) else actions:
                if ":" in action:
                    seen[action.split(":")[0]].add(action)
    return {service: sorted(actions) for service, actions in sorted(seen.items()) if len(actions) >= 3}
