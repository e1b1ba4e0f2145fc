"""An index that was changed is the index that would have been made, and what would change is what does
change.
"""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from iam.policy.index.difference import NOTHING
from iam.policy.index.documents import SharedDocuments
from iam.policy.index.effective import AllowedActionSets
from iam.policy.index.index import PolicyIndex
from iam.policy.index.rows import (
    AccountRows,
    OrganizationStanding,
    PolicyHoldings,
    PolicyRow,
    PrincipalRow,
    RowChanges,
)
from iam.policy.index.scenario import ScenarioEdits, what_if
from tests.iam.policy.index import organisations as made
from tests.iam.policy.index.organisations import ACCOUNTS, Organisation
from tests.iam.policy.index.test_who_can import decisions


def changed(dice: random.Random, rows: AccountRows, pool: list[str]) -> tuple[AccountRows, RowChanges]:
    """The rows of the account after some of them were exchanged, and the changes that lead there."""
    policies = {row.id: row for row in rows.policies}
    groups = {row.id: row for row in rows.groups}
    people = {row.id: row for row in rows.principals}
    changes = RowChanges()
    for table, name in ((policies, "policies"), (groups, "groups"), (people, "principals")):
        fresh: list[object] = []
        for number in made.some(dice, list(table), least=0, most=2):
            if table is policies:
                fresh.append(PolicyRow(number, policies[number].name, dice.choice((*pool, None))))
            else:
                grants = made.grants(
                    dice, list(policies.values()), list(groups.values()) if table is people else [], pool
                )
                fresh.append(type(table[number])(**{**_fields(table[number]), "grants": grants}))
            table[number] = fresh[-1]  # type: ignore[assignment]
        setattr(changes, name, fresh)
    if people and dice.random() < 0.4:
        gone = dice.choice(list(people))
        del people[gone]
        changes.principals = [row for row in changes.principals if row.id != gone]
        changes.gone = [gone]
    if dice.random() < 0.4:
        number = max(people, default=next(iter(policies))) + 500
        made_anew = PrincipalRow(
            number, f"arn:aws:iam::{rows.number}:user/new", "AIDANEW", PolicyHoldings((), tuple(policies))
        )
        people[number] = made_anew
        changes.principals = [*changes.principals, made_anew]
    after = AccountRows(
        list(people.values()),
        list(groups.values()),
        list(policies.values()),
        (),
        rows.number,
        "aws",
        rows.standing,
    )
    return after, changes


def _fields(row: object) -> dict[str, object]:
    return {name: getattr(row, name) for name in row.__slots__}  # type: ignore[attr-defined]


def effective(index: PolicyIndex) -> dict[int, AllowedActionSets]:
    effective_actions = index.effective()
    return {member.id: effective_actions.for_member(member) for member in index.members}


def shape(index: PolicyIndex) -> object:
    """All classes with their members, and all that is registered, in an order of its own."""
    classes = sorted(
        (
            cls.account,
            sorted(member.id for member in cls.members),
            sorted(doc.digest for doc in cls.profile.bundle.docs),
        )
        for cls in index.classes
    )
    register = index.register
    return (
        classes,
        len(list(register.profiles)),
        len(list(register.bundles)),
        sorted(doc.digest for doc in register.bundles_of),
        sorted(len(bundles) for bundles in register.bundles_of.values()),
        sorted(len(profile.classes) for profile in register.profiles),
    )


def both(seed: int) -> tuple[random.Random, Organisation, Organisation, dict[str, RowChanges]]:
    """An organisation before and after changes."""
    dice = random.Random(seed)
    before = made.organisation(dice)
    pool = [before.digest(made.document(dice)) for _ in range(3)] + [before.digest(made.ALLOW_ALL)]
    after, changes = Organisation([], before.texts), {}
    for rows in before.accounts:
        rows_after, changes[rows.number] = changed(dice, rows, pool)
        after.accounts.append(rows_after)
    return dice, before, after, changes


@settings(max_examples=60)
@given(st.integers(0, 2**32))
def test_a_changed_index_is_as_if_it_had_been_made_so(seed: int) -> None:
    dice, before, after, changes = both(seed)
    index, documents = before.index(), before.held()
    effective(index)
    for number, each in changes.items():
        index.apply(number, each)
    fresh = after.index()
    assert shape(index) == shape(fresh)
    assert effective(index) == effective(fresh)
    for _ in range(3):
        question = made.question(dice)
        assert decisions(index, question) == decisions(fresh, question), question
    assert documents


@settings(max_examples=30)
@given(st.integers(0, 2**32))
def test_what_would_change_is_what_does(seed: int) -> None:
    _, before, after, changes = both(seed)
    index = before.index()
    was, untouched = effective(index), shape(index)
    difference = what_if(
        index, {number: ScenarioEdits(each) for number, each in changes.items()}, texts=before.texts
    )
    assert shape(index) == untouched
    becomes = effective(after.index())
    shift_of = {member.id: shift for shift, members in difference.shifts.items() for member in members}
    for number in was.keys() | becomes.keys():
        left, right = was.get(number, NOTHING), becomes.get(number, NOTHING)
        if left != right:
            assert (shift_of[number].before, shift_of[number].after) == (left, right)
        elif number in shift_of:
            assert shift_of[number].change.proofs


@settings(max_examples=40)
@given(st.integers(0, 2**32))
def test_an_account_that_stands_elsewhere_is_as_if_it_had_always_stood_there(seed: int) -> None:
    dice = random.Random(seed)
    organisation, other = made.organisation(dice), made.organisation(dice)
    organisation.texts.update(other.texts)
    index, documents, standing = organisation.index(), organisation.held(), other.accounts[0].standing
    index.place_in_organization(ACCOUNTS[0], standing)
    organisation.accounts[0].standing = standing
    fresh = organisation.index()
    assert shape(index) == shape(fresh)
    question = made.question(dice)
    assert decisions(index, question) == decisions(fresh, question)
    assert documents


@settings(max_examples=20)
@given(st.integers(0, 2**32))
def test_an_account_that_is_dropped_leaves_nothing_behind(seed: int) -> None:
    organisation = made.organisation(random.Random(seed))
    index = organisation.index()
    for rows in organisation.accounts:
        index.drop(rows.number)
    assert shape(index) == ([], 0, 0, [], [], [])
    assert len(index) == 0
    index.register.forget_levels([])
    assert len(index.documents) == 0


def test_each_change_gives_the_index_another_version() -> None:
    rows = AccountRows(
        principals=[PrincipalRow(1, "arn:aws:iam::111111111111:user/a")], number="111111111111"
    )
    index = PolicyIndex(SharedDocuments())
    seen = [index.version]
    for change in (
        lambda: index.enter_account(rows),
        lambda: index.enter_account(rows),
        lambda: index.apply("111111111111", RowChanges(gone=[1])),
        lambda: index.place_in_organization("111111111111", OrganizationStanding("o-1")),
        lambda: index.drop("111111111111"),
        index.dissolve,
    ):
        change()
        seen.append(index.version)
    assert len(set(seen)) == len(seen)
    index.drop("222222222222")
    assert index.version == seen[-1]
