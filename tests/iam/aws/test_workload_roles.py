"""Profiles of Roles Anywhere and pod identity associations: pages, Regions without them, failures."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber

from iam.aws.access import AccountAccess
from iam.aws.errors import AwsError, ErrorKind
from iam.aws.reads.pod_identities import list_pod_identity_associations
from iam.aws.reads.roles_anywhere import list_profiles, list_trust_anchors
from iam.aws.session import Aws, connect

ACCOUNT, REGION, NEW_REGION = "123456789012", "eu-west-1", "eu-nowhere-1"
NOW = datetime(2026, 1, 20, tzinfo=UTC)
KEY, OTHER = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/web"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAFAKE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    way = connect(AccountAccess(ACCOUNT), attempts=1)
    yield way
    way.close()


@pytest.fixture
def anywhere(aws: Aws) -> Iterator[Stubber]:
    with Stubber(aws.client("rolesanywhere", region=REGION)) as stubber:
        yield stubber


@pytest.fixture
def eks(aws: Aws) -> Iterator[Stubber]:
    with Stubber(aws.client("eks", region=REGION)) as stubber:
        yield stubber


def _profile(key: str, **more: Any) -> dict[str, Any]:
    arn = f"arn:aws:rolesanywhere:{REGION}:{ACCOUNT}:profile/{key}"
    return {"profileId": key, "profileArn": arn, "name": key, "enabled": True, "roleArns": [ROLE]} | more


def _listed(key: str) -> dict[str, str]:
    return {"clusterName": "shop", "namespace": "default", "serviceAccount": "web", "associationId": key}


def _association(key: str, **more: Any) -> dict[str, Any]:
    arn = f"arn:aws:eks:{REGION}:{ACCOUNT}:podidentityassociation/shop/{key}"
    return {"association": _listed(key) | {"associationArn": arn, "roleArn": ROLE, "createdAt": NOW} | more}


def test_all_pages_of_profiles_are_read(aws: Aws, anywhere: Stubber) -> None:
    mapping = {"certificateField": "x509Subject", "mappingRules": [{"specifier": "OU"}, {"specifier": "CN"}]}
    anywhere.add_response("list_profiles", {"profiles": [_profile(KEY)], "nextToken": "more"})
    limited = _profile(OTHER, sessionPolicy="{}", durationSeconds=43200, attributeMappings=[mapping])
    anywhere.add_response("list_profiles", {"profiles": [limited]}, {"nextToken": "more"})
    first, second = list_profiles(aws, regions=[REGION])
    assert (first.session_policy, first.mappings, first.role_arns) == ("", {}, (ROLE,))
    assert (second.session_policy, second.duration_seconds) == ("{}", 43200)
    assert second.mappings == {"x509Subject": ("CN", "OU")}


def test_a_disabled_trust_anchor_is_told_apart(aws: Aws, anywhere: Stubber) -> None:
    arn = f"arn:aws:rolesanywhere:{REGION}:{ACCOUNT}:trust-anchor/{KEY}"
    row = {"trustAnchorId": KEY, "trustAnchorArn": arn, "name": "ca", "enabled": False}
    anywhere.add_response("list_trust_anchors", {"trustAnchors": [row]})
    (anchor,) = list_trust_anchors(aws, regions=[REGION])
    assert (anchor.is_enabled, anchor.name, anchor.source) == (False, "ca", "")


@pytest.mark.parametrize("code", ["UnrecognizedClientException", "SubscriptionRequiredException"])
def test_a_region_that_is_not_enabled_is_no_failure(aws: Aws, anywhere: Stubber, code: str) -> None:
    anywhere.add_client_error("list_profiles", code, http_status_code=403)
    assert list_profiles(aws, regions=[REGION]) == ()


def _unreachable(client: Any) -> None:
    def fail(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://rolesanywhere.example")

    client.meta.events.register("before-send", fail)


def test_a_region_without_the_service_is_no_failure(aws: Aws) -> None:
    _unreachable(aws.client("rolesanywhere", region=NEW_REGION, may_retry=False))
    assert list_profiles(aws, regions=[NEW_REGION]) == ()


def test_an_endpoint_that_should_be_there_and_does_not_answer_is_a_failure(aws: Aws) -> None:
    _unreachable(aws.client("rolesanywhere", region=REGION))
    with pytest.raises(AwsError) as raised:
        list_profiles(aws, regions=[REGION])
    assert raised.value.kind is ErrorKind.UNAVAILABLE


def test_a_denied_call_names_its_permission(aws: Aws, anywhere: Stubber, eks: Stubber) -> None:
    anywhere.add_client_error("list_profiles", "AccessDeniedException", http_status_code=403)
    eks.add_client_error("list_clusters", "AccessDeniedException", http_status_code=403)
    with pytest.raises(AwsError) as raised:
        list_profiles(aws, regions=[REGION])
    assert (raised.value.kind, raised.value.permission) == (ErrorKind.DENIED, "rolesanywhere:ListProfiles")
    with pytest.raises(AwsError) as raised:
        list_pod_identity_associations(aws, regions=[REGION])
    assert (raised.value.kind, raised.value.permission) == (ErrorKind.DENIED, "eks:ListClusters")


def test_an_association_is_described_with_its_roles(aws: Aws, eks: Stubber) -> None:
    eks.add_response("list_clusters", {"clusters": ["shop"]})
    eks.add_response("list_pod_identity_associations", {"associations": [_listed("a-1")]})
    target = "arn:aws:iam::210987654321:role/reports"
    described = _association("a-1", targetRoleArn=target, policy="{}", disableSessionTags=True)
    eks.add_response("describe_pod_identity_association", described)
    (association,) = list_pod_identity_associations(aws, regions=[REGION])
    assert (association.role_arn, association.target_role_arn) == (ROLE, target)
    assert (association.policy, association.has_session_tags) == ("{}", False)
    assert (association.cluster, association.namespace, association.service_account) == (
        "shop",
        "default",
        "web",
    )


def test_what_is_deleted_while_it_is_read_is_left_out(aws: Aws, eks: Stubber) -> None:
    eks.add_response("list_clusters", {"clusters": ["gone", "shop"]})
    eks.add_client_error("list_pod_identity_associations", "ResourceNotFoundException", http_status_code=404)
    eks.add_response("list_pod_identity_associations", {"associations": [_listed("a-1"), _listed("a-2")]})
    eks.add_client_error(
        "describe_pod_identity_association", "ResourceNotFoundException", http_status_code=404
    )
    eks.add_response("describe_pod_identity_association", _association("a-2"))
    (association,) = list_pod_identity_associations(aws, regions=[REGION])
    assert association.association_id == "a-2"
