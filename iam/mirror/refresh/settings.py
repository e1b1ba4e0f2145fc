"""Stores a setting of an account as AWS returned it, right after a change."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from iam.mirror.models import Account, AccountFact, Section, valid_at
from iam.mirror.pull.account_facts import load_facts
from iam.mirror.pull.apply import lock_account
from iam.mirror.pull.facts import ObservationTimes
from iam.mirror.pull.sections import ACCOUNT


def enter_setting(account: Account, *, name: str, value: Any, at: datetime, cause_id: UUID | None) -> None:
    """Set a fact of the account, by name, to what AWS returned at a time, caused by the change (None: cause
    unknown).

    A pull that began earlier doesn't undo it, and a later observation is kept.
    """
    with transaction.atomic():
        lock_account(account)
        section = Section.objects.filter(account=account, name=ACCOUNT).first()
        now = AccountFact.objects.filter(valid_at(None), account=account, name=name).first()
        moments = [row.observed_at for row in (section, now) if row is not None and row.observed_at]
        earlier = [moment for moment in moments if moment < at]
        seen = ObservationTimes.after_change(at, after=max(earlier, default=None), cause_id=cause_id)
        load_facts(account, {name: value}, seen=seen)
        if name == "alias":
            Account.objects.filter(pk=account.pk).update(alias=value)
