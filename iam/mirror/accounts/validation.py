"""Validates account IDs, names, roles and external IDs. Each error names its field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from iam.mirror.models.accounts import Partition

_NUMBER = re.compile(r"[0-9]{12}")
_ROLE = re.compile(r"arn:([a-z-]+):iam::([0-9]{12}):role/((?:[\x21-\x7e]+/)?)([\w+=,.@-]{1,64})", re.ASCII)
_HUB = re.compile(r"arn:([a-z-]+):iam::[0-9]{12}:(?:role|user)/[\w+=,.@/-]+", re.ASCII)
_ROLE_NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
MAX_NAME_LENGTH = 128
INTERVALS = (5, 15, 30, 60, 240, 1440)
"""Minutes between scheduled syncs that can be chosen. The default is GATEHOUSE_PULL_MINUTES."""


class SetupError(Exception):
    """The request can't be done. The message is a sentence for the person, `field` is the form field
    concerned, and `errors` has the message of each wrong field.
    """

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.message, self.field = message, field
        self.errors = {field: message}

    @classmethod
    def of(cls, errors: Mapping[str, str]) -> Self:
        """Return the error of several fields."""
        field, message = next(iter(errors.items()))
        error = cls(message, field=field)
        error.errors = dict(errors)
        return error


@dataclass(frozen=True, slots=True)
class RoleArn:
    """The parts of a role's ARN; `path` is "/" or "/…/"."""

    partition: str
    account_id: str
    path: str
    name: str


def checked_number(text: str, *, field: str = "account_id") -> str:
    """Return the twelve digits of an account ID, which can be written in groups (1234-5678-9012)."""
    number = re.sub(r"[\s-]", "", text)
    if not _NUMBER.fullmatch(number):
        raise SetupError("An account ID has 12 digits.", field=field)
    return number


def checked_partition(text: str) -> str:
    """Return one of the three partitions."""
    if text not in Partition.values:
        raise SetupError(f"The partition is one of {', '.join(Partition.values)}.", field="partition")
    return text


def checked_name(text: str, *, default: str = "") -> str:
    """Return a display name on one line."""
    name = " ".join(text.split()) or default
    if not name:
        raise SetupError("Enter a name for the account.", field="name")
    if _UNPRINTABLE.search(name):
        raise SetupError("The name contains a character that can’t be displayed.", field="name")
    if len(name) > MAX_NAME_LENGTH:
        raise SetupError(f"The name is longer than {MAX_NAME_LENGTH} characters.", field="name")
    return name


def parsed_role(text: str, *, field: str = "role_arn") -> RoleArn:
    """Return the parts of a role's ARN."""
    match = _ROLE.fullmatch(text.strip())
    if not match:
        if ":assumed-role/" in text:
            raise SetupError(
                "This is the ARN of a session. Enter the ARN of the role, such as "
                "arn:aws:iam::123456789012:role/NAME.",
                field=field,
            )
        raise SetupError(
            "This isn’t a role ARN. Example: arn:aws:iam::123456789012:role/gatehouse-read.",
            field=field,
        )
    return RoleArn(match[1], match[2], f"/{match[3]}", match[4])


def checked_role(text: str, *, account_id: str, partition: str, field: str = "role_arn") -> str:
    """Return the ARN of a role that belongs to the account and its partition."""
    role = parsed_role(text, field=field)
    if role.account_id != account_id:
        raise SetupError(f"This role belongs to account {role.account_id}, not to {account_id}.", field=field)
    if role.partition != partition:
        raise SetupError(
            f"This role is in the partition {role.partition}, the account in {partition}.", field=field
        )
    return text.strip()


def checked_hub(text: str, *, partition: str) -> str:
    """Return the ARN of the role or user that assumes the roles. It must be in the same partition, because
    trust doesn't reach across partitions.
    """
    match = _HUB.fullmatch(text.strip())
    if not match:
        raise SetupError(
            "Enter the ARN of a role, such as arn:aws:iam::123456789012:role/gatehouse.", field="hub_arn"
        )
    if match[1] != partition:
        raise SetupError(
            f"This is in the partition {match[1]}; roles of {partition} can only trust principals in "
            f"{partition}. "
            "An installation of Gatehouse serves one partition by roles.",
            field="hub_arn",
        )
    return text.strip()


def checked_role_name(text: str, *, field: str = "role_name") -> str:
    """Return a role's name, without path and account."""
    name = text.strip()
    if not _ROLE_NAME.fullmatch(name):
        raise SetupError(
            "A role name has 1 to 64 letters, digits or any of +=,.@_- and no slash.", field=field
        )
    return name


def checked_external_id(text: str, *, required: bool) -> str:
    """Return a valid external ID: 2 to 1,224 letters, digits or any of +=,.@:/_-"""
    value = text.strip()
    if not value and not required:
        return ""
    if not _EXTERNAL_ID.fullmatch(value):
        raise SetupError(
            "An external ID has 2 to 1,224 letters, digits or any of +=,.@:/_-", field="external_id"
        )
    return value


def checked_interval(minutes: int | None) -> int | None:
    """Return the minutes between syncs. None uses the default."""
    if minutes is not None and minutes not in INTERVALS:
        raise SetupError("Choose an interval from the list.", field="pull_every")
    return minutes
