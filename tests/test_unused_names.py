"""Nothing that the product defines is unused, and the search for it finds what is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.house_rules import ROOT
from tests.unused_names import OTHER_FILES, unused_names

MODULE = '''"""Names `forgotten` and `LEFT_OVER`; that is no use of them."""

LEFT_OVER = 1
LIMIT = 2


def page(request):
    return LIMIT, "looked_up"


def forgotten():
    """See `forgotten`."""


def looked_up():
    pass  # forgotten, as a comment says


def in_template():
    pass


@task
def registered():
    pass
'''


@pytest.mark.django_db
def test_nothing_is_defined_that_nothing_uses() -> None:
    assert not "\n".join(map(str, unused_names(ROOT)))


def test_what_only_a_docstring_a_comment_or_a_test_names_is_found(tmp_path: Path) -> None:
    for folder in ("iam", "console", "templates", "static/js", "tests"):
        (tmp_path / folder).mkdir(parents=True)
    for name in OTHER_FILES:
        (tmp_path / name).touch()
    (tmp_path / "iam/pages.py").write_text(MODULE, encoding="utf-8")
    (tmp_path / "console/urls.py").write_text("from iam.pages import page\n", encoding="utf-8")
    (tmp_path / "templates/page.html").write_text("{{ r.in_template }}", encoding="utf-8")
    (tmp_path / "tests/test_pages.py").write_text("forgotten()\n", encoding="utf-8")
    assert [definition.name for definition in unused_names(tmp_path)] == ["LEFT_OVER", "forgotten"]
