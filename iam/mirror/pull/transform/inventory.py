"""Converts instance profiles, identity providers, server certificates, EC2 instances, trails, Roles Anywhere,
pod identity associations and delegation requests.
"""

from __future__ import annotations

from collections.abc import Iterable

from iam.aws.reads.delegation import DelegationRequest
from iam.aws.reads.instances import InstanceRecord
from iam.aws.reads.pod_identities import PodIdentityAssociation
from iam.aws.reads.roles_anywhere import RolesAnywhereProfile, TrustAnchor
from iam.aws.reads.trails import DescribedTrail
from iam.aws.records import (
    InstanceProfileRecord,
    OidcProviderRecord,
    SamlProviderRecord,
    ServerCertificateRecord,
)
from iam.mirror.models import EdgeKind, Kind
from iam.mirror.pull.facts import EntityRef, FoundEntity, by_arn, by_name
from iam.mirror.pull.transform.principals import Intern
from iam.mirror.pull.usage import instant

SWITCHED = {True: "enabled", False: "disabled"}


def instance_profile(record: InstanceProfileRecord) -> FoundEntity:
    """An instance profile with its role. Its tags are read by the detail lane."""
    return FoundEntity(
        kind=Kind.INSTANCE_PROFILE.value,
        aws_id=record.aws_id,
        name=record.name,
        arn=record.arn,
        path=record.path,
        created_at=record.created_at,
        edges=tuple((EdgeKind.PROFILE_ROLE.value, by_name(Kind.ROLE.value, role)) for role in record.roles),
    )


def saml_provider(record: SamlProviderRecord, *, intern: Intern) -> FoundEntity:
    """A SAML provider, identified by its ARN, with its metadata as its document."""
    return FoundEntity(
        kind=Kind.SAML_PROVIDER.value,
        aws_id=record.arn,
        name=record.name,
        arn=record.arn,
        created_at=record.created_at,
        document=intern(record.metadata),
        attrs={"ValidUntil": instant(record.valid_until), "MetadataDigest": record.metadata_digest},
        tags=dict(record.tags),
    )


def oidc_provider(record: OidcProviderRecord) -> FoundEntity:
    """An OpenID Connect provider, named by its URL without the scheme."""
    return FoundEntity(
        kind=Kind.OIDC_PROVIDER.value,
        aws_id=record.arn,
        name=record.url or record.arn.partition(":oidc-provider/")[2],
        arn=record.arn,
        created_at=record.created_at,
        attrs={"ClientIDList": sorted(record.client_ids), "ThumbprintList": sorted(record.thumbprints)},
        tags=dict(record.tags),
    )


def server_certificate(record: ServerCertificateRecord) -> FoundEntity:
    """A TLS certificate stored in IAM."""
    return FoundEntity(
        kind=Kind.SERVER_CERTIFICATE.value,
        aws_id=record.aws_id,
        name=record.name,
        arn=record.arn,
        path=record.path,
        created_at=record.uploaded_at,
        attrs={"Expiration": instant(record.expires_at)},
    )


def instance(record: InstanceRecord, *, account_id: str, partition: str) -> FoundEntity:
    """An EC2 instance and its instance profile."""
    edges: tuple[tuple[str, EntityRef], ...] = ()
    if record.profile_arn:
        profile = by_arn(Kind.INSTANCE_PROFILE.value, record.profile_arn)
        edges = ((EdgeKind.INSTANCE_PROFILE.value, profile),)
    return FoundEntity(
        kind=Kind.INSTANCE.value,
        aws_id=record.instance_id,
        name=record.name or record.instance_id,
        arn=f"arn:{partition}:ec2:{record.region}:{account_id}:instance/{record.instance_id}",
        created_at=record.launched_at,
        category=record.state,
        attrs={
            "Region": record.region,
            "AssociationId": record.association_id,
            "HttpEndpoint": "enabled" if record.imds_enabled else "disabled",
            "HttpTokens": "required" if record.requires_imds_v2 else "optional",
            "HttpPutResponseHopLimit": record.hop_limit,
            "PublicIpAddress": record.public_address,
            "HasOwnAddress": record.has_own_address,
        },
        tags=dict(record.tags),
        edges=edges,
    )


