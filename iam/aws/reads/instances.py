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
"""The owner of public addresses that AWS gives; of an Elastic IP address it is the account."""


@dataclass(frozen=True, slots=True)
class InstanceRecord:
    """An instance that is not terminated. `profile_arn` is None without an instance profile;
    `association_id` is what replaces or removes it; `requires_imds_v2` is False where IMDSv1 answers too.
    `public_address` is "" without one; `has_own_address`: AWS gave it when the instance was started, and it
    stays with the instance until that stops. An Elastic IP address can be moved to another instance.
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
    """All instances of the regions; AwsError when one region cannot be read.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html
    """
    return tuple(chain.from_iterable(_of_region(aws, region=region) for region in regions))


def enabled_regions(aws: Aws) -> tuple[str, ...]:
    """The sorted names of the regions that the account can use."""
    client = aws.ec2(aws.home_region)
    regions = token_pages(client, "DescribeRegions", key="Regions", AllRegions=False)
    return tuple(sorted(build_all(regions, itemgetter("RegionName"), action="ec2:DescribeRegions")))


@dataclass(frozen=True, slots=True)
class ProfileOfInstance:
    """The ARN of the instance profile that an instance has, and the id of the association; both empty where
    it has none.
    """

    profile_arn: str = ""
    association_id: str = ""


def profile_of_instance(aws: Aws, *, instance_id: str, region: str) -> ProfileOfInstance | None:
    """Which instance profile an instance has just now; None when there is no such instance, or it is
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
    # One that is being taken away or was is still listed for a while.
    for association in associations:
        if association.get("State") in ("associating", "associated"):
            profile = association.get("IamInstanceProfile", {})
            return ProfileOfInstance(profile.get("Arn", ""), association["AssociationId"])
    return ProfileOfInstance()


def instance_now(
    aws: Aws, *, instance_id: str, region: str, association_id: str | None = None
) -> InstanceRecord | None:
    """One instance as it is just now; None when there is none, or it is terminated. One call; raises
    AwsError.

    `association_id` is what its record says of the association, which this call does not tell.
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
    """Whether AWS, and not an Elastic IP address, gives the public address. Source:
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceNetworkInterfaceAssociation.html
    """
    public = instance.get("PublicIpAddress")
    if not public:
        return False
    associations = [interface.get("Association", {}) for interface in instance.get("NetworkInterfaces", ())]
    owners = [each.get("IpOwnerId") for each in associations if each.get("PublicIp") == public]
    return owners == [AMAZON]
