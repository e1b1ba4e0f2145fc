"""Acts on managed policies, instance profiles, instances, providers and certificates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from iam.changes.acts import choosing
from iam.changes.acts.base import ACCESS, END, Act, Subject, entity
from iam.changes.acts.fields import CHOICE, LINES, LONG, NAME, Field, FieldError, Given
from iam.changes.acts.on_principals import TAG_FIELD
from iam.changes.operations import Operation, SetDefaultVersion
from iam.changes.operations.former_version import DeletePolicyVersion
from iam.changes.operations.instance_association import profile_for
from iam.changes.operations.oidc_provider import (
    ADD_CLIENT_ID,
    MOST_CLIENTS,
    REMOVE_CLIENT_ID,
    Client,
    DeleteOidcProvider,
    SetThumbprints,
)
from iam.changes.operations.profile_role import ADD_ROLE, REMOVE_ROLE, RoleInProfile
from iam.changes.operations.saml_provider import DeleteSamlProvider, UpdateSamlProvider
from iam.changes.operations.server_certificate import DeleteServerCertificate, UpdateServerCertificate
from iam.changes.operations.spare_mfa_device import DeleteSpareMfaDevice
from iam.changes.operations.tags import SetTags
from iam.mirror.models import Edge, EdgeKind, Entity, Kind, PolicyVersion, valid_at
from iam.mirror.refresh.credentials import is_virtual

POLICY, PROFILE, INSTANCE = Kind.POLICY.value, Kind.INSTANCE_PROFILE.value, Kind.INSTANCE.value
DEVICE: Final = Kind.MFA_DEVICE.value
SAML, OIDC, CERTIFICATE = Kind.SAML_PROVIDER.value, Kind.OIDC_PROVIDER.value, Kind.SERVER_CERTIFICATE.value
_TAGGED: Final = (POLICY, PROFILE, SAML, OIDC, CERTIFICATE, DEVICE)


def _tag(subject: Subject, given: Given) -> Sequence[Operation]:
    return [SetTags.of(entity(subject), tags=given["tags"])]


def _version(subject: Subject, given: Given) -> PolicyVersion:
    return PolicyVersion.objects.get(valid_at(None), policy=entity(subject), version_id=given["version"])


def _set_default(subject: Subject, given: Given) -> Sequence[Operation]:
    return [SetDefaultVersion.of(entity(subject), version=_version(subject, given))]


def _delete_version(subject: Subject, given: Given) -> Sequence[Operation]:
    return [DeletePolicyVersion.of(entity(subject), version=_version(subject, given))]


def _fill(subject: Subject, given: Given) -> Sequence[Operation]:
    profile = entity(subject)
    role = choosing.named(profile.account, Kind.ROLE, given["role"], field="role")
    return [RoleInProfile.of(ADD_ROLE, profile, role=role)]


def _empty(subject: Subject, given: Given) -> Sequence[Operation]:
    profile = entity(subject)
    role = choosing.named(profile.account, Kind.ROLE, given["role"], field="role")
    return [RoleInProfile.of(REMOVE_ROLE, profile, role=role)]


def roles_in(profile: Entity) -> list[tuple[str, str]]:
    """The role that an instance profile holds."""
    edges = Edge.objects.filter(valid_at(None), kind=EdgeKind.PROFILE_ROLE, source=profile)
    return [(edge.target.name, edge.target.name) for edge in edges.select_related("target")]


def _has_profile(subject: Subject) -> bool:
    return Edge.objects.filter(
        valid_at(None), kind=EdgeKind.INSTANCE_PROFILE, source=entity(subject)
    ).exists()


def _give_profile(subject: Subject, given: Given) -> Sequence[Operation]:
    instance = entity(subject)
    profile = choosing.named(instance.account, Kind.INSTANCE_PROFILE, given["profile"], field="profile")
    return [profile_for(instance, profile=profile)]


def _take_profile(subject: Subject, given: Given) -> Sequence[Operation]:
    return [profile_for(entity(subject), profile=None)]


def _metadata(subject: Subject, given: Given) -> Sequence[Operation]:
    return [UpdateSamlProvider.of(entity(subject), metadata=given["metadata"])]


def _delete_provider(subject: Subject, given: Given) -> Sequence[Operation]:
    one = entity(subject)
    return [(DeleteSamlProvider if one.kind == SAML else DeleteOidcProvider).of(one)]


def _thumbprints(subject: Subject, given: Given) -> Sequence[Operation]:
    return [SetThumbprints.of(entity(subject), thumbprints=given["thumbprints"])]


def _listed(name: str) -> Field:
    """What a provider has in a list, a line each."""
    words = {"ClientIDList": "Audiences (client IDs)", "ThumbprintList": "Thumbprints"}
    field = "clients" if name == "ClientIDList" else "thumbprints"
    return Field(
        field,
        words[name],
        LINES,
        hint="One per line.",
        is_needed=False,
        start=lambda one: "\n".join(getattr(choosing.state_of(one), "attrs", {}).get(name) or ()),
    )


def _clients(subject: Subject, given: Given) -> Sequence[Operation]:
    """What is new is added before what goes is removed: a provider is never without its audience."""
    one = entity(subject)
    state = choosing.state_of(one)
    now = list(state.attrs.get("ClientIDList") or ()) if state else []
    if len(given["clients"]) > MOST_CLIENTS:
        raise FieldError(
            f"A provider has at most {MOST_CLIENTS} audiences, not {len(given['clients'])}.",
            field="clients",
        )
    fresh = [Client.of(ADD_CLIENT_ID, one, client=client) for client in given["clients"] if client not in now]
    gone = [
        Client.of(REMOVE_CLIENT_ID, one, client=client) for client in now if client not in given["clients"]
    ]
    return [*fresh, *gone]


def _rename_certificate(subject: Subject, given: Given) -> Sequence[Operation]:
    return [UpdateServerCertificate.of(entity(subject), name=given["name"], path=given["path"])]


def _delete_certificate(subject: Subject, given: Given) -> Sequence[Operation]:
    return [DeleteServerCertificate.of(entity(subject))]


def _delete_device(subject: Subject, given: Given) -> Sequence[Operation]:
    return [DeleteSpareMfaDevice.of(entity(subject))]


def _is_own(subject: Subject) -> bool:
    """Not one of AWS; of MFA devices only virtual ones have tags."""
    one = entity(subject)
    return ":iam::aws:" not in one.arn and (one.kind != DEVICE or is_virtual(one.aws_id))


VERSION = Field("version", "Version", CHOICE, choices=choosing.spare_versions)

POLICY_ACTS: Final = (
    Act(
        "set-default",
        "Set default version",
        "Set the default version of {}",
        (POLICY,),
        _set_default,
        (VERSION,),
        is_open=lambda one: _is_own(one) and bool(choosing.spare_versions(entity(one))),
        part=ACCESS,
    ),
    Act(
        "delete-version",
        "Delete version",
        "Delete a version of {}",
        (POLICY,),
        _delete_version,
        (VERSION,),
        is_danger=True,
        is_open=lambda one: _is_own(one) and bool(choosing.spare_versions(entity(one))),
    ),
    Act("tag-it", "Edit tags", "Edit tags of {}", _TAGGED, _tag, (TAG_FIELD,), is_open=_is_own),
    Act(
        "add-role",
        "Add role",
        "Add a role to {}",
        (PROFILE,),
        _fill,
        (
            Field(
                "role",
                "Role",
                NAME,
                hint="A role whose trust policy allows ec2.amazonaws.com.",
                choices=lambda one: choosing.of_kind(one.account, Kind.ROLE),
            ),
        ),
        is_open=lambda one: not roles_in(entity(one)),
        part=ACCESS,
    ),
    Act(
        "remove-role",
        "Remove role",
        "Remove the role from {}",
        (PROFILE,),
        _empty,
        (
            Field(
                "role",
                "Role",
                CHOICE,
                choices=roles_in,
                start=lambda one: next((v for v, _ in roles_in(one)), ""),
            ),
        ),
        is_danger=True,
        is_open=lambda one: bool(roles_in(entity(one))),
        note="Instances with this profile lose their AWS credentials.",
        part=ACCESS,
    ),
    Act(
        "give-profile",
        "Attach instance profile",
        "Attach an instance profile to {}",
        (INSTANCE,),
        _give_profile,
        (
            Field(
                "profile",
                "Instance profile",
                NAME,
                hint="Its name. It replaces the current instance profile.",
                choices=lambda one: choosing.of_kind(one.account, Kind.INSTANCE_PROFILE),
            ),
        ),
        part=ACCESS,
    ),
    Act(
        "take-profile",
        "Detach instance profile",
        "Detach the instance profile of {}",
        (INSTANCE,),
        _take_profile,
        is_danger=True,
        is_open=_has_profile,
        note="Applications on the instance lose their AWS credentials.",
        part=ACCESS,
    ),
    Act(
        "metadata",
        "Replace metadata",
        "Replace the metadata of {}",
        (SAML,),
        _metadata,
        (Field("metadata", "Metadata document", LONG, hint="The XML file from the identity provider."),),
    ),
    Act("clients", "Edit audiences", "Edit audiences of {}", (OIDC,), _clients, (_listed("ClientIDList"),)),
    Act(
        "thumbprints",
        "Edit thumbprints",
        "Edit thumbprints of {}",
        (OIDC,),
        _thumbprints,
        (_listed("ThumbprintList"),),
    ),
    Act(
        "delete-provider",
        "Delete",
        "Delete {}",
        (SAML, OIDC),
        _delete_provider,
        is_danger=True,
        note="No one can sign in to AWS with it any more.",
        part=END,
    ),
    Act(
        "rename-certificate",
        "Rename or move",
        "Rename or move {}",
        (CERTIFICATE,),
        _rename_certificate,
        (
            Field("name", "Name", start=lambda one: one.name),
            Field("path", "Path", start=lambda one: getattr(choosing.state_of(one), "path", "/")),
        ),
    ),
    Act(
        "delete-certificate",
        "Delete",
        "Delete {}",
        (CERTIFICATE,),
        _delete_certificate,
        is_danger=True,
        note="A load balancer that still uses it can stop accepting traffic.",
        part=END,
    ),
    Act(
        "delete-device",
        "Delete",
        "Delete the virtual MFA device {}",
        (DEVICE,),
        _delete_device,
        is_danger=True,
        is_open=lambda one: not entity(one).owner_id and is_virtual(entity(one).aws_id),
        part=END,
    ),
)
