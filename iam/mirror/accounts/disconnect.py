"""Disconnects an account: it is no longer synced, and its data is kept."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import transaction

from iam.journal.services import record
from iam.mirror.accounts.actors import Actor, must_manage
from iam.mirror.accounts.validation import SetupError
from iam.mirror.models.accounts import ACTIVE_PULL, Account, Pull
from iam.mirror.services import cancel_pull


@transaction.atomic
def disconnect_account(account: Account, *, actor: Actor) -> None:
    """Stop syncing the account and delete its role ARNs. Entities and their history are kept, and are
    available again when it is reconnected.

    Gatehouse's roles in AWS are left for their owner to delete. Raises SetupError if it is disconnected
    already.
    """
    must_manage(actor, account_id=account.account_id)
    for pull in Pull.objects.filter(ACTIVE_PULL, account=account):
        cancel_pull(pull, actor=actor)
    done = Account.objects.filter(pk=account.pk, removed_at__isnull=True).update(
        removed_at=datetime.now(tz=UTC), next_pull_at=None
    )
    if not done:
        raise SetupError(f"{account.name} is disconnected already.")
    record(
        kind="account.disconnect",
        actor=actor,
        subject=account.name,
        account_id=account.account_id,
        data={"by": account.source, "role": account.role_arn, "write_role": account.write_role_arn},
    )
    Account.objects.filter(pk=account.pk).update(role_arn="", write_role_arn="", external_id="")
    account.refresh_from_db()
