"""What changes of credentials refuse before AWS has to: quotas, devices that cannot be deleted, codes that
are too old.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from console.demo.standin import totp
from iam.changes import services
from iam.changes.errors import RefusedError
from iam.changes.operations import Operation
from iam.changes.operations.mfa_device import (
    DeleteMfaDevice,
    EnableMfaDevice,
    ResyncMfaDevice,
    seal_codes,
)
from iam.changes.operations.one_time_credential import CreateServiceCredential
from iam.changes.operations.params import Recipient
from iam.changes.operations.public_key import UploadSshKey
from iam.changes.operations.sealed_secret import new_password
from iam.changes.operations.virtual_mfa_device import DeleteSpareMfaDevice
from iam.mirror.models import Entity, Kind
from iam.mirror.pull.sections import USER_MFA
from iam.sealed.models import Secret
from tests import factories
from tests.iam.changes.conftest import Scene
from tests.iam.changes.operations.credentials import by_hand, credential, pull, queued, ran
from tests.iam.changes.operations.key_pairs import public_key


def has(scene: Scene, kind: Kind, number: int, **state: object) -> None:
    """The mirror holds so many credentials of the user."""
    for place in range(number):
        made = factories.entity(
            scene.account, kind, f"{kind}-{place}", arn="", **{"category": "Active"} | state
        )
        Entity.objects.filter(pk=made.pk).update(owner=scene.user)


def refusal(scene: Scene, operation: Operation) -> str:
    """Why it cannot be asked for."""
    with pytest.raises(RefusedError) as refused:
        services.plan(operation, viewer=scene.requester)
    return refused.value.message


def for_codecommit(scene: Scene, **more: int) -> Operation:
    """A credential for CodeCommit."""
    recipient = Recipient(scene.requester.person_id, scene.requester.name)
    return CreateServiceCredential.of(
        scene.user, service="codecommit.amazonaws.com", recipient=recipient, sealed_id=uuid4(), **more
    )


def test_a_third_credential_for_a_service_is_refused_and_one_for_another_is_not(scene: Scene) -> None:
    has(scene, Kind.SERVICE_CREDENTIAL, 2, attrs={"ServiceName": "cassandra.amazonaws.com"})
    services.plan(for_codecommit(scene), viewer=scene.requester)

    has(scene, Kind.SERVICE_CREDENTIAL, 2, attrs={"ServiceName": "codecommit.amazonaws.com"})
    assert "has 2 credentials for CodeCommit" in refusal(scene, for_codecommit(scene))


def test_an_end_is_refused_where_aws_knows_none(scene: Scene) -> None:
    assert "Credentials for CodeCommit can’t have an expiry" in refusal(
        scene, for_codecommit(scene, age_days=30)
    )


def test_a_sixth_ssh_key_is_refused(scene: Scene) -> None:
    has(scene, Kind.SSH_KEY, 5)
    assert "AWS allows 5" in refusal(scene, UploadSshKey.of(scene.user, body=public_key(1)))


def test_a_ninth_device_is_refused(scene: Scene) -> None:
    has(scene, Kind.MFA_DEVICE, 8, category="hardware")
    spare = factories.entity(scene.account, Kind.MFA_DEVICE, "GAHT12345678", category="hardware", arn="")
    operation = EnableMfaDevice.of_user(spare, user=scene.user, sealed_id=uuid4())

    assert "AWS allows 8" in refusal(scene, operation)


def test_a_hardware_device_is_taken_away_and_not_deleted(scene: Scene) -> None:
    has(scene, Kind.MFA_DEVICE, 1, category="hardware")
    device = Entity.objects.get(account=scene.account, kind=Kind.MFA_DEVICE, owner=scene.user)

    assert "Only virtual devices can be deleted" in refusal(scene, DeleteMfaDevice.of(device))


def make_device(scene: Scene) -> tuple[Entity, str]:
    """A virtual device of the user, and its seed."""
    made = scene.aws.iam.create_virtual_mfa_device(VirtualMFADeviceName=f"phone-{uuid4().hex[:8]}")
    device = made["VirtualMFADevice"]
    serial, seed = device["SerialNumber"], device["Base32StringSeed"].decode()
    first, second = codes_of(seed)
    by_hand(
        scene,
        "EnableMFADevice",
        SerialNumber=serial,
        AuthenticationCode1=first,
        AuthenticationCode2=second,
    )
    pull(scene, USER_MFA)
    return credential(scene, serial), seed


def codes_of(seed: str) -> tuple[str, str]:
    """Two codes in a row, of now."""
    now = datetime.now(tz=UTC).timestamp()
    return totp.code(seed, at=now - totp.STEP), totp.code(seed, at=now)


def test_a_device_that_somebody_has_is_not_deleted_as_a_spare_one(scene: Scene) -> None:
    device, _ = make_device(scene)

    assert f"{scene.user.name} has this device" in refusal(scene, DeleteSpareMfaDevice.of(device))


def test_codes_that_are_older_than_a_minute_are_not_sent(scene: Scene) -> None:
    device, seed = make_device(scene)
    sealed_id = seal_codes(*codes_of(seed), sealed_id=uuid4(), account_id=scene.account.account_id)
    kept = Secret.objects.get(pk=sealed_id)
    assert kept.expires_at - kept.sealed_at == timedelta(seconds=60)
    change = queued(scene, ResyncMfaDevice.of_user(device, user=scene.user, sealed_id=sealed_id))
    Secret.objects.update(expires_at=datetime.now(tz=UTC) - timedelta(seconds=1))
    scene.standin.control("faults/clear", {})

    ran(change)

    assert (change.state, change.error_kind) == ("failed", "refused")
    assert "Enter two new codes in a new request" in change.error_message
    assert scene.standin.calls("iam:ResyncMFADevice") == 0


def test_codes_that_aws_does_not_take_fail_the_change_and_are_gone(scene: Scene) -> None:
    device, _ = make_device(scene)
    sealed_id = seal_codes("000000", "000001", sealed_id=uuid4(), account_id=scene.account.account_id)
    change = queued(scene, ResyncMfaDevice.of_user(device, user=scene.user, sealed_id=sealed_id))

    ran(change)

    assert change.state == "failed"
    assert "000001" not in str(change.calls) + str(change.receipt)
    assert "Nothing was changed in AWS" in change.error_message


@pytest.mark.parametrize("codes", [("12345", "123456"), ("abcdef", "123456"), ("123456", "١٢٣٤٥٦")])
def test_what_are_no_codes_is_refused(db: None, codes: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="6 digits"):
        seal_codes(*codes, sealed_id=uuid4(), account_id="111111111111")


@pytest.mark.parametrize("wanted", [None, 8, 40])
def test_a_new_password_fits_the_policy_of_the_account(db: None, wanted: int | None) -> None:
    account = factories.account()
    if wanted:
        factories.password_policy(account, minimum_length=wanted)
    made = {new_password(account) for _ in range(20)}

    assert len(made) == 20
    for text in made:
        assert len(text) == max(24, wanted or 0)
        assert any(c.isupper() for c in text)
        assert any(c.islower() for c in text)
        assert any(c.isdigit() for c in text)
        assert not text.isalnum()
