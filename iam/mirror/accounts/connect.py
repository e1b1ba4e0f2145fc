"""Connects one account: by a role, by the worker's own credentials, or as part of an organization."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from iam.journal.services import record
from iam.mirror.accounts.actors import Actor, must_manage
from iam.mirror.accounts.names import checked_own_name
from iam.mirror.accounts.prepare import refuse_connected
from iam.mirror.accounts.validation import (
    SetupError,
    checked_external_id,
    checked_name,
    checked_number,
    checked_partition,
    checked_role,
)
from iam.mirror.models.accounts import Account, AccountSource
from iam.mirror.models.setup import ConnectionDraft
from iam.mirror.pull.freshness import begin_sections


@dataclass(frozen=True, slots=True)
class AccountConnection:
    """How to reach an account. It is validated when the account is connected."""

    account_id: str
    name: str
    source: str
    partition: str = "aws"
    role_arn: str = ""
    write_role_arn: str = ""
    external_id: str = field(default="", repr=False)
    organization_id: str = ""


def connect_account(
    connection: AccountConnection, *, actor: Actor, due_at: datetime | None = None
) -> Account:
    """Add an account, or restore a disconnected one with its history. AWS isn't called.

    `due_at` is the time of the first scheduled sync. None leaves it to the connection check, which requests a
    sync as soon as the account is reachable. Raises SetupError, with the field, for invalid values.
    """
    must_manage(actor, account_id=checked_number(connection.account_id))
    fields = _checked(connection) | {"next_pull_at": due_at, "removed_at": None}
    number = str(fields.pop("account_id"))
    refuse_connected(number)
    if connection.source != AccountSource.ORGANIZATION:
        checked_own_name(fields["name"], account_id=number)
    try:
        with transaction.atomic():
            return _write(number, fields, actor=actor)
    except IntegrityError:
        raise SetupError(
            f"Account {number} was just connected by someone else.", field="account_id"
        ) from None


@transaction.atomic
def connect_accounts(
    connections: Collection[AccountConnection], *, actor: Actor, due_at: datetime | None = None
) -> list[Account]:
    """Connect many accounts that are not connected yet: new ones with one statement, known ones
    individually.
    """
    numbers = [connection.account_id for connection in connections]
    known = set(Account.objects.filter(account_id__in=numbers).values_list("account_id", flat=True))
    fresh = []
    for connection in connections:
        if connection.account_id not in known:
            must_manage(actor, account_id=connection.account_id)
            fresh.append(Account(**_checked(connection), next_pull_at=due_at))
    made = Account.objects.bulk_create(fresh, batch_size=500)
    begin_sections(made)
    ConnectionDraft.objects.filter(account_id__in=numbers).delete()
    for account in made:
        _journal(account, is_known=False, actor=actor)
    again = [connection for connection in connections if connection.account_id in known]
    return made + [connect_account(connection, actor=actor, due_at=due_at) for connection in again]


def _write(number: str, fields: dict[str, Any], *, actor: Actor) -> Account:
    refuse_connected(number)
    before = Account.objects.filter(account_id=number).first()
    account, _ = Account.objects.update_or_create(account_id=number, defaults=fields)
    begin_sections([account])
    ConnectionDraft.objects.filter(account_id=number).delete()
    _journal(account, is_known=before is not None, actor=actor)
    return account


def _journal(account: Account, *, is_known: bool, actor: Actor) -> None:
    record(
        kind="account.connect",
        actor=actor,
        subject=account.name,
        account_id=account.account_id,
        data={
            "by": account.source,
            "partition": account.partition,
            "role": account.role_arn,
            "write_role": account.write_role_arn,
            "known_before": is_known,
        },
    )


def _checked(connection: AccountConnection) -> dict[str, Any]:
    number = checked_number(connection.account_id)
    partition = checked_partition(connection.partition)
    by_role = connection.source in {AccountSource.ROLE, AccountSource.ORGANIZATION}
    if not by_role and connection.source != AccountSource.ENVIRONMENT:
        raise SetupError("Connect an account by a role, an organization or the environment.")
    role = write_role = external_id = ""
    if by_role:
        role = checked_role(connection.role_arn, account_id=number, partition=partition)
        external_id = checked_external_id(
            connection.external_id, required=connection.source == AccountSource.ROLE
        )
    if by_role and connection.write_role_arn.strip():
        write_role = checked_write_role(
            connection.write_role_arn, account_id=number, partition=partition, role_arn=role
        )
    return {
        "account_id": number,
        "name": checked_name(connection.name, default=f"account {number}"),
        "source": connection.source,
        "partition": partition,
        "role_arn": role,
        "write_role_arn": write_role,
        "external_id": external_id,
        "organization_id": connection.organization_id[:34],
    }


def checked_write_role(text: str, *, account_id: str, partition: str, role_arn: str) -> str:
    """Return the validated ARN of the write role, which must differ from the read role."""
    arn = checked_role(text, account_id=account_id, partition=partition, field="write_role_arn")
    if arn == role_arn:
        raise SetupError(
            "This is the read role. Changes need a second role, so that the sync can never write.",
            field="write_role_arn",
        )
    return arn
