"""Drift of the account's own settings: the rules for passwords, the alias."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from django.test import Client
from django.urls import reverse

from iam.changes import services as changes
from iam.changes.drift import services
from iam.changes.drift.detection import find
from iam.changes.drift.models import Drift, DriftState, DriftWatch
from iam.changes.drift.queries import visible_drifts
from iam.changes.errors import RefusedError
from iam.changes.operations.account_setting import CREATE_ALIAS, Alias
from iam.changes.operations.sealed_secret import new_password
from iam.changes.runner import run
from iam.directory.models import Role, RuleKind, Team, TeamRule
from iam.guard import viewer_for
from iam.mirror.pull.account_facts import read_settings
from iam.mirror.queries.password_policy import is_password_policy_known, password_policy
from iam.mirror.refresh import enter_setting
from tests import factories
from tests.iam.changes.conftest import Scene

pytestmark = pytest.mark.on_postgresql

STRICT = {"MinimumPasswordLength": 14, "RequireNumbers": True, "MaxPasswordAge": 90}


def seen(scene: Scene) -> None:
    """Gatehouse reads the settings as they are now, and finds no cause."""
    now = datetime.now(tz=UTC)
    for name, value in read_settings(scene.aws).facts().items():
        if name != "summary":
            enter_setting(scene.account, name=name, value=value, at=now, cause_id=None)
    scene.account.refresh_from_db()
    find(scene.account)


def rules(scene: Scene) -> Any:
    """What AWS shows."""
    try:
        return scene.aws.iam.get_account_password_policy()["PasswordPolicy"]
    except ClientError:
        return None


@pytest.fixture
def strict(scene: Scene) -> Iterator[Scene]:
    """Strict rules, an alias, and everything read."""
    scene.aws.iam.update_account_password_policy(**STRICT)
    scene.aws.iam.create_account_alias(AccountAlias="northline")
    seen(scene)
    DriftWatch.objects.create(
        account=scene.account, since=datetime.now(tz=UTC), revision=scene.account.revision
    )
    yield scene
    for alias in scene.aws.iam.list_account_aliases()["AccountAliases"]:
        scene.aws.iam.delete_account_alias(AccountAlias=alias)
    if rules(scene):
        scene.aws.iam.delete_account_password_policy()


def test_the_policy_that_was_read_is_what_others_read(scene: Scene) -> None:
    scene.aws.iam.update_account_password_policy(MinimumPasswordLength=40, AllowUsersToChangePassword=True)
    seen(scene)
    policy = password_policy(scene.account)
    assert policy is not None
    assert policy.allows_change
    assert len(new_password(scene.account)) == policy.minimum_length == 40

    scene.aws.iam.delete_account_password_policy()
    seen(scene)
    assert password_policy(scene.account) is None
    assert is_password_policy_known(scene.account)


def loosened(scene: Scene) -> Drift:
    """Somebody lets passwords be short."""
    scene.aws.iam.update_account_password_policy(MinimumPasswordLength=6)
    seen(scene)
    return Drift.objects.select_related("account").get()


def undo(scene: Scene, drift: Drift) -> None:
    asked = services.undo(drift, actor=scene.requester, reason="No", idempotency_key="1")
    scene.approve(asked[0])
    for change in asked:
        run(change.pk)
        change.refresh_from_db()
        assert change.state == "applied", change.error_message
    services.settle_undoings()


def test_rules_that_were_loosened_are_tightened_again(strict: Scene) -> None:
    before = rules(strict)
    drift = loosened(strict)
    assert rules(strict) != before
    undo(strict, drift)
    assert rules(strict) == before
    seen(strict)
    assert Drift.objects.get().state == DriftState.UNDONE


def test_rules_that_were_taken_away_are_put_back(strict: Scene) -> None:
    before = rules(strict)
    strict.aws.iam.delete_account_password_policy()
    seen(strict)
    undo(strict, Drift.objects.select_related("account").get())
    assert rules(strict) == before


@pytest.mark.parametrize("by_hand", [False, True], ids=["ours", "and-by-hand"])
def test_what_gatehouse_itself_set_is_explained_although_a_pull_meets_it_first(
    strict: Scene, monkeypatch: pytest.MonkeyPatch, by_hand: bool
) -> None:
    operation = Alias.of(CREATE_ALIAS, strict.account, alias="northline-two")
    planned = changes.plan(operation, viewer=strict.requester)
    change = changes.request_change(planned, actor=strict.requester, reason="r", idempotency_key="alias")
    strict.approve(change)
    with monkeypatch.context() as patch:
        patch.setattr("iam.changes.runner.outcomes._read_back", lambda *_, **__: False)
        run(change.pk)
    if by_hand:
        strict.aws.iam.create_account_alias(AccountAlias="northline-three")
    seen(strict)
    drift = Drift.objects.get()
    assert drift.state == (DriftState.OPEN if by_hand else DriftState.EXPLAINED)
    assert drift.change_set_id == (None if by_hand else change.change_set_id)


def test_an_alias_that_was_changed_is_changed_back(strict: Scene) -> None:
    strict.aws.iam.create_account_alias(AccountAlias="somebody-else")
    seen(strict)
    undo(strict, Drift.objects.select_related("account").get())
    assert strict.aws.iam.list_account_aliases()["AccountAliases"] == ["northline"]


def test_rules_that_were_changed_again_are_not_turned_back_past_that(strict: Scene) -> None:
    first = loosened(strict)
    strict.aws.iam.update_account_password_policy(MinimumPasswordLength=8)
    seen(strict)
    with pytest.raises(RefusedError, match="changed again since"):
        services.undo(first, actor=strict.requester, reason="No", idempotency_key="1")


def test_the_pages_say_from_what_to_what_and_only_to_those_who_see_the_account(strict: Scene) -> None:
    drift = loosened(strict)
    admin, otto = Client(), Client()
    operator = factories.operator(Role.ADMINISTRATOR, name="Ada Admin")
    admin.force_login(operator)
    otto.force_login(factories.operator(Role.AUDITOR, name="Otto Audit"))
    for client, address in (
        (admin, reverse("changes:drift")),
        (otto, reverse("changes:drift-detail", args=[drift.pk])),
        (admin, f"{reverse('changes:drift')}?kind=account"),
        (admin, reverse("changes:drift-undo", args=[drift.pk])),
    ):
        page = client.get(address).content.decode()
        assert "ules for passwords changed" in page, address
        assert "14" in page, address
    team = Team.objects.create(slug="payments", name="Payments")
    TeamRule.objects.create(team=team, kind=RuleKind.PATH, value="/payments/")
    lead = factories.operator(Role.TEAM_LEAD, name="Maya Okafor", team=team)
    assert not visible_drifts(viewer_for(lead.person)).exists()
    adopted = admin.post(reverse("changes:drift-adopt"), {"drift": [str(drift.pk)], "reason": "Agreed"})
    assert adopted.status_code == 302
    assert "Agreed" in admin.get(reverse("changes:drift"), {"tab": "adopted"}).content.decode()
