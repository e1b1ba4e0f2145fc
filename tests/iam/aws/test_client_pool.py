"""Open ways that are kept for the next: whose they are, what they forget in between, and which are not
kept.
"""

from __future__ import annotations

import threading

import pytest
from botocore.exceptions import ClientError

from iam.aws import client_pool
from iam.aws.access import AccountAccess
from iam.aws.client_pool import pooled_client
from iam.aws.session import SENDS_PER_CALL, Aws
from tests.bench.fakeaws.world import World
from tests.iam.aws.scripted import ACCOUNT
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.usefixtures("world")
HERE = AccountAccess(ACCOUNT)


def test_the_next_one_gets_the_same_clients_with_a_count_of_its_own() -> None:
    calls: list[str] = []
    with pooled_client(HERE, on_call=calls.append) as first:
        first.iam.get_account_summary()
        client = first.iam
    with pooled_client(HERE) as second:
        assert second is first
        assert second.iam is client
        assert not second.calls
        second.iam.get_account_summary()
        assert second.calls == {"iam:GetAccountSummary": 1}
    assert calls == ["iam:GetAccountSummary"]


def test_two_at_once_never_share_one() -> None:
    with pooled_client(HERE) as first, pooled_client(HERE) as second:
        assert first is not second


def test_threads_never_share_one() -> None:
    awses: list[Aws] = []
    both = threading.Barrier(2)

    def hold() -> None:
        with pooled_client(HERE) as aws:
            awses.append(aws)
            both.wait(timeout=PATIENCE_S)

    with pooled_client(HERE):
        pass
    threads = [threading.Thread(target=hold) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=PATIENCE_S)
    assert len({id(aws) for aws in awses}) == 2


@pytest.mark.parametrize(
    "other",
    [
        AccountAccess("222222222222"),
        AccountAccess(ACCOUNT, region="eu-west-1"),
        AccountAccess(ACCOUNT, session_name="other"),
    ],
)
def test_another_way_is_another_one(other: AccountAccess) -> None:
    with pooled_client(HERE) as first:
        pass
    with pooled_client(other) as second:
        assert second is not first


def test_other_credentials_of_the_environment_are_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with pooled_client(HERE) as first:
        pass
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOTHER")
    with pooled_client(HERE) as second:
        assert second is not first


def test_a_client_that_raised_is_not_kept() -> None:
    with pytest.raises(RuntimeError), pooled_client(HERE) as first:
        raise RuntimeError
    with pooled_client(HERE) as second:
        assert second is not first


def test_a_client_that_had_to_repeat_a_call_is_not_kept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda seconds: None)
    world.control("/_config", {"fault_rate": "1", "fault_kinds": "500"})
    with pooled_client(HERE) as first:
        with pytest.raises(ClientError):
            first.iam.get_account_summary()
        assert first.retries == SENDS_PER_CALL - 1
    with pooled_client(HERE) as second:
        assert second is not first


def test_an_old_one_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    with pooled_client(HERE) as first:
        pass
    monkeypatch.setattr(client_pool, "MAX_AGE_S", -1)
    with pooled_client(HERE) as second:
        assert second is not first


def test_only_so_many_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_pool, "MAX_CLIENTS", 2)
    for number in ("1", "2", "3"):
        with pooled_client(AccountAccess(number * 12)):
            pass
    assert [key[0].account_id for key in client_pool._idle] == ["2" * 12, "3" * 12]


def test_a_kept_client_holds_no_connection() -> None:
    with pooled_client(HERE) as aws:
        aws.iam.get_account_summary()
        pools = aws.iam._endpoint.http_session._manager.pools
        assert len(pools) == 1
    assert len(pools) == 0
