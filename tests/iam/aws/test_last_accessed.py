"""IAM’s report of when services were last used, page by page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from iam.aws.errors import AwsError
from iam.aws.reads import last_accessed
from iam.aws.reads.last_accessed import accessed_services


def answers(monkeypatch: pytest.MonkeyPatch, *pages: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """AWS gives these pages; what it was asked for."""
    asked: list[Mapping[str, Any]] = []
    left = list(pages)

    def read_one(_: object, __: str, **parameters: Any) -> Any:
        asked.append(parameters)
        return left.pop(0)

    monkeypatch.setattr(last_accessed, "read_one", read_one)
    return asked


def page(*prefixes: str, status: str = "COMPLETED", **more: Any) -> dict[str, Any]:
    services = [{"ServiceNamespace": prefix, "ServiceName": prefix.upper()} for prefix in prefixes]
    return {"JobStatus": status, "ServicesLastAccessed": services} | more


def services(aws: Any = None) -> Any:
    return accessed_services(aws, job_id="job-1")


def test_all_pages_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answers(monkeypatch, page("s3", IsTruncated=True, Marker="m1"), page("sqs"))
    assert [(each.prefix, each.at) for each in services()] == [("s3", None), ("sqs", None)]
    assert asked == [{"JobId": "job-1"}, {"JobId": "job-1", "Marker": "m1"}]


def test_a_report_that_is_not_ready_is_not_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, page(status="IN_PROGRESS"))
    assert services() is None


@pytest.mark.parametrize(
    "pages",
    [
        [page(status="FAILED", Error={"Message": "No", "Code": "ServiceFailure"})],
        [page("s3", IsTruncated=True)],
        [page("s3", IsTruncated=True, Marker="m1"), page("sqs", IsTruncated=True, Marker="m1")],
        [{"JobStatus": "COMPLETED"}],
        [{"ServicesLastAccessed": []}],
        [{"JobStatus": "COMPLETED", "ServicesLastAccessed": [{"ServiceName": "Amazon S3"}]}],
    ],
)
def test_what_is_not_whole_is_an_error(monkeypatch: pytest.MonkeyPatch, pages: list[dict[str, Any]]) -> None:
    answers(monkeypatch, *pages)
    with pytest.raises(AwsError):
        services()
