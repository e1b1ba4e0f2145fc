"""All parts of the look are in the one stylesheet that pages load."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
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


def test_the_stylesheet_is_found_served_and_follows_a_changed_part(settings: Any, tmp_path: Path) -> None:
    settings.VAR = tmp_path
    finder = finders.get_finder.__wrapped__("console.web.stylesheet.JoinedStylesheet")
    found = finder.find(NAME)
    assert Path(found).read_text() == joined()
    for embedded, names in ((True, [NAME, f"{NAME}.gz"]), (False, [NAME])):
        settings.EMBEDDED = embedded
        assert sorted(name for name, _ in finder.list([])) == names
    Path(found).write_text("cut")
    Path(f"{found}.gz").write_text("cut")
    assert Path(finder.find(NAME)).read_text() == joined()
    assert gzip.decompress(Path(f"{found}.gz").read_bytes()).decode() == joined()
    Path(f"{found}.gz").unlink()
    finder.find(NAME)
    assert Path(f"{found}.gz").exists()
    assert finder.find("css/nothing.css") == []


@pytest.mark.django_db
def test_a_page_loads_one_stylesheet(client: Client) -> None:
    client.force_login(factories.operator())
    for address in ("/", "/nowhere/"):
        page = client.get(address).content.decode()
        assert re.findall(r'<link rel="stylesheet" href="([^"]+)"', page) == [f"/static/{NAME}"]
