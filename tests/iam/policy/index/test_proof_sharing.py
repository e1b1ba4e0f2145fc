"""What is proved for one principal and taken over for others is what would have been proved for each of them
alone.
"""

from __future__ import annotations

import json
import os
import random

import pytest

from iam.policy.index.difference import AccessDifference
from iam.policy.index.documents import SharedDocuments
from iam.policy.index.index import PolicyIndex
from iam.policy.index.proof_sharing import ProofSharing
from iam.policy.index.rows import (
    AccountRows,
    OrganizationStanding,
    PolicyHoldings,
    PolicyRow,
    PrincipalRow,
    RowChanges,
)
from iam.policy.index.scenario import ScenarioEdits, what_if
from iam.policy.index.sides import PrincipalSide
from iam.policy.index.verdicts import PrincipalChange
from iam.policy.index.witness import ChangeProver
from tests.iam.policy.index.organisations import ACCOUNTS, ALLOW_ALL, Organisation
from tests.iam.policy.index.random_changes import NOW
from tests.iam.policy.index.test_changes import both
from tests.work import calls_of_method

MANY = int(os.environ.get("GATEHOUSE_WITNESSES", "1"))
"""How many times as many cases are tried as in each run of the tests."""
BUCKETS = (
    "*",
    "arn:aws:s3:::homes/${aws:username}/*",
    "arn:aws:s3:::homes/${aws:username}/private/*",
    "arn:aws:s3:::homes/*",
    "arn:aws:s3:::homes/an*",
    "arn:aws:s3:::homes/*/an/*",
    "arn:aws:s3:::*glue*",
    "arn:aws:s3:::homes/ana/x",
    "arn:aws:s3:::${aws:PrincipalTag/team}-*",
    "arn:aws:s3:::${aws:PrincipalTag/team, 'homes'}/${aws:username}/*",
    "arn:aws:iam::*:user/${aws:username}",
    "arn:aws:iam::111111111111:user/*",
    "arn:aws:iam::1*:user/ana",
)
ACTIONS = ("s3:GetObject", "s3:PutObject", "iam:DeleteUser")
CONDITIONS = (
    {},
    {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    {"StringLike": {"s3:prefix": "${aws:username}/*"}},
    {"StringEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}},
    {"StringLike": {"aws:SourceAccount": "1111*"}},
    {"StringEquals": {"aws:PrincipalTag/team": "red"}},
)
NAMES = ("ana", "ben", "cleo", "glue", "an", "x", "homes")


def document(dice: random.Random) -> str:
    """A document whose patterns take in some names and not others."""
    statements = [
        {
            "Effect": dice.choice(("Allow", "Allow", "Deny")),
            "Action": dice.sample(ACTIONS, dice.randint(1, 3)),
            "NotResource" if dice.random() < 0.1 else "Resource": dice.sample(BUCKETS, dice.randint(1, 2)),
            "Condition": dice.choice(CONDITIONS),
        }
        for _ in range(dice.randint(1, 2))
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def own_document(dice: random.Random, kind: int, word: str) -> str:
    """A document about a bucket whose name mostly stands in no other one; those of a kind differ in it."""
    name = dice.choice((f"work-{word}", f"work-{word}", f"red-{word}", f"hom{word}", "homes", "glue"))
    statement = {
        "Effect": "Allow",
        "Action": ACTIONS[: 1 + kind % 2],
        "Resource": [f"arn:aws:s3:::{name}/*", f"arn:aws:s3:::{name}"][: 1 + kind // 2 % 2],
        "Condition": CONDITIONS[kind // 4 % 2],
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def plain_document(dice: random.Random) -> str:
    """A document that allows some actions on everything, and may deny one of them here or there."""
    allow = {"Effect": "Allow", "Action": dice.sample(ACTIONS, dice.randint(1, 3)), "Resource": "*"}
    deny = {"Effect": "Deny", "Action": dice.choice(ACTIONS), "Resource": dice.choice(BUCKETS)}
    statements = [allow, deny] if dice.random() < 0.3 else [allow]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def people_of_two_accounts(
    dice: random.Random, *, plain: int = 0
) -> tuple[PolicyIndex, dict[str, ScenarioEdits], SharedDocuments, list[object]]:
    """Users of the same names who hold the same policies in two accounts, one of which is exchanged in
    both; so many of the others are `plain`.
    """
    organisation = Organisation()
    made = [document(dice) for _ in range(4 - plain)] + [plain_document(dice) for _ in range(plain)]
    pool = [organisation.digest(text) for text in made]
    fresh = organisation.digest(document(dice))
    kind_of_own = dice.randrange(8)
    edits: dict[str, ScenarioEdits] = {}
    for place, number in enumerate(ACCOUNTS[:2]):
        base = 1000 * place
        policies = [PolicyRow(base + n, f"policy{n}", digest) for n, digest in enumerate(pool)]
        people = []
        for n, name in enumerate(NAMES):
            kind = "user" if dice.random() < 0.8 else "role"
            tags = dice.choice(({}, {"team": "red"}, {"team": "homes"}, {"team": name}, None))
            attached = tuple(base + each for each in sorted({0, *dice.sample(range(4), dice.randint(0, 2))}))
            boundary = base + 3 if dice.random() < 0.2 else None
            unique = f"{'AIDA' if kind == 'user' else 'AROA'}{base}{n}"
            grants = PolicyHoldings((), attached, (), boundary)
            if dice.random() < 0.5:
                own = organisation.digest(own_document(dice, kind_of_own, f"{n}-{place}"))
                grants = PolicyHoldings((("own", own),), attached, (), boundary)
            people.append(
                PrincipalRow(base + 100 + n, f"arn:aws:iam::{number}:{kind}/{name}", unique, grants, tags)
            )
        organisation.accounts.append(AccountRows(people, [], policies, (), number, "aws"))
        edits[number] = ScenarioEdits(RowChanges(policies=[PolicyRow(base, "policy0", fresh)]))
    documents = organisation.held()
    return organisation.index(), edits, organisation.store, [documents]


def said(change: PrincipalChange) -> dict[object, int]:
    """What becomes of which actions, without the requests that prove it."""
    numbers: dict[object, int] = {}
    for mask, verdict in change.proofs:
        key = verdict._replace(
            more=None,
            less=None,
            outlines=(),
            already=frozenset(verdict.already),
            keeps=frozenset(verdict.keeps),
        )
        key = (verdict.more is not None, verdict.less is not None, key)
        numbers[key] = numbers.get(key, 0) | mask
    return numbers


def check(index: PolicyIndex, difference: AccessDifference, dice: random.Random) -> int:
    """Compare everybody with what is proved for them alone, and the requests that are shown; how many were
    compared.
    """
    shifts = {member.id: shift for shift, members in difference.shifts.items() for member in members}
    compared = 0
    for member in [
        *index.members,
        *(member for _, members in difference.shifts.items() for member in members),
    ]:
        try:
            before, after = difference.sides_of(member.id)
        except KeyError:
            continue
        alone = ChangeProver(difference.space, NOW).change(before, after)
        shift = shifts.get(member.id)
        assert said(alone) == ({} if shift is None else said(shift.change)), member.arn
        compared += 1
        for mask, verdict in dice.sample(alone.proofs, min(3, len(alone.proofs))):
            bit = mask & -mask
            action = difference.space.actions.names(bit)[0]
            shown = shift.witnesses(action, bit, before=before, after=after) if shift else ()
            assert len(shown) == (verdict.more is not None) + (verdict.less is not None)
            assert {witness.principal for witness in shown} <= {member.arn}
            expected = {cell.resource for cell in (verdict.more, verdict.less) if cell and cell.resource}
            assert expected <= {witness.resource for witness in shown}
    return compared


@pytest.mark.parametrize("seed", range(100, 100 + 60 * MANY))
def test_what_is_taken_over_for_others_is_true_of_each(seed: int) -> None:
    dice = random.Random(seed)
    index, edits, documents, held_documents = people_of_two_accounts(dice)
    difference = what_if(index, edits, now=NOW)
    assert check(index, difference, dice) >= 2 * len(NAMES)
    assert documents
    assert held_documents


@pytest.mark.parametrize("seed", range(40 * MANY))
def test_it_is_so_where_policies_allow_the_same_on_everything(seed: int) -> None:
    dice = random.Random(seed)
    index, edits, documents, held_documents = people_of_two_accounts(dice, plain=3)
    difference = what_if(index, edits, now=NOW)
    check(index, difference, dice)
    assert documents
    assert held_documents


@pytest.mark.parametrize("seed", range(6 * MANY))
def test_it_is_so_in_any_organization(seed: int) -> None:
    dice, before, _, changes = both(seed)
    index, documents = before.index(), before.held()
    difference = what_if(index, {number: ScenarioEdits(each) for number, each in changes.items()}, now=NOW)
    check(index, difference, dice)
    assert documents


def test_a_proof_is_shared_where_nothing_tells_names_accounts_and_buckets_of_ones_own_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    organisation = Organisation()
    home = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::homes/${aws:username}/*"}
    texts = [
        json.dumps({"Version": "2012-10-17", "Statement": [{**home, "Resource": f"arn:aws:s3:::own-{n}/*"}]})
        for n in range(20)
    ]
    old = organisation.digest(json.dumps({"Version": "2012-10-17", "Statement": [home]}))
    new = organisation.digest(json.dumps({"Version": "2012-10-17", "Statement": []}))
    everybody = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    rcp = organisation.digest(json.dumps({"Version": "2012-10-17", "Statement": [everybody]}))
    standing = OrganizationStanding(
        "o-one",
        ("o-one/r-1/",),
        scps=((PolicyRow(1, "FullAWSAccess", organisation.digest(ALLOW_ALL)),),),
        rcps=((PolicyRow(2, "RCPFullAWSAccess", rcp),),),
    )
    edits = {}
    for place, number in enumerate(ACCOUNTS):
        base = 1000 * place
        people = [
            PrincipalRow(
                base + 100 + n,
                f"arn:aws:iam::{number}:user/person{n}",
                f"AIDA{base}{n}",
                PolicyHoldings((("own", organisation.digest(texts[n])),) if n % 2 else (), (base,)),
                {},
            )
            for n in range(20)
        ]
        policies = [PolicyRow(base, "home", old)]
        organisation.accounts.append(AccountRows(people, [], policies, (), number, "aws", standing))
        edits[number] = ScenarioEdits(RowChanges(policies=[PolicyRow(base, "home", new)]))
    proved = calls_of_method(monkeypatch, ChangeProver, "change")
    taken_apart = calls_of_method(monkeypatch, ProofSharing, "_together")
    documents, index = organisation.held(), organisation.index()
    assert what_if(index, edits, now=NOW).affected == 60
    assert len(proved) == 2, "one for those with a bucket of their own, one for those without"
    assert len(taken_apart) == 2, "however many have a bucket"
    assert documents


def people_with_buckets(
    *held: tuple[str, ...], gets: str = "arn:aws:s3:::homes/new/*"
) -> tuple[PolicyIndex, dict[str, ScenarioEdits], list[object]]:
    """Users with the same policy, which is exchanged, each with some documents of their own; `gets` is what
    they can read afterwards.
    """
    organisation = Organisation()
    old = organisation.digest(policy_of("s3:GetObject", "arn:aws:s3:::homes/*"))
    new = organisation.digest(policy_of("s3:GetObject" if gets else "sqs:SendMessage", gets or "*"))
    people = []
    for n, texts in enumerate(held):
        own = tuple((f"own{k}", organisation.digest(text)) for k, text in enumerate(texts))
        arn = f"arn:aws:iam::{ACCOUNTS[0]}:user/person{n}"
        people.append(PrincipalRow(100 + n, arn, f"AIDA{n}", PolicyHoldings(own, (1,)), {}))
    rows = AccountRows(people, [], [PolicyRow(1, "home", old)], (), ACCOUNTS[0], "aws")
    organisation.accounts.append(rows)
    documents = organisation.held()
    edits = {ACCOUNTS[0]: ScenarioEdits(RowChanges(policies=[PolicyRow(1, "home", new)]))}
    return organisation.index(), edits, [documents]


def policy_of(action: str, resource: str, *, effect: str = "Allow") -> str:
    statement = {"Effect": effect, "Action": action, "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("resource", ["arn:aws:s3:::homes/x1/*", "arn:aws:s3:::h*", "arn:aws:s3:::homes/*"])
def test_a_bucket_stands_for_no_other_one_that_the_exchanged_policy_is_about(
    resource: str, order: int
) -> None:
    own = [policy_of("s3:GetObject", f"arn:aws:s3:::work-{n}/*") for n in range(2)]
    same = policy_of("s3:GetObject", resource)
    index, edits, documents = people_with_buckets(*[(own[0],), (same,), (own[1],)][::order])
    assert check(index, what_if(index, edits, now=NOW), random.Random(1)) >= 3
    assert documents


@pytest.mark.parametrize("order", [1, -1])
def test_a_bucket_stands_for_no_other_one_where_it_is_denied(order: int) -> None:
    """Who keeps a bucket loses less than all."""
    buckets = [policy_of("s3:GetObject", f"arn:aws:s3:::home{n}/*") for n in range(3)]
    deny = policy_of("s3:GetObject", "arn:aws:s3:::home1*", effect="Deny")
    held = [(buckets[1],), (buckets[2], deny), (buckets[0], deny)][::order]
    index, edits, documents = people_with_buckets(*held, gets="")
    difference = what_if(index, edits, now=NOW)
    assert check(index, difference, random.Random(1)) >= 3
    bit = difference.space.actions.mask("s3:GetObject")
    assert {shift.narrower & bit for shift, _ in difference.proved} == {bit}
    assert documents


def test_a_bucket_stands_for_no_other_one_where_the_exchanged_policy_is_about_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = [(policy_of("s3:GetObject", f"arn:aws:s3:::work-{n}/*"),) for n in range(4)]
    taken_apart = calls_of_method(monkeypatch, ProofSharing, "_together")
    for gets, expected in (("arn:aws:s3:::homes/new/*", 1), ("*", len(own))):
        index, edits, documents = people_with_buckets(*own, gets=gets)
        taken_apart.clear()
        difference = what_if(index, edits, now=NOW)
        assert len(taken_apart) == expected
        assert check(index, difference, random.Random(1)) >= len(own)
        assert documents


def test_a_request_that_is_shown_has_nothing_of_a_bucket_of_somebody_else() -> None:
    """The word in the place of a star is one that stands in no pattern of one's own."""
    deny = policy_of("s3:GetObject", "arn:aws:s3:::homes/private/*", effect="Deny")
    buckets = [policy_of("s3:GetObject", f"arn:aws:s3:::work-{name}/*") for name in ("x", "7")]
    index, edits, documents = people_with_buckets((buckets[0],), (buckets[1], deny))
    difference = what_if(index, edits, now=NOW)
    assert check(index, difference, random.Random(1)) >= 2
    for shift, members in difference.proved:
        for member in members:
            shown = shift.witnesses("s3:GetObject", -1, *(), **sides_of(difference, member.id))
            words = {witness.resource.rpartition("/")[2] for witness in shown}
            assert words == {"example" if member.name == "person0" else "x"}
    assert documents


def sides_of(difference: AccessDifference, number: int) -> dict[str, PrincipalSide]:
    return dict(zip(("before", "after"), difference.sides_of(number), strict=True))


@pytest.mark.parametrize("tags", [{"team": "red"}, {"team": "blue"}])
def test_who_gets_another_name_or_tag_is_judged_as_who_it_was_and_as_who_it_becomes(
    tags: dict[str, str],
) -> None:
    organisation = Organisation()
    bucket = "arn:aws:s3:::${aws:PrincipalTag/team}-${aws:username}/*"
    held = PolicyHoldings((("home", organisation.digest(policy_of("s3:GetObject", bucket))),))
    arn = f"arn:aws:iam::{ACCOUNTS[0]}:user/"
    before = PrincipalRow(1, f"{arn}ana", "AIDA1", held, {"team": "red"})
    after = PrincipalRow(1, f"{arn}{'ben' if tags == before.tags else 'ana'}", "AIDA1", held, tags)
    organisation.accounts.append(AccountRows([before], [], [], (), ACCOUNTS[0], "aws"))
    documents, index = organisation.held(), organisation.index()
    difference = what_if(index, {ACCOUNTS[0]: ScenarioEdits(RowChanges(principals=[after]))}, now=NOW)
    bit = difference.space.actions.mask("s3:GetObject")
    assert [shift.altered for shift, _ in difference.proved] == [bit]
    assert documents


@pytest.mark.parametrize("order", [1, -1])
def test_a_name_is_weighed_against_the_tags_of_its_own_principal(order: int) -> None:
    """The tag decides whether a pattern takes in part of a name."""
    organisation = Organisation()
    home = policy_of("s3:GetObject", "arn:aws:s3:::homes-${aws:username}/*")
    deny = policy_of("s3:GetObject", "arn:aws:s3:::homes-${aws:PrincipalTag/team}*", effect="Deny")
    old, new = organisation.digest(home), organisation.digest(policy_of("sqs:SendMessage", "*"))
    shared = organisation.digest(deny)
    people = [
        PrincipalRow(
            100 + n,
            f"arn:aws:iam::{ACCOUNTS[0]}:user/{name}",
            f"AIDA{n}",
            PolicyHoldings((), (1, 2)),
            {"team": team},
        )
        for n, (name, team) in enumerate([("redford", "sea"), ("redmond", "red"), ("seaman", "red")][::order])
    ]
    rows = [PolicyRow(1, "home", old), PolicyRow(2, "shared", shared)]
    organisation.accounts.append(AccountRows(people, [], rows, (), ACCOUNTS[0], "aws"))
    documents, index = organisation.held(), organisation.index()
    edits = {ACCOUNTS[0]: ScenarioEdits(RowChanges(policies=[PolicyRow(1, "home", new)]))}
    difference = what_if(index, edits, now=NOW)
    assert check(index, difference, random.Random(1)) >= 3
    bit = difference.space.actions.mask("s3:GetObject")
    losing = {member.name for shift, members in difference.proved for member in members if shift.lost & bit}
    assert losing == {"redford", "seaman"}
    assert documents


def test_who_holds_the_same_is_apart_where_a_tag_decides_what_it_may_do() -> None:
    organisation = Organisation()
    home, new = (policy_of("s3:GetObject", f"arn:aws:s3:::{name}/*") for name in ("homes", "new"))
    everything = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    everything["Condition"] = {"StringEquals": {"aws:PrincipalTag/team": "red"}}
    shared = organisation.digest(json.dumps({"Version": "2012-10-17", "Statement": [everything]}))
    people = [
        PrincipalRow(
            100 + n,
            f"arn:aws:iam::{ACCOUNTS[0]}:user/person{n}",
            f"AIDA{n}",
            PolicyHoldings((), (1, 2)),
            {"team": team},
        )
        for n, team in enumerate(("red", "blue", "red"))
    ]
    rows = [PolicyRow(1, "home", organisation.digest(home)), PolicyRow(2, "shared", shared)]
    organisation.accounts.append(AccountRows(people, [], rows, (), ACCOUNTS[0], "aws"))
    documents, index = organisation.held(), organisation.index()
    edits = {
        ACCOUNTS[0]: ScenarioEdits(RowChanges(policies=[PolicyRow(1, "home", organisation.digest(new))]))
    }
    difference = what_if(index, edits, texts=organisation.texts, now=NOW)
    affected = {member.name for _, members in difference.proved for member in members}
    assert affected == {"person1"}
    assert documents
