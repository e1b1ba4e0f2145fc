"""What may be typed for an account's number, name, role and external id, and what is said otherwise."""

from __future__ import annotations

import pytest

from iam.mirror.accounts.prepare import new_external_id
from iam.mirror.accounts.validation import (
    SetupError,
    checked_external_id,
    checked_hub,
    checked_interval,
    checked_name,
    checked_number,
    checked_partition,
    checked_role,
    checked_role_name,
)

pytestmark = pytest.mark.on_both

WHERE = {"account_id": "123456789012", "partition": "aws"}


@pytest.mark.parametrize("text", ["123456789012", "1234-5678-9012", " 1234 5678 9012 "])
def test_a_number_may_be_written_in_groups(text: str) -> None:
    assert checked_number(text) == "123456789012"


@pytest.mark.parametrize(
    "text", ["", "12345678901", "1234567890123", "12345678901a", "１２３４５６７８９０１２", "٠١٢٣٤٥٦٧٨٩٠١"]
)
def test_a_number_has_twelve_latin_digits(text: str) -> None:
    with pytest.raises(SetupError, match="12 digits") as caught:
        checked_number(text)
    assert caught.value.field == "account_id"


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:iam::123456789012:role/gatehouse-reader",
        "arn:aws:iam::123456789012:role/security/tools/gatehouse_reader+x=,.@-",
    ],
)
def test_a_role_of_the_account_is_taken_as_it_is(arn: str) -> None:
    assert checked_role(f"  {arn} ", **WHERE) == arn


@pytest.mark.parametrize(
    ("arn", "words"),
    [
        ("", "isn’t a role ARN"),
        ("gatehouse-reader", "isn’t a role ARN"),
        ("arn:aws:iam::123456789012:user/maya", "isn’t a role ARN"),
        ("arn:aws:iam::123456789012:role/", "isn’t a role ARN"),
        ("arn:aws:iam::123456789012:role/a b", "isn’t a role ARN"),
        ("arn:aws:iam::123456789012:role/x\nevil", "isn’t a role ARN"),
        ("arn:aws:iam::123456789012:role/rôle", "isn’t a role ARN"),
        ("arn:aws:sts::123456789012:assumed-role/gatehouse/session", "ARN of a session"),
        ("arn:aws:iam::210987654321:role/reader", "belongs to account 210987654321"),
        ("arn:aws-cn:iam::123456789012:role/reader", "in the partition aws-cn"),
    ],
)
def test_another_arn_is_refused_and_the_reason_said(arn: str, words: str) -> None:
    with pytest.raises(SetupError, match=words) as caught:
        checked_role(arn, **WHERE)
    assert caught.value.field == "role_arn"


@pytest.mark.parametrize("value", ["ab", "gh-4e07b81c2d95", "A/b:c=d,e.f@g+h_i-j", "x" * 1224])
def test_an_external_id_is_what_aws_allows(value: str) -> None:
    assert checked_external_id(value, required=True) == value


@pytest.mark.parametrize("value", ["a", "a b", "ä" * 4, 'a"b', "a\nb", "x" * 1225, "${x}"])
def test_other_external_ids_are_refused(value: str) -> None:
    with pytest.raises(SetupError, match="An external ID has"):
        checked_external_id(value, required=False)


def test_an_external_id_may_be_left_out_only_where_none_is_needed() -> None:
    assert checked_external_id(" ", required=False) == ""
    with pytest.raises(SetupError):
        checked_external_id(" ", required=True)


def test_external_ids_are_valid_and_differ() -> None:
    made = {new_external_id() for _ in range(200)}
    assert len(made) == 200
    assert all(checked_external_id(text, required=True) == text and len(text) >= 24 for text in made)


def test_a_name_is_one_line_that_can_be_shown() -> None:
    assert checked_name("  prod \n payments ") == "prod payments"
    assert checked_name("", default="account 1") == "account 1"
    for text in ("", "a\x00b", "a\u202eb", "x" * 129):
        with pytest.raises(SetupError) as caught:
            checked_name(text)
        assert caught.value.field == "name"


def test_a_script_is_a_name_like_any_other() -> None:
    assert checked_name("<script>alert(1)</script>") == "<script>alert(1)</script>"


@pytest.mark.parametrize("text", ["aws", "aws-cn", "aws-us-gov"])
def test_there_are_three_partitions(text: str) -> None:
    assert checked_partition(text) == text


@pytest.mark.parametrize("text", ["", "AWS", "aws-iso", "aws\n"])
def test_other_partitions_are_refused(text: str) -> None:
    with pytest.raises(SetupError):
        checked_partition(text)


@pytest.mark.parametrize("name", ["", "a/b", "a b", "x" * 65, "arn:aws:iam::1:role/x"])
def test_a_role_name_has_no_path(name: str) -> None:
    with pytest.raises(SetupError):
        checked_role_name(name)


def test_the_hub_is_a_role_or_user_of_the_same_partition() -> None:
    for arn in (
        "arn:aws:iam::123456789012:role/x/gatehouse",
        "arn:aws:iam::123456789012:user/machines/gatehouse",
    ):
        assert checked_hub(arn, partition="aws") == arn
    with pytest.raises(SetupError, match="roles of aws-cn can only trust principals in"):
        checked_hub("arn:aws:iam::123456789012:role/gatehouse", partition="aws-cn")
    for wrong in ("arn:aws:iam::123456789012:root", "*", 'arn:aws:iam::123456789012:role/x"'):
        with pytest.raises(SetupError):
            checked_hub(wrong, partition="aws")


def test_an_interval_is_one_of_the_list() -> None:
    assert checked_interval(None) is None
    assert checked_interval(60) == 60
    for minutes in (0, 1, 7, -5, 10**9):
        with pytest.raises(SetupError):
            checked_interval(minutes)
