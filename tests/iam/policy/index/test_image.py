"""An index that was read from images is the index that its rows make, before and after changes; bytes that
are damaged are no image.
"""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iam.policy.index import image as images
from iam.policy.index.documents import IndexedDocument, SharedDocuments
from iam.policy.index.image import ImageError, pack, unpack
from iam.policy.index.image_parts import image_of
from iam.policy.index.index import PolicyIndex
from iam.policy.index.register import UseRegister
from iam.policy.index.rows import AccountRows, OrganizationStanding, PrincipalRow
from iam.policy.index.scenario import row_of
from iam.policy.index.shard import AccountShard
from tests.iam.policy.index import organisations as made
from tests.iam.policy.index.organisations import Organisation
from tests.iam.policy.index.test_changes import both, effective, shape
from tests.iam.policy.index.test_who_can import decisions

NUMBER = "111111111111"


def packed(organisation: Organisation) -> list[tuple[bytes, OrganizationStanding]]:
    """The image of each account, in the order of the accounts."""
    documents = organisation.held()
    packed = [
        (pack(image_of(AccountShard(UseRegister(organisation.store), rows))), rows.standing)
        for rows in organisation.accounts
    ]
    del documents
    return packed


def from_images(organisation: Organisation) -> tuple[PolicyIndex, list[IndexedDocument]]:
    """The index that another process reads, which has read no document but those of the control policies."""
    documents = SharedDocuments()
    levels = [level for rows in organisation.accounts for level in (*rows.standing.scps, *rows.standing.rcps)]
    digests = {row.digest for level in levels for row in level if row.digest}
    doc_list = [documents.add(digest, organisation.texts[digest]) for digest in digests]
    index = PolicyIndex(documents)
    for data, standing in packed(organisation):
        index.put_image(unpack(data), standing)
    return index, doc_list


def written(doc: IndexedDocument | None) -> object:
    """All that a document says, and all that is known of it."""
    if doc is None:
        return None
    clauses = [
        (clause.shape.statement(clause.resources, label), clause.has_variables, clause.beginning)
        for clause, label in zip(doc.clauses, doc.labels, strict=True)
    ]
    traits = [replace(clause.traits, atoms=()) for clause in doc.clauses]
    atoms = [len(clause.traits.atoms) for clause in doc.clauses]
    return (
        doc.digest,
        clauses,
        traits,
        atoms,
        doc.problems,
        doc.tags,
        doc.is_marked,
        doc.is_personal,
        doc.is_placed,
    )


def contents(index: PolicyIndex) -> object:
    """Everything that is kept of every account."""
    return {
        number: (
            {
                member.id: (row_of(member), written(member.trust), member.kind)
                for member in shard.members.values()
            },
            dict(shard.groups),
            dict(shard.policies),
            {
                member.id: (
                    {doc.digest: written(doc) for doc in member.cls.profile.bundle.docs},
                    {marked.doc.digest: marked.marks for marked in member.cls.profile.marked},
                    member.cls.profile.limits.flags,
                    written(member.cls.profile.limits.boundary),
                    member.cls.profile.limits.boundary_marks,
                    member.cls.profile.limits.level_marks,
                )
                for member in shard.members.values()
            },
        )
        for number, shard in index.accounts.items()
    }


def assert_same(index: PolicyIndex, fresh: PolicyIndex, dice: random.Random) -> None:
    """Everything is the same, and so is every answer."""
    assert len(index) == len(fresh)
    assert contents(index) == contents(fresh)
    assert shape(index) == shape(fresh)
    assert effective(index) == effective(fresh)
    for member in fresh.members:
        member_now = index.find(member.arn)
        assert member_now is not None
        assert (member_now.arn, member_now.account) == (member.arn, member.account)
        assert index.member(member.account, member.id) == index.member(member.account, member.id)
    for _ in range(3):
        question = made.question(dice)
        assert decisions(index, question) == decisions(fresh, question), question
        assert sorted(index.who_can(question).names()) == sorted(fresh.who_can(question).names())


