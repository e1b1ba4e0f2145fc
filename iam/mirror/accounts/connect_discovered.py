"""Connects many accounts of an organization at once, with the same role name in each."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime

from iam.mirror.accounts.actors import Actor, must_manage
from iam.mirror.accounts.connect import AccountConnection, connect_accounts
from iam.mirror.accounts.names import free_name, taken_names
from iam.mirror.accounts.validation import (
    SetupError,
    checked_external_id,
    checked_role_name,
)
from iam.mirror.models.accounts import Account, AccountSource

READABLE = "ACTIVE"


@dataclass(frozen=True, slots=True)
class RolePlan:
    """The roles that every chosen account has under the same names. Without a write role, accounts are
    read-only.
    """

    role_name: str
    write_role_name: str = ""
    external_id: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ConnectOutcome:
    """The connected accounts, and those left out with the reason."""

    connected: tuple[Account, ...]
    left_out: tuple[tuple[str, str], ...]


def connect_discovered(
    result: dict[str, object], *, chosen: Collection[str] | None, plan: RolePlan, actor: Actor
) -> ConnectOutcome:
    """Connect the chosen accounts of a discovery (None: all that are active and not connected). The schedule
    syncs them at once.

    `result` is a discovery as JSON. The account queried with the worker's own credentials is connected with
    these, because an organization creates no role in its management account. Running it again connects what
    is still missing.
    """
    must_manage(actor, account_id="")
    checked = _checked(plan)
    accounts_by_id = {str(account["account_id"]): account for account in _accounts(result)}
    unknown = sorted(set(chosen or ()) - set(accounts_by_id))
    if unknown:
        raise SetupError(f"Account {unknown[0]} isn’t in this organization.")
    taken = set(
        Account.objects.filter(account_id__in=accounts_by_id, removed_at__isnull=True)
        .exclude(source=AccountSource.EXPORT)
        .values_list("account_id", flat=True)
    )
    connections: list[AccountConnection] = []
    left_out: list[tuple[str, str]] = []
    names = taken_names()
    wanted: Collection[str] = accounts_by_id if chosen is None else set(chosen)
    for number in sorted(wanted):
        name, status = str(accounts_by_id[number]["name"]), str(accounts_by_id[number]["status"])
        if number in taken:
            left_out.append((number, f"{name} is connected already"))
        elif status != READABLE:
            left_out.append((number, f"{name} is {status.lower().replace('_', ' ')} in AWS"))
        else:
            own = free_name(name, account_id=number, taken=names)
            connections.append(_connection(result, number, name=own, plan=checked))
    connected = connect_accounts(connections, actor=actor, due_at=datetime.now(tz=UTC))
    return ConnectOutcome(tuple(connected), tuple(left_out))


def _checked(plan: RolePlan) -> RolePlan:
    write = plan.write_role_name.strip()
    role_name = checked_role_name(plan.role_name)
    write_role_name = checked_role_name(write, field="write_role_name") if write else ""
    checked = RolePlan(
        role_name=role_name,
        write_role_name=write_role_name,
        external_id=checked_external_id(plan.external_id, required=False),
    )
    if checked.write_role_name == checked.role_name:
        raise SetupError(
            "Changes need a second role, so that the sync can never write.", field="write_role_name"
        )
    return checked


def _accounts(result: dict[str, object]) -> list[dict[str, object]]:
    accounts = result.get("accounts")
    return (
        [account for account in accounts if isinstance(account, dict)]
        if isinstance(accounts, list | tuple)
        else []
    )


def _connection(result: dict[str, object], number: str, *, name: str, plan: RolePlan) -> AccountConnection:
    identity = result["identity"]
    assert isinstance(identity, dict)
    partition = str(identity["partition"])
    organization_id = str(result["organization_id"])
    if result.get("own_credentials") and number == identity["account_id"]:
        return AccountConnection(
            number, name, AccountSource.ENVIRONMENT, partition=partition, organization_id=organization_id
        )
    arn = f"arn:{partition}:iam::{number}:role/"
    write_role_arn = arn + plan.write_role_name if plan.write_role_name else ""
    return AccountConnection(
        number,
        name,
        AccountSource.ORGANIZATION,
        partition=partition,
        role_arn=arn + plan.role_name,
        write_role_arn=write_role_arn,
        external_id=plan.external_id,
        organization_id=organization_id,
    )
