"""`manage.py who_can`: the same answer in a shell, and clear words where it cannot be asked."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from iam.mirror.models import Account, EdgeKind
from tests import factories as make
from tests.console.access.who_can.conftest import LEDGER, World


def run(*words: str, **options: Any) -> tuple[str, str]:
    """What it prints, and what it warns of."""
    out, err = io.StringIO(), io.StringIO()
    call_command("who_can", *words, stdout=out, stderr=err, **options)
    return out.getvalue(), err.getvalue()


def test_the_table_has_a_line_each_and_a_summary(world: World) -> None:
    out, err = run("s3:GetObject", LEDGER)
    assert [line.split()[:4] for line in out.splitlines()[:7]] == [
        ["decision", "account", "kind", "name"],
        ["allowed", "111111111111", "role", "pay-settle"],
        ["allowed", "111111111111", "user", "hana.sato"],
        ["allowed", "111111111111", "user", "ines.duarte"],
        ["allowed", "111111111111", "user", "maya.okafor"],
        ["allowed", "222222222222", "user", "tomas.lind"],
        ["conditional", "111111111111", "user", "priya.nair"],
    ]
    assert f"5 of 8 principals can, 1 more conditionally: s3:GetObject on {LEDGER}." in out
    assert "Note: The resource’s account isn’t known" in out
    assert err == ""


def test_json_says_what_was_asked_and_what_the_answer_cannot_know(world: World) -> None:
    body = json.loads(run("s3:getobject", LEDGER, "--json", "--account", "222222222222")[0])
    assert (body["question"], body["account"], body["counts"]) == (
        "s3:GetObject", "222222222222", {"allowed": 1, "conditional": 0},
    )  # fmt: skip
    assert [(row["name"], row["policies"]) for row in body["rows"]] == [("tomas.lind", ["read, statement 1"])]
    assert body["limitations"][0].startswith("The resource’s account isn’t known")


def test_circumstances_and_past_moments_count(world: World) -> None:
    key = "aws:MultiFactorAuthPresent"
    assert "6 of 8 principals can:" in run("s3:GetObject", LEDGER, "--context", f"{key}=true")[0]
    assert "5 of 8 principals can:" in run("s3:GetObject", LEDGER, "--strict")[0]
    later = make.FIRST_READ + timedelta(days=30)
    make.ends(world.of["maya.okafor"].edges_out.get(kind=EdgeKind.MEMBER), at=later)
    past = f"{later - timedelta(days=1):%Y-%m-%dT%H:%M:%S}"
    assert "maya.okafor" in run("s3:GetObject", LEDGER, "--as-of", past)[0]
    now = f"{later:%Y-%m-%dT%H:%M:%S}"
    assert "maya.okafor" not in run("s3:GetObject", LEDGER, "--as-of", now)[0]


def test_a_level_of_a_service_counts_its_actions(world: World) -> None:
    out, _ = run("s3", "arn:aws:s3:::pay-ledger/x", "--level", "write")
    lines = {line.split()[3]: line for line in out.splitlines()[1:3]}
    assert set(lines) == {"pay-settle", "ines.duarte"}
    assert " actions: " in lines["ines.duarte"]


def test_an_unknown_action_is_answered_with_a_warning(world: World) -> None:
    out, err = run("s3:GetObjct", LEDGER)
    assert "1 of 8 principals can" in out
    assert "Did you mean s3:GetObject?" in err


def test_an_account_is_named_by_its_exact_name_too(world: World) -> None:
    name = Account.objects.get(account_id="111111111111").name
    by_id, _ = run("s3:GetObject", LEDGER, "--account", "111111111111")
    by_name, _ = run("s3:GetObject", LEDGER, "--account", name)
    assert by_name == by_id
    body, _ = run("s3:GetObject", LEDGER, "--account", name, "--json")
    assert json.loads(body)["account"] == "111111111111"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("get object", LEDGER), "ACTION get object: An action has a service"),
        (("zz9", LEDGER), "no service with the prefix zz9"),
        (("s3:GetObject", "pay-ledger"), "RESOURCE pay-ledger: “pay-ledger” isn’t a valid ARN"),
        (
            ("s3:GetObject", LEDGER, "--account", "1"),
            "--account 1: this account isn’t connected. Connected: 1",
        ),
        (("s3:GetObject", LEDGER, "--as-of", "noon"), "--as-of: “noon” isn’t a time."),
        (("s3:GetObject", LEDGER, "--as-of", "2999-01-01"), "--as-of: This time is in the future"),
        (("s3:GetObject", LEDGER, "--owner", "x"), "--owner: “x” isn’t an account ID."),
        (
            ("sqs:SendMessage", "arn:aws:sqs:eu-west-1:111111111111:q", "--owner", "222222222222"),
            "--owner: The ARN says that the resource is in account 111111111111.",
        ),
        (("s3:GetObject", LEDGER, "--level", "root"), "isn’t an access level"),
        (("s3:GetObject", LEDGER, "--context", "nonsense"), "Use KEY=VALUE"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_the_reason(
    world: World, words: tuple[str, ...], message: str
) -> None:
    with pytest.raises(CommandError) as refused:
        run(*words)
    assert message in str(refused.value)
