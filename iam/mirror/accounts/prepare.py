"""Prepares a connection: it stores the external ID for the trust policy until the role exists."""

from __future__ import annotations

import secrets

from django.db import transaction

from iam.journal.services import record
from iam.mirror.accounts.actors import Actor, must_manage, person_of
from iam.mirror.accounts.names import checked_own_name
from iam.mirror.accounts.validation import (
    SetupError,
    checked_external_id,
    checked_hub,
    checked_number,
    checked_partition,
)
from iam.mirror.models.accounts import Account, AccountSource
from iam.mirror.models.setup import ConnectionDraft


def new_external_id() -> str:
    """Return a random external ID with 96 bits, so that it can't be guessed."""
    return f"gh-{secrets.token_hex(12)}"


def refuse_connected(account_id: str) -> None:
    """Raise SetupError if the account is already connected. An account known from an upload can still be
    connected.
    """
    account = Account.objects.filter(account_id=account_id, removed_at__isnull=True).first()
    if account and account.source != AccountSource.EXPORT:
        raise SetupError(f"Account {account_id} is connected already, as {account.name}.", field="account_id")


@transaction.atomic
def prepare_connection(account_id: str, *, name: str, partition: str, actor: Actor) -> ConnectionDraft:
    """Return the draft of the account. An existing draft is reused, so that its external ID stays as written
    in AWS.

    Raises SetupError for a connected account and for an invalid ID or name.
    """
    number = checked_number(account_id)
    must_manage(actor, account_id=number)
    refuse_connected(number)
    fields = {
        "name": checked_own_name(name, account_id=number, default=f"account {number}"),
        "partition": checked_partition(partition),
    }
    draft, made = ConnectionDraft.objects.get_or_create(
        account_id=number,
        defaults=fields | {"external_id": new_external_id(), "requested_by": person_of(actor)},
    )
    if made:
        record(kind="account.prepare", actor=actor, subject=draft.name, account_id=number)
    else:
        ConnectionDraft.objects.filter(pk=draft.pk).update(**fields)
        draft.refresh_from_db()
    return draft


@transaction.atomic
def update_draft(
    draft: ConnectionDraft, *, actor: Actor, hub_arn: str | None = None, external_id: str | None = None
) -> None:
    """Change the principal that assumes the role, or use an external ID that the trust policy already
    requires. None leaves a value unchanged.
    """
    must_manage(actor, account_id=draft.account_id)
    changed: dict[str, str] = {}
    if hub_arn is not None:
        changed["hub_arn"] = checked_hub(hub_arn, partition=draft.partition)
    if external_id is not None:
        changed["external_id"] = checked_external_id(external_id, required=True)
    ConnectionDraft.objects.filter(pk=draft.pk).update(**changed)
    draft.refresh_from_db()


@transaction.atomic
def discard_draft(draft: ConnectionDraft, *, actor: Actor) -> None:
    """Delete a draft with its external ID."""
    must_manage(actor, account_id=draft.account_id)
    deleted, _ = ConnectionDraft.objects.filter(pk=draft.pk).delete()
    if deleted:
        record(kind="account.discard", actor=actor, subject=draft.name, account_id=draft.account_id)
