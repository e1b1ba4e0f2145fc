"""The stand-in for measurements: the same for the same seed, and changing only what it says that it
changes.
"""

from __future__ import annotations

import csv
import io
import json
import re
import urllib.error
from collections.abc import Iterator

import pytest

from iam.aws.access import AccountAccess
from iam.aws.session import connect
from tests.bench.fakeaws.accounts import account_id, key_of, number_of
from tests.bench.fakeaws.process import control, in_process, in_thread
from tests.bench.fakeaws.world import Options, World

TINY = Options(users=30, groups=4, roles=20, policies=10)


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, World]]:
    with in_thread(TINY) as (address, world):
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAFAKE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
        yield address, world


def whole(world: World) -> dict[str, list[bytes]]:
    return {kind: list(fragments) for kind, fragments in world.iam.fragments.items()}


def report(world: World) -> list[dict[str, str]]:
    assert world.iam.report.generate(world.account.users) == "COMPLETE"
    assert world.iam.report.content is not None
    return list(csv.DictReader(io.StringIO(world.iam.report.content)))


def test_the_same_seed_gives_the_same_account_and_another_seed_another() -> None:
    assert whole(World(TINY)) == whole(World(TINY))
    assert whole(World(TINY)) != whole(World(Options(users=30, groups=4, roles=20, policies=10, seed=2)))


def test_touching_changes_only_when_things_were_last_used(tiny: tuple[str, World]) -> None:
    _, world = tiny

    def without_use() -> tuple[object, ...]:
        details = {
            k: [re.sub(rb"<RoleLastUsed>.*?</RoleLastUsed>", b"", f) for f in fs]
            for k, fs in whole(world).items()
        }
        users = re.sub(
            r"<PasswordLastUsed>[^<]*</PasswordLastUsed>", "", world.iam.ListUsers({"MaxItems": "1000"})
        )
        rows = [{k: v for k, v in row.items() if "last_used" not in k} for row in report(world)]
        return details, users, rows

    before, details, rows = without_use(), whole(world), report(world)
    world.touch(10, seed=4)
    assert without_use() == before
    changed = sum(new != old for new, old in zip(whole(world)["Role"], details["Role"], strict=True))
    assert changed == 10
    columns = {k for new, old in zip(report(world), rows, strict=True) for k in new if new[k] != old[k]}
    assert columns >= {"password_last_used", "access_key_1_last_used_date"}


def test_touching_is_the_same_for_the_same_seed() -> None:
    first, second = World(TINY), World(TINY)
    assert first.touch(7, seed=3) == second.touch(7, seed=3)
    assert whole(first) == whole(second)
    assert first.touch(7, seed=3)
    assert whole(first) != whole(second)


def test_mutating_changes_exactly_what_it_names(tiny: tuple[str, World]) -> None:
    _, world = tiny
    before = {
        e["arn"]: f
        for kind in whole(world)
        for e, f in zip(world.iam._entities(kind), whole(world)[kind], strict=True)
    }
    named = json.loads(json.dumps(world.mutate(3, seed=8)))
    after = {
        e["arn"]: f
        for kind in whole(world)
        for e, f in zip(world.iam._entities(kind), whole(world)[kind], strict=True)
    }
    assert {arn for arn in after if after[arn] != before[arn]} == {*named["principals"], *named["policies"]}


def test_a_key_leads_to_its_account() -> None:
    for number in (0, 1, 57, 1999):
        header = f"AWS4-HMAC-SHA256 Credential={key_of(number)}/20261001/us-east-1/iam/aws4_request".encode()
        assert number_of(header, count=2000) == number
    assert number_of(b"Credential=AKIAFAKE/", count=2000) == 0


def test_accounts_are_alike_and_share_no_id(monkeypatch: pytest.MonkeyPatch) -> None:
    with in_thread(Options(users=30, groups=4, roles=20, policies=10, accounts=3)) as (address, _):
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
        seen: list[set[str]] = []
        for number in range(3):
            monkeypatch.setenv("AWS_ACCESS_KEY_ID", key_of(number))
            aws = connect(AccountAccess(account_id(number)))
            assert aws.sts.get_caller_identity()["Account"] == account_id(number)
            get_account_authorization_details = aws.iam.get_account_authorization_details(MaxItems=1000)
            seen.append({user["UserId"] for user in get_account_authorization_details["UserDetailList"]})
            aws.iam.generate_credential_report()
            content = aws.iam.get_credential_report()["Content"].decode()
            assert account_id(number) in content
            assert not any(account_id(other) in content for other in range(3) if other != number)
            aws.close()
        assert [len(ids) for ids in seen] == [30, 30, 30]
        assert len(set.union(*seen)) == 90


def test_control_speaks_json_over_http(tiny: tuple[str, World]) -> None:
    address, world = tiny
    aws = connect(AccountAccess(account_id(0)))
    aws.iam.list_users()
    stats = json.loads(control(address, "_stats"))
    assert stats["by_action"] == {"ListUsers": 1}
    assert stats["bytes"] == stats["bytes_by_action"]["ListUsers"] > 1000
    assert json.loads(control(address, "_reset"))["requests"] == 0
    assert len(json.loads(control(address, "_touch?n=3&seed=1"))["roles"]) == 3
    control(address, "_config?deny=iam:ListRoles")
    with pytest.raises(aws.iam.exceptions.ClientError, match="not authorized to perform: iam:ListRoles"):
        aws.iam.list_roles()
    with pytest.raises(urllib.error.HTTPError):
        control(address, "_nonsense")
    assert world.faults.seen == {"denied": 1}
    aws.close()


def test_a_failure_at_a_chosen_call_starts_there(tiny: tuple[str, World]) -> None:
    address, _ = tiny
    control(address, "_config?fail=ListUsers:2:denied")
    aws = connect(AccountAccess(account_id(0)))
    assert aws.iam.list_users()["Users"]
    with pytest.raises(aws.iam.exceptions.ClientError):
        aws.iam.list_users()
    aws.close()


def test_the_fake_of_aws_runs_as_a_process_of_its_own() -> None:
    with in_process(users=5, groups=1, roles=2, policies=2) as address:
        assert json.loads(control(address, "_stats"))["requests"] == 0
