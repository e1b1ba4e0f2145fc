"""Credentials of users: made, uploaded, inactive, active, reset, deleted."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

from console.demo.standin import totp
from iam.changes.operations import Operation
from iam.changes.operations import access_key as keys
from iam.changes.operations import mfa_device as mfa
from iam.changes.operations import service_credential as service
from iam.changes.operations import signing_certificate as certificates
from iam.changes.operations import ssh_key as ssh
from iam.changes.operations.console_password import CreateLoginProfile, UpdateLoginProfile
from iam.changes.operations.login_profile import DeleteLoginProfile, RequirePasswordChange
from iam.changes.operations.sealed_secret import Recipient
from iam.changes.operations.spare_mfa_device import DeleteSpareMfaDevice
from iam.changes.operations.user_credential import OnCredential
from iam.mirror.models import Entity, Kind
from iam.mirror.pull.sections import (
    ACCESS_KEYS,
    LOGIN_PROFILES,
    SERVICE_CREDENTIALS,
    SIGNING_CERTIFICATES,
    SSH_KEYS,
    USER_MFA,
)
from iam.mirror.reread.credentials import read_credentials, reread_credentials
from tests.changes.operations.key_pairs import certificate, public_key
from tests.changes.operations.stage import Stage, shown_or_none
from tests.changes.operations.table import Case, nothing

Make = Callable[[Stage], Operation]
CODECOMMIT = "codecommit.amazonaws.com"


def see(stage: Stage, user: Entity, section: str, *, spare: tuple[str, ...] = ()) -> None:
    """Have the mirror read a section of the user's credentials."""
    read = read_credentials(stage.scene.aws, user_name=user.name, section=section)
    reread_credentials(stage.account, user, replace(read, spare=spare), cause_id=None)


def recipient(stage: Stage) -> Recipient:
    """Who asks reads the secret."""
    return Recipient(stage.scene.requester.person_id, stage.scene.requester.name)


def kept(stage: Stage, kind: Kind) -> Entity:
    """The credential that the stage keeps, as the mirror has it."""
    found = Entity.objects.select_related("owner", "account")
    return found.get(account=stage.account, kind=kind, aws_id=stage.keep["id"])


class Sort:
    """One sort of credential: how boto3 makes one, changes its status, and lists those of a user."""

    def __init__(
        self,
        kind: Kind,
        section: str,
        *,
        word: str,
        id_name: str,
        made: Callable[[Stage, str], str],
        listed: Callable[[Stage, str], list[dict[str, Any]]],
    ) -> None:
        self.kind, self.section, self.word, self.id_name = kind, section, word, id_name
        self._made, self._listed = made, listed

    def make(self, stage: Stage, *, status: str = "Active") -> Entity:
        """One of this status, in AWS and in the mirror; its user."""
        user = stage.user()
        stage.keep.update(user=user.name, id=self._made(stage, user.name))
        self.set(stage, status)
        see(stage, user, self.section)
        return user

    def with_one(self, operation: type[OnCredential], *, status: str) -> Make:
        """An operation on one of this status."""

        def make(stage: Stage) -> Operation:
            self.make(stage, status=status)
            return operation.of(kept(stage, self.kind))

        return make

    def set(self, stage: Stage, status: str) -> None:
        """Give it a status by hand."""
        self._call(stage, "update", Status=status)

    def delete(self, stage: Stage) -> None:
        """Somebody deletes it."""
        self._call(stage, "delete")

    def _call(self, stage: Stage, verb: str, **params: Any) -> None:
        named = {"UserName": stage.keep["user"], self.id_name: stage.keep["id"]}
        getattr(stage.iam, f"{verb}_{self.word}")(**named, **params)

    def shows(self, stage: Stage) -> Any:
        """Its status."""
        found = self._listed(stage, stage.keep["user"])
        return {one[self.id_name]: one["Status"] for one in found}.get(stage.keep["id"])

    def counts(self, stage: Stage) -> Any:
        """The statuses of all that the user has."""
        return sorted(one["Status"] for one in self._listed(stage, stage.keep["user"]))

    def add(self, stage: Stage) -> None:
        """Somebody makes another."""
        self._made(stage, stage.keep["user"])


