"""Instances, their instance profiles and their metadata options."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from console.demo.standin.server import RunningStandin
from tests.console.demo.clients import all_pages, member, reader

BASE = "arn:aws:iam::612044783021:instance-profile/machines"


@pytest.fixture
def ec2(fresh: RunningStandin) -> Any:
    return member(fresh, "ec2", "data", region="eu-west-1")


def instances(ec2: Any, **parameters: Any) -> dict[str, dict[str, Any]]:
    """Instances by their Name tag."""
    listed_instances = all_pages(ec2, "describe_instances", "Reservations", **parameters)
    every = [instance for reservation in listed_instances for instance in reservation["Instances"]]
    return {next(t["Value"] for t in i["Tags"] if t["Key"] == "Name"): i for i in every}


def test_instances_show_profile_and_metadata_options(ec2: Any) -> None:
    by_id = instances(ec2)
    assert by_id["etl-node-1"]["IamInstanceProfile"]["Arn"] == f"{BASE}/etl-node-instance"
    assert by_id["etl-node-1"]["MetadataOptions"]["HttpTokens"] == "optional"
    assert by_id["eks-node-1"]["MetadataOptions"]["HttpPutResponseHopLimit"] == 2
    assert by_id == instances(ec2, PaginationConfig={"PageSize": 5})


def test_instances_are_filtered(ec2: Any) -> None:
    by_profile = [{"Name": "iam-instance-profile.arn", "Values": [f"{BASE}/etl-node-instance"]}]
    assert set(instances(ec2, Filters=by_profile)) == {"etl-node-1", "etl-node-2", "etl-node-3"}
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        ec2.describe_instances(Filters=[{"Name": "no-such-filter", "Values": ["x"]}])


def test_there_are_none_in_another_region(fresh: RunningStandin) -> None:
    assert instances(reader(fresh, "ec2", "data", region="us-east-1")) == {}


def test_a_profile_is_replaced_taken_and_given(ec2: Any) -> None:
    node = instances(ec2)["etl-node-1"]["InstanceId"]
    by_instance = [{"Name": "instance-id", "Values": [node]}]
    (before,) = ec2.describe_iam_instance_profile_associations(Filters=by_instance)[
        "IamInstanceProfileAssociations"
    ]
    other = {"Name": "warehouse-proxy-instance"}
    after = ec2.replace_iam_instance_profile_association(
        AssociationId=before["AssociationId"], IamInstanceProfile=other
    )["IamInstanceProfileAssociation"]
    assert after["IamInstanceProfile"]["Arn"] == f"{BASE}/warehouse-proxy-instance"
    with pytest.raises(ClientError, match="IncorrectState"):
        ec2.associate_iam_instance_profile(InstanceId=node, IamInstanceProfile=other)
    ec2.disassociate_iam_instance_profile(AssociationId=after["AssociationId"])
    assert "IamInstanceProfile" not in instances(ec2)["etl-node-1"]
    ec2.associate_iam_instance_profile(InstanceId=node, IamInstanceProfile=other)
    assert instances(ec2)["etl-node-1"]["IamInstanceProfile"]["Arn"].endswith("/warehouse-proxy-instance")


def test_imdsv1_is_switched_off(ec2: Any) -> None:
    node = instances(ec2)["etl-node-1"]["InstanceId"]
    ec2.modify_instance_metadata_options(InstanceId=node, HttpTokens="required")
    assert instances(ec2)["etl-node-1"]["MetadataOptions"]["HttpTokens"] == "required"


def test_a_dry_run_does_nothing_and_says_so(ec2: Any) -> None:
    with pytest.raises(ClientError, match="DryRunOperation"):
        ec2.describe_instances(DryRun=True)
