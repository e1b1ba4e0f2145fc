"""A pasted list: everything that a line can mean, what that rests on, and nothing cut in silence."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from iam.linking.pasted_people import MAX_LINES, PastedList, match_list, split_list
from iam.linking.refresh import refresh_links
from iam.mirror.models import Entity, Kind, TagSet
from tests import factories

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a\nb\r\nc", ["a", "b", "c"]),
        ("a, b;c\td", ["a", "b", "c", "d"]),
        (' "Maya  Okafor" ,\ufeffx', ["Maya Okafor", "x"]),
        ("Maya Okafor <maya@example.com>; a; a", ["maya@example.com", "a"]),
        (
            "Seán O'Brien\nAnna van der Berg\nŁukasz Żak\nSuharto",
            ["Seán O'Brien", "Anna van der Berg", "Łukasz Żak", "Suharto"],
        ),
        (" ,;\n", []),
    ],
)
def test_a_list_is_read_as_people_paste_it(text: str, names: list[str]) -> None:
    assert split_list(text) == names


def meant(text: str) -> PastedList:
    """What a list means among all users."""
    refresh_links(whole=True)
    return match_list(text, among=Entity.objects.filter(kind=Kind.USER, gone_at__isnull=True))


def tagged(user: Entity, **tags: str) -> Entity:
    """With these tags in AWS."""
    TagSet.objects.create(
        account=user.account, entity=user, tags=tags, valid_from=user.first_seen, observed_at=user.first_seen
    )
    return user


def told(pasted: PastedList) -> list[tuple[str, list[tuple[str, str, bool]]]]:
    """Each line with its matches."""
    return [(line.text, [(m.entity.name, m.basis, m.is_sure) for m in line.matches]) for line in pasted.lines]


def test_every_way_to_name_somebody_is_understood_and_said() -> None:
    place = factories.account()
    sean = factories.user(place, "sean.obrien")
    factories.person("Seán O'Brien", email="so@example.com", arns=(sean.arn,))
    anna = tagged(factories.user(place, "px1"), Email="anna@example.com", DisplayName="Anna van der Berg")
    factories.person("Łukasz Żak", email="lz@example.com")
    tagged(factories.user(place, "px2"), Email="lz@example.com")
    factories.user(place, "suharto")
    factories.user(place, "maya.okafor")
    text = (
        f"Seán O'Brien;SO@example.com;SUHARTO;{anna.arn};anna@example.com;Anna van der Berg;Łukasz Żak;Maya "
        "Okafor;ghost"
    )
    assert told(meant(text)) == [
        ("Seán O'Brien", [("sean.obrien", "Linked to Seán O'Brien", True)]),
        ("SO@example.com", [("sean.obrien", "Linked to Seán O'Brien", True)]),
        ("SUHARTO", [("suharto", "User name", True)]),
        (anna.arn, [("px1", "ARN", True)]),
        ("anna@example.com", [("px1", "Tag email: anna@example.com", False)]),
        ("Anna van der Berg", [("px1", "Name tag", False)]),
        ("Łukasz Żak", [("px2", "Tag email: lz@example.com", False)]),
        ("Maya Okafor", [("maya.okafor", "User name", True)]),
        ("ghost", []),
    ]


def test_only_what_is_sure_and_alone_is_selected_and_everything_else_is_shown() -> None:
    place, other = factories.account(), factories.account("222222222222", name="staging")
    first, second = factories.user(place, "maya.okafor"), factories.user(other, "maya.okafor")
    linked = factories.user(place, "tomas.lind")
    factories.person("Tomas Lind", email="tl@example.com", arns=(linked.arn,))
    tagged(factories.user(place, "mallory"), Email="tl@example.com")
    pasted = meant("maya.okafor\ntl@example.com\nghost")
    assert pasted.chosen == [linked]
    assert pasted.unknown == ["ghost"]
    assert [[m.entity for m in line.matches] for line in pasted.to_decide] == [[first, second]]


def test_a_link_counts_for_the_user_of_whom_it_was_said() -> None:
    user = factories.user(factories.account(), "tomas.lind")
    person = factories.person("Tomas Lind", email="tl@example.com", arns=(user.arn,))
    person.identities.update(aws_id="AIDAOLDOLDOLDOLDOLDOL")
    assert meant("tl@example.com").unknown == ["tl@example.com"]


def test_nothing_is_cut_in_silence_and_a_long_list_costs_as_many_queries_as_a_short_one() -> None:
    place = factories.account()
    logins = [f"joiner{number:04}" for number in range(300)]
    users = [factories.user(place, login) for login in logins]
    refresh_links(whole=True)
    among = Entity.objects.filter(kind=Kind.USER)
    with CaptureQueriesContext(connection) as few:
        match_list("a@example.com\nMaya Okafor\njoiner0000", among=among)
    with CaptureQueriesContext(connection) as many:
        pasted = match_list("a@example.com\nMaya Okafor\n" + "\n".join(logins), among=among)
    assert pasted.chosen == users
    assert len(many) == len(few)
    longer = match_list("\n".join(str(number) for number in range(MAX_LINES + 7)), among=among)
    assert len(longer.lines) == MAX_LINES
    assert longer.left_over == tuple(str(number) for number in range(MAX_LINES, MAX_LINES + 7))