KEYS = Sort(
    Kind.ACCESS_KEY,
    ACCESS_KEYS,
    word="access_key",
    id_name="AccessKeyId",
    made=lambda stage, user: stage.iam.create_access_key(UserName=user)["AccessKey"]["AccessKeyId"],
    listed=lambda stage, user: stage.iam.list_access_keys(UserName=user)["AccessKeyMetadata"],
)
SERVICES = Sort(
    Kind.SERVICE_CREDENTIAL,
    SERVICE_CREDENTIALS,
    word="service_specific_credential",
    id_name="ServiceSpecificCredentialId",
    made=lambda stage, user: stage.iam.create_service_specific_credential(
        UserName=user, ServiceName=CODECOMMIT
    )["ServiceSpecificCredential"]["ServiceSpecificCredentialId"],
    listed=lambda stage, user: stage.iam.list_service_specific_credentials(UserName=user)[
        "ServiceSpecificCredentials"
    ],
)
SSH = Sort(
    Kind.SSH_KEY,
    SSH_KEYS,
    word="ssh_public_key",
    id_name="SSHPublicKeyId",
    made=lambda stage, user: stage.iam.upload_ssh_public_key(UserName=user, SSHPublicKeyBody=public_key(1))[
        "SSHPublicKey"
    ]["SSHPublicKeyId"],
    listed=lambda stage, user: stage.iam.list_ssh_public_keys(UserName=user)["SSHPublicKeys"],
)
CERTIFICATES = Sort(
    Kind.SIGNING_CERTIFICATE,
    SIGNING_CERTIFICATES,
    word="signing_certificate",
    id_name="CertificateId",
    made=lambda stage, user: stage.iam.upload_signing_certificate(
        UserName=user, CertificateBody=certificate(1)
    )["Certificate"]["CertificateId"],
    listed=lambda stage, user: stage.iam.list_signing_certificates(UserName=user)["Certificates"],
)


def statuses(
    slug: str,
    sort: Sort,
    *,
    deactivate: type[OnCredential],
    activate: type[OnCredential],
    delete: type[OnCredential],
) -> tuple[Case, ...]:
    """The three that all sorts have."""
    return (
        Case(
            f"{slug}.deactivate",
            sort.with_one(deactivate, status="Active"),
            sort.shows,
            after=becomes("Inactive"),
            meddle=sort.delete,
        ),
        Case(
            f"{slug}.activate",
            sort.with_one(activate, status="Inactive"),
            sort.shows,
            after=becomes("Active"),
            meddle=sort.delete,
        ),
        Case(
            f"{slug}.delete",
            sort.with_one(delete, status="Inactive"),
            sort.shows,
            after=nothing,
            meddle=lambda stage: sort.set(stage, "Active"),
            is_reversible=False,
        ),
    )


def becomes(status: str) -> Callable[[Stage, Any], Any]:
    """It has this status."""
    return lambda stage, before: status


def one_more(stage: Stage, before: Any) -> Any:
    """One more, which is active."""
    return sorted([*before, "Active"])


def make_key(stage: Stage) -> Operation:
    """A user with one key gets another."""
    user = KEYS.make(stage, status="Inactive")
    return keys.CreateAccessKey.of(user, recipient=recipient(stage), sealed_id=uuid4())


def make_service_credential(stage: Stage) -> Operation:
    """A user gets a credential for CodeCommit."""
    user = SERVICES.make(stage)
    return service.CreateServiceCredential.of(
        user, service=CODECOMMIT, recipient=recipient(stage), sealed_id=uuid4()
    )


def reset_service_credential(stage: Stage) -> Operation:
    """A credential gets a new password."""
    SERVICES.make(stage)
    return service.ResetServiceCredential.anew(
        kept(stage, Kind.SERVICE_CREDENTIAL), recipient=recipient(stage), sealed_id=uuid4()
    )


