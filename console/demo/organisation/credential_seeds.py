"""Seeds other credentials of users: MFA devices, SSH keys, certificates, and root users."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import moto.iam.models as models

from console.demo.organisation import material
from console.demo.organisation.specs import DeviceSpec, KeySpec, RootSpec, UserCredentialSpec
from console.demo.organisation.times import OrganisationTimes, tag_list
from console.demo.standin import ids
from console.demo.standin.iam.credentials import WITH_AGE, fingerprint, service_user_name
from console.demo.standin.iam.extras import (
    MfaDevice,
    RootUser,
    ServiceCredential,
    account_extras,
    user_extras,
)

CERTIFIED = {"FIPS-140-2-L2": "1", "FIDO-L1": "1"}


def device(backend: Any, user: Any, spec: DeviceSpec, *, times: OrganisationTimes) -> None:
    """Give a user an MFA device that was enabled some time ago."""
    account = backend.account_id
    label = spec.label or user.name
    serial = serial_number(account, user.name, spec)
    tags = tag_list(spec.tags)
    seed = material.base32_seed(account, serial) if spec.kind in {"virtual", "hardware"} else ""
    certifications = dict(CERTIFIED) if spec.kind == "security-key" else {}
    account_extras(backend).devices[serial] = MfaDevice(
        serial=serial,
        kind=spec.kind,
        seed=seed,
        enabled=times.made(spec.age, account, "mfa", user.name, label),
        user=user,
        tags=tags,
        certifications=certifications,
    )


def serial_number(account: str, user_name: str, spec: DeviceSpec) -> str:
    """Return a serial number in AWS's format for this type of device."""
    label = spec.label or user_name
    if spec.kind == "virtual":
        return f"arn:aws:iam::{account}:mfa/{label}"
    if spec.kind == "hardware":
        return f"GAHT{int(ids.digest('token', account, user_name)[:8], 16) % 10**8:08d}"
    letters = ids.stable("", account, "u2f", user_name, label)
    return f"arn:aws:iam::{account}:u2f/user/{user_name}/{label}-{letters}"


def credential(
    backend: Any, user: Any, spec: UserCredentialSpec, index: int, *, times: OrganisationTimes
) -> None:
    """Give the user an SSH key, a signing certificate or a service-specific credential."""
    account = backend.account_id
    made = times.made(spec.age, account, spec.kind, user.name, str(index))
    status = "Active" if spec.active else "Inactive"
    if spec.kind == "ssh":
        key = user.upload_ssh_public_key(material.ssh_key(f"{user.name}{index}@{account}"))
        key.ssh_public_key_id = ids.stable("APKA", account, user.name, str(index))
        key.fingerprint = fingerprint(key.ssh_public_key_body)
        key.upload_date, key.status = made, status
    elif spec.kind == "signing":
        ends = made + timedelta(days=spec.age + (spec.expires_in or 365))
        body = material.certificate(f"{user.name}{index}", begins=made, ends=ends)
        number = ids.digest("signing", account, user.name, str(index))[:32].upper()
        signing = models.SigningCertificate(number, user.name, body)
        signing.upload_date, signing.status = made, status
        user.signing_certificates[number] = signing
    else:
        extras = user_extras(user)
        taken = sum(c.service == spec.service for c in extras.service_credentials)
        name = service_user_name(user, spec.service, taken)
        user_name, alias = ("", name) if spec.service in WITH_AGE else (name, None)
        expires = None if spec.expires_in is None else times.anchor + timedelta(days=spec.expires_in)
        extras.service_credentials.append(
            ServiceCredential(
                id=ids.stable("ACCA", account, user.name, spec.service, str(index)),
                service=spec.service,
                service_user_name=user_name,
                created=made,
                status=status,
                expires=expires,
                alias=alias,
            )
        )


def root_user(backend: Any, spec: RootSpec, *, age: float, times: OrganisationTimes) -> None:
    """Seed the root user of the account."""
    account = backend.account_id
    created = times.made(age, account, "root")
    mfa_enabled = times.made(age - 1, account, "root mfa") if spec.mfa else None
    root = RootUser(
        created=created,
        password_changed=times.made(spec.password_age, account, "root password"),
        last_used=times.used(spec.used),
        mfa=spec.mfa,
        mfa_enabled=mfa_enabled,
        keys=[root_key(key, account, index, times=times) for index, key in enumerate(spec.keys)],
    )
    extras = account_extras(backend)
    extras.root = root
    if spec.mfa == "virtual":
        serial = f"arn:aws:iam::{account}:mfa/root-account-mfa-device"
        extras.devices[serial] = MfaDevice(serial=serial, kind="virtual", enabled=root.mfa_enabled)


def root_key(spec: KeySpec, account: str, index: int, *, times: OrganisationTimes) -> Any:
    """Return an access key of the root user, which no account should have."""
    status = "Active" if spec.active else "Inactive"
    key = models.AccessKey(None, "AKIA", account, status)
    key.access_key_id = ids.stable_key("AKIA", account, "root", str(index))
    key.create_date = times.made(spec.age, account, "root key", str(index))
    used = times.used(spec.used)
    key.last_used = models.AccessKeyLastUsed(used, spec.service, spec.region) if used else None
    return key
