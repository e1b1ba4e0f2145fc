"""What an account has as a whole: its alias and its rules for passwords."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from iam.changes.operations import Operation
from iam.changes.operations.account_setting import (
    CREATE_ALIAS,
    DELETE_ALIAS,
    Alias,
    DeletePasswordPolicy,
    PasswordRules,
    UpdatePasswordPolicy,
)
from iam.mirror.pull.account_facts import load_facts, read_settings
from iam.mirror.pull.facts import ObservationTimes
from tests.iam.changes.operations.stage import Stage, shown_or_none
from tests.iam.changes.operations.table import Case, nothing

STRICT = PasswordRules(
    minimum_length=14,
    requires_uppercase=True,
    requires_lowercase=True,
    requires_numbers=True,
    requires_symbols=True,
    allows_change=True,
    maximum_age=90,
    reuse_prevention=5,
    hard_expiry=False,
)
STRICT_IN_AWS = {
    "MinimumPasswordLength": 14, "RequireUppercaseCharacters": True, "RequireLowercaseCharacters": True,
    "RequireNumbers": True, "RequireSymbols": True, (
        "AllowUsersToChangePassword"
    ): True, "ExpirePasswords": True,
    "MaxPasswordAge": 90, "PasswordReusePrevention": 5,
}  # fmt: skip


def pull(stage: Stage) -> None:
    """Have the mirror read the settings."""
    facts = read_settings(stage.scene.aws).facts()
    load_facts(stage.account, facts, seen=ObservationTimes(datetime.now(tz=UTC), after=None))


def alias_shown(stage: Stage) -> Any:
    """The alias."""
    return next(iter(stage.iam.list_account_aliases()["AccountAliases"]), None)


def with_alias(has: str, does: Callable[[Stage], Operation]) -> Callable[[Stage], Operation]:
    """An account with an alias, or without ("")."""

    def make(stage: Stage) -> Operation:
        if now := alias_shown(stage):
            stage.iam.delete_account_alias(AccountAlias=now)
        if has:
            stage.iam.create_account_alias(AccountAlias=has)
        pull(stage)
        return does(stage)

    return make


def create_new(stage: Stage) -> Operation:
    """Another alias."""
    return Alias.of(CREATE_ALIAS, stage.account, alias="northline-new")


def delete_old(stage: Stage) -> Operation:
    """No alias."""
    return Alias.of(DELETE_ALIAS, stage.account, alias="northline-old")


def new_alias(stage: Stage, before: Any) -> Any:
    """The alias that was asked for."""
    return "northline-new"


def another_alias(stage: Stage) -> None:
    """Somebody gives it a third one."""
    stage.iam.create_account_alias(AccountAlias="northline-third")


def rules_shown(stage: Stage) -> Any:
    """The password policy."""
    answer = shown_or_none(stage.iam.get_account_password_policy)
    return answer and {key: value for key, value in answer["PasswordPolicy"].items() if value}


def with_rules(does: Callable[[Stage], Operation], **has: Any) -> Callable[[Stage], Operation]:
    """An account with rules of its own, or without."""

    def make(stage: Stage) -> Operation:
        if rules_shown(stage):
            stage.iam.delete_account_password_policy()
        if has:
            stage.iam.update_account_password_policy(**has)
        pull(stage)
        return does(stage)

    return make


def set_strict(stage: Stage) -> Operation:
    """Strict rules."""
    return UpdatePasswordPolicy(stage.account, STRICT)


def set_none(stage: Stage) -> Operation:
    """AWS's own."""
    return DeletePasswordPolicy.of(stage.account)


def strict(stage: Stage, before: Any) -> Any:
    """The rules that were asked for."""
    return STRICT_IN_AWS


def other_rules(stage: Stage) -> None:
    """Somebody sets others."""
    stage.iam.update_account_password_policy(MinimumPasswordLength=20)


OLD_RULES = {"MinimumPasswordLength": 9, "RequireNumbers": True, "MaxPasswordAge": 30, "HardExpiry": True}

CASES = (
    Case(
        "account_alias.create", with_alias("northline-old", create_new), alias_shown, after=new_alias,
        meddle=another_alias,
    ),
    Case(
        "account_alias.create first", with_alias("", create_new), alias_shown, after=new_alias,
        meddle=another_alias,
    ),
    Case(
        "account_alias.delete", with_alias("northline-old", delete_old), alias_shown, after=nothing,
        meddle=another_alias,
    ),
    Case(
        "password_policy.update", with_rules(set_strict, **OLD_RULES), rules_shown, after=strict,
        meddle=other_rules,
    ),
    Case(
        "password_policy.update first", with_rules(set_strict), rules_shown, after=strict, meddle=other_rules,
    ),
    Case(
        "password_policy.delete", with_rules(set_none, **OLD_RULES), rules_shown, after=nothing,
        meddle=other_rules,
    ),
)  # fmt: skip