def upload_ssh_key(stage: Stage) -> Operation:
    """A user with one key uploads another."""
    return ssh.UploadSshKey.of(SSH.make(stage), body=public_key(2))


def upload_certificate(stage: Stage) -> Operation:
    """A user with one certificate uploads another."""
    return certificates.UploadCertificate.of(CERTIFICATES.make(stage), body=certificate(2))


def with_password(stage: Stage) -> Entity:
    """A user with a console password."""
    user = stage.user()
    stage.iam.create_login_profile(UserName=user.name, Password="harbour-Lantern-42!")
    stage.keep.update(user=user.name)
    see(stage, user, LOGIN_PROFILES)
    return user


def without_password(stage: Stage) -> Operation:
    """A user without a console password gets one."""
    user = stage.user()
    stage.keep.update(user=user.name)
    see(stage, user, LOGIN_PROFILES)
    return CreateLoginProfile.of(user, recipient=recipient(stage), sealed_id=uuid4())


def another_password(stage: Stage) -> Operation:
    """A user gets another password."""
    return UpdateLoginProfile.of(with_password(stage), recipient=recipient(stage), sealed_id=uuid4())


def shows_password(stage: Stage) -> Any:
    """Whether there is a password, and whether it must be changed."""
    found = shown_or_none(stage.iam.get_login_profile, UserName=stage.keep["user"])
    return {"reset": found["LoginProfile"].get("PasswordResetRequired", False)} if found else None


def must_change(stage: Stage, before: Any) -> Any:
    """There is a password that must be changed."""
    return {"reset": True}


def give_password(stage: Stage) -> None:
    """Somebody gives the user a password."""
    stage.iam.create_login_profile(UserName=stage.keep["user"], Password="harbour-Lantern-43!")


def take_password(stage: Stage) -> None:
    """Somebody takes the password away."""
    stage.iam.delete_login_profile(UserName=stage.keep["user"])


def make_device(stage: Stage, *, is_assigned: bool = True) -> tuple[Entity, Entity]:
    """A virtual device, assigned to a user; both, as the mirror has them."""
    user = stage.user()
    made = stage.iam.create_virtual_mfa_device(VirtualMFADeviceName=stage.name("phone"))["VirtualMFADevice"]
    stage.keep.update(user=user.name, id=made["SerialNumber"], seed=made["Base32StringSeed"].decode())
    assign(stage)
    see(stage, user, USER_MFA)
    if not is_assigned:
        unassign(stage)
        see(stage, user, USER_MFA, spare=(stage.keep["id"],))
    return user, kept(stage, Kind.MFA_DEVICE)


def codes(stage: Stage) -> tuple[str, str]:
    """Two codes that the device shows in a row."""
    seed, now = stage.keep["seed"], time.time()
    return totp.code(seed, at=now - totp.STEP), totp.code(seed, at=now)


def assign(stage: Stage) -> None:
    """Give the device to the user."""
    first, second = codes(stage)
    stage.iam.enable_mfa_device(
        UserName=stage.keep["user"],
        SerialNumber=stage.keep["id"],
        AuthenticationCode1=first,
        AuthenticationCode2=second,
    )


def unassign(stage: Stage) -> None:
    """Take it away."""
    stage.iam.deactivate_mfa_device(UserName=stage.keep["user"], SerialNumber=stage.keep["id"])


def enable_device(stage: Stage) -> Operation:
    """A spare device is given to the user."""
    user, device = make_device(stage, is_assigned=False)
    sealed_id = mfa.seal_codes(*codes(stage), sealed_id=uuid4(), account_id=stage.account.account_id)
    return mfa.EnableMfaDevice.by(device, user=user, sealed_id=sealed_id)


def resync_device(stage: Stage) -> Operation:
    """A device is brought into step."""
    user, device = make_device(stage)
    sealed_id = mfa.seal_codes(*codes(stage), sealed_id=uuid4(), account_id=stage.account.account_id)
    return mfa.ResyncMfaDevice.by(device, user=user, sealed_id=sealed_id)


