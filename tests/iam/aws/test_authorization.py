"""The bulk answer: equal to botocore's own parse, cheap when nothing changed, and never read short."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest

from iam.aws.access import AccountAccess
from iam.aws.errors import AwsError, ErrorKind
from iam.aws.raw_lists import MALFORMED
from iam.aws.reads.authorization import AuthorizationItem, stream_authorization
from iam.aws.records import LastUsed, Record, RoleRecord
from iam.aws.session import Aws, connect
from tests.bench.fakeaws.accounts import key_of
from tests.bench.fakeaws.world import World
from tests.iam.aws import stock
from tests.iam.aws.scripted import answer, error

OPERATION = "GetAccountAuthorizationDetails"
Scripted = Callable[..., Aws]


def read(aws: Aws, **options: Any) -> list[AuthorizationItem]:
    return [item for page in stream_authorization(aws, **options) for item in page.items]


def digests(items: list[AuthorizationItem]) -> Callable[[str, str], bytes | None]:
    known = {(item.kind, item.aws_id): item.digest for item in items}
    return lambda kind, aws_id: known.get((kind, aws_id))


def meaning(record: Record) -> Record:
    """The record with canonical documents, since botocore does not keep their wording."""
    changes: dict[str, Any] = {}
    if hasattr(record, "inline"):
        changes["inline"] = tuple(
            policy._replace(document=stock.canonical(policy.document)) for policy in record.inline
        )
    if hasattr(record, "trust"):
        changes["trust"] = stock.canonical(record.trust)
    if hasattr(record, "versions"):
        changes["versions"] = tuple(v._replace(document=stock.canonical(v.document)) for v in record.versions)
    return replace(record, **changes)


@pytest.mark.parametrize("page_size", [1000, 100, 7])
def test_the_records_are_those_that_botocore_parses(aws: Aws, page_size: int) -> None:
    items = read(aws, page_size=page_size)
    assert len(items) > 200
    ours = {(item.kind, item.aws_id): meaning(item.record) for item in items if item.record}
    theirs = {(kind, record.aws_id): record for kind, record in stock.records(stock.authorization_details())}
    assert ours == theirs


def test_documents_keep_their_exact_wording(aws: Aws, world: World) -> None:
    roles = {item.name: item.record for item in read(aws) if item.kind == "role"}
    for role in world.account.roles:
        record = roles[role["name"]]
        assert isinstance(record, RoleRecord)
        assert record.trust == role["trust"]
        assert record.inline == tuple(sorted(role["inline"]))


def test_pages_say_their_number_and_which_is_the_last(aws: Aws) -> None:
    pages = list(stream_authorization(aws, page_size=100))
    assert [page.number for page in pages] == list(range(1, len(pages) + 1))
    assert [page.is_last for page in pages] == [False] * (len(pages) - 1) + [True]
    assert aws.calls == {f"iam:{OPERATION}": len(pages)}


def test_what_is_known_is_not_decoded_again(aws: Aws) -> None:
    first = read(aws)
    second = read(aws, known=digests(first))
    assert [item.record for item in second] == [None] * len(first)
    assert [replace(item, record=None) for item in first] == second


def test_a_role_that_was_only_used_again_is_not_decoded(aws: Aws, world: World) -> None:
    before = {item.arn: item for item in read(aws)}
    touched = set(world.touch(20, seed=5)["roles"])
    after = {item.arn: item for item in read(aws, known=digests(list(before.values())))}
    assert {arn for arn, item in after.items() if item.last_used != before[arn].last_used} == touched
    assert all(item.record is None for item in after.values())


def test_exactly_what_changed_is_decoded(aws: Aws, world: World) -> None:
    before = read(aws)
    changed = world.mutate(5, seed=9)
    after = read(aws, known=digests(before))
    assert {item.arn for item in after if item.record} == {*changed["principals"], *changed["policies"]}


def test_another_account_is_answered_with_its_own_names(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key_of(3))
    aws = connect(AccountAccess("111111111114"))
    owners = {item.arn.split(":")[4] for item in read(aws)}
    assert owners == {"111111111114", "aws"}
    aws.close()


def test_the_answer_for_another_account_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key_of(3))
    aws = connect(AccountAccess("111111111111"))
    with pytest.raises(AwsError, match="doesn’t belong to the expected account"):
        read(aws)
    aws.close()


def page_of(*, users: str = "", roles: str = "", more: str = "<IsTruncated>false</IsTruncated>") -> bytes:
    lists = f"<UserDetailList>{users}</UserDetailList><GroupDetailList/>"
    return answer(OPERATION, f"{more}{lists}<RoleDetailList>{roles}</RoleDetailList><Policies/>")


def user(name: str = "ada", *, extra: str = "", path: str = "/") -> str:
    return (
        f"<member><Path>{path}</Path><UserName>{name}</UserName><UserId>AIDA{name.upper():A<17}</UserId>"
        f"<Arn>arn:aws:iam::111111111111:user{path}{name}</Arn><CreateDate>2024-02-29T10:00:00Z</CreateDate>{extra}</member>"
    )


def role(*, before: str = "", after: str = "") -> str:
    trust = quote('{"Statement":[]}', safe="")
    return (
        f"<member>{before}<Path>/</Path><RoleName>web</RoleName><RoleId>AROAWEB</RoleId>"
        f"<Arn>arn:aws:iam::111111111111:role/web</Arn><CreateDate>2024-02-29T10:00:00Z</CreateDate>"
        f"<AssumeRolePolicyDocument>{trust}</AssumeRolePolicyDocument>{after}</member>"
    )


def test_elements_in_the_order_of_aws_do_not_confuse_a_role_with_its_profile(scripted: Scripted) -> None:
    profile = (
        "<InstanceProfileList><member><InstanceProfileName>other</InstanceProfileName><Roles>"
        "<member><Arn>arn:aws:iam::111111111111:role/wrong</Arn><RoleName>wrong</RoleName><RoleId>AROAWRONG</RoleId>"
        "<RoleLastUsed><LastUsedDate>2020-01-01T00:00:00Z</LastUsedDate></RoleLastUsed></member>"
        "</Roles><Arn>arn:aws:iam::111111111111:instance-profile/other</Arn></member></InstanceProfileList>"
    )
    used = (
        "<RoleLastUsed><LastUsedDate>2026-05-01T08:00:00Z</LastUsedDate>"
        "<Region>eu-west-1</Region></RoleLastUsed>"
    )
    (item,) = read(scripted(page_of(roles=role(before=profile, after=used))))
    assert (item.aws_id, item.name, item.arn) == ("AROAWEB", "web", "arn:aws:iam::111111111111:role/web")
    assert item.last_used == LastUsed(datetime(2026, 5, 1, 8, tzinfo=UTC), "eu-west-1")
    assert isinstance(item.record, RoleRecord)
    assert item.record.instance_profiles == ("arn:aws:iam::111111111111:instance-profile/other",)


@pytest.mark.parametrize("used", ["", "<RoleLastUsed/>", "<RoleLastUsed></RoleLastUsed>"])
def test_a_role_that_was_never_used_has_no_last_use(scripted: Scripted, used: str) -> None:
    (item,) = read(scripted(page_of(roles=role(after=used))))
    assert item.last_used is None


def test_escapes_and_letters_of_the_world_come_through(scripted: Scripted) -> None:
    tags = "<Tags><member><Key>A &amp; B</Key><Value>&lt;b&gt; naïve 日本 &#128640;</Value></member></Tags>"
    (item,) = read(scripted(page_of(users=user(extra=tags, path="/r&amp;d/"))))
    assert item.arn == "arn:aws:iam::111111111111:user/r&d/ada"
    assert item.record is not None
    assert (item.record.path, item.record.tags) == ("/r&d/", {"A & B": "<b> naïve 日本 🚀"})


BAD_PAGES = {
    "a missing id": page_of(users=user().replace("UserId", "Other")),
    "a missing path": page_of(users=user().replace("Path", "Other")),
    "a date that is none": page_of(users=user().replace("2024-02-29", "2023-02-29")),
    "a member that is not well-formed": page_of(users=user(extra="<Tags><member></Tags>")),
    "no word on whether there is more": page_of(users=user(), more=""),
    "more, but not where": page_of(users=user(), more="<IsTruncated>true</IsTruncated>"),
    "a list in another spelling": page_of(users=user()).replace(b"UserDetailList>", b"UserDetailList >"),
    "half a body": page_of(users=user())[:400],
    "nothing": b"",
    "a page of a proxy": b"<html><body>Please sign in</body></html>",
}


@pytest.mark.parametrize("body", BAD_PAGES.values(), ids=BAD_PAGES)
def test_a_page_that_is_not_whole_is_an_error(scripted: Scripted, body: bytes) -> None:
    with pytest.raises(AwsError) as caught:
        read(scripted(*[body] * 5))
    assert (caught.value.kind, caught.value.code) == (ErrorKind.UNEXPECTED, MALFORMED)


def test_a_page_that_is_whole_the_second_time_is_read(scripted: Scripted) -> None:
    assert [item.name for item in read(scripted(page_of(users=user())[:300], page_of(users=user())))] == [
        "ada"
    ]


def test_a_marker_that_does_not_move_on_is_an_error(scripted: Scripted) -> None:
    page = page_of(users=user(), more="<IsTruncated>true</IsTruncated><Marker>again</Marker>")
    pages = stream_authorization(scripted(page, page))
    assert next(pages).is_last is False
    with pytest.raises(AwsError, match="not where"):
        list(pages)


def test_the_pages_before_a_failure_are_given_and_then_the_failure(scripted: Scripted) -> None:
    more = "<IsTruncated>true</IsTruncated><Marker>two</Marker>"
    pages = stream_authorization(
        scripted(page_of(users=user(), more=more), error("AccessDenied", status=403))
    )
    assert [item.name for item in next(pages).items] == ["ada"]
    with pytest.raises(AwsError) as caught:
        next(pages)
    assert (caught.value.kind, caught.value.permission) == (ErrorKind.DENIED, f"iam:{OPERATION}")


def test_a_call_beside_the_stream_is_stock_botocore(aws: Aws) -> None:
    assert len(aws.iam.get_account_authorization_details(MaxItems=50)["UserDetailList"]) == 50
    assert len(aws.iam.list_users(MaxItems=10)["Users"]) == 10
