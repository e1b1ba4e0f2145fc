"""`iam` has no page: no address, no icon, no button, no hint, no menu, no form and no template."""

from __future__ import annotations

import ast
from typing import Final

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from tests.house_rules import ROOT, tracked
from tests.page_parts import icon_names, page_parts

NOT_OF_A_PAGE: Final = {
    # Django's own name for the advice of a system check.
    ("iam/journal/checks.py", "the name hint"),
    # How Terraform and CloudFormation describe a resource.
    ("iam/changes/iac/forms.py", "the class IacForm"),
    # The author of an access template writes it; it is stored with the template.
    ("iam/access/templates/parameters.py", "the name hint"),
}


def areas() -> set[str]:
    """The first parts of all addresses."""
    return {route.partition("/")[0] for route in _routes(get_resolver().url_patterns)} - {""}


def _routes(patterns: list[URLPattern | URLResolver]) -> list[str]:
    routes: list[str] = []
    for entry in patterns:
        route = str(entry.pattern)
        if isinstance(entry, URLResolver) and not route:
            routes += _routes(entry.url_patterns)
        else:
            routes.append(route)
    return routes


def test_the_domain_has_no_part_of_a_page() -> None:
    known, icons = areas(), icon_names()
    breaches: list[str] = []
    for file in tracked("iam/*.py"):
        place = str(file.relative_to(ROOT))
        if "migrations" in file.parts:
            continue
        for line, what in page_parts(ast.parse(file.read_text(encoding="utf-8")), areas=known, icons=icons):
            if (place, what) not in NOT_OF_A_PAGE:
                breaches.append(f"{place}:{line}: {what}")
    assert breaches == []


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ('path = f"/changes/{pk}/"', "the address /changes/"),
        ('icon_of(kind) == "key-round"', "the icon key-round"),
        ('name = "changes/acts.html"', "the template changes/acts.html"),
        ("from django.urls import path", "the import of django.urls"),
        ("from django import forms", "the import of django.forms"),
        ("import django.shortcuts", "the import of django.shortcuts"),
        ("reverse(name)", "the call reverse()"),
        ("class Grant:\n    icon: str", "the name icon"),
        ("Act(button=text)", "the name button"),
        ("def menu_of(subject): ...", "the name menu_of"),
        ("class ReasonForm: ...", "the class ReasonForm"),
    ],
)
def test_a_part_of_a_page_is_found(source: str, what: str) -> None:
    parts = page_parts(ast.parse(source), areas={"changes"}, icons={"key-round"})
    assert [part for _, part in parts] == [what]


@pytest.mark.parametrize(
    "source",
    [
        '"""The address /changes/ and the icon key-round."""',
        'path = "/payments/"',
        "platform = 1\nhinted = platform",
        "from django.db import models",
    ],
)
def test_what_belongs_to_no_page_is_left_alone(source: str) -> None:
    assert list(page_parts(ast.parse(source), areas={"changes"}, icons={"key-round"})) == []


def test_the_areas_and_icons_are_those_of_the_console() -> None:
    assert {"changes", "grants", "link", "go", "profile"} <= areas()
    assert "key-round" in icon_names()
