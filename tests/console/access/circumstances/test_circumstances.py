"""What an address says of the circumstances of a request, and what is wrong with it."""

from __future__ import annotations

import pytest
from django.http import QueryDict
from django.template.loader import render_to_string

from console.access.circumstances import RequestCircumstances, circumstances_context, circumstances_of


def read(address: str, **options: str) -> RequestCircumstances:
    return circumstances_of(QueryDict(address), **options)


def test_an_empty_address_says_nothing() -> None:
    circumstances = read("")
    assert (
        circumstances.context,
        circumstances.strict,
        circumstances.errors,
        circumstances.chips,
        circumstances.words,
    ) == ({}, False, {}, [], "")


def test_every_field_becomes_its_condition_keys() -> None:
    circumstances = read(
        "mfa=yes&ip=203.0.113.7&time=2026-11-24T14:05&ctx=aws:RequestedRegion%3Deu-west-1&strict=1"
    )
    assert circumstances.context == {
        "aws:MultiFactorAuthPresent": "true",
        "aws:SourceIp": "203.0.113.7",
        "aws:CurrentTime": "2026-11-24T14:05:00Z",
        "aws:EpochTime": "1795529100",
        "aws:RequestedRegion": "eu-west-1",
    }
    assert circumstances.strict
    assert circumstances.errors == {}
    assert circumstances.doubts == []


def test_no_mfa_is_a_value_and_not_an_absent_key() -> None:
    assert read("mfa=no").context == {"aws:MultiFactorAuthPresent": "false"}


def test_a_key_given_twice_has_both_values_in_whatever_case_it_is_written() -> None:
    circumstances = read("ctx=aws:TagKeys%3Dteam&ctx=AWS:tagkeys%3Dcost")
    assert circumstances.context == {"aws:TagKeys": ["team", "cost"]}
    assert circumstances.doubts == []


def test_a_key_without_a_value_is_absent() -> None:
    circumstances = read("ctx=aws:SourceVpce%3D")
    assert circumstances.context == {"aws:SourceVpce": []}
    assert circumstances.chips[0].value == "absent"


def test_a_value_may_have_equals_signs() -> None:
    assert read("ctx=aws:UserAgent%3Da%3Db%3D").context == {"aws:UserAgent": "a=b="}


def test_the_rows_of_a_form_become_conditions_of_the_address() -> None:
    circumstances = read("key=aws:SourceVpc&value=vpc-1&tag=team&tag-value=payments")
    assert circumstances.context == {"aws:SourceVpc": "vpc-1", "aws:PrincipalTag/team": "payments"}
    assert circumstances.pairs == (("ctx", "aws:SourceVpc=vpc-1"), ("ctx", "aws:PrincipalTag/team=payments"))


