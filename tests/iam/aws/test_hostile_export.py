"""Files that are no export, too large, or anything at all are refused with a sentence."""

from __future__ import annotations

import copy
import io
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iam.aws.export import AuthorizationExport, ExportError, parse_export, read_export
from tests.iam.aws.test_export import USER_ID, arn, parse, small


def edited(path: str, value: Any) -> dict[str, Any]:
    """The small file with one place changed; a value of ... removes it."""
    data: Any = small()
    *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    place = data
    for step in way:
        place = place[step]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return dict(data)


def nested(depth: int) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for _ in range(depth):
        nested = {"a": nested}
    return nested


WRONG: list[tuple[str, Any, str]] = [
    ("UserDetailList", ..., r"\$\.UserDetailList is missing"),
    ("UserDetailList", {}, r"\$\.UserDetailList is an object; a list"),
    ("UserDetailList.0", "x", r"\$\.UserDetailList\[0\] is a text; an object"),
    ("UserDetailList.0", None, r"\$\.UserDetailList\[0\] is missing; an object"),
    ("UserDetailList.0.UserName", ..., r"\$\.UserDetailList\[0\]\.UserName is missing"),
    ("UserDetailList.0.UserName", 7, r"\.UserName is a number; a text"),
    ("UserDetailList.0.UserName", (
        "<script>alert(1)</script>"
    ), r"\.UserName is not what AWS allows there: '<script>"),
    ("UserDetailList.0.UserName", "a" * 129, r"\.UserName is 129 characters long; AWS allows 128"),
    ("UserDetailList.0.UserName", "a\u0000b", r"\.UserName has a control character"),
    ("UserDetailList.0.UserName", "bob", r"ARN of the user bob does not belong to it"),
    ("UserDetailList.0.UserId", "x y", r"\.UserId is not what AWS allows"),
    ("UserDetailList.0.Arn", "javascript:alert(1)", r"\.Arn is not what AWS allows"),
    ("UserDetailList.0.Arn", "arn:aws:iam::aws:user/ada", r"the user ada has no account"),
    ("UserDetailList.0.Arn", "arn:aws:iam::111111111111:role/ada", r"ARN of the user ada does not belong"),
    ("UserDetailList.0.Arn", "arn:aws:iam::222222222222:user/ada", r"mixes accounts"),
    ("UserDetailList.0.Arn", "arn:aws-moon:iam::111111111111:user/ada", r"does not belong to it"),
    ("UserDetailList.0.Path", "no", r"\.Path is not what AWS allows"),
    ("UserDetailList.0.CreateDate", "yesterday", r"\.CreateDate is not a date and time: 'yesterday'"),
    ("UserDetailList.0.CreateDate", 1e300, r"\.CreateDate is not a date and time"),
    ("UserDetailList.0.CreateDate", True, r"\.CreateDate is not a date and time"),
    ("UserDetailList.0.GroupList", "devs", r"\.GroupList is a text; a list"),
    ("UserDetailList.0.GroupList", [["devs"]], r"\.GroupList\[0\] is a list; a text"),
    ("UserDetailList.0.Tags", [{"Key": "k"}], r"\.Tags\[0\]\.Value is missing"),
    ("UserDetailList.0.Tags", [{"Key": "k", "Value": "\ud800"}], (
        r"\.Tags\[0\]\.Value has a control character"
    )),
    ("UserDetailList.0.UserPolicyList.0.PolicyDocument", 7, r"PolicyDocument is a number; a policy document"),
    ("UserDetailList.0.UserPolicyList.0.PolicyDocument", "no", (
        r"PolicyDocument is not a policy document in JSON: 'no'"
    )),
    ("UserDetailList.0.UserPolicyList.0.PolicyDocument", "%5B1%5D", r"it is a list, not an object"),
    ("UserDetailList.0.UserPolicyList.0.PolicyDocument", nested(33), r"nested more than 32 levels deep"),
    ("UserDetailList.0.UserPolicyList.0.PolicyDocument", {"a": "x" * 600_000}, (
        r"longer than any policy document"
    )),
    ("UserDetailList.0.PermissionsBoundary", "x", r"\.PermissionsBoundary is a text; an object"),
    ("RoleDetailList.0.AssumeRolePolicyDocument", ..., (
        r"AssumeRolePolicyDocument is missing; a policy document"
    )),
    ("RoleDetailList.0.RoleLastUsed", 5, r"\.RoleLastUsed is a number"),
    ("Policies.0.AttachmentCount", "many", r"\.AttachmentCount is 'many'; a whole number"),
    ("Policies.0.AttachmentCount", -1, r"\.AttachmentCount is -1; a whole number"),
    ("Policies.0.IsAttachable", "yes", r"\.IsAttachable is a text; true or false"),
    ("Policies.0.DefaultVersionId", "v9", r"PolicyVersionList does not have the default version v9"),
    ("Policies.0.PolicyVersionList.1.VersionId", "newest", r"VersionId is not what AWS allows"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "sentence"), WRONG)
