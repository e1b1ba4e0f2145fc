"""Who may ask for another alias or other rules for passwords, what is refused, and what the receipt says of
them.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import pytest

from iam.changes.errors import RefusedError
from iam.changes.operations import Operation, restore
from iam.changes.operations.account_setting import (
    CREATE_ALIAS,
    DELETE_ALIAS,
    Alias,
    DeletePasswordPolicy,
    PasswordRules,
    UpdatePasswordPolicy,
)
from iam.changes.services.plans import examine, plan
from iam.directory.models import Role, RuleKind, Team, TeamRule
from iam.guard import viewer_for
from iam.mirror.models import Account, AccountFact
from tests import factories
from tests.iam.changes.operations.cases_account import STRICT

LENIENT = PasswordRules(
    minimum_length=8,
    requires_uppercase=True,
    requires_lowercase=True,
    requires_numbers=True,
    requires_symbols=False,
    allows_change=True,
    maximum_age=0,
    reuse_prevention=0,
    hard_expiry=False,
)


@pytest.fixture
def account(db: None) -> Account:
    """An account that can be written to, of which nothing was read."""
    return factories.account(write_role_arn="arn:aws:iam::111111111111:role/writer")


def has(account: Account, **facts: Any) -> None:
    """The account's settings, as they were read."""
    for name, value in facts.items():
        AccountFact.objects.create(
            account=account,
            name=name,
            value=value,
            valid_from=factories.FIRST_READ,
            observed_at=factories.FIRST_READ,
        )


def rules(password_rules: PasswordRules) -> dict[str, Any]:
    """Rules as a reading keeps them."""
    settings = asdict(password_rules) | {"expires": bool(password_rules.maximum_age)}
    return settings | {name: settings[name] or None for name in ("maximum_age", "reuse_prevention")}


def why_not(operation: Operation) -> str:
    """The words by which it is refused."""
    with pytest.raises(RefusedError) as refused:
        examine(operation)
    return refused.value.message


def test_settings_that_were_not_read_are_not_changed(account: Account) -> None:
    assert "Sync the account" in why_not(Alias.of(CREATE_ALIAS, account, alias="northline"))


@pytest.mark.parametrize(
    "alias", ["ab", "a" * 64, "-north", "north-", "no--rth", "North", "no rth", "123456789012", "nörth"]
)
def test_what_can_be_no_alias_is_refused(account: Account, alias: str) -> None:
    has(account, alias="")
    assert "3 to 63 lowercase letters" in why_not(Alias.of(CREATE_ALIAS, account, alias=alias))


def test_an_address_that_people_know_goes_with_more_care(account: Account) -> None:
    assert examine_first(account).receipt.body["sensitivity"] == "normal"
    AccountFact.objects.filter(name="alias").update(value="northline")
    body = examine(Alias.of(CREATE_ALIAS, account, alias="northline-new")).receipt.body
    assert body["sensitivity"] == "high"
    assert any(
        "https://northline.signin.aws.amazon.com/console stops" in note for note in body["effect"]["notes"]
    )
    assert "the account’s alias is northline" in why_not(Alias.of(DELETE_ALIAS, account, alias="other"))


def examine_first(account: Account) -> Any:
    """The plan of a first alias."""
    has(account, alias="")
    return examine(Alias.of(CREATE_ALIAS, account, alias="northline"))


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"minimum_length": 5}, "the shortest password must be 6 to 128, not 5"),
        ({"minimum_length": 129}, "must be 6 to 128"),
        ({"maximum_age": 1096}, "the age of a password in days must be 0 to 1095"),
        ({"reuse_prevention": 25}, "the number of former passwords must be 0 to 24"),
        ({"hard_expiry": True, "maximum_age": 0}, "needs a maximum password age"),
    ],
)
def test_rules_that_aws_would_not_take_are_refused(
    account: Account, values: dict[str, Any], why: str
) -> None:
    has(account, password_policy=None)
    assert why in why_not(UpdatePasswordPolicy(account, replace(STRICT, **values)))


@pytest.mark.parametrize("value", [True, "14", None, 14.0])
def test_rules_of_another_type_are_no_rules(value: Any) -> None:
    with pytest.raises(ValueError, match="minimum_length must be int"):
        replace(STRICT, minimum_length=value)


@pytest.mark.parametrize(
    ("before", "after", "sensitivity"),
    [
        (None, STRICT, "normal"),
        (None, replace(STRICT, minimum_length=7), "high"),
        (None, replace(LENIENT, requires_numbers=False), "high"),
        (LENIENT, STRICT, "normal"),
        (STRICT, replace(STRICT, minimum_length=13), "high"),
        (STRICT, replace(STRICT, requires_symbols=False), "high"),
        (STRICT, replace(STRICT, maximum_age=91), "high"),
        (STRICT, replace(STRICT, maximum_age=0), "high"),
        (STRICT, replace(STRICT, maximum_age=30), "normal"),
        (STRICT, replace(STRICT, reuse_prevention=4), "high"),
        (replace(STRICT, hard_expiry=True), STRICT, "high"),
        (STRICT, None, "high"),
    ],
)
def test_looser_rules_take_more_care(
    account: Account, before: PasswordRules | None, after: PasswordRules | None, sensitivity: str
) -> None:
    has(account, password_policy=before and rules(before))
    operation = UpdatePasswordPolicy(account, after) if after else DeletePasswordPolicy.of(account)
    assert examine(operation).receipt.body["sensitivity"] == sensitivity


def test_the_receipt_tells_what_becomes_different_only(account: Account) -> None:
    has(account, password_policy=rules(STRICT))
    effect = UpdatePasswordPolicy(account, replace(STRICT, minimum_length=20)).effect()
    assert effect.notes == (
        "Passwords have at least 20 characters. Before: passwords have at least 14 characters.",
    )


def test_what_is_about_the_account_takes_somebody_who_sees_all_of_it(account: Account) -> None:
    has(account, alias="", password_policy=None)
    team = Team.objects.create(slug="payments", name="Payments")
    TeamRule.objects.create(team=team, kind=RuleKind.PATH, value="/payments/")
    lead = factories.person("Elif Kaya")
    factories.assign(lead, Role.TEAM_LEAD, team=team)
    sees_all = factories.viewer(Role.ADMINISTRATOR)
    for operation in (
        Alias.of(CREATE_ALIAS, account, alias="northline"),
        UpdatePasswordPolicy(account, STRICT),
    ):
        with pytest.raises(RefusedError, match="someone who can see all of it"):
            plan(operation, viewer=viewer_for(lead))
        plan(operation, viewer=sees_all)
        again = restore(operation.slug, account=account, params=operation.params)
        assert again.calls() == operation.calls()
