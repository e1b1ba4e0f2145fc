"""Anyone who is judged as one of many: two people whom one thing alone tells apart, and how each stands,
written by hand from what AWS says of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from iam.access.enforcement.check import PasswordState, PolicyTrial, SignInSituation, situations_with
from iam.access.enforcement.policy import PolicyVariant, text_of
from iam.policy.index.documents import IndexedDocument, SharedDocuments
from iam.policy.index.index import PolicyIndex
from iam.policy.index.rows import (
    ALONE,
    AccountRows,
    GroupRow,
    OrganizationStanding,
    PolicyHoldings,
    PolicyRow,
    PrincipalRow,
)

NUMBER = "111111111111"
ALL: dict[str, Any] = {"Effect": "Allow", "Action": "*", "Resource": "*"}
MAYA = "arn:aws:iam::*:user/staff/maya"
ONLY_MAYA = {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::${aws:ResourceAccount}:user/staff/maya"}}
OWN = {"iam:ChangePassword", "iam:EnableMFADevice", "iam:ListMFADevices"}
WAY = OWN | {"iam:GetAccountPasswordPolicy", "iam:CreateVirtualMFADevice"}
SIGNS_IN = SignInSituation(PasswordState.SET, devices=0)


def deny(action: str, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def when(**conditions: Any) -> dict[str, Any]:
    return deny("iam:*", Condition=conditions)


@dataclass(frozen=True)
class Somebody:
    """What may tell one from another; all else of two people is the same."""

    name: str = "maya"
    path: str = "/staff/"
    user_id: str = "AIDAMAYA"
    tags: Mapping[str, str] | None = field(default_factory=dict)
    holds: Sequence[Any] = ()
    boundary: Any = None
    situation: SignInSituation = SIGNS_IN


@dataclass
class World:
    """One account with its documents."""

    documents: SharedDocuments = field(default_factory=SharedDocuments)
    kept: list[IndexedDocument] = field(default_factory=list)

    def write(self, *statements: Any) -> str:
        """A document, or a text that is none; its digest."""
        body = {"Version": "2012-10-17", "Statement": [*statements]}
        text = statements[0] if statements and isinstance(statements[0], str) else json.dumps(body)
        digest = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
        self.kept.append(self.documents.add(digest, text))
        return digest

    def stopped(self, people: Sequence[Somebody], *, scp: Any = None) -> list[tuple[set[str], set[str]]]:
        """Of each what stops them, and what depends on something that nobody knows here."""
        standing = ALONE
        if scp is not None:
            level = (PolicyRow(400, "full", self.write(ALL)), PolicyRow(401, "scp", self.write(scp)))
            standing = OrganizationStanding("o-1", ("o-1/r-1/",), scps=(level,))
        groups, policies, rows = [], [], []
        for at, somebody in enumerate(people):
            groups.append(
                GroupRow(300 + at, f"group{at}", PolicyHoldings(inline=(("p", self.write(*somebody.holds)),)))
            )
            if somebody.boundary is not None:
                policies.append(PolicyRow(200 + at, f"bound{at}", self.write(somebody.boundary)))
            grants = PolicyHoldings(
                groups=(300 + at,), boundary=None if somebody.boundary is None else 200 + at
            )
            arn = f"arn:aws:iam::{NUMBER}:user{somebody.path}{somebody.name}"
            rows.append(PrincipalRow(at + 1, arn, somebody.user_id, grants, somebody.tags))
        index = PolicyIndex(self.documents)
        index.enter_account(AccountRows(rows, groups, policies, (), NUMBER, "aws", standing))
        trial = PolicyTrial(NUMBER, text_of(PolicyVariant("aws", NUMBER)), None)
        standings = situations_with(
            index, trial, people={at: somebody.situation for at, somebody in enumerate(people, start=1)}
        )
        return [
            ({a for _, a in standing.stopped}, {a for _, a in standing.depends}) for standing in standings
        ]


DEVICE_OF_THAT_NAME = deny("iam:CreateVirtualMFADevice", "arn:aws:iam::*:mfa/${aws:username}")
NO_OTHER = {"Effect": "Deny", "Action": "iam:EnableMFADevice", "NotResource": MAYA}
DEFAULT = deny("iam:ChangePassword", "arn:aws:iam::*:user/staff/${aws:PrincipalTag/name, 'tomas'}")
PRESENT = "aws:MultiFactorAuthPresent"


@pytest.mark.parametrize(
    ("what", "others", "expected"),
    [
        (deny("iam:ChangePassword", MAYA), {}, ({"iam:ChangePassword"}, set())),
        (NO_OTHER, {}, (set(), {"iam:EnableMFADevice"})),
        (DEFAULT, {}, (set(), {"iam:ChangePassword"})),
        ({"Effect": "Deny", "NotAction": "s3:*", "Resource": MAYA}, {}, (OWN, set())),
        (deny("iam:*", "arn:aws:iam::*:user/staff/*"), {"name": "maya", "path": "/lead/"}, (OWN, set())),
        (DEVICE_OF_THAT_NAME, {"name": "device"}, (set(), {"iam:CreateVirtualMFADevice"})),
        (deny("iam:*", Condition=ONLY_MAYA), {}, (WAY, set())),
        (when(StringEquals={"aws:username": "${" + PRESENT + "}"}), {"name": "false"}, (set(), WAY)),
        (when(StringEquals={PRESENT: "${aws:username}"}), {"name": "false"}, (set(), WAY)),
        (when(StringLike={"aws:userid": "AIDAM*"}), {"user_id": "AIDATOMAS"}, (WAY, set())),
        (when(StringEquals={"aws:PrincipalTag/Team": "red"}), {"tags": {"team": "red"}}, (set(), WAY)),
        (when(StringEquals={PRESENT: "${aws:PrincipalTag/no}"}), {"tags": {"no": "false"}}, (set(), WAY)),
    ],
    ids=lambda case: None,
)
def test_two_who_hold_the_same_stand_as_who_they_are_says(
    what: dict[str, Any], others: dict[str, Any], expected: tuple[set[str], set[str]]
) -> None:
    more = {"name": "tomas"} | others
    people = [Somebody(holds=[what]), Somebody(holds=[what], **more)]
    for order in (1, -1):
        stopped = World().stopped(people[::order])[::order]
        assert [stopped for stopped, _ in stopped] == list(expected)


@pytest.mark.parametrize(
    ("boundary", "scp", "expected"),
    [
        (
            {**ALL, "Resource": [MAYA, "arn:aws:iam::*:mfa/*"]},
            None,
            [WAY - OWN - {("iam:CreateVirtualMFADevice")}, {"iam:GetAccountPasswordPolicy"} | OWN],
        ),
        ({**ALL, "Condition": ONLY_MAYA}, None, [set(), WAY]),
        (None, deny("iam:*", MAYA), [OWN, set()]),
        (None, deny("iam:*", Condition=ONLY_MAYA), [WAY, set()]),
    ],
)
def test_what_bounds_two_people_tells_them_apart_by_who_they_are(
    boundary: Any, scp: Any, expected: list[set[str]]
) -> None:
    people = [Somebody(boundary=boundary), Somebody(name="tomas", boundary=boundary)]
    for order in (1, -1):
        stopped = World().stopped(people[::order], scp=scp)[::order]
        assert [stopped for stopped, _ in stopped] == expected


def test_classes_are_judged_as_one_only_where_all_that_bears_on_the_way_is_the_same() -> None:
    stops = deny("iam:EnableMFADevice")
    people = [
        Somebody("allowed", holds=[ALL]),
        Somebody("bare"),
        Somebody("denied", holds=[stops]),
        Somebody("denied-and-allowed", holds=[stops, ALL]),
        Somebody("bound", holds=[ALL], boundary={**ALL, "Action": "s3:*"}),
        Somebody(
            "somewhere", holds=[deny("iam:*", Condition={"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}})]
        ),
        Somebody("unreadable", holds=["{"]),
        Somebody("has-device", holds=[stops], situation=SignInSituation(PasswordState.SET, devices=1)),
        Somebody("tagged", tags={"team": "red"}, holds=[when(StringEquals={"aws:PrincipalTag/team": "red"})]),
        Somebody("untagged", holds=[when(StringEquals={"aws:PrincipalTag/team": "red"})]),
    ]
    nothing: tuple[set[str], set[str]] = (set(), set())
    alone = [World().stopped([somebody])[0] for somebody in people]
    assert alone == [
        nothing,
        nothing,
        ({"iam:EnableMFADevice"}, set()),
        ({"iam:EnableMFADevice"}, set()),
        (WAY, set()),
        (set(), WAY),
        (set(), WAY),
        nothing,
        (WAY, set()),
        nothing,
    ]
    assert World().stopped(people) == alone
    assert World().stopped(people[::-1])[::-1] == alone


@pytest.mark.parametrize(("holds", "scp"), [(["{"], None), ([], "{")])
def test_a_policy_that_was_not_read_may_deny_all_that_aws_asks_about(
    holds: list[str], scp: str | None
) -> None:
    signs_by_key = SignInSituation(PasswordState.SET, devices=0, active_keys=1)
    people = [Somebody(holds=holds, situation=signs_by_key), Somebody("tomas", holds=holds)]
    assert World().stopped(people, scp=scp) == [(set(), WAY), (set(), WAY)]
