"""Finds drift of account settings, which belong to no entity: the password policy and the account alias."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from iam.changes.drift.models import Drift
from iam.changes.drift.reversal import DriftReversal, moved_on_reversal
from iam.changes.operations import Operation
from iam.changes.operations.account_setting import (
    CREATE_ALIAS,
    DELETE_ALIAS,
    Alias,
    DeletePasswordPolicy,
    PasswordRules,
    UpdatePasswordPolicy,
)
from iam.mirror.models import Account, AccountFact, Cause, valid_at

PASSWORDS, ALIAS = "password_policy", "alias"
SETTINGS = {PASSWORDS: "Rules for passwords", ALIAS: "Account alias"}
ACCOUNT = "account"
"""The kind of drifts that concern a setting."""


@dataclass(frozen=True, slots=True)
class SettingChange:
    """A setting with its values at two consecutive observations."""

    fact: str
    when: datetime
    after: datetime | None
    old: Any
    new: Any


def settings_since(account: Account, *, since: datetime) -> list[SettingChange]:
    """The settings that changed after a moment by an unknown cause. One query."""
    rows = AccountFact.objects.filter(account=account, name__in=SETTINGS)
    return _changed(rows.filter(Q(valid_from__gt=since) | Q(valid_to__gt=since)), since=since)


def setting_of(drift: Drift) -> SettingChange | None:
    """The change of the setting; None for a drift of an entity, or if the rows are gone."""
    return settings_of([drift]).get((drift.account_id, drift.fact, drift.seen_at))


def settings_of(drifts: Collection[Drift]) -> dict[tuple[int, str, datetime], SettingChange]:
    """The changed settings of several drifts, by account, setting and moment. One query; none if no drift
    concerns a setting.
    """
    wanted = {(drift.account_id, drift.fact, drift.seen_at) for drift in drifts if drift.fact}
    if not wanted:
        return {}
    moments = {when for _, _, when in wanted}
    rows = AccountFact.objects.filter(
        Q(valid_from__in=moments) | Q(valid_to__in=moments),
        account__in={account for account, _, _ in wanted},
        name__in=SETTINGS,
    )
    settings_by_key = {}
    for account in {account for account, _, _ in wanted}:
        for setting in _changed(rows.filter(account=account)):
            settings_by_key[account, setting.fact, setting.when] = setting
    return {key: setting for key, setting in settings_by_key.items() if key in wanted}


def _changed(rows: Any, *, since: datetime | None = None) -> list[SettingChange]:
    listed = list(rows)
    ended = {(row.name, row.valid_to): row for row in listed if row.valid_to}
    return [
        SettingChange(row.name, row.valid_from, row.after, ended[row.name, row.valid_from].value, row.value)
        for row in listed
        if row.after is not None
        and row.cause_kind == Cause.UNKNOWN
        and (row.name, row.valid_from) in ended
        and (since is None or row.valid_from > since)
    ]


def turned_back(changed: SettingChange, *, account: Account) -> DriftReversal:
    """The reversal that restores the former value."""
    what = SETTINGS[changed.fact]
    now = AccountFact.objects.filter(valid_at(None), account=account, name=changed.fact).first()
    if now is None or now.value != changed.new:
        return moved_on_reversal(what)
    return DriftReversal(what, (_operation(changed, account=account),))


def _operation(changed: SettingChange, *, account: Account) -> Operation:
    if changed.fact == ALIAS:
        if changed.old:
            return Alias.of(CREATE_ALIAS, account, alias=changed.old)
        return Alias.of(DELETE_ALIAS, account, alias=changed.new)
    rules = DeletePasswordPolicy.of(account).image(changed.old)["rules"]
    return (
        DeletePasswordPolicy.of(account)
        if rules is None
        else UpdatePasswordPolicy(account, PasswordRules(**rules))
    )