def test_what_is_wrong_is_said_with_its_place(path: str, value: Any, sentence: str) -> None:
    with pytest.raises(ExportError, match=sentence):
        parse(edited(path, value))


def test_a_message_never_repeats_a_long_or_odd_value() -> None:
    with pytest.raises(ExportError) as caught:
        parse(edited("UserDetailList.0.UserName", "<é\u202e" + "x" * 100))
    assert len(str(caught.value)) < 220
    assert str(caught.value).isascii() or "…" in str(caught.value)


NOT_EXPORTS = {
    "empty": (b"", "is empty"),
    "spaces": (b" \n ", "is empty"),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00\xff", "not text"),
    "a list": (b"[]", "an object is expected"),
    "a table of the CLI": (b"-----\n| Get |", "line 1, column 1"),
    "yaml": (b"UserDetailList:\n- Arn: x", "line 1, column 1"),
    "cut off": (json.dumps(small()).encode()[:700], "The end of the file is missing"),
    "cut off after a member": (b'{"UserDetailList": [', "The end of the file is missing"),
    "a comma too many": (b'{"UserDetailList": [],}', "The file isn’t valid"),
    "a key that is none": (b"{1: 2}", "line 1, column 2"),
    "something behind": (json.dumps(small()).encode() + b"x", "end of the file is expected"),
    "a list twice": (b'{"UserDetailList": [], "UserDetailList": []}', "UserDetailList is in the file twice"),
    "not a number": (b'{"a": NaN}', "NaN is not JSON"),
    "a number of 5,000 digits": (b'{"a": ' + b"1" * 5000 + b"}", "a number has too many digits"),
    "deep nesting": (b'{"a": ' + b"[" * 100_000, "nested too deep"),
    "deep nesting in a list": (b'{"UserDetailList": [' + b'{"a":' * 100_000, "nested too deep"),
    "another command's output": (b'{"Users": []}', r"UserDetailList is missing. Make the file with `aws iam"),
    "a page of several": (b'{"IsTruncated": true}', "one page of several"),
    "a page with a token": (b'{"NextToken": "x"}', "one page of several"),
    "an empty account": (
        b'{"UserDetailList":[],"GroupDetailList":[],"RoleDetailList":[],"Policies":[]}',
        "the account can’t be determined",
    ),
}


@pytest.mark.parametrize(("content", "sentence"), NOT_EXPORTS.values(), ids=NOT_EXPORTS)
def test_a_file_that_is_no_export_is_refused_with_a_reason(content: bytes, sentence: str) -> None:
    with pytest.raises(ExportError, match=sentence):
        parse_export(content)


