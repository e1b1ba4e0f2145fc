"""Builders of the policies in the tables of cases."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app"
GITHUB = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
EKS_HOST = "oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE"
EKS = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{EKS_HOST}"
SAML = f"arn:aws:iam::{ACCOUNT}:saml-provider/Okta"
BUCKET = "arn:aws:s3:::example"


def policy(*statements: dict[str, Any], **top: Any) -> str:
    """JSON of a policy of those statements, of the current version."""
    return json.dumps({"Version": "2012-10-17", **top, "Statement": list(statements)}, indent=1)


def allow(action: Any = "s3:GetObject", resource: Any = f"{BUCKET}/*", **more: Any) -> dict[str, Any]:
    """An Allow; `more` adds or replaces elements, None removes one."""
    statement = {"Effect": "Allow", "Action": action, "Resource": resource, **more}
    return {name: value for name, value in statement.items() if value is not None}


def deny(action: Any = "s3:GetObject", resource: Any = f"{BUCKET}/*", **more: Any) -> dict[str, Any]:
    """A Deny, as `allow`."""
    return allow(action, resource, **{"Effect": "Deny", **more})


def when(operator: str, key: str, *values: Any, action: Any = "s3:GetObject", **more: Any) -> str:
    """A policy of one Allow under one condition."""
    value: Any = values[0] if len(values) == 1 else list(values)
    resource = more.pop("resource", f"{BUCKET}/*")
    return policy(allow(action, resource, Condition={operator: {key: value}}, **more))


def trust(principal: Any, action: Any = "sts:AssumeRole", **more: Any) -> str:
    """A trust policy of one Allow."""
    return policy(allow(action, None, Principal=principal, **more))


def rcp(**more: Any) -> str:
    """An RCP of one Deny."""
    return policy(deny("s3:*", "*", **{"Principal": "*", **more}))


def shared(principal: Any, **more: Any) -> str:
    """A bucket policy of one Allow."""
    return policy(allow(Principal=principal, **more))


@dataclass(frozen=True)
class Case:
    """`bad` has the finding at `path`; `good` has it not."""

    code: str
    bad: str
    path: str
    good: str
    kind: str = "identity"


PLAIN = policy(allow())
FIRST = "Statement[0]"
CONDITION = f"{FIRST}.Condition"
