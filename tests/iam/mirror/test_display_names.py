"""What people call things."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from iam.mirror.display_names import (
    display_name,
    name_in_tag,
    names_by_arn,
    names_by_entity,
    names_by_number,
    tag_for_name,
    trusted_by,
)
from iam.mirror.models import TagSet
from tests.factories import account, person, user

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("login", "tags", "person", "name"),
    [
        ("sean.obrien", {}, "", "sean.obrien"),
        ("sean.obrien", {}, "Seán O'Brien", "Seán O'Brien"),
        ("sean.obrien", {"DisplayName": "Se\u00e1n O\u02bcBrien"}, "", "Seán O'Brien"),
        ("sean.obrien", {"DisplayName": "Se\u00e1n O\u02c8Brien"}, "", "Seán O’Brien"),
        # Written before tags told the two apart: the directory knows.
        ("sean.obrien", {"DisplayName": "Se\u00e1n O\u02bcBrien"}, "Seán O’Brien", "Seán O’Brien"),
        ("sean.obrien", {"DisplayName": "Se\u00e1n O\u02bcBrien"}, "Seán OʼBrien", "Seán OʼBrien"),
        ("zoe", {"DisplayName": "Zoë Ops Smith Jr."}, "Zoë (Ops) Smith, Jr.", "Zoë (Ops) Smith, Jr."),
        ("sean.obrien@example.com", None, "", "sean.obrien@example.com"),
        ("anna.van-der-berg", {}, "", "anna.van-der-berg"),
        ("lukasz_nowak", {}, "Łukasz Nowak", "Łukasz Nowak"),
        ("suharto", {}, "", "suharto"),
        ("ci-release", {}, "", "ci-release"),
        ("px042", {"DisplayName": "Priya Raman"}, "Somebody Else", "Priya Raman"),
        ("px042", {"display-name": "Priya Raman"}, "", "Priya Raman"),
        ("px042", {"Name": "Priya", "FullName": "Priya Raman"}, "", "Priya Raman"),
        ("maya.okafor", {"Name": "  "}, "", "maya.okafor"),
        ("maya.okafor", {"CostCenter": "4711"}, "", "maya.okafor"),
        ("", {}, "", ""),
    ],
)
def test_a_person_is_called_as_somebody_wrote_it_and_never_as_a_login_suggests(
    login: str, tags: dict[str, str] | None, person: str, name: str
) -> None:
    assert display_name(login, tags, person=person) == name


@pytest.mark.parametrize(
    "name",
    [
        "Seán O'Brien",
        "Seán O’Brien",
        "Anna van der Berg",
        "Łukasz Żak",
        "Suharto",
        "d'Artagnan",
        "李小龙",
        "Maya Okafor-Lund",
    ],
)
def test_a_name_comes_back_from_its_tag_as_it_was_written(name: str) -> None:
    tag = tag_for_name(name)
    # https://docs.aws.amazon.com/IAM/latest/APIReference/API_Tag.html, with \w for letters, digits and the
    # underscore
    assert re.fullmatch(r"[\w\s.:/=+@-]*", tag)
    assert name_in_tag(tag) == name


def test_no_code_makes_a_name_from_a_login() -> None:
    """Names are capitalized nowhere: anyone who writes `.title()` or `.capitalize()` over a login invents a
    name.
    """
    suspicious = re.compile(r"(login|user_?name|user\.name|email|local)\b[^\n]*\.(title|capitalize)\(\)")
    offenders = [
        str(path)
        for folder in ("console", "iam")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if suspicious.search(path.read_text(encoding="utf-8"))
    ]
    assert offenders == []


@pytest.mark.django_db
def test_users_are_called_by_tag_by_person_or_by_login() -> None:
    place = account()
    tagged, linked, plain = (
        user(place, name) for name in ("anna.van-der-berg", "lukasz.nowak", "sean.obrien")
    )
    TagSet.objects.create(
        account=place,
        entity=tagged,
        tags={"DisplayName": "Anna van der Berg"},
        valid_from=tagged.first_seen,
        observed_at=tagged.first_seen,
    )
    person("Łukasz Nowak", email="ln@example.com", arns=(linked.arn,))
    again = person("Sean, who had it before", email="so@example.com", arns=(plain.arn,))
    again.identities.update(aws_id="AIDAOLDOLDOLDOLDOLDOL")
    expected = ["Anna van der Berg", "Łukasz Nowak", "sean.obrien"]
    users = [tagged, linked, plain]
    assert [names_by_entity(users)[entity.pk] for entity in users] == expected
    assert [names_by_arn(entity.arn for entity in users)[entity.arn] for entity in users] == expected
    assert [
        names_by_number({entity.pk: entity.name for entity in users})[entity.pk] for entity in users
    ] == expected


@pytest.mark.parametrize(
    ("category", "words"),
    [
        ("service:ec2", "EC2"),
        ("service:ecs-tasks", "ECS tasks"),
        ("service:brand-new", "brand-new"),
        ("cross-account", "Another account"),
        ("any", "Anyone"),
        ("", "No one"),
        ("unheard-of", "unheard-of"),
    ],
)
def test_who_may_assume_a_role_is_said_in_words(category: str, words: str) -> None:
    assert trusted_by(category) == words
