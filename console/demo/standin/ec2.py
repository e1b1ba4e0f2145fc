"""The part of EC2 that concerns IAM: instances, their instance profiles and their metadata options.

It is written here because moto's EC2 doubles the time that the simulated AWS needs to start.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/iam-roles-for-amazon-ec2.html
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any

from moto.core.responses import ActionResult, BaseResponse
from moto.iam.models import iam_backends

from console.demo.standin import clock, ids
from console.demo.standin.errors import AnswerError, StandinRefusedError
from console.demo.standin.evaluate import glob
from console.demo.standin.overlay import ResponseOverlay, read_marker, write_marker

REGIONS = ("eu-central-1", "eu-west-1", "us-east-1")
STATES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}


@dataclass
class InstanceAssociation:
    """The association of an instance with an instance profile."""

    id: str
    profile_arn: str
    since: datetime


@dataclass
class StandinInstance:
    """An EC2 instance."""

    id: str
    type: str
    state: str
    launched: datetime
    address: str
    tokens: str
    hops: int
    endpoint: str = "enabled"
    association: InstanceAssociation | None = None
    tags: dict[str, str] = field(default_factory=dict)
    account: str = ""
    public_address: str = ""


INSTANCES: dict[tuple[str, str], dict[str, StandinInstance]] = {}


class Ec2(ResponseOverlay, BaseResponse):  # type: ignore[misc]
    """An EC2 request."""

    def __init__(self) -> None:
        super().__init__(service_name="ec2")
        self.automated_parameter_parsing = True

    def call_action(self) -> Any:
        """Answer a dry run as AWS does: the request would have succeeded. Calls that aren't permitted were
        refused before.
        """
        if self._get_param("DryRun"):
            raise StandinRefusedError(
                "DryRunOperation", "Request would have succeeded, but DryRun flag is set.", status=412
            )
        return super().call_action()

    @property
    def _instances(self) -> dict[str, StandinInstance]:
        return INSTANCES.setdefault((self.current_account, self.region), {})

    def describe_regions(self) -> ActionResult:
        """List the Regions that are enabled for the account."""
        regions = [
            {"RegionName": r, "Endpoint": f"ec2.{r}.amazonaws.com", "OptInStatus": "opt-in-not-required"}
            for r in REGIONS
        ]
        return ActionResult({"Regions": regions})

    def describe_instances(self) -> ActionResult:
        """List instances in pages, by ID or filter, with one reservation for each."""
        wanted = self._get_param("InstanceIds")
        for instance_id in wanted or []:
            self._instance(instance_id)
        instances = [i for i in self._instances.values() if not wanted or i.id in wanted]
        chosen, token = self._token_page(self._filtered(instances, INSTANCE_FILTERS))
        reservations = [
            {
                "ReservationId": i.id.replace("i-", "r-"),
                "OwnerId": i.account,
                "Groups": [],
                "Instances": [_shape(i)],
            }
            for i in chosen
        ]
        return ActionResult({"Reservations": reservations, "NextToken": token})

    def run_instances(self) -> ActionResult:
        """Create an instance, which is running at once, with the settings that concern IAM."""
        token = ids.fresh("", self.current_account, length=17).lower()
        specified = self._get_param("TagSpecifications") or []
        given_tags = chain.from_iterable(specification.get("Tags", []) for specification in specified)
        tags = {tag["Key"]: tag["Value"] for tag in given_tags}
        instance = StandinInstance(
            id=f"i-{token}",
            type=self._get_param("InstanceType") or "t3.micro",
            state="running",
            launched=clock.utcnow(),
            address="10.0.0.4",
            tokens="optional",
            hops=1,
            tags=tags,
            account=self.current_account,
        )
        self._instances[instance.id] = instance
        if self._get_param("IamInstanceProfile"):
            self._associate(instance)
        return ActionResult({"ReservationId": f"r-{token}", "Instances": [_shape(instance)]})

    def terminate_instances(self) -> ActionResult:
        """Terminate instances. They are still listed."""
        instances = [self._instance(instance_id) for instance_id in self._get_param("InstanceIds")]
        for instance in instances:
            instance.state, instance.association = "terminated", None
        return ActionResult({"TerminatingInstances": [{"InstanceId": i.id} for i in instances]})

    def describe_iam_instance_profile_associations(self) -> ActionResult:
        """List which instance has which instance profile."""
        wanted = self._get_param("AssociationIds")
        instances = [
            i
            for i in self._instances.values()
            if i.association is not None and (not wanted or i.association.id in wanted)
        ]
        chosen, token = self._token_page(self._filtered(instances, ASSOCIATION_FILTERS))
        return ActionResult(
            {"IamInstanceProfileAssociations": [_association(i) for i in chosen], "NextToken": token}
        )

    def associate_iam_instance_profile(self) -> ActionResult:
        """Associate an instance profile with an instance that has none."""
        instance = self._instance(self._get_param("InstanceId"))
        if instance.association is not None:
            raise AnswerError(
                "IncorrectState", "There is an existing association for instance " + instance.id
            )
        return self._associate(instance)

    def replace_iam_instance_profile_association(self) -> ActionResult:
        """Replace the instance profile of an instance."""
        return self._associate(self._of_association())

    def disassociate_iam_instance_profile(self) -> ActionResult:
        """Remove the instance profile from an instance."""
        instance = self._of_association()
        shape = _association(instance) | {"State": "disassociating"}
        instance.association = None
        return ActionResult({"IamInstanceProfileAssociation": shape})

    def _associate(self, instance: StandinInstance) -> ActionResult:
        asked = self._get_param("IamInstanceProfile") or {}
        profiles = iam_backends[self.current_account]["aws"].instance_profiles.values()
        for profile in profiles:
            if profile.arn == asked.get("Arn") or profile.name == asked.get("Name"):
                token = ids.fresh("", self.current_account, length=17).lower()
                instance.association = InstanceAssociation(f"iip-assoc-{token}", profile.arn, clock.utcnow())
                return ActionResult({"IamInstanceProfileAssociation": _association(instance)})
        raise AnswerError("InvalidParameterValue", f"Invalid IAM Instance Profile {asked}")

    def modify_instance_metadata_options(self) -> ActionResult:
        """Change the metadata options of an instance, for example to disable IMDSv1."""
        instance = self._instance(self._get_param("InstanceId"))
        instance.tokens = self._get_param("HttpTokens") or instance.tokens
        instance.hops = int(self._get_param("HttpPutResponseHopLimit") or instance.hops)
        instance.endpoint = self._get_param("HttpEndpoint") or instance.endpoint
        return ActionResult({"InstanceId": instance.id, "InstanceMetadataOptions": _metadata(instance)})

    def _instance(self, instance_id: str) -> StandinInstance:
        if instance_id not in self._instances:
            raise AnswerError("InvalidInstanceID.NotFound", f"The instance ID '{instance_id}' does not exist")
        return self._instances[instance_id]

    def _of_association(self) -> StandinInstance:
        wanted = self._get_param("AssociationId")
        for instance in self._instances.values():
            if instance.association is not None and instance.association.id == wanted:
                return instance
        raise AnswerError(
            "InvalidAssociationID.NotFound", f"An invalid association-id of '{wanted}' was given"
        )

    def _filtered(
        self, instances: list[StandinInstance], known: dict[str, Callable[[StandinInstance], str]]
    ) -> list[StandinInstance]:
        for entry in self._get_param("Filters") or []:
            value = known.get(entry["Name"])
            if value is None:
                raise AnswerError("InvalidParameterValue", f"The filter '{entry['Name']}' is invalid")
            instances = [i for i in instances if any(glob(w).fullmatch(value(i)) for w in entry["Values"])]
        return instances

    def _token_page(self, instances: list[StandinInstance]) -> tuple[list[StandinInstance], str | None]:
        size = int(self._get_param("MaxResults") or 1000)
        after = read_marker(self._get_param("NextToken"))
        rest = sorted(instances, key=lambda instance: instance.id)
        if after is not None:
            rest = [instance for instance in rest if instance.id > after]
        marker = write_marker(rest[size - 1].id) if len(rest) > size else None
        return rest[:size], marker


INSTANCE_FILTERS: dict[str, Callable[[StandinInstance], str]] = {
    "instance-id": lambda i: i.id,
    "instance-state-name": lambda i: i.state,
    "instance-type": lambda i: i.type,
    "iam-instance-profile.arn": lambda i: i.association.profile_arn if i.association else "",
    "metadata-options.http-tokens": lambda i: i.tokens,
    "tag:Name": lambda i: i.tags.get("Name", ""),
}
ASSOCIATION_FILTERS: dict[str, Callable[[StandinInstance], str]] = {
    "instance-id": lambda i: i.id,
    "state": lambda i: "associated",
}


def _profile(instance: StandinInstance) -> dict[str, Any] | None:
    if instance.association is None:
        return None
    arn = instance.association.profile_arn
    profiles = iam_backends[instance.account]["aws"].instance_profiles.values()
    profile = next((p for p in profiles if p.arn == arn), None)
    return {"Arn": arn, "Id": profile.id if profile else ids.stable("AIPA", instance.account, "deleted", arn)}


def _association(instance: StandinInstance) -> dict[str, Any]:
    assert instance.association is not None
    return {
        "AssociationId": instance.association.id,
        "InstanceId": instance.id,
        "IamInstanceProfile": _profile(instance),
        "State": "associated",
        "Timestamp": instance.association.since,
    }


def _metadata(instance: StandinInstance) -> dict[str, Any]:
    return {
        "State": "applied",
        "HttpTokens": instance.tokens,
        "HttpPutResponseHopLimit": instance.hops,
        "HttpEndpoint": instance.endpoint,
        "HttpProtocolIpv6": "disabled",
        "InstanceMetadataTags": "disabled",
    }


def _public(instance: StandinInstance) -> dict[str, Any]:
    """Return the public address that AWS assigned to the instance when it started."""
    address = instance.public_address
    if not address:
        return {}
    interface = {"Association": {"IpOwnerId": "amazon", "PublicIp": address}}
    return {"PublicIpAddress": address, "NetworkInterfaces": [interface]}


def _shape(instance: StandinInstance) -> dict[str, Any]:
    return {
        "InstanceId": instance.id,
        "InstanceType": instance.type,
        "State": {"Code": STATES[instance.state], "Name": instance.state},
        "LaunchTime": instance.launched,
        "PrivateIpAddress": instance.address,
        **_public(instance),
        "IamInstanceProfile": _profile(instance),
        "MetadataOptions": _metadata(instance),
        "Tags": [{"Key": key, "Value": value} for key, value in sorted(instance.tags.items())],
    }
