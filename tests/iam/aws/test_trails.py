"""Trails as CloudTrail describes them, the keys of digest files, and pages of the event history."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import Stubber

from iam.aws.access import AccountAccess
from iam.aws.errors import AwsError, ErrorKind
from iam.aws.reads.trail_events import lookup_page, public_keys
from iam.aws.reads.trails import list_trails
from iam.aws.session import Aws, connect

ACCOUNT = "123456789012"
REGION = "eu-west-1"
NOW = datetime(2026, 1, 20, tzinfo=UTC)
OWN = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/own"
OTHER = f"arn:aws:cloudtrail:{REGION}:210987654321:trail/organization"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAFAKE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    way = connect(AccountAccess(ACCOUNT), attempts=1)
    yield way
    way.close()


@pytest.fixture
def answers(aws: Aws) -> Iterator[Stubber]:
    with Stubber(aws.cloudtrail(REGION)) as stubber:
        yield stubber


def _described(arn: str, **more: Any) -> dict[str, Any]:
    return {"TrailARN": arn, "Name": arn.rpartition("/")[2], "HomeRegion": REGION, "S3BucketName": "b"} | more


def test_a_trail_has_its_status_and_what_it_records(aws: Aws, answers: Stubber) -> None:
    answers.add_response("describe_trails", {"trailList": [_described(OWN, IsMultiRegionTrail=True)]})
    status = {"IsLogging": True, "LatestDeliveryTime": NOW, "LatestDeliveryError": "AccessDenied"}
    answers.add_response("get_trail_status", status)
    selector = {"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True}
    answers.add_response("get_event_selectors", {"EventSelectors": [selector]})
    (trail,) = list_trails(aws, regions=[REGION])
    assert (trail.is_logging, trail.is_multi_region, trail.is_validated) == (True, True, False)
    assert (trail.delivered_at, trail.delivery_error) == (NOW, "AccessDenied")
    assert trail.management_events == "WriteOnly"


def test_what_an_organization_keeps_to_itself_is_unknown(aws: Aws, answers: Stubber) -> None:
    answers.add_response("describe_trails", {"trailList": [_described(OTHER, IsOrganizationTrail=True)]})
    answers.add_client_error("get_trail_status", "AccessDeniedException", http_status_code=403)
    (trail,) = list_trails(aws, regions=[REGION])
    assert (trail.is_logging, trail.delivery_error, trail.management_events) == (None, None, None)


def test_a_refused_status_of_an_own_trail_is_no_empty_one(aws: Aws, answers: Stubber) -> None:
    answers.add_response("describe_trails", {"trailList": [_described(OWN)]})
    answers.add_client_error("get_trail_status", "AccessDeniedException", http_status_code=403)
    with pytest.raises(AwsError) as refused:
        list_trails(aws, regions=[REGION])
    assert refused.value.kind is ErrorKind.DENIED


def test_a_trail_that_was_deleted_meanwhile_is_left_out(aws: Aws, answers: Stubber) -> None:
    answers.add_response("describe_trails", {"trailList": [_described(OWN)]})
    answers.add_client_error("get_trail_status", "TrailNotFoundException", http_status_code=400)
    assert list_trails(aws, regions=[REGION]) == ()


def test_public_keys_come_in_pages(aws: Aws, answers: Stubber) -> None:
    for number, token in ((1, "more"), (2, "")):
        key = {
            "Value": b"der",
            "Fingerprint": f"f{number}",
            "ValidityStartTime": NOW,
            "ValidityEndTime": NOW,
        }
        answers.add_response(
            "list_public_keys", {"PublicKeyList": [key]} | ({"NextToken": token} if token else {})
        )
    keys = list(public_keys(aws, region=REGION, start=NOW, end=NOW))
    assert [key.fingerprint for key in keys] == ["f1", "f2"]


def test_a_page_of_the_event_history_leads_to_the_next(aws: Aws, answers: Stubber) -> None:
    answers.add_response("lookup_events", {"Events": [{"CloudTrailEvent": "{}"}], "NextToken": "t"})
    page = lookup_page(aws, region=REGION, start=NOW, end=NOW)
    assert (page.records, page.token) == (("{}",), "t")
    answers.add_response("lookup_events", {"Events": [], "NextToken": "t"})
    with pytest.raises(AwsError, match="same token"):
        lookup_page(aws, region=REGION, start=NOW, end=NOW, token="t")
