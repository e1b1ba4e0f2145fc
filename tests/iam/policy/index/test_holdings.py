"""Principals who hold some of the same documents share the work on these; what is said is true of each."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from typing import Any

import pytest

from iam.policy.index.documents import SharedDocuments
from iam.policy.index.holdings import ActionPartitioner, NumberedDocs
from iam.policy.index.rows import (
    AccountRows,
    OrganizationStanding,
    PolicyHoldings,
    PolicyRow,
    PrincipalRow,
    RowChanges,
)
from iam.policy.index.scenario import ScenarioEdits, what_if
from iam.policy.index.witness import ChangeProver
from tests.iam.policy.index.organisations import ACCOUNTS, ALLOW_ALL, Organisation
from tests.iam.policy.index.random_changes import NOW
from tests.iam.policy.index.test_proof_sharing import check
from tests.work import calls_of_method

FIRST, SECOND = ACCOUNTS[:2]
PEOPLE = ("ana", "ben", "glue")
RESOURCES = (
    "*",
    "arn:aws:s3:::homes/*",
    "arn:aws:s3:::homes/${aws:username}/*",
    "arn:aws:s3:::homes/${aws:userid}/*",
    "arn:aws:s3:::${aws:PrincipalTag/team}-*",
    f"arn:aws:sqs:*:{FIRST}:jobs*",
    f"arn:aws:sqs:*:{SECOND}:jobs*",
    "arn:aws:sqs:*:*:jobs*",
    f"arn:aws:iam::{FIRST}:user/*",
    f"arn:aws:iam::{SECOND}:user/ana",
)
NAMES = ("s3:*", "s3:GetObject", "sqs:*", "iam:*", "iam:DeleteUser")
CONDITIONS: tuple[dict[str, Any], ...] = (
    {},
    {},
    {},
    {"StringEquals": {"aws:PrincipalTag/team": "red"}},
    {"StringLike": {"aws:userid": "AIDA1*"}},
    {"StringEquals": {"aws:PrincipalAccount": FIRST}},
    {"StringNotEquals": {"aws:ResourceAccount": SECOND}},
    {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{SECOND}:user/*"}},
    {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
)


def text_of(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(actions: Any, resources: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


def statement(dice: random.Random) -> dict[str, Any]:
    """What may tell principals and accounts apart, or not."""
    is_exception = dice.random() < 0.2
    # With a condition on the account of the resource, all kinds of resources of all services are tried.
    conditions = [each for each in CONDITIONS if not is_exception or "ResourceAccount" not in str(each)]
    return {
        "Effect": dice.choice(("Allow", "Allow", "Allow", "Deny")),
        "NotAction" if is_exception else "Action": dice.sample(NAMES, dice.randint(1, 2)),
        "NotResource" if dice.random() < 0.2 else "Resource": dice.sample(RESOURCES, dice.randint(1, 2)),
        "Condition": dice.choice(conditions),
    }


def standing_of(organisation: Organisation, scps: Iterable[str]) -> OrganizationStanding:
    full = PolicyRow(1, "FullAWSAccess", organisation.digest(ALLOW_ALL))
    rows = [PolicyRow(2 + n, f"scp{n}", organisation.digest(text)) for n, text in enumerate(scps)]
    return OrganizationStanding("o-one", ("o-one/r-1/",), scps=((full, *rows),))


@pytest.mark.parametrize("seed", range(10))
def test_the_same_stack_in_accounts_that_something_tells_apart_is_proved_for_each(seed: int) -> None:
    dice = random.Random(seed)
    organisation, edits = Organisation(), {}
    pool = [text_of(*[statement(dice) for _ in range(dice.randint(1, 2))]) for _ in range(5)]
    fresh = organisation.digest(text_of(statement(dice)))
    held = [(dice.sample(range(1, 5), dice.randint(0, 4)), dice.random() < 0.3) for _ in PEOPLE]
    tags = [dice.choice(({}, {"team": "red"}, {"team": "blue"})) for _ in PEOPLE]
    for place, number in enumerate(ACCOUNTS[:2]):
        base = 1000 * (place + 1)
        policies = [
            PolicyRow(base + n, f"policy{n}", organisation.digest(each)) for n, each in enumerate(pool)
        ]
        people = []
        for n, name in enumerate(PEOPLE):
            others, is_bounded = held[n]
            boundary = base + 4 if is_bounded else None
            grants = PolicyHoldings((), (base, *[base + each for each in others]), (), boundary)
            arn = f"arn:aws:iam::{number}:user/{name}"
            people.append(PrincipalRow(base + 100 + n, arn, f"AIDA{place}{n}", grants, tags[n]))
        denied = text_of({**statement(dice), "Effect": "Deny"})
        standing = standing_of(organisation, [denied] if dice.random() < 0.4 else [])
        organisation.accounts.append(AccountRows(people, [], policies, (), number, "aws", standing))
        edits[number] = ScenarioEdits(RowChanges(policies=[PolicyRow(base, "policy0", fresh)]))
    documents = organisation.held()
    index = organisation.index()
    assert check(index, what_if(index, edits, now=NOW), dice) >= 2 * len(PEOPLE)
    assert documents


def people_with(
    organisation: Organisation, grants: list[list[str]], *, accounts: int = 1
) -> tuple[dict[str, ScenarioEdits], list[object]]:
    """Users of some accounts, each with some documents and one that is exchanged for another."""
    old, new = (organisation.digest(text_of(allow(name))) for name in ("sns:Publish", "sqs:SendMessage"))
    edits = {}
    for place, number in enumerate(ACCOUNTS[:accounts]):
        base = 1000 * (place + 1)
        people = []
        for n, texts in enumerate(grants):
            inline = tuple((f"own{k}", organisation.digest(text)) for k, text in enumerate(texts))
            arn = f"arn:aws:iam::{number}:user/person{n}"
            people.append(
                PrincipalRow(base + 100 + n, arn, f"AIDA{place}{n}", PolicyHoldings(inline, (base,)), {})
            )
        policies = [PolicyRow(base, "exchanged", old)]
        organisation.accounts.append(AccountRows(people, [], policies, (), number, "aws"))
        edits[number] = ScenarioEdits(RowChanges(policies=[PolicyRow(base, "exchanged", new)]))
    return edits, organisation.held()


def test_documents_that_many_hold_are_taken_apart_once(monkeypatch: pytest.MonkeyPatch) -> None:
    organisation = Organisation()
    shared = [text_of(allow(["sqs:*", "s3:GetObject"], f"arn:aws:*:::shared-{n}-*")) for n in range(6)]
    own = [text_of(allow("sqs:SendMessage", f"arn:aws:sqs:eu-west-1:*:own-{n}")) for n in range(20)]
    edits, documents = people_with(organisation, [[*shared, each] for each in own], accounts=2)
    stages = calls_of_method(monkeypatch, ActionPartitioner, "_one_more")
    index = organisation.index()
    assert what_if(index, edits, now=NOW).affected == 40
    assert len(stages) == 2 + len(shared) + len(own), "one for each document, whoever holds it"
    assert documents


def test_accounts_that_differ_in_their_number_only_are_proved_once(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = []
    for accounts in (1, 2):
        organisation = Organisation()
        mine = [[text_of(allow("s3:*", "arn:aws:s3:::${aws:username}-*"))], [text_of(allow("iam:*"))]]
        edits, documents = people_with(organisation, mine, accounts=accounts)
        with monkeypatch.context() as patching:
            proved = calls_of_method(patching, ChangeProver, "change")
            index = organisation.index()
            assert what_if(index, edits, now=NOW).affected == 2 * accounts
        counts.append(len(proved))
        assert documents
    assert counts[0] == counts[1] > 0


def test_an_account_that_a_policy_names_is_proved_for_itself() -> None:
    organisation = Organisation()
    denied = {"Effect": "Deny", "Action": "sqs:*", "Resource": f"arn:aws:sqs:*:{SECOND}:*"}
    edits, documents = people_with(organisation, [[text_of(denied)]], accounts=2)
    index = organisation.index()
    difference = what_if(index, edits, now=NOW)
    assert check(index, difference, random.Random(0)) >= 2
    resources = {}
    for shift, members in difference.shifts.items():
        for member in members:
            before, after = difference.sides_of(member.id)
            bit = difference.space.actions.mask("sqs:SendMessage")
            [shown] = shift.witnesses("sqs:SendMessage", bit, before=before, after=after)
            resources[member.account] = shown.resource
    assert f":{SECOND}:" not in resources[FIRST]
    assert resources[SECOND] != f"arn:aws:sqs:*:{SECOND}:*"
    assert documents


@pytest.mark.parametrize("resources", ["*", "arn:aws:sqs:eu-west-1:*:jobs"])
@pytest.mark.parametrize("sort", ["already", "keeps"])
@pytest.mark.parametrize("seed", range(6))
def test_of_two_policies_that_give_the_same_a_reason_names_one_and_the_same_for_everybody(
    seed: int, sort: str, resources: str
) -> None:
    dice = random.Random(seed)
    organisation = Organisation()
    given = allow("sqs:SendMessage", "arn:aws:sqs:eu-west-1:*:jobs")
    equal = [
        text_of({**allow(["sqs:SendMessage", other], resources), "Sid": f"Sid{dice.randrange(10**6)}"})
        for other in ("sqs:PurgeQueue", "sqs:ListQueues", "sqs:ReceiveMessage")
    ]
    other = text_of(allow("sqs:SendMessage", "arn:aws:sqs:us-east-1:*:elsewhere"))
    nothing = organisation.digest(text_of(allow("sns:Publish")))
    something = organisation.digest(text_of(given))
    old, new = (nothing, something) if sort == "already" else (something, nothing)
    held = [equal, [*equal, other], [other, *equal[::-1]], [equal[1], other, equal[2], equal[0]]]
    people = []
    for n, texts in enumerate(held):
        inline = tuple((f"own{k}", organisation.digest(text)) for k, text in enumerate(texts))
        arn = f"arn:aws:iam::{FIRST}:user/person{n}"
        people.append(PrincipalRow(100 + n, arn, f"AIDA{n}", PolicyHoldings(inline, (1,)), {}))
    organisation.accounts.append(AccountRows(people, [], [PolicyRow(1, "exchanged", old)], (), FIRST, "aws"))
    documents, index = organisation.held(), organisation.index()
    edits = {FIRST: ScenarioEdits(RowChanges(policies=[PolicyRow(1, "exchanged", new)]))}
    difference = what_if(index, edits, now=NOW)
    bit = difference.space.actions.mask("sqs:SendMessage")
    last = max(map(organisation.digest, equal))
    told = 0
    for shift, members in difference.shifts.items():
        for member in members:
            alone = ChangeProver(difference.space, NOW).change(*difference.sides_of(member.id))
            for change in (shift.change, alone):
                verdict = change.verdict_of(bit)
                assert verdict is not None
                assert [doc.digest for doc in getattr(verdict, sort)] == [last]
                told += 1
    assert told == 2 * len(held)
    assert documents


def test_a_document_has_one_number_for_each_way_in_which_it_is_held() -> None:
    store = SharedDocuments()
    numbered = NumberedDocs(store.space)
    docs = [store.add(name, text_of(allow(name))) for name in ("s3:*", "sqs:*", "sns:*")]
    both = dict.fromkeys(docs)
    without = dict.fromkeys(docs[1:])
    all_kept = numbered.numbers_of(both, both)
    one_lost = numbered.numbers_of(both, without)
    one_other = numbered.numbers_of({**both, docs[0]: ("red",)}, both)
    assert all_kept == numbered.numbers_of(both, dict(reversed(both.items())))
    assert len({*all_kept, *one_lost, *one_other}) == 5
    assert [numbered[number].differs for number in (*all_kept, *one_lost)] == [False] * 5 + [True]


OWN_ACCOUNT = "${aws:PrincipalAccount}"
OF_PREFIX = {"StringLike": {"s3:prefix": "${aws:username}/*"}}
TOLD_APART: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "by name in a resource": (
        allow("s3:GetObject", "arn:aws:s3:::homes/${aws:username}/*"),
        allow("s3:GetObject", "arn:aws:s3:::homes/ana/*"),
    ),
    "by name in a condition": (
        allow("s3:ListBucket", "arn:aws:s3:::homes", Condition=OF_PREFIX),
        {
            **allow("s3:ListBucket", "*", Condition={"StringLike": {"s3:prefix": "ana/*"}}),
            "Effect": "Deny",
        },
    ),
    "by userid": (
        allow("s3:GetObject", "arn:aws:s3:::homes/${aws:userid}/*"),
        allow("s3:GetObject", "arn:aws:s3:::homes/AIDAana/*"),
    ),
    "by tag": (
        allow("s3:GetObject", "arn:aws:s3:::${aws:PrincipalTag/team}-data/*"),
        allow("s3:GetObject", "arn:aws:s3:::ana-data/*"),
    ),
    "by account": (
        allow("sqs:SendMessage", "*", Condition={"StringEquals": {"aws:PrincipalAccount": SECOND}}),
        allow("sns:Publish"),
    ),
    "by the account of a resource": (
        allow("sqs:SendMessage", f"arn:aws:sqs:*:{SECOND}:jobs"),
        {
            **allow("sqs:*", Condition={"StringNotEquals": {"aws:ResourceAccount": OWN_ACCOUNT}}),
            "Effect": "Deny",
        },
    ),
}


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("told", TOLD_APART)
def test_who_is_told_apart_by_a_policy_that_all_hold_is_judged_alone(told: str, order: int) -> None:
    given, kept = TOLD_APART[told]
    organisation, edits = Organisation(), {}
    kept_digest = organisation.digest(text_of(kept))
    new = organisation.digest(text_of(given))
    old = organisation.digest(text_of(allow("ec2:DescribeInstances")))
    # All that the first one proves would be taken over for the second.
    for place, (name, number) in enumerate([("ana", FIRST), ("ben", SECOND)][::order]):
        number = number if "account" in told else FIRST
        base = 1000 * (place + 1)
        grants = PolicyHoldings((("kept", kept_digest),), (base,))
        person = PrincipalRow(
            base + 1, f"arn:aws:iam::{number}:user/{name}", f"AIDA{name}", grants, {"team": name}
        )
        rows = [PolicyRow(base, f"exchanged{place}", old)]
        mine = [each for each in organisation.accounts if each.number == number]
        if mine:
            mine[0].principals.append(person)
            mine[0].policies.extend(rows)
        else:
            organisation.accounts.append(AccountRows([person], [], rows, (), number, "aws"))
        edits.setdefault(number, ScenarioEdits(RowChanges(policies=[])))
        edits[number].changes.policies.append(PolicyRow(base, f"exchanged{place}", new))
    documents, index = organisation.held(), organisation.index()
    difference = what_if(index, edits, now=NOW)
    gain = {member.name for shift, members in difference.proved for member in members if shift.any_gain}
    assert gain == {"ben"}
    assert documents


@pytest.mark.parametrize("order", [1, -1])
def test_names_count_where_a_tag_that_was_not_read_may_be_one(order: int) -> None:
    """Only Ana's own folder can be the one that a condition names as the team's."""
    team = "aws:PrincipalTag/team"
    homes = allow("s3:GetObject", "arn:aws:s3:::homes/${aws:username}/*")
    of_team = allow(
        "s3:GetObject", f"arn:aws:s3:::homes/${{{team}}}/*", Condition={"StringEquals": {team: "ana"}}
    )
    organisation = Organisation()
    kept = organisation.digest(text_of(homes))
    old = organisation.digest(text_of({**of_team, "Effect": "Deny"}))
    new = organisation.digest(text_of(allow("ec2:DescribeInstances")))
    people = []
    for n, name in enumerate(("ana", "ben")[::order]):
        arn = f"arn:aws:iam::{FIRST}:user/{name}"
        people.append(PrincipalRow(10 + n, arn, f"AIDA{name}", PolicyHoldings((("kept", kept),), (1,)), None))
    organisation.accounts.append(AccountRows(people, [], [PolicyRow(1, "exchanged", old)], (), FIRST, "aws"))
    documents, index = organisation.held(), organisation.index()
    edits = {FIRST: ScenarioEdits(RowChanges(policies=[PolicyRow(1, "exchanged", new)]))}
    difference = what_if(index, edits, now=NOW)
    bit = difference.space.actions.mask("s3:GetObject")
    gain = {member.name for shift, members in difference.proved for member in members if shift.any_gain & bit}
    assert gain == {"ana"}
    assert check(index, difference, random.Random(order)) >= len(people)
    assert documents


def test_who_may_do_something_else_in_any_case_is_told_so() -> None:
    """The same becomes of what they may do, and it is not the same that they may do."""
    organisation = Organisation()
    old, new = (text_of({**allow(name), "Effect": "Deny"}) for name in ("s3:*", "sns:Publish"))
    names = ("s3:GetObject", "s3:PutObject")
    people = [
        PrincipalRow(
            100 + n,
            f"arn:aws:iam::{FIRST}:user/person{n}",
            f"AIDA{n}",
            PolicyHoldings((("own", organisation.digest(text_of(allow(name)))),), (1,)),
            {},
        )
        for n, name in enumerate(names)
    ]
    rows = [PolicyRow(1, "exchanged", organisation.digest(old))]
    organisation.accounts.append(AccountRows(people, [], rows, (), FIRST, "aws"))
    edits = {FIRST: ScenarioEdits(RowChanges(policies=[PolicyRow(1, "exchanged", organisation.digest(new))]))}
    documents, index = organisation.held(), organisation.index()
    difference = what_if(index, edits, now=NOW)
    gained = {
        member.id: difference.names(shift.gained) for shift, each in difference.proved for member in each
    }
    assert gained == {100: ("s3:GetObject",), 101: ("s3:PutObject",)}
    assert documents


def test_accounts_that_are_moved_apart_are_bounded_each_as_it_will_be() -> None:
    organisation, edits = Organisation(), {}
    names = ("s3:GetObject", "s3:PutObject")
    own = organisation.digest(text_of(allow(names)))
    for place, (number, name) in enumerate(zip((FIRST, SECOND), names, strict=True)):
        who = PrincipalRow(
            100 + place, f"arn:aws:iam::{number}:user/a", "", PolicyHoldings((("own", own),)), {}
        )
        standing = standing_of(organisation, [])
        organisation.accounts.append(AccountRows([who], [], [], (), number, "aws", standing))
        denied = text_of({**allow(name), "Effect": "Deny"})
        edits[number] = ScenarioEdits(standing=standing_of(organisation, [denied]))
    documents, index = organisation.held(), organisation.index()
    difference = what_if(index, edits, now=NOW)
    lost = {member.id: difference.names(shift.lost) for shift, each in difference.proved for member in each}
    assert {number: actions for number, actions in lost.items() if number > 0} == {
        100: ("s3:GetObject",),
        101: ("s3:PutObject",),
    }
    assert documents
