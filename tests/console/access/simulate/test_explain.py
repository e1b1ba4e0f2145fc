"""`manage.py explain`: the tree as text and as JSON, and errors that say what to do."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests import factories as make
from tests.console.access.simulate.conftest import HUB, LEDGER, MEMBER, Organization

pytestmark = pytest.mark.django_db
QUEUE = f"arn:aws:sqs:eu-west-1:{MEMBER}:jobs"


def explain(*words: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("explain", *words, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_the_text_says_the_decision_then_why_then_the_tree(org: Organization) -> None:
    out, err = explain("maya.okafor", "sqs:SendMessage", QUEUE)
    lines = out.splitlines()
    assert lines[0] == f"Not allowed: {org.of['maya'].arn}, sqs:SendMessage on {QUEUE}"
    assert lines[1] == "Allowed by own, statement 1, but the SCPs of Workloads don’t allow it."
    assert lines[2] == "Missing: The SCPs of Workloads don’t allow it."
    assert "│  ├─ Workloads [doesn’t allow]: Doesn’t allow it." in lines
    assert "│  ├─ Its own policies [allows]: Allows it." in lines
    assert lines[-1] == "└─ Session policy [no say]: Not specified."
    assert err == ""


def test_the_context_decides_conditions_and_is_shown_beside_them(org: Organization) -> None:
    with_mfa, _ = explain(
        "maya.okafor", "s3:GetObject", LEDGER, "--context", "aws:MultiFactorAuthPresent=true"
    )
    assert with_mfa.startswith("Allowed: ")
    assert "(request has: true)" in with_mfa
    open_one, _ = explain("maya.okafor", "s3:GetObject", LEDGER)
    assert "Depends: if MFA is present" in open_one
    strict, _ = explain("maya.okafor", "s3:GetObject", LEDGER, "--strict")
    assert strict.startswith("Not allowed: ")


def test_json_has_the_whole_tree(org: Organization) -> None:
    out, _ = explain(
        "maya.okafor", "s3:GetObject", LEDGER, "--context=aws:MultiFactorAuthPresent=true", "--json"
    )
    content = json.loads(out)
    assert content["decision"] == "allowed"
    assert content["context"] == {"aws:MultiFactorAuthPresent": "true"}
    identity = next(branch for branch in content["branches"] if branch["kind"] == "identity")
    group = next(part for part in identity["parts"] if part["title"] == "Group readers")
    assert group["statements"] == [
        {
            "policy": "ReadLedger",
            "group": "readers",
            "statement": 0,
            "sid": "",
            "effect": "Allow",
            "applies": "yes",
            "checks": [
                {"element": "Resource", "text": (
                    "arn:aws:s3:::pay-ledger/*"
                ), "fits": "yes", "in_request": LEDGER},
                {"element": "Condition", "text": (
                    "Bool aws:MultiFactorAuthPresent: true"
                ), "fits": "yes", "in_request": "true"},
            ],
            "problems": [],
        }
    ]  # fmt: skip


def test_a_past_moment_is_asked_about_as_it_was(org: Organization) -> None:
    before = make.FIRST_READ - timedelta(days=1)
    with pytest.raises(CommandError, match=r"“maya.okafor” matches no user or role"):
        explain("maya.okafor", "s3:GetObject", LEDGER, "--as-of", before.isoformat())
    out, _ = explain("maya.okafor", "s3:GetObject", LEDGER, "--as-of", "2026-02-01", "--json")
    assert json.loads(out)["as_of"] == "2026-02-01T00:00:00Z"


def test_the_account_of_a_bucket_can_be_told(org: Organization) -> None:
    out, _ = explain("pay-settle", "s3:GetObject", LEDGER, "--resource-account", HUB)
    assert "Depends: if the resource-based policy allows the caller" in out


def test_names_that_aws_does_not_list_are_warned_of_and_answered(org: Organization) -> None:
    out, err = explain("pay-settle", "s3:GetObjekt", LEDGER, "--context", "aws:SourceIp6=x")
    assert out.startswith("Allowed: ")
    assert "Did you mean s3:GetObject?" in err
    assert "AWS doesn’t list a condition key aws:SourceIp6." in err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("nobody", "s3:GetObject", LEDGER), "PRINCIPAL: “nobody” matches no user or role."),
        (("maya.okafor", "s3:Get*", LEDGER), "ACTION: Enter one full action name"),
        (("maya.okafor", "GetObject", LEDGER), "ACTION: "),
        (("maya.okafor", "s3:GetObject", "pay-ledger"), "isn’t a valid ARN."),
        (("maya.okafor", "s3:GetObject", LEDGER, "--context", "mfa"), (
            "--context: “mfa” isn’t a condition. Use KEY=VALUE"
        )),
        (("maya.okafor", "s3:GetObject", LEDGER, "--as-of", "noon"), "--as-of: “noon” isn’t a time."),
        (("maya.okafor", "s3:GetObject", LEDGER, "--as-of", "2999-01-01"), "is in the future"),
        (("maya.okafor", "s3:GetObject", LEDGER, "--resource-account", "12"), "An account ID has 12 digits."),
        (
            ("maya.okafor", "sqs:SendMessage", (
                "arn:aws:sqs:eu-west-1:111111111111:q"
            ), "--resource-account", "222222222222"),
            "--resource-account: The ARN says that the resource is in account 111111111111.",
        ),
    ],
)  # fmt: skip
def test_bad_input_says_what_was_wrong_and_what_to_do(
    org: Organization, words: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(CommandError, match=sentence.replace("*", r"\*")):
        explain(*words)