@pytest.mark.parametrize(
    ("address", "field", "sentence"),
    [
        ("mfa=maybe", "mfa", "“maybe” isn’t an MFA state. Use yes, no or any."),
        ("ip=10.0.0.0/8", "ip", "“10.0.0.0/8” is a range. Enter one address, such as 203.0.113.7."),
        ("ip=10.0.0.256", "ip", (
            "“10.0.0.256” isn’t an IP address. Enter one such as 203.0.113.7 or 2001:db8::7."
        )),
        ("time=soon", "time", "“soon” isn’t a time. Enter one such as 2026-11-24T14:05."),
        ("ctx=aws:SourceVpc", "ctx", (
            "“aws:SourceVpc” isn’t a condition. Use KEY=VALUE, such as aws:RequestedRegion=eu-west-1."
        )),
        ("ctx=%3Dvalue", "ctx", (
            "“=value” isn’t a condition. Use KEY=VALUE, such as aws:RequestedRegion=eu-west-1."
        )),
        ("value=vpc-1", "key", "“vpc-1” is a value without a key. Enter its key, or remove the value."),
        ("key=a%3Db&value=c", "key", (
            "“a=b” contains an equals sign. Enter the key here and its value beside it."
        )),
        ("mfa=yes&ctx=aws:multifactorauthpresent%3Dfalse", "ctx", (
            "aws:MultiFactorAuthPresent is set twice: by its own field and as a condition. Remove one of "
            "them."
        )),
        ("ctx=aws:SourceVpc%3D&ctx=aws:SourceVpc%3Dvpc-1", "ctx", (
            "aws:SourceVpc is set both as absent and with a value. Remove one of them."
        )),
        ("&".join(f"ctx=aws:TagKeys%3D{n}" for n in range(51)), "ctx", (
            "You can set at most 50 conditions. The ones after these were left out."
        )),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_said_and_left_out(address: str, field: str, sentence: str) -> None:
    circumstances = read(address)
    assert circumstances.errors == {field: sentence}
    assert len(circumstances.context.get("aws:TagKeys", [])) in {0, 50}
    assert "c" not in circumstances.context.values()


def test_an_unknown_key_is_kept_and_the_like_of_it_offered() -> None:
    circumstances = read("action=s3:GetObject&ctx=aws:SourceIP4%3Dx&ctx=s3:prefx%3Dhome")
    assert circumstances.context == {"aws:SourceIP4": "x", "s3:prefx": "home"}
    assert [doubt.suggestion for doubt in circumstances.doubts] == ["aws:SourceIp", ""]
    listing = read("action=s3:ListBucket&ctx=s3:prefx%3Dhome")
    assert listing.doubts[0].suggestion == "s3:prefix"
    assert listing.doubts[0].url == "?action=s3%3AListBucket&ctx=s3%3Aprefix%3Dhome"


def test_an_unknown_key_that_is_like_nothing_is_only_mentioned() -> None:
    (doubt,) = read("ctx=corp:mood%3Dgood").doubts
    assert (doubt.text, doubt.suggestion) == (
        "AWS doesn’t list a condition key corp:mood. It’s used as entered.",
        "",
    )


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("aws:SecureTransport%3Dyes", "“yes” isn’t valid for aws:SecureTransport. It takes true or false."),
        ("aws:MultiFactorAuthAge%3Dlong", (
            "“long” isn’t valid for aws:MultiFactorAuthAge. It takes a number."
        )),
        ("aws:VpcSourceIp%3D10.0.0.0/8", (
            "“10.0.0.0/8” isn’t valid for aws:VpcSourceIp. It takes one IP address."
        )),
        ("aws:SourceArn%3Dbucket", "“bucket” isn’t valid for aws:SourceArn. It takes an ARN."),
        ("aws:TokenIssueTime%3Dnoon", (
            "“noon” isn’t valid for aws:TokenIssueTime. It takes a time such as 2026-11-24T14:05:00Z, or "
            "seconds since 1970."
        )),
        ("aws:SourceVpc%3Da&ctx=aws:SourceVpc%3Db", "aws:SourceVpc has a single value in a request, not 2."),
    ],
)  # fmt: skip
def test_a_value_that_its_key_cannot_have_is_mentioned_and_kept(setting: str, sentence: str) -> None:
    circumstances = read(f"ctx={setting}")
    assert [doubt.text for doubt in circumstances.doubts] == [sentence]
    assert len(circumstances.context) == 1


def test_a_chip_leads_to_the_address_without_it_and_keeps_the_rest() -> None:
    circumstances = read(
        "action=s3:GetObject&mfa=yes&ctx=aws:SourceVpc%3Dvpc-1&after=x&resource-policy=secret"
    )
    assert [chip.url for chip in circumstances.chips] == [
        "?action=s3%3AGetObject&ctx=aws%3ASourceVpc%3Dvpc-1",
        "?action=s3%3AGetObject&mfa=yes",
    ]
    assert circumstances.words == "MFA: present; aws:SourceVpc: vpc-1"


def test_a_button_of_a_form_takes_away_one_condition() -> None:
    circumstances = read("mfa=yes&ctx=aws:SourceVpc%3Dvpc-1&without=ctx%3Daws:SourceVpc%3Dvpc-1")
    assert circumstances.pairs == (("mfa", "yes"),)


def test_the_fields_show_what_is_set_and_escape_it() -> None:
    circumstances = read("mfa=no&ip=%22%3E%3Cb%3E&ctx=aws:UserAgent%3D%3Cscript%3E&strict=1")
    html = render_to_string("access/_circumstances.html", circumstances_context(circumstances))
    assert '<option value="no" selected>' in html
    assert "<script>" not in html
    assert "<b>&lt;script&gt;</b>" in html
    assert 'name="strict" value="1" checked' in html
    assert 'aria-invalid="true" aria-describedby="c-ip-e"' in html
    assert "&quot;&gt;&lt;b&gt;” isn’t an IP address." in html


def test_a_tag_is_shown_by_its_name() -> None:
    assert read("ctx=aws:PrincipalTag/team%3Dpayments").words == "Tag team: payments"
