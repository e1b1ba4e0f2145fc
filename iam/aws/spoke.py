"""Templates for CloudFormation and Terraform that create the spoke role of an account, for reading or for
writing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from iam.aws.partitions import global_region
from iam.aws.permissions import check_account_id, read_policy, trust_policy, write_policy

Purpose = Literal["read", "write"]
_ROLE_NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
_HUB_ARN = re.compile(r"arn:[\w-]+:iam::\d{12}:(?:role|user)/[\w+=,.@/-]+", re.ASCII)
_TITLES = {"read": "Gatehouse syncs this account (read only)", "write": "Gatehouse applies approved changes"}


@dataclass(frozen=True)
class SpokeRole:
    """The role that Gatehouse assumes in an account. Every value is validated, so the templates need no
    escaping.
    """

    account_id: str
    hub_role_arn: str
    external_id: str
    partition: str = "aws"
    purpose: Purpose = "read"
    role_name: str = ""
    group_paths: Sequence[str] = ("/",)
    policy_paths: Sequence[str] = ("/",)
    user_paths: Sequence[str] = ("/",)
    role_paths: Sequence[str] = ("/",)

    def __post_init__(self) -> None:
        global_region(self.partition)
        check_account_id(self.account_id)
        if self.purpose not in _TITLES:
            raise ValueError(f"The purpose is 'read' or 'write', not {self.purpose!r}.")
        if not _HUB_ARN.fullmatch(self.hub_role_arn):
            raise ValueError(f"This is not the ARN of a role or user: {self.hub_role_arn!r}.")
        if not _EXTERNAL_ID.fullmatch(self.external_id):
            raise ValueError("An external id has 2 to 1,224 letters, digits or any of =,.@:/+_-")
        if not _ROLE_NAME.fullmatch(self.name):
            raise ValueError(f"This is not a role name: {self.name!r}.")

    @property
    def name(self) -> str:
        """Return the chosen name of the role, or the default."""
        return self.role_name or f"gatehouse-{self.purpose}"

    @property
    def arn(self) -> str:
        """Return the ARN that the role will have."""
        return f"arn:{self.partition}:iam::{self.account_id}:role/{self.name}"

    @property
    def trust(self) -> dict[str, Any]:
        return trust_policy(hub_role_arn=self.hub_role_arn, external_id=self.external_id)

    @property
    def permissions(self) -> dict[str, Any]:
        if self.purpose == "read":
            return read_policy(self.partition)
        return write_policy(
            self.partition,
            account_id=self.account_id,
            group_paths=self.group_paths,
            policy_paths=self.policy_paths,
            user_paths=self.user_paths,
            role_paths=self.role_paths,
            own_roles=[self.arn],
        )


def cloudformation(spoke: SpokeRole) -> str:
    """Return a CloudFormation template (YAML) that creates the role. Deploy it with CAPABILITY_NAMED_IAM."""
    return f"""\
AWSTemplateFormatVersion: "2010-09-09"
Description: {_TITLES[spoke.purpose]}.
Resources:
  GatehouseRole:
    Type: AWS::IAM::Role
    Properties:
      RoleName: {json.dumps(spoke.name)}
      Description: {json.dumps(_TITLES[spoke.purpose])}
      MaxSessionDuration: 3600
      AssumeRolePolicyDocument:
{_indented(_yaml(spoke.trust), 8)}
      Policies:
        - PolicyName: {json.dumps(spoke.name)}
          PolicyDocument:
{_indented(_yaml(spoke.permissions), 12)}
Outputs:
  RoleArn:
    Value: !GetAtt GatehouseRole.Arn
"""


def terraform(spoke: SpokeRole) -> str:
    """Return a Terraform file that creates the role."""
    label = f"gatehouse_{spoke.purpose}"
    return f"""\
# {_TITLES[spoke.purpose]}.
resource "aws_iam_role" "{label}" {{
  name                 = {json.dumps(spoke.name)}
  description          = {json.dumps(_TITLES[spoke.purpose])}
  max_session_duration = 3600
  assume_role_policy   = jsonencode({_hcl(spoke.trust)})
}}

resource "aws_iam_role_policy" "{label}" {{
  name   = {json.dumps(spoke.name)}
  role   = aws_iam_role.{label}.id
  policy = jsonencode({_hcl(spoke.permissions)})
}}

output "{label}_role_arn" {{
  value = aws_iam_role.{label}.arn
}}
"""


def _yaml(value: Any, *, depth: int = 0) -> str:
    """Return a policy as block YAML. Keys and strings are quoted as JSON, which is valid YAML."""
    pad = "  " * depth
    if isinstance(value, dict):
        return "\n".join(
            f"{pad}{_key(key)}:{_yaml_under(item, depth=depth + 1)}" for key, item in value.items()
        )
    lines = []
    for item in value:
        text = _yaml(item, depth=depth + 1).lstrip() if isinstance(item, dict) else json.dumps(item)
        lines.append(f"{pad}- {text}")
    return "\n".join(lines)


def _yaml_under(item: Any, *, depth: int) -> str:
    return f"\n{_yaml(item, depth=depth)}" if isinstance(item, dict | list) else f" {json.dumps(item)}"


def _key(key: str) -> str:
    return key if key.isalnum() else json.dumps(key)


def _hcl(value: Any, *, depth: int = 1) -> str:
    """Return a policy as an HCL expression. "${" of policy variables is escaped, so that Terraform does not
    interpolate it.
    """
    end = "  " * depth
    indent = f"{end}  "
    if isinstance(value, dict):
        lines = [f"{indent}{_key(key)} = {_hcl(item, depth=depth + 1)}" for key, item in value.items()]
        inner = "\n".join(lines)
        return f"{{\n{inner}\n{end}}}"
    if isinstance(value, list):
        lines = [f"{indent}{_hcl(item, depth=depth + 1)}," for item in value]
        inner = "\n".join(lines)
        return f"[\n{inner}\n{end}]"
    return json.dumps(value).replace("${", "$${").replace("%{", "%%{")


def _indented(text: str, width: int) -> str:
    return "\n".join(" " * width + line for line in text.splitlines())
