"""Changes the name, the access and the sync interval of a connected account."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from iam.journal.services import record
from iam.mirror.accounts.actors import Actor, must_manage
from iam.mirror.accounts.connect import checked_write_role
from iam.mirror.accounts.names import checked_own_name
from iam.mirror.accounts.validation import (
    SetupError,
    checked_external_id,
    checked_interval,
    checked_role,
)
from iam.mirror.models.accounts import Account, AccountSource

BY_ROLE = frozenset({AccountSource.ROLE, AccountSource.ORGANIZATION})


@transaction.atomic
def update_account(
    account: Account,
    *,
    actor: Actor,
    name: str,
    pull_every: int | None,
    role_arn: str = "",
    write_role_arn: str = "",
    external_id: str = "",
) -> dict[str, Any]:
    """Save and journal what differs. Returns the changed columns with their new values, which are empty if
    nothing differs.

    Roles and external ID are ignored for accounts that aren't reached by a role. Raises SetupError with the
    field.
    """
    must_manage(actor, account_id=account.account_id)
    current = Account.objects.select_for_update().get(pk=account.pk)
    if current.removed_at is not None:
        raise SetupError("This account was disconnected in the meantime.")
    wanted: dict[str, Any] = {
        "name": checked_own_name(name, account_id=current.account_id),
        "pull_every": checked_interval(pull_every),
    }
    if current.source in BY_ROLE:
        wanted |= _checked_way(
            current, role_arn=role_arn, write_role_arn=write_role_arn, external_id=external_id
        )
    changed = {column: value for column, value in wanted.items() if getattr(current, column) != value}
    if changed:
        _journal(current, changed, actor=actor)
        Account.objects.filter(pk=account.pk).update(**changed)
        account.refresh_from_db()
    return changed


def _checked_way(account: Account, *, role_arn: str, write_role_arn: str, external_id: str) -> dict[str, Any]:
    where = {"account_id": account.account_id, "partition": account.partition}
    role = checked_role(role_arn, **where)
    write_role = checked_write_role(write_role_arn, role_arn=role, **where) if write_role_arn.strip() else ""
    required = account.source == AccountSource.ROLE
    return {
        "role_arn": role,
        "write_role_arn": write_role,
        "external_id": checked_external_id(external_id, required=required),
    }


def _journal(account: Account, changed: dict[str, Any], *, actor: Actor) -> None:
    """Record the change. A changed external ID is recorded without its value, because it is part of the
    trust.
    """
    shown = {
        column: {"before": getattr(account, column), "after": value}
        for column, value in changed.items()
        if column != "external_id"
    }
    if "external_id" in changed:
        shown["external_id"] = {"before": "one", "after": "another"}
    record(
        kind="account.update",
        actor=actor,
        subject=account.name,
        account_id=account.account_id,
        data={"changed": shown},
    )
