"""What AWS has to show before somebody's access has ended, row by row, and what is no proof. No AWS is
needed.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from iam.changes.models import Change, ChangeState
from iam.mirror.refresh.credentials import ReadCredentials
from iam.mirror.refresh.user_access import (
    ATTACHED,
    CALLS,
    GROUPS,
    INLINE,
    UnreadableUserError,
    UserAccess,
)
from iam.people.offboarding import reconcile, removal_proof
from iam.people.offboarding.models import Leaver, OffboardedUser, OffboardingCertificate, OffboardingStage
from iam.people.offboarding.open_access import DENY, DENY_TEXT
from tests import factories
from tests.console import offboarding
from tests.queue import catch

pytestmark = pytest.mark.on_postgresql

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
OF_AWS = "arn:aws:iam::aws:policy/AWSDenyAll"
LOOKALIKE = "arn:aws:iam::111111111111:policy/AWSDenyAll"
OTHER = "arn:aws:iam::aws:policy/AdministratorAccess"
ACTIVE, INACTIVE = SimpleNamespace(status="Active"), SimpleNamespace(status="Inactive")
PRESENT = SimpleNamespace()
"""A password or a device: AWS knows of no state of it."""


def shown(
    *,
    text: str | None = DENY_TEXT,
    groups: tuple[str, ...] = (),
    attached: tuple[str, ...] = (),
    **holding: Any,
) -> UserAccess:
    """What AWS shows of somebody; `held` are records by section."""
    calls = ["iam:GetUser", INLINE, *CALLS.values(), GROUPS, ATTACHED]
    return UserAccess(
        exists=True,
        credentials={call: ReadCredentials(call, NOW, holding.get(call, ())) for call in CALLS},
        groups=frozenset(groups),
        attached=frozenset(attached),
        texts={} if text is None else {DENY: text},
        at=dict.fromkeys(calls, NOW),
    )


ALLOWS = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*"}})


@pytest.mark.parametrize(
    ("access", "still_open"),
    [
        (shown(), set()),
        (shown(text=json.dumps(json.loads(DENY_TEXT), indent=4)), set()),
        (shown(text=None, attached=(OF_AWS,)), set()),
        (shown(attached=(OTHER,)), set()),
        (shown(access_keys=(INACTIVE,), ssh_keys=(INACTIVE,)), set()),
        (shown(text=None), {"Deny for everything"}),
        (shown(text=ALLOWS), {"Deny for everything"}),
        (shown(text="{"), {"Deny for everything"}),
        (shown(text=None, attached=(LOOKALIKE,)), {"Deny for everything", "Attached policies"}),
        (shown(text=None, attached=(OTHER,)), {"Deny for everything", "Attached policies"}),
        (shown(login_profiles=(PRESENT,)), {"Console password"}),
        (shown(access_keys=(INACTIVE, ACTIVE)), {"Access keys"}),
        (shown(service_credentials=(ACTIVE,)), {"Service credentials"}),
        (shown(ssh_keys=(ACTIVE,)), {"SSH keys"}),
        (shown(signing_certificates=(ACTIVE,)), {"Signing certificates"}),
        (shown(user_mfa=(PRESENT,)), {"MFA devices"}),
        (shown(groups=("AGPA1",)), {"Groups"}),
        (UserAccess(at={"iam:GetUser": NOW}), set()),
    ],
)
def test_a_row_is_open_as_long_as_aws_shows_a_way_in(access: UserAccess, still_open: set[str]) -> None:
    rows = list(removal_proof.proof_rows(access))
    assert {row["what"] for row in rows if row["open"]} == still_open
    assert len(rows) == (10 if access.exists else 1)


@pytest.fixture
def seat(db: None) -> OffboardedUser:
    """Of somebody whose changes have all ended, and of whom AWS was not read again yet."""
    account = factories.account(write_role_arn="arn:aws:iam::111111111111:role/w")
    user = factories.user(account, "maya.okafor")
    leaver = offboarding.left(user, factories.person("Hana Sato"), stage=OffboardingStage.CLOSING)
    OffboardingCertificate.objects.all().delete()
    Leaver.objects.update(proved_at=None)
    leaver.seats.update(proved_at=None, read_at=None, proof=[])
    return leaver.seats.get()


def prove(
    seat: OffboardedUser, monkeypatch: pytest.MonkeyPatch, prove: UserAccess | Exception | None
) -> OffboardedUser:
    """Prove it where AWS shows this; None where AWS must not be asked at all."""

    def read(*_: Any, **__: Any) -> UserAccess:
        assert prove is not None, "AWS was asked"
        if isinstance(prove, Exception):
            raise prove
        return prove

    monkeypatch.setattr(removal_proof, "reread_user_access", read)
    removal_proof.prove_user(seat.pk)
    seat.refresh_from_db()
    return seat


def test_a_row_that_is_open_is_no_proof_whatever_the_mirror_shows(
    seat: OffboardedUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal_proof, "_still_to_end", lambda seat: [])
    outcome_of_proof = prove(seat, monkeypatch, shown(groups=("AGPA1",)))
    assert (outcome_of_proof.proved_at, bool(outcome_of_proof.trouble)) == (None, True)
    assert prove(seat, monkeypatch, shown()).proved_at is not None


def test_what_the_mirror_still_shows_is_no_proof_and_is_ended_three_times_at_most(
    seat: OffboardedUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    for trial in range(1, 6):
        outcome_of_proof = prove(seat, monkeypatch, shown())
        assert (outcome_of_proof.proved_at, outcome_of_proof.trials) == (
            None,
            min(trial, removal_proof.MAX_TRIALS),
        )
        Change.objects.filter(state=ChangeState.QUEUED).update(state=ChangeState.FAILED)
    assert "Still not removed after 3 attempts" in outcome_of_proof.trouble


def test_nothing_more_is_ended_by_a_request_that_nobody_approved(
    seat: OffboardedUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    Change.objects.update(queued_at=None)
    count = Change.objects.count()
    outcome_of_proof = prove(seat, monkeypatch, shown())
    assert (outcome_of_proof.proved_at, outcome_of_proof.trials, Change.objects.count()) == (None, 0, count)
    assert "was never approved" in outcome_of_proof.trouble


def test_what_could_not_be_read_is_no_proof_and_says_so(
    seat: OffboardedUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome_of_proof = prove(seat, monkeypatch, UnreadableUserError("AWS did not answer"))
    assert (outcome_of_proof.proved_at, outcome_of_proof.trouble) == (
        None,
        "AWS couldn’t be checked: AWS did not answer",
    )


def test_nothing_is_read_while_changes_are_under_way_or_before_and_after_their_time(
    seat: OffboardedUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    Change.objects.filter(position=1).update(state=ChangeState.QUEUED)
    assert prove(seat, monkeypatch, None).proved_at is None
    Change.objects.update(state=ChangeState.APPLIED)
    for stage in (
        OffboardingStage.WAITING,
        OffboardingStage.PLANNED,
        OffboardingStage.RETURNING,
        OffboardingStage.RETURNED,
        OffboardingStage.CALLED_OFF,
    ):
        Leaver.objects.update(stage=stage)
        assert prove(seat, monkeypatch, None).proved_at is None


def test_one_account_that_is_not_proved_keeps_the_certificate_back(
    seat: OffboardedUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    catch(monkeypatch, "iam.people.offboarding.tasks", lambda *_, **__: None)
    elsewhere = factories.user(factories.account("222222222222", name="data"), "maya.okafor")
    other = OffboardedUser.objects.create(
        leaver=seat.leaver, account=elsewhere.account, user=elsewhere, user_arn=elsewhere.arn, user_name="m"
    )
    now = datetime.now(tz=UTC)
    OffboardedUser.objects.filter(pk=seat.pk).update(proved_at=now, read_at=now)
    reconcile.reconcile(seat.leaver_id)
    leaver = Leaver.objects.get()
    assert (leaver.stage, leaver.proved_at, OffboardingCertificate.objects.count()) == (
        OffboardingStage.CLOSING,
        None,
        0,
    )

    OffboardedUser.objects.filter(pk=other.pk).update(proved_at=now, read_at=now)
    for _ in range(2):
        reconcile.reconcile(seat.leaver_id)
    leaver.refresh_from_db()
    assert (leaver.stage, leaver.proved_at, leaver.delete_after) == (
        OffboardingStage.GONE,
        now,
        now + timedelta(days=leaver.run.grace_days),
    )
    assert OffboardingCertificate.objects.count() == 1


def test_nobody_is_said_to_be_denied_everything_while_a_deny_found_no_room(
    seat: OffboardedUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    catch(monkeypatch, "iam.people.offboarding.tasks", lambda *_, **__: None)
    began = datetime.now(tz=UTC)
    Leaver.objects.update(closed_at=None, began_at=began)
    Change.objects.update(applying_at=began, ended_at=began)
    Change.objects.filter(operation="inline_policy.put").update(operation="group_membership.remove")
    reconcile.reconcile(seat.leaver_id)
    assert Leaver.objects.get().closed_at is None
    factories.inline(seat.user, DENY, body=json.loads(DENY_TEXT))
    reconcile.reconcile(seat.leaver_id)
    assert Leaver.objects.get().closed_at == began
