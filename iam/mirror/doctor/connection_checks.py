"""Checks the access to an account: the worker's own credentials, the clock, the roles, and the account that
they belong to.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from iam.aws.access import AccountAccess
from iam.aws.calls import invoke
from iam.aws.errors import AwsError, ErrorKind
from iam.aws.session import Aws, connect
from iam.mirror.accounts.discover import principal_of
from iam.mirror.doctor.checks import CheckVerdict, ExaminationCheck, failed
from iam.mirror.doctor.error_texts import no_credentials, no_role
from iam.mirror.models.accounts import Account, AccountSource

SKEW_WARNS = 60
"""Clock difference in seconds from which it is reported. AWS rejects signatures from five minutes on."""


@dataclass(frozen=True, slots=True)
class AwsCaller:
    """The identity that AWS sees, and by how many seconds its clock is ahead of ours."""

    account_id: str
    arn: str
    skew: int | None

    @property
    def partition(self) -> str:
        """The partition of the ARN."""
        return self.arn.split(":")[1]

    @property
    def principal(self) -> str:
        """The ARN in a trust policy."""
        return principal_of(self.arn)


@contextmanager
def opened(access: AccountAccess, *, attempts: int = 2) -> Iterator[Aws]:
    """Open a connection to an account and close it afterwards. It has few retries, because a person waits for
    the result.
    """
    aws = connect(access, attempts=attempts)
    try:
        yield aws
    finally:
        aws.close()


def ask(aws: Aws) -> AwsCaller:
    """Return the identity of the credentials.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    """
    answer = invoke(aws.sts, "GetCallerIdentity", {})
    return AwsCaller(answer["Account"], answer["Arn"], _skew(answer.get("ResponseMetadata", {})))


def _skew(metadata: dict[str, Any]) -> int | None:
    date_header = metadata.get("HTTPHeaders", {}).get("date")
    try:
        moment = parsedate_to_datetime(date_header) if date_header else None
    except ValueError:
        return None
    return round((moment - datetime.now(tz=UTC)).total_seconds()) if moment and moment.tzinfo else None


def own_caller(access: AccountAccess) -> tuple[AwsCaller | None, list[ExaminationCheck]]:
    """Check the worker's own credentials and its clock."""
    title = "The worker’s own credentials"
    try:
        with opened(access) as aws:
            caller = ask(aws)
    except AwsError as error:
        return None, [failed("worker", "way", title, error, detail=no_credentials(error))]
    return caller, [
        ExaminationCheck("worker", "way", title, CheckVerdict.OK, caller.principal),
        *_clock(caller),
    ]


def _clock(caller: AwsCaller) -> list[ExaminationCheck]:
    if caller.skew is None:
        return []
    title = "The worker’s clock"
    if abs(caller.skew) <= SKEW_WARNS:
        return [ExaminationCheck("clock", "way", title, CheckVerdict.OK, "Matches AWS’s clock")]
    word = "behind" if caller.skew > 0 else "ahead of"
    detail = (
        f"It is {abs(caller.skew)} s {word} AWS’s; from five minutes on AWS rejects every call. Synchronize "
        "the clock of this machine (NTP)."
    )
    return [ExaminationCheck("clock", "way", title, CheckVerdict.WARNING, detail)]


def belongs(account: Account, caller: AwsCaller, *, key: str, group: str = "way") -> ExaminationCheck:
    """Check that the credentials belong to the expected account and partition."""
    title = "The account behind it"
    if caller.account_id != account.account_id:
        detail = f"The credentials belong to account {caller.account_id}, not to {account.account_id}. " + (
            "The worker’s environment has changed."
            if account.source == AccountSource.ENVIRONMENT
            else "Correct the role’s ARN."
        )
        return ExaminationCheck(key, group, title, CheckVerdict.FAILED, detail)
    if caller.partition != account.partition:
        detail = f"AWS reports the partition {caller.partition}; Gatehouse has {account.partition}."
        return ExaminationCheck(key, group, title, CheckVerdict.FAILED, detail)
    return ExaminationCheck(
        key, group, title, CheckVerdict.OK, f"{account.account_id} in the partition {account.partition}"
    )


def assumed(
    account: Account, access: AccountAccess, *, principal: str, key: str, title: str, group: str = "way"
) -> tuple[AwsCaller | None, list[ExaminationCheck]]:
    """Check that a role can be assumed and belongs to the account."""
    try:
        with opened(access) as aws:
            caller = ask(aws)
    except AwsError as error:
        detail = no_role(
            error,
            role_arn=access.role_arn or "",
            principal=principal,
            has_external_id=bool(access.external_id),
        )
        verdict = CheckVerdict.DENIED if error.kind is ErrorKind.DENIED else CheckVerdict.FAILED
        check = ExaminationCheck(
            key,
            group,
            title,
            verdict,
            detail,
            told=error.message,
            code=error.code,
            request_id=error.request_id,
        )
        return None, [check]
    return caller, [
        ExaminationCheck(key, group, title, CheckVerdict.OK, access.role_arn or ""),
        belongs(account, caller, key=f"{key}-account", group=group),
    ]


def without_external_id(access: AccountAccess, *, key: str, group: str = "way") -> ExaminationCheck:
    """Check that the role can't be assumed without the external ID, as its trust policy should require.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
    """
    title = "Without the external ID"
    try:
        with opened(access) as aws:
            ask(aws)
    except AwsError as error:
        if error.kind is ErrorKind.DENIED:
            return ExaminationCheck(key, group, title, CheckVerdict.OK, "Denied, as expected")
        return failed(key, group, title, error)
    detail = (
        "The role can be assumed without the external ID: the trust policy has no condition on "
        "sts:ExternalId. "
        "Add the condition, so that no one else who uses this hub can reach this account (confused deputy)."
    )
    return ExaminationCheck(key, group, title, CheckVerdict.WARNING, detail)