def trail(record: DescribedTrail) -> FoundEntity:
    """A CloudTrail trail. The time of its last delivery is stored as its last use."""
    return FoundEntity(
        kind=Kind.TRAIL.value,
        aws_id=record.arn,
        name=record.name,
        arn=record.arn,
        attrs={
            "HomeRegion": record.home_region,
            "S3BucketName": record.bucket,
            "S3KeyPrefix": record.prefix,
            "IsMultiRegionTrail": record.is_multi_region,
            "IsOrganizationTrail": record.is_organization,
            "LogFileValidationEnabled": record.is_validated,
            "KmsKeyId": record.kms_key,
            "CloudWatchLogsLogGroupArn": record.log_group,
            "IsLogging": record.is_logging,
            "ManagementEvents": record.management_events,
            "LatestDeliveryError": record.delivery_error,
        },
    )


def anywhere_profile(record: RolesAnywhereProfile, *, intern: Intern) -> FoundEntity:
    """A Roles Anywhere profile with its roles. Its session policy is its document."""
    document = intern(record.session_policy) if record.session_policy else None
    return FoundEntity(
        kind=Kind.ANYWHERE_PROFILE.value,
        aws_id=record.profile_id,
        name=record.name,
        arn=record.arn,
        created_at=record.created_at,
        category=SWITCHED[record.is_enabled],
        document=document,
        attrs={
            "Region": record.region,
            "RoleArns": list(record.role_arns),
            "ManagedPolicyArns": list(record.managed_policy_arns),
            "DurationSeconds": record.duration_seconds,
            "AcceptRoleSessionName": record.accepts_session_name,
            "AttributeMappings": {name: list(fields) for name, fields in record.mappings.items()},
        },
        edges=_gives(record.role_arns),
    )


def trust_anchor(record: TrustAnchor) -> FoundEntity:
    """A certificate authority that Roles Anywhere trusts."""
    return FoundEntity(
        kind=Kind.TRUST_ANCHOR.value,
        aws_id=record.anchor_id,
        name=record.name,
        arn=record.arn,
        created_at=record.created_at,
        category=SWITCHED[record.is_enabled],
        attrs={"Region": record.region, "SourceType": record.source},
    )


def pod_identity(record: PodIdentityAssociation, *, intern: Intern) -> FoundEntity:
    """A pod identity association with those of its roles that are in the account. Its session policy is its
    document.
    """
    own = record.arn.split(":")[4]
    document = intern(record.policy) if record.policy else None
    roles = [arn for arn in (record.role_arn, record.target_role_arn) if arn and arn.split(":")[4] == own]
    return FoundEntity(
        kind=Kind.POD_IDENTITY.value,
        aws_id=record.association_id,
        name=f"{record.cluster}/{record.namespace}/{record.service_account}",
        arn=record.arn,
        created_at=record.created_at,
        document=document,
        attrs={
            "Region": record.region,
            "ClusterName": record.cluster,
            "Namespace": record.namespace,
            "ServiceAccount": record.service_account,
            "RoleArn": record.role_arn,
            "TargetRoleArn": record.target_role_arn,
            "ExternalId": record.external_id,
            "DisableSessionTags": not record.has_session_tags,
        },
        tags=dict(record.tags),
        edges=_gives(roles),
    )


def _gives(roles: Iterable[str]) -> tuple[tuple[str, EntityRef], ...]:
    return tuple((EdgeKind.WORKLOAD_ROLE.value, by_arn(Kind.ROLE.value, arn)) for arn in dict.fromkeys(roles))


def delegation_request(record: DelegationRequest, *, prefix: str, intern: Intern) -> FoundEntity:
    """A delegation request, named after its requestor, with the requested permissions as its document.
    `prefix` is the start of the account's ARNs.
    """
    document = intern(record.policy) if record.policy else None
    return FoundEntity(
        kind=Kind.DELEGATION_REQUEST.value,
        aws_id=record.request_id,
        name=record.requestor_name or record.requestor_id or record.request_id,
        arn=f"{prefix}delegation-request/{record.request_id}",
        created_at=record.created_at,
        category=record.state,
        document=document,
        attrs={
            "Description": record.description,
            "RequestorId": record.requestor_id,
            "OwnerId": record.owner_arn,
            "ApproverId": record.approver_arn,
            "PolicyTemplateArn": record.template_arn,
            "RolePermissionRestrictionArns": list(record.boundaries),
            "SessionDuration": record.session_duration,
            "UpdatedTime": instant(record.updated_at),
            "ExpirationTime": instant(record.expires_at),
        },
    )
