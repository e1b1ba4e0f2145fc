"""Whose a user is: by hand, by tag, by address, by a name rule; and what becomes of it when users and people
change.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from iam.directory.models import Identity, Person, Role
from iam.directory.services import add_person
from iam.guard import Viewer
from iam.journal.models import Entry
from iam.linking import acts
from iam.linking.models import ExcludedMatch, LinkStanding, MatchSettings, NameRule, UserMatch
from iam.linking.ownership import confirmed, is_linked, owner, owners_of, owns, people_concerned, users_of
from iam.linking.patterns import NamePattern, PatternError
from iam.linking.refresh import refresh_links, settings_row
from iam.mirror.models import Account, Entity, TagSet
from iam.people.offboarding.leaver_lookup import leaver_of
from tests import factories

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]


def tagged(user: Entity, **tags: str) -> Entity:
    """Give a user of the mirror tags."""
    at = factories.FIRST_READ
    TagSet.objects.create(entity=user, account=user.account, tags=tags, valid_from=at, observed_at=at)
    return user


def written(*users: Entity) -> None:
    """The mirror has written something of users."""
    for user in users:
        Account.objects.filter(pk=user.account_id).update(revision=user.account.revision + 1)
        user.account.refresh_from_db()
        Entity.objects.filter(pk=user.pk).update(revision=user.account.revision)


@pytest.fixture
def account() -> Account:
    return factories.account()


@pytest.fixture
def other() -> Account:
    return factories.account("222222222222", name="data")


@pytest.fixture
def maya() -> Person:
    return factories.person("Maya Okafor", email="maya.okafor@example.com")


@pytest.fixture
def ines() -> Viewer:
    return factories.viewer(Role.ADMINISTRATOR)


def said(user: Entity) -> tuple[str, str, bool]:
    ownership = owners_of([user])[user.pk]
    return (ownership.person.name if ownership.person else "", ownership.how, ownership.confirmed)


def with_rules(*pairs: tuple[str, str], **ways: Any) -> None:
    """The organization has these name rules, and other ways."""
    settings_row()
    for user_name, address in pairs:
        NameRule.objects.create(user_name=user_name, address=address, added_by="test")
    MatchSettings.objects.update(version=9, **ways)


def test_each_way_finds_the_person_and_the_hand_wins(account: Account, other: Account, maya: Person) -> None:
    jonas = factories.person("Jonas Berg", email="jonas.berg@example.com")
    with_rules(("{f}{last}", "{first}.{last}"), ("{local}-admin", "{local}"))
    by_tag = tagged(factories.user(account, "one"), Email="Maya.Okafor@example.com ")
    by_address = factories.user(account, "maya.okafor@example.com")
    by_rule = factories.user(other, "MOkafor")
    second = factories.user(other, "maya.okafor-admin")
    by_hand = tagged(factories.user(other, "two"), email="maya.okafor@example.com")
    Identity.objects.create(person=jonas, user_arn=by_hand.arn)
    nobody = factories.user(other, "ci-release")
    assert refresh_links() == 6

    assert [said(entity) for entity in (by_tag, by_address, by_rule, second, by_hand, nobody)] == [
        ("Maya Okafor", "tag", False),
        ("Maya Okafor", "address", False),
        ("Maya Okafor", "rule", False),
        ("Maya Okafor", "rule", False),
        ("Jonas Berg", "hand", True),
        ("", "", False),
    ]
    theirs = users_of([maya, jonas])
    assert [owned_user.user for owned_user in theirs[maya.pk]] == [by_rule, second, by_address, by_tag]
    assert [owned_user.user for owned_user in theirs[jonas.pk]] == [by_hand]
    # Everybody else asks here: who leaves, who may not decide.
    assert set(leaver_of(by_rule).users) == {by_tag, by_address, by_rule, second}
    assert people_concerned([by_tag.arn, by_hand.arn, nobody.arn]) == {maya.pk, jonas.pk}
    assert owner(by_tag) is None
    assert owner(by_hand) == jonas


def test_it_takes_the_same_queries_for_one_and_for_many(account: Account, maya: Person) -> None:
    users = [tagged(factories.user(account, f"u{at}"), email=maya.email) for at in range(30)]
    people = [maya, *(factories.person(f"P {at}") for at in range(20))]
    refresh_links()
    for entities in (users[:1], users):
        with CaptureQueriesContext(connection) as asked:
            owners_of(entities)
        assert len(asked) == 2
    for those in (people[:1], people):
        with CaptureQueriesContext(connection) as asked:
            assert len(users_of(those)[maya.pk]) == 30
        assert len(asked) == 4
    Person.objects.update(created_at=factories.FIRST_READ)
    with CaptureQueriesContext(connection) as asked:
        assert refresh_links() == 0
    assert len(asked) <= 4


def test_several_who_fit_and_ways_that_disagree_link_nobody(account: Account, maya: Person) -> None:
    twin = factories.person("Maya Okafor", email="maya.okafor@elsewhere.example")
    jonas = factories.person("Jonas Berg", email="jonas@example.com")
    with_rules(("{local}", "{local}"))
    ambiguous = factories.user(account, "maya.okafor")
    conflict = tagged(factories.user(account, "jonas"), email=twin.email)
    stranger = tagged(factories.user(account, "JONAS"), email="nobody@example.com")
    refresh_links()
    ownership = owners_of([ambiguous, conflict, stranger])
    assert [ownership[entity.pk].standing for entity in (ambiguous, conflict, stranger)] == [
        LinkStanding.AMBIGUOUS,
        LinkStanding.CONFLICT,
        LinkStanding.CONFLICT,
    ]
    assert all(whose.person is None and not whose.address for whose in ownership.values())
    assert people_concerned([conflict.arn]) == {twin.pk, jonas.pk}
    assert not users_of([maya, twin, jonas])


def test_who_was_said_not_to_be_meant_is_named_by_no_way_again(
    account: Account, maya: Person, ines: Viewer
) -> None:
    user = tagged(factories.user(account, "maya.okafor"), email=maya.email)
    with_rules(("{local}", "{local}"))
    refresh_links()
    acts.link(ines, user=user, person=maya)
    mark = acts.set_apart(ines, user=user, person=maya, why="A service of hers")
    assert (said(user), Identity.objects.count()) == (("", "", False), 0)
    written(user)
    refresh_links()
    refresh_links(whole=True)
    assert said(user) == ("", "", False)
    # By hand all is possible, and taking that back leaves the mark.
    acts.link(ines, user=user, person=maya, why="She says so")
    assert said(user) == ("Maya Okafor", "hand", True)
    acts.undo(ines, user=user)
    assert said(user) == ("", "", False)
    acts.forget(ines, mark)
    assert (said(user), ExcludedMatch.objects.count()) == (("Maya Okafor", "tag", False), 0)
    kinds = Entry.objects.filter(kind__startswith="identity.").order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == [
        "identity.link",
        "identity.unlink",
        "identity.apart",
        "identity.link",
        "identity.unlink",
        "identity.together",
    ]


def test_a_user_who_is_made_again_is_nobodys_until_somebody_says_so(
    account: Account, maya: Person, ines: Viewer
) -> None:
    user = factories.user(account, "maya.okafor")
    refresh_links()
    acts.link(ines, user=user, person=maya)
    Entity.objects.filter(pk=user.pk).update(gone_at=factories.FIRST_READ)
    again = factories.user(account, "maya.okafor")
    assert again.arn == user.arn
    # Before anything is worked out, rights have ended already.
    assert not owns(maya.pk, user_arn=user.arn)
    assert owner(again) is None
    written(again)
    refresh_links()
    assert (said(again), Identity.objects.count()) == (("", "", False), 0)
    assert UserMatch.objects.get(user=again).former == maya
    assert Entry.objects.filter(kind="identity.outlive", subject=maya.email).count() == 1
    acts.link(ines, user=again, person=maya)
    assert owns(maya.pk, user_arn=user.arn)


def test_a_user_who_is_renamed_in_aws_stays_theirs_and_who_gets_the_name_is_not(
    account: Account, maya: Person, ines: Viewer
) -> None:
    user = factories.user(account, "maya.okafor")
    acts.link(ines, user=user, person=maya)
    new = user.arn.replace("maya.okafor", "maya.berg")
    Entity.objects.filter(pk=user.pk).update(name="maya.berg", arn=new)
    thief = factories.user(account, "maya.okafor")
    written(user, thief)
    refresh_links()
    user.refresh_from_db()
    assert said(user) == ("Maya Okafor", "hand", True)
    assert said(thief) == ("", "", False)
    assert Entry.objects.filter(kind="identity.follow").count() == 1


def test_whoever_is_renamed_to_a_name_that_somebody_had_keeps_their_person_and_gets_no_other(
    account: Account, maya: Person, ines: Viewer
) -> None:
    former, user = factories.user(account, "admin"), factories.user(account, "maya.okafor")
    acts.link(ines, user=former, person=factories.person("Nina Holm"))
    acts.link(ines, user=user, person=maya)
    Entity.objects.filter(pk=former.pk).update(gone_at=factories.FIRST_READ)
    Entity.objects.filter(pk=user.pk).update(name="admin", arn=former.arn)
    written(user)
    refresh_links()
    user.refresh_from_db()
    assert said(user) == ("Maya Okafor", "hand", True)
    assert [identity.person for identity in Identity.objects.all()] == [maya]


def test_who_left_has_no_rights_over_their_user_and_gets_that_one_alone_back(
    account: Account, maya: Person, ines: Viewer
) -> None:
    user = factories.user(account, "maya.okafor")
    acts.link(ines, user=user, person=maya)
    mine = Entity.objects.filter(confirmed("arn"))
    assert (owner(user), owns(maya.pk, user_arn=user.arn), list(mine.all())) == (maya, True, [user])
    Person.objects.filter(pk=maya.pk).update(is_active=False)
    assert (owner(user), owns(maya.pk, user_arn=user.arn), list(mine.all())) == (None, False, [])
    assert is_linked(maya.pk, user=user)
    user.aws_id = "AIDAANOTHER"
    assert not is_linked(maya.pk, user=user)


def test_users_who_are_gone_and_accounts_that_were_removed_do_not_count(
    account: Account, other: Account, maya: Person
) -> None:
    gone = tagged(factories.user(account, "one"), email=maya.email)
    removed = tagged(factories.user(other, "two"), email=maya.email)
    here = tagged(factories.user(account, "three"), email=maya.email)
    refresh_links()
    assert len(users_of([maya])[maya.pk]) == 3
    Entity.objects.filter(pk=gone.pk).update(gone_at=factories.FIRST_READ)
    Account.objects.filter(pk=other.pk).update(removed_at=factories.FIRST_READ)
    assert [owned_user.user for owned_user in users_of([maya])[maya.pk]] == [here]
    # What is known of the account is still there when it is connected again.
    Account.objects.filter(pk=other.pk).update(removed_at=None)
    assert {owned_user.user for owned_user in users_of([maya])[maya.pk]} == {here, removed}


def test_somebody_who_comes_later_is_found_and_what_was_written_is_looked_at_once(
    account: Account, ines: Viewer
) -> None:
    with_rules(("{f}{last}", "{first}.{last}"))
    by_tag = tagged(factories.user(account, "one"), email="kofi.mensah@example.com")
    by_rule = factories.user(account, "kmensah")
    refresh_links()
    assert owners_of([by_tag])[by_tag.pk].address == "kofi.mensah@example.com"
    add_person(name="Kofi Mensah", email="kofi.mensah@example.com", actor=ines)
    assert refresh_links() == 2
    assert said(by_tag) == ("Kofi Mensah", "tag", False)
    assert said(by_rule) == ("Kofi Mensah", "rule", False)
    TagSet.objects.update(tags={"email": "ines.duarte@example.com"})
    written(by_tag)
    refresh_links()
    assert said(by_tag) == ("Ines Duarte", "tag", False)


@pytest.mark.parametrize(
    ("user_name", "address", "email", "expected"),
    [
        ("{first}.{last}", "{first}.{last}", "Maya.Okafor@example.com", "maya.okafor"),
        ("{f}{last}", "{first}.{last}", "maya.okafor@example.com", "mokafor"),
        ("{last}{f}", "{first}.{last}", "maya.okafor@example.com", "okaform"),
        ("adm-{local}", "{local}", "maya@example.com", "adm-maya"),
        ("{first}.{last}", "{f}{last}", "mokafor@example.com", "{first}"),
        ("{first}.{last}", "{first}.{last}", "maya@example.com", ""),
        ("{first}.{last}", "{first}.{last}", "maya.de.okafor@example.com", ""),
        ("{first}", "{first}{last}", "", "needs a character"),
        ("{nick}", "{local}", "", "{nick} isn’t a part"),
        ("maya", "{local}", "", "at least one part"),
        ("{local} x", "{local}", "", "letters, digits"),
    ],
)
def test_a_name_rule_makes_a_user_name_of_an_address_or_says_why_not(
    user_name: str, address: str, email: str, expected: str
) -> None:
    try:
        user_name_of = NamePattern(user_name, address).user_name_of(email)
    except PatternError as error:
        user_name_of = str(error)
        assert expected in user_name_of
    else:
        assert user_name_of == expected
