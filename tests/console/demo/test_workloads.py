"""Roles Anywhere and EKS Pod Identity in the stand-in: what is written is read again, after a restart too."""

from __future__ import annotations

from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from console.demo.standin.server import RunningStandin
from console.demo.standin.startup import start
from tests.console.demo.clients import member

REGION = "eu-west-1"
ROLE = "arn:aws:iam::447109238816:role/workloads/depot-scanner"
CERTIFICATES = {"sourceType": "CERTIFICATE_BUNDLE", "sourceData": {"x509CertificateData": "none"}}


def started(state: Path) -> RunningStandin:
    return start(host="127.0.0.1", port=0, state=state)


def test_profiles_and_associations_are_kept(tmp_path: Path) -> None:
    first = started(tmp_path)
    anywhere = member(first, "rolesanywhere", "production", region=REGION)
    anchor = anywhere.create_trust_anchor(name="kiosks", source=CERTIFICATES, enabled=True)["trustAnchor"]
    made = anywhere.create_profile(name="kiosks", roleArns=[ROLE], durationSeconds=7200)["profile"]
    assert made["enabled"] is False
    anywhere.enable_profile(profileId=made["profileId"])
    anywhere.update_profile(profileId=made["profileId"], sessionPolicy="{}")
    eks = member(first, "eks", "production", region=REGION)
    pod = eks.create_pod_identity_association(
        clusterName="production", namespace="kiosk", serviceAccount="kiosk", roleArn=ROLE
    )["association"]
    first.stop()

    second = started(tmp_path)
    anywhere = member(second, "rolesanywhere", "production", region=REGION)
    profiles = {row["profileId"]: row for row in anywhere.list_profiles()["profiles"]}
    kept = profiles[made["profileId"]]
    assert (kept["enabled"], kept["sessionPolicy"], kept["durationSeconds"]) == (True, "{}", 7200)
    anchors = [row["trustAnchorId"] for row in anywhere.list_trust_anchors()["trustAnchors"]]
    assert anchor["trustAnchorId"] in anchors
    eks = member(second, "eks", "production", region=REGION)
    key = {"clusterName": "production", "associationId": pod["associationId"]}
    assert eks.describe_pod_identity_association(**key)["association"]["roleArn"] == ROLE
    eks.delete_pod_identity_association(**key)
    with pytest.raises(eks.exceptions.ResourceNotFoundException):
        eks.describe_pod_identity_association(**key)
    second.stop()


def test_pages_and_other_regions(standin: RunningStandin) -> None:
    eks = member(standin, "eks", "production", region=REGION)
    assert eks.list_clusters()["clusters"] == ["production"]
    assert member(standin, "eks", "production", region="us-east-1").list_clusters()["clusters"] == []
    pages = eks.get_paginator("list_pod_identity_associations").paginate(
        clusterName="production", PaginationConfig={"PageSize": 1}
    )
    assert [len(page["associations"]) for page in pages] == [1]
    with pytest.raises(ClientError) as raised:
        eks.list_pod_identity_associations(clusterName="nowhere")
    assert raised.value.response["Error"]["Code"] == "ResourceNotFoundException"
