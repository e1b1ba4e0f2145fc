"""What every layout brings that its pages count on, and the words of a receipt for readers who do not know
AWS.
"""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.template.loader import render_to_string

TEMPLATES = Path(settings.BASE_DIR) / "templates"
LAYOUTS = ("base.html", "member_base.html")
JARGON = re.compile("polic|boundar|trust", re.IGNORECASE)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_with_a_header_has_what_shows_that_a_page_is_loading(layout: str) -> None:
    """Forms name it as their indicator; htmx complains where it is not there, and nothing moves."""
    header = (TEMPLATES / layout).read_text().partition('<header class="top">')[2].partition("</header>")[0]
    assert 'class="top-progress htmx-indicator"' in header


def test_the_limits_of_a_receipt_are_told_in_the_words_of_their_reader() -> None:
    def limits(*, sees_accounts: bool) -> str:
        viewer = SimpleNamespace(sees_accounts=sees_accounts)
        return render_to_string("changes/_limits.html", {"viewer": viewer})

    assert "permissions boundaries" in limits(sees_accounts=True)
    assert not JARGON.search(limits(sees_accounts=False))
    assert "not included" in limits(sees_accounts=False)
