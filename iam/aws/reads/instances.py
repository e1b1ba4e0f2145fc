"""EC2 instances of some regions with their instance profile and metadata (IMDS) options."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from operator import itemgetter
from typing import Any, Final

from iam.aws.calls import build_all, invoke
from iam.aws.errors import AwsError, ErrorKind
from iam.aws.reads.pages import token_pages
from iam.aws.session import Aws

AMAZON: Final = "amazon"
"""The owner of public addresses that AWS assigns. The owner of an Elastic IP address is the account."""


@dataclass(frozen=True, slots=True)
class InstanceRecord:
    """An instance that is not terminated. `profile_arn` is None without an instance profile; `association_id`
    is needed to replace or remove the profile; `requires_imds_v2` is False if IMDSv1 is also enabled.

    `public_address` is "" if there is none. `has_own_address` is True if AWS assigned it at the start of the
    instance; the instance keeps it until it stops. An Elastic IP address can be moved to another instance.
    """

    instance_id: str
    region: str
    name: str
    state: str
    launched_at: datetime | None
    profile_arn: str | None
    profile_id: str | None
    association_id: str | None
    imds_enabled: bool
    requires_imds_v2: bool
    hop_limit: int | None
    tags: dict[str, str]
    public_address: str = ""
    has_own_address: bool = False


def list_instances(aws: Aws, *, regions: Iterable[str]) -> tuple[InstanceRecord, ...]:
    """Return all instances of the regions. AwsError if a region cannot be read.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html
    """
    return tuple(chain.from_iterable(_of_region(aws, region=region) for region in regions))


def enabled_regions(aws: Aws) -> tuple[str, ...]:
    """Return the sorted names of the regions that are enabled for the account."""
    client = aws.ec2(aws.home_region)
    regions = token_pages(client, "DescribeRegions", key="Regions", AllRegions=False)
    return tuple(sorted(build_all(regions, itemgetter("RegionName"), action="ec2:DescribeRegions")))


@dataclass(frozen=True, slots=True)
class ProfileOfInstance:
    """The ARN of an instance's profile and the id of the association. Both are empty if it has none."""

    profile_arn: str = ""
    association_id: str = ""


def profile_of_instance(aws: Aws, *, instance_id: str, region: str) -> ProfileOfInstance | None:
    """Return the current instance profile of an instance, or None if the instance does not exist or is
    terminated. Two calls.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeIamInstanceProfileAssociations.html
    """
    if instance_now(aws, instance_id=instance_id, region=region) is None:
        return None
    wanted = [{"Name": "instance-id", "Values": [instance_id]}]
    associations = token_pages(
        aws.ec2(region),
        "DescribeIamInstanceProfileAssociations",
        key="IamInstanceProfileAssociations",
        Filters=wanted,
    )
    # An association that is being removed or was removed is still listed for a while.
    for association in associations:
        if association.get("State") in ("associating", "associated"):
            profile = association.get("IamInstanceProfile", {})
            return ProfileOfInstance(profile.get("Arn", ""), association["AssociationId"])
    return ProfileOfInstance()


def instance_now(
    aws: Aws, *, instance_id: str, region: str, association_id: str | None = None
) -> InstanceRecord | None:
    """Return the current state of an instance, or None if it does not exist or is terminated. One call;
    AwsError.

    `association_id` is copied to the record, because this call does not return it.
    """
    try:
        answer = invoke(aws.ec2(region), "DescribeInstances", {"InstanceIds": [instance_id]})
    except AwsError as error:
        if error.kind is ErrorKind.NOT_FOUND or error.code == "InvalidInstanceID.Malformed":
            return None
        raise
    associations = {instance_id: association_id} if association_id else {}
    reservations = answer.get("Reservations", ())
    instances = list(_instances_in(reservations))
    records = build_all(
        instances,
        lambda instance: _record(instance, region=region, associations=associations),
        action="ec2:DescribeInstances",
    )
    return next((record for record in records if record.state != "terminated"), None)


def _instances_in(reservations: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for reservation in reservations:
        yield from reservation.get("Instances", ())


def _of_region(aws: Aws, *, region: str) -> Iterator[InstanceRecord]:
    client = aws.ec2(region)
    operation = "DescribeIamInstanceProfileAssociations"
    pairs = build_all(
        token_pages(client, operation, key="IamInstanceProfileAssociations"),
        itemgetter("InstanceId", "AssociationId"),
        action=f"ec2:{operation}",
    )
    associations: dict[str, str] = dict(pairs)
    reservations = token_pages(client, "DescribeInstances", key="Reservations", MaxResults=1000)
    records = build_all(
        _instances_in(reservations),
        lambda instance: _record(instance, region=region, associations=associations),
        action="ec2:DescribeInstances",
    )
    return (record for record in records if record.state != "terminated")


def _record(instance: dict[str, Any], *, region: str, associations: dict[str, str]) -> InstanceRecord:
    tags = {tag["Key"]: tag["Value"] for tag in instance.get("Tags", ())}
    profile, metadata = instance.get("IamInstanceProfile", {}), instance.get("MetadataOptions", {})
    return InstanceRecord(
        instance_id=instance["InstanceId"],
        region=region,
        name=tags.get("Name", ""),
        state=instance["State"]["Name"],
        launched_at=instance.get("LaunchTime"),
        profile_arn=profile.get("Arn"),
        profile_id=profile.get("Id"),
        association_id=associations.get(instance["InstanceId"]),
        imds_enabled=metadata.get("HttpEndpoint", "enabled") == "enabled",
        requires_imds_v2=metadata.get("HttpTokens") == "required",
        hop_limit=metadata.get("HttpPutResponseHopLimit"),
        tags=tags,
        public_address=instance.get("PublicIpAddress", ""),
        has_own_address=_has_own_address(instance),
    )


def _has_own_address(instance: dict[str, Any]) -> bool:
    """Return True if AWS assigned the public address and it is not an Elastic IP address.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceNetworkInterfaceAssociation.html
    """
    public = instance.get("PublicIpAddress")
    if not public:
        return False
    associations = [interface.get("Association", {}) for interface in instance.get("NetworkInterfaces", ())]
    owners = [each.get("IpOwnerId") for each in associations if each.get("PublicIp") == public]
    return owners == [AMAZON]
