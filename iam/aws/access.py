"""How Gatehouse gets access to an account."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from iam.aws.partitions import global_region

Mode = Literal["environment", "role"]
_ACCOUNT_ID = re.compile(r"[0-9]{12}")
_SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)


@dataclass(frozen=True)
class AccountAccess:
    """How to get credentials for an account.

    `environment` uses the credentials that boto3 finds. `role` uses them to assume `role_arn` (hub → spoke),
    with `external_id` if the trust policy requires one. `region` is used for STS and is the default of
    regional services; without it, the partition's global region is used.
    """

    account_id: str
    partition: str = "aws"
    mode: Mode = "environment"
    role_arn: str | None = None
    external_id: str | None = None
    region: str | None = None
    session_name: str = "gatehouse"

    def __post_init__(self) -> None:
        global_region(self.partition)
        if not _ACCOUNT_ID.fullmatch(self.account_id):
            raise ValueError(f"An account id has twelve digits, not {self.account_id!r}.")
        if self.mode not in ("environment", "role"):
            raise ValueError(f"The mode is 'environment' or 'role', not {self.mode!r}.")
        if (self.mode == "role") != bool(self.role_arn):
            raise ValueError("A role ARN belongs to the mode 'role', and to no other.")
        if not _SESSION_NAME.fullmatch(self.session_name):
            raise ValueError("A session name has 2 to 64 letters, digits or any of =,.@+_-")
