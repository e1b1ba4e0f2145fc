"""All parts of the look are in the one stylesheet that pages load."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.test import Client

from console.web.stylesheet import NAME, PARTS, joined
from tests import factories

STATIC = settings.BASE_DIR / "static"


def test_every_part_on_disk_is_in_the_stylesheet_once() -> None:
    on_disk = {path.relative_to(STATIC / "css").as_posix() for path in (STATIC / "css").rglob("*.css")}
    assert sorted(PARTS) == sorted(on_disk)


def test_every_file_that_the_stylesheet_names_is_found() -> None:
    named = re.findall(r"url\(\"?([^)\"]+)\"?\)", joined())
    assert named
    for address in named:
        assert (STATIC / "css" / address).resolve().is_file(), address


@pytest.mark.django_db
def test_a_page_loads_one_stylesheet(client: Client) -> None:
    client.force_login(factories.operator())
    for address in ("/", "/nowhere/"):
        page = client.get(address).content.decode()
        assert re.findall(r'<link rel="stylesheet" href="([^"]+)"', page) == [f"/static/{NAME}"]
