"""Acts on managed policies, instance profiles, instances, providers and certificates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from iam.changes.acts import options
from iam.changes.acts.base import Act, Given, Subject, entity
from iam.changes.acts.on_principals import set_tags
from iam.changes.errors import FieldError
from iam.changes.operations import Operation, SetDefaultVersion
from iam.changes.operations.former_version import DeletePolicyVersion
from iam.changes.operations.instance_profile import ADD_ROLE, REMOVE_ROLE, RoleInProfile, profile_for
from iam.changes.operations.oidc_provider import (
    ADD_CLIENT_ID,
    MAX_CLIENTS,
    REMOVE_CLIENT_ID,
    Client,
    DeleteOidcProvider,
    SetThumbprints,
)
from iam.changes.operations.saml_provider import DeleteSamlProvider, UpdateSamlProvider
from iam.changes.operations.server_certificate import DeleteServerCertificate, UpdateServerCertificate
from iam.changes.operations.virtual_mfa_device import DeleteSpareMfaDevice
from iam.mirror.models import Edge, EdgeKind, Entity, Kind, PolicyVersion, valid_at
from iam.mirror.refresh.credentials import is_virtual

POLICY, PROFILE, INSTANCE = Kind.POLICY.value, Kind.INSTANCE_PROFILE.value, Kind.INSTANCE.value

DEVICE: Final = Kind.MFA_DEVICE.value

SAML, OIDC, CERTIFICATE = Kind.SAML_PROVIDER.value, Kind.OIDC_PROVIDER.value, Kind.SERVER_CERTIFICATE.value

_TAGGED: Final = (POLICY, PROFILE, SAML, OIDC, CERTIFICATE, DEVICE)


def _version(subject: Subject, fields: Given) -> PolicyVersion:
    return PolicyVersion.objects.get(valid_at(None), policy=entity(subject), version_id=fields["version"])


def _set_default(subject: Subject, fields: Given) -> Sequence[Operation]:
    return [SetDefaultVersion.of(entity(subject), version=_version(subject, fields))]


def _delete_version(subject: Subject, fields: Given) -> Sequence[Operation]:
    return [DeletePolicyVersion.of(entity(subject), version=_version(subject, fields))]


def _fill(subject: Subject, fields: Given) -> Sequence[Operation]:
    profile = entity(subject)
    role = options.entity_named(profile.account, Kind.ROLE, fields["role"], field="role")
    return [RoleInProfile.of(ADD_ROLE, profile, role=role)]


def _empty(subject: Subject, fields: Given) -> Sequence[Operation]:
    profile = entity(subject)
    role = options.entity_named(profile.account, Kind.ROLE, fields["role"], field="role")
    return [RoleInProfile.of(REMOVE_ROLE, profile, role=role)]


def roles_in(profile: Entity) -> list[tuple[str, str]]:
    """The role in an instance profile."""
    edges = Edge.objects.filter(valid_at(None), kind=EdgeKind.PROFILE_ROLE, source=profile)
    return [(edge.target.name, edge.target.name) for edge in edges.select_related("target")]


def _has_profile(subject: Subject) -> bool:
    return Edge.objects.filter(
        valid_at(None), kind=EdgeKind.INSTANCE_PROFILE, source=entity(subject)
    ).exists()


def _give_profile(subject: Subject, fields: Given) -> Sequence[Operation]:
    instance = entity(subject)
    profile = options.entity_named(
        instance.account, Kind.INSTANCE_PROFILE, fields["profile"], field="profile"
    )
    return [profile_for(instance, profile=profile)]


def _take_profile(subject: Subject, fields: Given) -> Sequence[Operation]:
    return [profile_for(entity(subject), profile=None)]


def _metadata(subject: Subject, fields: Given) -> Sequence[Operation]:
    return [UpdateSamlProvider.of(entity(subject), metadata=fields["metadata"])]


def _delete_provider(subject: Subject, fields: Given) -> Sequence[Operation]:
    subject_entity = entity(subject)
    return [(DeleteSamlProvider if subject_entity.kind == SAML else DeleteOidcProvider).of(subject_entity)]


def _thumbprints(subject: Subject, fields: Given) -> Sequence[Operation]:
    return [SetThumbprints.of(entity(subject), thumbprints=fields["thumbprints"])]


def _clients(subject: Subject, fields: Given) -> Sequence[Operation]:
    """Operations that change the audiences; additions come first, so that the provider always has one."""
    subject_entity = entity(subject)
    state = options.state_of(subject_entity)
    now = list(state.attrs.get("ClientIDList") or ()) if state else []
    if len(fields["clients"]) > MAX_CLIENTS:
        raise FieldError(
            f"A provider has at most {MAX_CLIENTS} audiences, not {len(fields['clients'])}.",
            field="clients",
        )
    fresh = [
        Client.of(ADD_CLIENT_ID, subject_entity, client=client)
        for client in fields["clients"]
        if client not in now
    ]
    gone = [
        Client.of(REMOVE_CLIENT_ID, subject_entity, client=client)
        for client in now
        if client not in fields["clients"]
    ]
    return [*fresh, *gone]


def _rename_certificate(subject: Subject, fields: Given) -> Sequence[Operation]:
    return [UpdateServerCertificate.of(entity(subject), new_name=fields["name"], new_path=fields["path"])]


def _delete_certificate(subject: Subject, fields: Given) -> Sequence[Operation]:
    return [DeleteServerCertificate.of(entity(subject))]


def _delete_device(subject: Subject, fields: Given) -> Sequence[Operation]:
    return [DeleteSpareMfaDevice.of(entity(subject))]


def _is_own(subject: Subject) -> bool:
    """True if the subject can have tags here: AWS managed policies can't, and neither can hardware MFA
    devices.
    """
    subject_entity = entity(subject)
    return ":iam::aws:" not in subject_entity.arn and (
        subject_entity.kind != DEVICE or is_virtual(subject_entity.aws_id)
    )


POLICY_ACTS: Final = (
    Act(
        "set-default",
        (POLICY,),
        _set_default,
        is_open=lambda subject: _is_own(subject) and bool(options.spare_versions(entity(subject))),
    ),
    Act(
        "delete-version",
        (POLICY,),
        _delete_version,
        is_open=lambda subject: _is_own(subject) and bool(options.spare_versions(entity(subject))),
    ),
    Act("tag-it", _TAGGED, set_tags, is_open=_is_own),
    Act("add-role", (PROFILE,), _fill, is_open=lambda subject: not roles_in(entity(subject))),
    Act("remove-role", (PROFILE,), _empty, is_open=lambda subject: bool(roles_in(entity(subject)))),
    Act("give-profile", (INSTANCE,), _give_profile),
    Act("take-profile", (INSTANCE,), _take_profile, is_open=_has_profile),
    Act("metadata", (SAML,), _metadata),
    Act("clients", (OIDC,), _clients),
    Act("thumbprints", (OIDC,), _thumbprints),
    Act("delete-provider", (SAML, OIDC), _delete_provider),
    Act("rename-certificate", (CERTIFICATE,), _rename_certificate),
    Act("delete-certificate", (CERTIFICATE,), _delete_certificate),
    Act(
        "delete-device",
        (DEVICE,),
        _delete_device,
        is_open=lambda subject: not entity(subject).owner_id and is_virtual(entity(subject).aws_id),
    ),
)
