"""Instance profiles, identity providers, server certificates, EC2 instances and trails."""

from __future__ import annotations

from iam.aws.reads.instances import InstanceRecord
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


def instance_profile(record: InstanceProfileRecord) -> FoundEntity:
    """An instance profile with its role; tags come with the detail lane."""
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
    """A SAML provider, its metadata as its document; it is told apart by its ARN."""
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
    """A TLS certificate kept in IAM."""
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
    """An EC2 instance and the instance profile that it uses."""
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
    """A CloudTrail trail; when it last delivered is its last use."""
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
