"""Those who hold an exchanged document are compared as if everybody had been placed anew."""

from __future__ import annotations

import random

import pytest

from iam.policy.index import scenario
from iam.policy.index.comparison import PrincipalComparer
from iam.policy.index.difference import AccessDifference
from iam.policy.index.index import PolicyIndex
from iam.policy.index.rows import (
    AccountRows,
    GroupRow,
    OrganizationStanding,
    PolicyHoldings,
    PolicyRow,
    PrincipalRow,
    RowChanges,
)
from iam.policy.index.scenario import ScenarioEdits, what_if
from tests.iam.policy.index import organisations as made
from tests.iam.policy.index.organisations import ACCOUNTS, Organisation
from tests.iam.policy.index.random_changes import NOW
from tests.iam.policy.index.test_proof_sharing import people_with_buckets, policy_of, said
from tests.work import calls_of_method

NUMBER = ACCOUNTS[0]


def shown(difference: AccessDifference) -> object:
    """What becomes of whom, and what has a say about them."""
    of_members = {}
    for shift, members in difference.shifts.items():
        for member in members:
            sides = difference.sides_of(member.id)
            held = [(set(side.docs), side.boundary, side.scps) for side in sides]
            who = (
                member.arn,
                member.tags,
                member.grants,
                {doc.digest for doc in member.cls.profile.bundle.docs},
            )
            of_members[member.id] = (shift.before, shift.after, said(shift.change), held, who)
    return of_members


def placed(monkeypatch: pytest.MonkeyPatch, index: PolicyIndex, edits: dict[str, ScenarioEdits]) -> object:
    """The same where nothing is exchanged, and everybody is placed anew."""
    with monkeypatch.context() as patching:
        patching.setattr(scenario, "exchanged_by", lambda *_, **__: None)
        return shown(what_if(index, edits, now=NOW))


def compared(monkeypatch: pytest.MonkeyPatch, index: PolicyIndex, edits: dict[str, ScenarioEdits]) -> int:
    """Compare both; how many principals were not placed anew."""
    with monkeypatch.context() as patching:
        exchanged = calls_of_method(patching, PrincipalComparer, "exchanged")
        difference = what_if(index, edits, now=NOW)
    assert shown(difference) == placed(monkeypatch, index, edits)
    after = difference.index_after()
    for number in edits:
        everybody = {member.id for member in index.accounts[number].concerned_by(edits[number].changes)}
        assert {member.id for member in after.accounts[number].members.values() if member.id > 0} == everybody
    return len(exchanged)


@pytest.mark.parametrize("seed", range(10, 22))
def test_other_texts_in_any_organization(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    dice = random.Random(seed)
    organisation = made.organisation(dice)
    pool = [organisation.digest(made.document(dice)) for _ in range(3)]
    edits = {}
    for rows in organisation.accounts:
        chosen = made.some(dice, list(rows.policies), least=1, most=2)
        fresh = [PolicyRow(row.id, row.name, dice.choice((*pool, row.digest))) for row in chosen]
        edits[rows.number] = ScenarioEdits(RowChanges(policies=fresh))
    documents, index = organisation.held(), organisation.index()
    compared(monkeypatch, index, edits)
    assert documents


FIRST = policy_of("s3:*", "arn:aws:s3:::homes/*")
OF_TEAM = policy_of("s3:*", "arn:aws:s3:::${aws:PrincipalTag/team}-*")


class Small:
    """An account with two policies of one group and a user."""

    def __init__(
        self, *, first: str = "", second: str = "sqs:*", inline: str = "", in_group: str = "", gets: str = ""
    ) -> None:
        self.organisation = Organisation()
        self.first = self.digest(first or FIRST)
        rows = [PolicyRow(1, "first", self.first), PolicyRow(2, "second", self.digest(second))]
        of_group = PolicyHoldings(self._inline(in_group), (2,))
        grants = PolicyHoldings(self._inline(inline), (1,), (9,))
        people = [
            PrincipalRow(20, f"arn:aws:iam::{NUMBER}:user/ana", "AIDA1", grants, {"team": "red"}),
            PrincipalRow(
                21, f"arn:aws:iam::{NUMBER}:user/ben", "AIDA2", PolicyHoldings((), (), (9,), 1), {"team": "x"}
            ),
        ]
        self.organisation.accounts.append(
            AccountRows(people, [GroupRow(9, "team", of_group)], rows, (), NUMBER, "aws")
        )
        self.fresh = self.digest(gets or policy_of("s3:Get*", "arn:aws:s3:::homes/*"))
        self.other = self.digest("sns:*")
        self.documents = self.organisation.held()
        self.index = self.organisation.index()

    def digest(self, text: str) -> str:
        """Of a text, or of all actions with a name."""
        return self.organisation.digest(text if text.startswith("{") else policy_of(text, "*"))

    def _inline(self, text: str) -> tuple[tuple[str, str], ...]:
        return (("own", self.digest(text)),) if text else ()

    def edits(self, *policies: PolicyRow) -> dict[str, ScenarioEdits]:
        """The first policy with another text, and others."""
        return {NUMBER: ScenarioEdits(RowChanges(policies=[PolicyRow(1, "first", self.fresh), *policies]))}


def test_nobody_is_placed_anew_for_another_text(monkeypatch: pytest.MonkeyPatch) -> None:
    account = Small()
    assert compared(monkeypatch, account.index, account.edits()) == 2


def test_what_the_former_text_reads_of_a_principal_goes_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    account = Small(first=OF_TEAM)
    assert compared(monkeypatch, account.index, account.edits()) == 2


HELD_OTHERWISE = {
    "another policy": {"second": FIRST},
    "an inline policy": {"inline": FIRST},
    "an inline policy of a group": {"in_group": FIRST},
    "a tag": {"gets": OF_TEAM},
    "no document": {"gets": "{"},
}


@pytest.mark.parametrize("how", HELD_OTHERWISE)
def test_who_holds_it_in_another_way_too_is_placed_anew(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    account = Small(**HELD_OTHERWISE[how])
    assert compared(monkeypatch, account.index, account.edits()) == 0


def test_one_document_is_exchanged_for_two(monkeypatch: pytest.MonkeyPatch) -> None:
    account = Small(second=FIRST)
    edits = account.edits(PolicyRow(2, "second", account.other))
    assert compared(monkeypatch, account.index, edits) == 0
    edits = account.edits(PolicyRow(2, "second", account.fresh))
    assert compared(monkeypatch, account.index, edits) == 2


def test_an_account_that_moves_is_placed_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    account = Small()
    edits = account.edits()
    edits[NUMBER].standing = OrganizationStanding("o-one", ("o-one/r-1/",))
    assert compared(monkeypatch, account.index, edits) == 0


def test_only_texts_are_exchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    account = Small()
    member = account.index.accounts[NUMBER].members[20]
    row = PrincipalRow(20, member.arn, "AIDA1", PolicyHoldings((), (1,)), {"team": "red"})
    for name, rows in (
        ("principals", [row]),
        ("gone", [2]),
        ("groups", [GroupRow(9, "team", PolicyHoldings())]),
    ):
        edits = account.edits()
        setattr(edits[NUMBER].changes, name, rows)
        assert compared(monkeypatch, account.index, edits) == 0


def test_buckets_of_ones_own_are_exchanged_too(monkeypatch: pytest.MonkeyPatch) -> None:
    own = [(policy_of("s3:GetObject", f"arn:aws:s3:::work-{n}/*"),) for n in range(3)]
    index, edits, documents = people_with_buckets(*own)
    assert compared(monkeypatch, index, edits) == 3
    assert documents
