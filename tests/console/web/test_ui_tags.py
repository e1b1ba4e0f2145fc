"""Small marks, moments and links of the design system: escaped, in UTC where no zone is known, and the same
for the same.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.test import RequestFactory
from django.utils.safestring import mark_safe

from console.web.templatetags.lists import under
from console.web.templatetags.ui import ago, badge, breakable, here, moment
from iam.mirror.models import NEVER

MOMENT = datetime(2026, 2, 3, 4, 5, 6, 789_000, tzinfo=timezone(timedelta(hours=2)))


def test_a_moment_is_in_utc_whatever_its_zone() -> None:
    title = 'datetime="2026-02-03T02:05:06Z" title="3 Feb 2026, 02:05:06 UTC"'
    assert moment(MOMENT) == f"<time {title}>3 Feb 2026, 02:05 UTC</time>"
    assert moment(MOMENT, only="date") == f"<time {title}>3 Feb 2026</time>"


@pytest.mark.parametrize("value", [None, NEVER])
def test_no_moment_is_a_word_that_is_escaped(value: datetime | None) -> None:
    assert moment(value, never="<never>") == ago(value, never="<never>") == "&lt;never&gt;"


def test_an_age_is_told_in_the_largest_unit_that_fits() -> None:
    now = datetime.now(tz=UTC)
    for age, words in (
        (timedelta(seconds=5), "Just now"),
        (timedelta(minutes=61), "1 h ago"),
        (timedelta(days=40), "40 d ago"),
    ):
        assert ago(now - age).endswith(f">{words}</time>")
    assert ago(now, within=True).endswith(">just now</time>")


def test_a_badge_that_is_kept_is_escaped_all_the_same() -> None:
    for _ in range(2):
        assert badge(mark_safe("<b>"), "ok") == '<span class="badge " data-tone="ok"><b></span>'
        assert badge("<b>", "ok") == '<span class="badge " data-tone="ok">&lt;b&gt;</span>'
        assert badge(5) == '<span class="badge ">5</span>'


def test_a_second_line_is_escaped() -> None:
    assert under("a<b", "id") == '<small class="id">a&lt;b</small>'
    assert under("a<b") == "<small>a&lt;b</small>"
    assert under("") == ""


def test_a_link_to_here_changes_what_it_names_and_forgets_the_place() -> None:
    request = RequestFactory().get(
        "/people/?q=a%26b+%C3%BC&mfa=none&mfa=virtual&after=xyz&as-of=2026-01-06T10:00"
    )
    context = {"request": request}
    assert here(context) == "?q=a%26b+%C3%BC&mfa=none&mfa=virtual&as-of=2026-01-06T10%3A00"
    assert here(context, as_of=None) == "?q=a%26b+%C3%BC&mfa=none&mfa=virtual"
    assert here(context, q="", mfa=["x", "y"], as_of=None) == "?mfa=x&mfa=y"
    assert here(context, q=None, mfa=None, as_of=None) == "?"
    assert here(context, q="1", mfa=None, as_of=None, after="w") == "?q=1&after=w"


def test_an_address_breaks_behind_its_at_sign_and_is_escaped() -> None:
    assert breakable("maya@example.com") == "maya@<wbr>example.com"
    assert breakable("<b>@x") == "&lt;b&gt;@<wbr>x"
