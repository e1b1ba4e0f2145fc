"""When one request in ten fails, everything still ends equal to the clean read; when all fail, it ends as an
error.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from iam.aws.access import AccountAccess
from iam.aws.errors import AwsError, ErrorKind
from iam.aws.reads import details, lists, organization
from iam.aws.reads.authorization import AuthorizationPage, stream_authorization
from iam.aws.reads.credential_report import read_credential_report
from iam.aws.session import Aws, connect
from tests.bench.fakeaws.world import World
from tests.iam.aws.scripted import ACCOUNT


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries without the waits between them; that they wait is botocore's own business."""
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda seconds: None)
    monkeypatch.setattr(
        "botocore.retries.bucket.TokenBucket.acquire", lambda self, amount=1, block=True: True
    )


def authorization(aws: Aws) -> Any:
    return [item for page in stream_authorization(aws, page_size=20) for item in page.items]


def everything_of_some_users(aws: Aws) -> Any:
    names = [user.name for user in lists.list_users(aws)][:15]
    reads = (
        details.access_keys,
        details.mfa_devices,
        details.ssh_keys,
        details.signing_certificates,
        details.login_profile,
    )
    credentials = [[read(aws, user_name=name) for read in reads] for name in names]
    return credentials, [details.get_user(aws, name=name) for name in names]


READS: list[Callable[[Aws], Any]] = [
    authorization,
    everything_of_some_users,
    lists.list_users,
    lists.list_roles,
    lists.list_virtual_mfa_devices,
    lists.list_service_specific_credentials,
    lists.list_instance_profiles,
    lists.list_server_certificates,
    lists.list_saml_providers,
    lists.list_oidc_providers,
    lists.account_summary,
    lists.account_aliases,
    lists.password_policy,
    lists.caller_identity,
    organization.read_organization,
    organization.discover_accounts,
    read_credential_report,
]


@pytest.mark.parametrize("kinds", ["throttling,500,reset", "short,throttling"])
def test_one_fault_in_ten_changes_nothing_of_what_is_read(world: World, kinds: str) -> None:
    aws = connect(AccountAccess(ACCOUNT))
    clean = [read(aws) for read in READS]
    world.reset()
    world.control("/_config", {"fault_rate": "0.1", "fault_kinds": kinds})
    assert [read(aws) for read in READS] == clean
    assert sum(world.faults.seen.values()) > 10
    aws.close()


@pytest.mark.parametrize("kind", ["throttling", "500", "reset", "short", "malformed", "denied"])
@pytest.mark.parametrize("read", READS, ids=lambda read: read.__name__)
def test_what_always_fails_ends_as_an_error(world: World, read: Callable[[Aws], Any], kind: str) -> None:
    world.control("/_config", {"fault_rate": "1", "fault_kinds": kind})
    expected = {
        "throttling": {ErrorKind.THROTTLED},
        "500": {ErrorKind.UNAVAILABLE},
        "reset": {ErrorKind.UNAVAILABLE},
        "short": {ErrorKind.UNAVAILABLE},
        "malformed": {ErrorKind.UNEXPECTED},
        "denied": {ErrorKind.DENIED},
    }
    aws = connect(AccountAccess(ACCOUNT))
    with pytest.raises(AwsError) as caught:
        read(aws)
    assert caught.value.kind in expected[kind]
    assert caught.value.is_retryable == (kind != "denied")
    aws.close()


@pytest.mark.parametrize("page", [1, 2, 5])
def test_a_stream_that_breaks_gives_the_pages_before_and_never_a_last_one(world: World, page: int) -> None:
    world.control("/_config", {"fail": f"GetAccountAuthorizationDetails:{page}:500"})
    aws = connect(AccountAccess(ACCOUNT))
    seen: list[AuthorizationPage] = []
    with pytest.raises(AwsError):
        seen.extend(stream_authorization(aws, page_size=20))
    # list.extend keeps what came before the error.
    assert [page.number for page in seen] == list(range(1, page))
    assert not any(page.is_last for page in seen)
    aws.close()


def test_a_short_body_among_whole_ones_is_read_again(world: World) -> None:
    aws = connect(AccountAccess(ACCOUNT))
    clean = authorization(aws)
    world.control("/_config", {"fault_rate": "0.2", "fault_kinds": "malformed"})
    assert authorization(aws) == clean
    assert world.faults.seen["malformed"] > 0
    aws.close()
