"""Asks AWS for the worker's identity and the accounts of an organization. Only workers and
commands use it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from iam.aws.access import AccountAccess
from iam.aws.errors import AwsError, ErrorKind
from iam.aws.reads.lists import caller_identity
from iam.aws.reads.organization import discover_accounts, is_outside_of_organization, organization
from iam.aws.session import connect
from iam.mirror.accounts.reach import own_access
from iam.mirror.accounts.validation import SetupError
from iam.mirror.models.accounts import Account
from iam.mirror.pull.reach import UnreachableError, access_to

WRONG_CREDENTIALS = (
    "AWS rejected the worker’s credentials. Put valid ones into the worker’s environment. The web process "
    "needs none."
)


@dataclass(frozen=True, slots=True)
class WorkerIdentity:
    """The identity behind the credentials. `principal` is its ARN in a trust policy."""

    account_id: str
    arn: str
    partition: str
    principal: str


@dataclass(frozen=True, slots=True)
class DiscoveredAccount:
    """An account of the organization. `status` is that of AWS: "ACTIVE" if it can be read."""

    account_id: str
    name: str
    status: str


@dataclass(frozen=True, slots=True)
class AccountDiscovery:
    """The accounts of an organization, and the identity that was used."""

    identity: WorkerIdentity
    own_credentials: bool
    organization_id: str
    management_account_id: str
    accounts: tuple[DiscoveredAccount, ...]

    def as_result(self) -> dict[str, Any]:
        """The discovery as JSON."""
        return asdict(self)


def find_identity(access: AccountAccess | None = None) -> WorkerIdentity:
    """Return the identity of credentials, by default the worker's own. Raises SetupError if AWS refuses."""
    try:
        aws = connect(access or own_access(), attempts=2)
        caller = caller_identity(aws)
    except AwsError as error:
        raise SetupError(sentence(error)) from error
    aws.close()
    partition = caller.arn.split(":")[1]
    return WorkerIdentity(caller.account_id, caller.arn, partition, principal_of(caller.arn))


def principal_of(arn: str) -> str:
    """Return the IAM ARN behind a caller's ARN: the role of a session (without its path, which AWS omits), or
    the user itself.
    """
    parts = arn.split(":", 5)
    if len(parts) == 6 and parts[2] == "sts" and parts[5].startswith("assumed-role/"):
        return f"arn:{parts[1]}:iam::{parts[4]}:role/{parts[5].split('/')[1]}"
    return arn


def discover(account: Account | None) -> AccountDiscovery:
    """Return all accounts of the organization, queried through a connected account or (None) with the
    worker's own credentials.

    Raises SetupError with what to do.
    https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html
    """
    try:
        access = access_to(account) if account else own_access()
    except UnreachableError as error:
        raise SetupError(str(error)) from error
    identity = find_identity(access)
    aws = connect(access)
    try:
        described = organization(aws)
        accounts = discover_accounts(aws)
    except AwsError as error:
        raise SetupError(_refusal(error, identity)) from error
    finally:
        aws.close()
    return AccountDiscovery(
        identity=identity,
        own_credentials=account is None,
        organization_id=described.organization_id,
        management_account_id=described.management_account_id,
        accounts=tuple(
            DiscoveredAccount(account.account_id, account.name or account.account_id, account.status)
            for account in sorted(accounts, key=lambda account: (account.name.lower(), account.account_id))
        ),
    )


def _refusal(error: AwsError, identity: WorkerIdentity) -> str:
    if is_outside_of_organization(error):
        return f"Account {identity.account_id} isn’t part of an organization. Connect it by a role instead."
    if error.kind is ErrorKind.DENIED:
        return (
            f"{identity.principal} may not call {error.permission}. Only the management account of the "
            "organization and its "
            f"delegated administrators can list accounts; give the role {error.permission} there, or choose "
            "another account."
        )
    return sentence(error)


def sentence(error: AwsError) -> str:
    """Return what happened and what to do, for a person, with AWS's error code and request ID at the end."""
    reference = ", ".join(
        part for part in (error.code, error.request_id and f"request {error.request_id}") if part
    )
    aws_answer = f" AWS says: {error.message}" if error.request_id else ""
    denied = (
        "AWS doesn’t let Gatehouse assume the read role of this account." if error.is_role_refused else ""
    )
    text = {
        ErrorKind.DENIED: f"{denied}{aws_answer}"
        if denied
        else f"AWS denied {error.permission or error.action}.{aws_answer}",
        ErrorKind.CREDENTIALS: f"{WRONG_CREDENTIALS}{aws_answer or ' ' + error.message}",
        ErrorKind.UNAVAILABLE: f"AWS can’t be reached or has a problem ({error.message}). Try again later.",
        ErrorKind.TIMEOUT: "AWS did not answer in time. Try again later.",
        ErrorKind.THROTTLED: "AWS is throttling requests. Try again in a minute.",
    }.get(error.kind, f"{error.action} failed: {error.message}")
    return f"{text} ({reference})" if reference else text
