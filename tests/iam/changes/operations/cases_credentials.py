"""Keys, certificates and service-specific credentials: made, uploaded, inactive, active, reset, deleted."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

from iam.changes.operations import Operation
from iam.changes.operations import one_time_credential as credentials
from iam.changes.operations.public_key import UploadCertificate, UploadSshKey
from iam.changes.operations.user_credential import ACTIVATE, DEACTIVATE, DeleteCredential, SetStatus
from iam.mirror.models import Kind
from tests.iam.changes.operations.credential_sorts import (
    CERTIFICATES,
    CODECOMMIT,
    KEYS,
    SERVICES,
    SSH,
    Sort,
    kept,
    recipient,
)
from tests.iam.changes.operations.key_pairs import certificate, public_key
from tests.iam.changes.operations.stage import Stage
from tests.iam.changes.operations.table import Case, nothing


def statuses(slug: str, sort: Sort) -> tuple[Case, ...]:
    """The three that all sorts have."""
    return (
        Case(
            f"{slug}.deactivate",
            sort.with_one(partial(SetStatus.of, DEACTIVATE[sort.kind]), status="Active"),
            sort.shows,
            after=becomes("Inactive"),
            meddle=sort.delete,
        ),
        Case(
            f"{slug}.activate",
            sort.with_one(partial(SetStatus.of, ACTIVATE[sort.kind]), status="Inactive"),
            sort.shows,
            after=becomes("Active"),
            meddle=sort.delete,
        ),
        Case(
            f"{slug}.delete",
            sort.with_one(DeleteCredential.of, status="Inactive"),
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
    return credentials.CreateAccessKey.of(user, recipient=recipient(stage), sealed_id=uuid4())


def make_service_credential(stage: Stage) -> Operation:
    """A user gets a credential for CodeCommit."""
    user = SERVICES.make(stage)
    return credentials.CreateServiceCredential.of(
        user, service=CODECOMMIT, recipient=recipient(stage), sealed_id=uuid4()
    )


def reset_service_credential(stage: Stage) -> Operation:
    """A credential gets a new password."""
    SERVICES.make(stage)
    return credentials.ResetServiceCredential.of(
        kept(stage, Kind.SERVICE_CREDENTIAL), recipient=recipient(stage), sealed_id=uuid4()
    )


def upload_ssh_key(stage: Stage) -> Operation:
    """A user with one key uploads another."""
    return UploadSshKey.of(SSH.make(stage), body=public_key(2))


def upload_certificate(stage: Stage) -> Operation:
    """A user with one certificate uploads another."""
    return UploadCertificate.of(CERTIFICATES.make(stage), body=certificate(2))


CASES = (
    *statuses(
        "access_key",
        KEYS,
    ),
    *statuses(
        "service_credential",
        SERVICES,
    ),
    *statuses(
        "ssh_key",
        SSH,
    ),
    *statuses(
        "signing_certificate",
        CERTIFICATES,
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
)
