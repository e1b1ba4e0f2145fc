"""What the stand-in tells of last uses is what the made-up trail recorded, and what policies allow."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto.iam.models import iam_backends

from console.demo.organisation.build import northline
from console.demo.organisation.people import ACCOUNT_IDS
from console.demo.standin.iam.last_accessed import KNOWN, services
from console.demo.standin.server import RunningStandin
from console.demo.trail.files import records_of_account
from console.demo.trail.last_uses import unrecorded_services
from iam.activity.permissions import service_prefix
from tests.console.demo.clients import member
from tests.console.demo.served import Served

NO_POLICY = frozenset({"sts"})
"""Services of which everyone may call something: GetCallerIdentity and GetSessionToken."""
Uses = dict[str, dict[str, datetime]]


@pytest.fixture(scope="module")
def until(standin: RunningStandin) -> datetime:
    """The end of the trail from which the stand-in was filled."""
    assert standin.world
    assert KNOWN.uses
    return KNOWN.uses.until


@pytest.fixture(scope="module", params=list(ACCOUNT_IDS))
def account(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def records(account: str, until: datetime) -> list[dict[str, Any]]:
    organisation = northline()
    (spec,) = (each for each in organisation.accounts if each.name == account)
    return records_of_account(organisation, spec, until)


def moment_of(record: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(record["eventTime"])


def by_principal(records: list[dict[str, Any]]) -> Uses:
    """The last event of each principal in each service, counted here by itself."""
    uses: Uses = {}
    for record in records:
        identity = record["userIdentity"]
        arn = identity.get("sessionContext", {}).get("sessionIssuer", {}).get("arn", identity["arn"])
        of_principal = uses.setdefault(arn, {})
        prefix = service_prefix(record["eventSource"])
        of_principal[prefix] = max(moment_of(record), of_principal.get(prefix, moment_of(record)))
    return uses


def last_accessed(account: str) -> Iterator[tuple[str, str, datetime]]:
    """Of every user and role: ARN, service, and the date that IAM tells."""
    backend = iam_backends[ACCOUNT_IDS[account]]["aws"]
    for entity in (*backend.users.values(), *backend.roles.values()):
        for row in services(backend, entity.arn):
            if "LastAuthenticated" in row:
                yield entity.arn, row["ServiceNamespace"], row["LastAuthenticated"].replace(tzinfo=UTC)


def test_each_date_of_a_service_is_that_of_the_last_event(
    account: str, records: list[dict[str, Any]], until: datetime
) -> None:
    """Of a principal without events it is from before the trail, or of a service that it leaves out."""
    uses = by_principal(records)
    told: Uses = {}
    wrong = []
    for arn, service, moment in last_accessed(account):
        told.setdefault(arn, {})[service] = moment
        is_before = moment < until - timedelta(days=90)
        if arn in uses:
            is_right = uses[arn].get(service) == moment
        else:
            is_right = is_before or service in unrecorded_services()
        if not is_right:
            wrong.append((arn, service, moment, uses.get(arn, {}).get(service)))
    assert not wrong, wrong[:5]
    assert sum(arn in uses for arn in told) >= min(len(uses), 3) - 1


def test_no_event_of_a_service_that_policies_allow_is_left_out(
    account: str, records: list[dict[str, Any]]
) -> None:
    uses = by_principal(records)
    backend = iam_backends[ACCOUNT_IDS[account]]["aws"]
    for entity in (*backend.users.values(), *backend.roles.values()):
        for row in services(backend, entity.arn):
            is_used = row["ServiceNamespace"] in uses.get(entity.arn, {})
            assert not is_used or "LastAuthenticated" in row, (entity.arn, row)


def test_the_last_use_of_each_key_is_its_last_event_in_a_service_that_policies_allow(
    standin: RunningStandin, account: str, records: list[dict[str, Any]]
) -> None:
    last: dict[str, dict[str, Any]] = {}
    for record in records:
        key = record["userIdentity"].get("accessKeyId", "")
        if key not in last or moment_of(record) > moment_of(last[key]):
            last[key] = record
    served = Served(standin, account)
    iam = member(standin, "iam", account)
    seen = 0
    for user in served.details["UserDetailList"]:
        namespaces = {
            row["ServiceNamespace"]
            for row in services(iam_backends[ACCOUNT_IDS[account]]["aws"], user["Arn"])
        }
        row = served.report[user["Arn"]]
        keys = iam.list_access_keys(UserName=user["UserName"])["AccessKeyMetadata"]
        for number, key in enumerate(sorted(keys, key=lambda key: key["CreateDate"]), 1):
            if user["UserName"] == "gatehouse":
                continue  # It is the stand-in's own caller, whose calls are counted as they come.
            used = iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])["AccessKeyLastUsed"]
            assert used["ServiceName"] == row[f"access_key_{number}_last_used_service"]
            if "LastUsedDate" not in used:
                assert key["AccessKeyId"] not in last
                continue
            seen += 1
            service = service_prefix(f"{used['ServiceName']}.amazonaws.com")
            assert service in namespaces | NO_POLICY, (user["Arn"], service)
            if record := last.get(key["AccessKeyId"]):
                source = record["eventSource"].partition(".")[0]
                told = (used["LastUsedDate"], used["ServiceName"], used["Region"])
                assert told == (moment_of(record), source, record["awsRegion"]), user["Arn"]
            else:
                assert (datetime.now(UTC) - used["LastUsedDate"]).days >= 90, user["Arn"]
    assert seen or account == "management"