def test_entities_that_are_there_twice_are_refused() -> None:
    same_id, same_arn = small(), small()
    other = {**copy.deepcopy(same_id["UserDetailList"][0]), "UserName": "bob", "Arn": arn("user/bob")}
    same_id["UserDetailList"].append(other)
    with pytest.raises(ExportError, match=rf"user id {USER_ID} is in the file twice"):
        parse(same_id)
    same_arn["UserDetailList"].append({**same_arn["UserDetailList"][0], "UserId": USER_ID[:-1] + "Z"})
    with pytest.raises(ExportError, match=r"user ARN .* is in the file twice"):
        parse(same_arn)


class _Endless(io.RawIOBase):
    """A file of spaces that never ends, and counts what was read of it."""

    def __init__(self) -> None:
        self.given = 0

    def read(self, size: int = -1) -> bytes:
        assert size > 0, "an upload must never be read whole"
        self.given += size
        return b" " * size


def test_a_file_that_is_too_large_is_refused_before_it_is_read_whole() -> None:
    stream = _Endless()
    tracemalloc.start()
    with pytest.raises(ExportError, match="larger than 5 MB"):
        read_export(stream, max_bytes=5_000_000)  # type: ignore[arg-type]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert stream.given == 5_000_001
    assert peak < 15_000_000


@pytest.mark.parametrize("place", ['{"UserDetailList": [{"Tags": [', '{"Anything": ['])
def test_a_small_text_that_is_large_in_memory_is_refused(place: str) -> None:
    """24 MB of empty objects would be 600 MB of them."""
    content = place.encode() + b"{}," * 8_000_000
    tracemalloc.start()
    with pytest.raises(ExportError, match=r"longer than anything that AWS keeps"):
        parse_export(content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200_000_000


def test_more_entities_than_an_account_can_have_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("iam.aws.export.MAX_ENTITIES", 2)
    with pytest.raises(ExportError, match="more than 2 entities"):
        parse(small())


def test_an_entity_longer_than_usual_is_read_and_its_mistakes_are_placed() -> None:
    file = small()
    file["UserDetailList"][0]["Tags"] = [{"Key": f"k{i}", "Value": "v" * 200} for i in range(2_000)]
    assert parse(file).items[0].record.tags["k1999"] == "v" * 200
    text = json.dumps(file, indent=1).replace('"PermissionsBoundary":', '"PermissionsBoundary";')
    line = text[: text.index('"PermissionsBoundary";')].count("\n") + 1
    with pytest.raises(ExportError, match=f"at line {line}, column"):
        parse_export(text.encode())


@pytest.mark.parametrize(
    "date", ["0001-01-01T00:00:00+14:00", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z", -1, 1e15]
)
def test_a_date_that_nobody_can_mean_is_refused(date: Any) -> None:
    with pytest.raises(ExportError, match="not a date and time"):
        parse(edited("UserDetailList.0.CreateDate", date))


def test_200_megabytes_are_too_large() -> None:
    stream = _Endless()
    with pytest.raises(ExportError, match="larger than 100 MB"):
        read_export(stream)  # type: ignore[arg-type]
    assert stream.given == 100_000_001


def test_a_stream_is_read_as_its_bytes_are() -> None:
    content = json.dumps(small()).encode()
    assert read_export(io.BytesIO(content)) == parse_export(content)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)
places = st.sampled_from([path for path, *_ in WRONG])


def imported_or_refused(data: Any) -> AuthorizationExport | str:
    try:
        return parse(data)
    except ExportError as error:
        return str(error)


@settings(max_examples=200)
@given(places, json_values)
def test_whatever_stands_in_a_place_is_imported_or_refused_with_a_sentence(path: str, value: Any) -> None:
    outcome = imported_or_refused(edited(path, value))
    if isinstance(outcome, str):
        assert outcome.endswith(".")
        return
    for item in outcome.items:
        assert "\x00" not in repr(item.record)
        repr(item.record).encode()


@settings(max_examples=100)
@given(st.binary(max_size=60))
def test_any_bytes_are_refused_with_a_sentence(content: bytes) -> None:
    with pytest.raises(ExportError):
        parse_export(content)