def shows_device(stage: Stage) -> Any:
    """Whether the device is there, and who has it."""
    found = stage.iam.list_virtual_mfa_devices(MaxItems=1000)["VirtualMFADevices"]
    owners = {one["SerialNumber"]: one.get("User", {}).get("UserName") for one in found}
    return {"owner": owners[stage.keep["id"]]} if stage.keep["id"] in owners else None


def spare(stage: Stage, before: Any) -> Any:
    """It is there, and belongs to nobody."""
    return {"owner": None}


def theirs(stage: Stage, before: Any) -> Any:
    """The user has it."""
    return {"owner": stage.keep["user"]}


CASES = (
    *statuses(
        "access_key",
        KEYS,
        deactivate=keys.DeactivateAccessKey,
        activate=keys.ActivateAccessKey,
        delete=keys.DeleteAccessKey,
    ),
    *statuses(
        "service_credential",
        SERVICES,
        deactivate=service.DeactivateServiceCredential,
        activate=service.ActivateServiceCredential,
        delete=service.DeleteServiceCredential,
    ),
    *statuses(
        "ssh_key",
        SSH,
        deactivate=ssh.DeactivateSshKey,
        activate=ssh.ActivateSshKey,
        delete=ssh.DeleteSshKey,
    ),
    *statuses(
        "signing_certificate",
        CERTIFICATES,
        deactivate=certificates.DeactivateCertificate,
        activate=certificates.ActivateCertificate,
        delete=certificates.DeleteCertificate,
    ),
    Case("access_key.create", make_key, KEYS.counts, after=one_more, meddle=KEYS.add, repeats=False),
    Case(
        "service_credential.create",
        make_service_credential,
        SERVICES.counts,
        after=one_more,
        meddle=SERVICES.add,
        repeats=False,
    ),
    Case(
        "service_credential.reset",
        reset_service_credential,
        SERVICES.shows,
        after=becomes("Active"),
        meddle=SERVICES.delete,
        is_reversible=False,
        repeats=False,
    ),
    Case("ssh_key.upload", upload_ssh_key, SSH.counts, after=one_more, meddle=SSH.delete),
    Case(
        "signing_certificate.upload",
        upload_certificate,
        CERTIFICATES.counts,
        after=one_more,
        meddle=CERTIFICATES.delete,
    ),
    Case(
        "login_profile.create",
        without_password,
        shows_password,
        after=must_change,
        meddle=give_password,
        repeats=False,
    ),
    Case(
        "login_profile.update",
        another_password,
        shows_password,
        after=must_change,
        meddle=take_password,
        is_reversible=False,
        repeats=False,
    ),
    Case(
        "login_profile.require_change",
        lambda stage: RequirePasswordChange.of(with_password(stage)),
        shows_password,
        after=must_change,
        meddle=take_password,
    ),
    Case(
        "login_profile.delete",
        lambda stage: DeleteLoginProfile.of(with_password(stage)),
        shows_password,
        after=nothing,
        is_reversible=False,
    ),
    Case("mfa_device.enable", enable_device, shows_device, after=theirs),
    Case(
        "mfa_device.resync",
        resync_device,
        shows_device,
        after=theirs,
        meddle=unassign,
        is_reversible=False,
        repeats=False,
    ),
    Case(
        "mfa_device.deactivate",
        lambda stage: mfa.DeactivateMfaDevice.of(make_device(stage)[1]),
        shows_device,
        after=spare,
        is_reversible=False,
    ),
    Case(
        "mfa_device.delete",
        lambda stage: mfa.DeleteMfaDevice.of(make_device(stage)[1]),
        shows_device,
        after=nothing,
        is_reversible=False,
        calls=2,
    ),
    Case(
        "mfa_device.delete_spare",
        lambda stage: DeleteSpareMfaDevice.of(make_device(stage, is_assigned=False)[1]),
        shows_device,
        after=nothing,
        is_reversible=False,
    ),
)