@settings(max_examples=60)
@given(st.integers(0, 2**32))
def test_an_image_is_what_the_rows_make(seed: int) -> None:
    dice = random.Random(seed)
    organisation = made.organisation(dice)
    index, documents = from_images(organisation)
    assert_same(index, organisation.index(), dice)
    del documents


@settings(max_examples=60)
@given(st.integers(0, 2**32))
def test_what_is_written_after_an_image_makes_what_all_rows_make(seed: int) -> None:
    dice, before, after, changes = both(seed)
    index, documents = from_images(before)
    texts = [index.documents.add(digest, text) for digest, text in {**before.texts, **after.texts}.items()]
    effective(index)
    for number, each in changes.items():
        index.apply(number, each)
    assert_same(index, after.index(), dice)
    for number in list(index.accounts):
        index.put_image(unpack(pack(image_of(index.accounts[number]))), index.accounts[number].standing)
    assert_same(index, after.index(), dice)
    for number in list(index.accounts):
        index.drop(number)
    assert shape(index) == ([], 0, 0, [], [], [])
    del documents, texts


@settings(max_examples=40)
@given(st.integers(0, 2**32))
def test_an_account_of_an_image_that_stands_elsewhere_is_as_if_it_had_always_stood_there(seed: int) -> None:
    dice = random.Random(seed)
    organisation, other = made.organisation(dice), made.organisation(dice)
    organisation.texts.update(other.texts)
    index, documents = from_images(organisation)
    texts = [index.documents.add(digest, text) for digest, text in organisation.texts.items()]
    index.place_in_organization(made.ACCOUNTS[0], other.accounts[0].standing)
    organisation.accounts[0].standing = other.accounts[0].standing
    assert_same(index, organisation.index(), dice)
    del documents, texts


@settings(max_examples=20)
@given(st.integers(0, 2**32))
def test_the_same_rows_have_the_same_image_in_every_process(seed: int) -> None:
    organisation = made.organisation(random.Random(seed))
    first = packed(organisation)
    for rows in organisation.accounts:
        rows.principals = list(reversed(list(rows.principals)))
    organisation.store = SharedDocuments()
    assert packed(organisation) == first


def small() -> bytes:
    """The image of one user."""
    rows = AccountRows([PrincipalRow(1, f"arn:aws:iam::{NUMBER}:user/maya")], number=NUMBER)
    return pack(image_of(AccountShard(UseRegister(SharedDocuments()), rows)))


def test_whatever_byte_is_damaged_it_is_no_image_any_more() -> None:
    whole = small()
    assert unpack(whole).number == NUMBER
    dice = random.Random(1)
    for place in [0, 15, 16, 47, 48, len(whole) - 1, *(dice.randrange(len(whole)) for _ in range(50))]:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << dice.randrange(8)
        with pytest.raises(ImageError):
            unpack(bytes(damaged))
    for cut in (0, 10, 16, 40, len(whole) - 1):
        with pytest.raises(ImageError):
            unpack(whole[:cut])


def test_an_image_of_other_code_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = small()
    monkeypatch.setattr(images, "code", lambda: "0" * 32)
    with pytest.raises(ImageError, match="other code"):
        unpack(whole)


def test_an_image_of_another_form_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = small()
    monkeypatch.setattr(images, "ARRAYS", images.ARRAYS[:-1])
    with pytest.raises(ImageError, match="another form"):
        unpack(whole)


def test_names_that_no_account_of_aws_has_are_kept_as_they_are() -> None:
    arns = [
        "arn:aws-cn:iam::111111111111:user/maya",
        f"arn:aws:iam::{NUMBER}:user/a\nb",
        "arn:aws:iam::222222222222:role/x",
    ]
    rows = AccountRows([PrincipalRow(n, arn) for n, arn in enumerate(arns, 1)], number=NUMBER)
    index = PolicyIndex(SharedDocuments())
    index.put_image(unpack(pack(image_of(AccountShard(UseRegister(SharedDocuments()), rows)))), rows.standing)
    assert [index.member(NUMBER, n).arn for n in (1, 2, 3)] == arns  # type: ignore[union-attr]
    assert [index.accounts[NUMBER].members.find(arn).id for arn in arns] == [1, 2, 3]  # type: ignore[union-attr]
