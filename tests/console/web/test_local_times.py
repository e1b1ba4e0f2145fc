"""Sentences of `iam` have their times in UTC; pages show them in the zone of the reader."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.template import Context, Template
from django.utils.safestring import mark_safe

from console.web.moments import read_in, zone_named
from console.web.templatetags.fields import field_error
from console.web.templatetags.ui import local_times
from iam.moments import moment_words, second_words

ROOT = Path(settings.BASE_DIR)
AT = datetime(2026, 12, 5, 11, 26, 7, tzinfo=UTC)
RIGA = zone_named("Europe/Riga")
SENTENCES = re.compile(
    r"{{ *(?:(?:\w+\.)*(?:refused|refused\.message|error_message|problem|trouble|sentence|why_not|nobody"
    r"|errors\.\w+|error)|why) *}}"
)
"""What a template shows of a refusal, an error or a sentence of a service without another filter."""
WORDS = {
    "templates/access/grants/_request_summary.html",
    "templates/linking/machine.html",
    "templates/notify/_message_row.html",
}
"""A reason that a person wrote, a verb that is called `refused`, and what a mail server said."""


def test_a_time_in_a_sentence_is_that_of_the_reader_with_utc_in_its_title() -> None:
    with read_in(RIGA):
        assert local_times(f"It ends on {moment_words(AT)} already.") == (
            'It ends on <time datetime="2026-12-05T11:26:00Z" title="5 Dec 2026, 11:26:00 UTC">'
            "5 Dec 2026, 13:26</time> already."
        )
        assert ">5 Dec 2026, 13:26:07</time>" in local_times(f"Removed on {second_words(AT)}.")


def test_without_a_zone_the_sentence_stays() -> None:
    sentence = f"It ends on {moment_words(AT)} already."
    assert local_times(sentence) == sentence
    assert local_times(None) == ""


@pytest.mark.parametrize("text", ["31 Feb 2026, 11:26 UTC", "5 Dec 2026, 29:26 UTC", "5 Dec 2026", ""])
def test_what_is_no_time_stays(text: str) -> None:
    with read_in(RIGA):
        assert local_times(text) == text


def test_a_text_is_escaped_and_markup_is_not() -> None:
    with read_in(RIGA):
        assert local_times("<b>5 Dec 2026, 11:26 UTC").startswith("&lt;b&gt;<time")
        assert local_times(mark_safe("<b>now</b>")) == "<b>now</b>"


def test_an_error_at_a_field_and_one_of_a_form_have_the_time_of_the_reader() -> None:
    sentence = f"It ends on {moment_words(AT)} already."
    banner = Template('{% include "components/form_error.html" with text=text %}')
    with read_in(RIGA):
        for page in (field_error("until-error", sentence), banner.render(Context({"text": sentence}))):
            assert ">5 Dec 2026, 13:26</time> already." in page


def unfiltered(pattern: re.Pattern[str], *, but: set[str]) -> dict[str, list[str]]:
    """What matches in each template, without those that may."""
    wrong = {}
    for file in sorted((ROOT / "templates").rglob("*.html")):
        matches = pattern.findall(file.read_text(encoding="utf-8"))
        if matches and str(file.relative_to(ROOT)) not in but:
            wrong[str(file.relative_to(ROOT))] = matches
    return wrong


def test_every_refusal_and_error_passes_the_filter() -> None:
    assert unfiltered(SENTENCES, but=WORDS) == {}


def test_what_the_console_writes_for_pages_is_in_the_zone_of_the_reader() -> None:
    """Commands print UTC, and so do the days of evidence packs."""
    users = {
        str(file.relative_to(ROOT))
        for file in (ROOT / "console").rglob("*.py")
        if "management" not in file.parts and "from iam.moments import" in file.read_text(encoding="utf-8")
    }
    assert users == {"console/evidence/pack_form.py"}


TITLES = re.compile(r"(?:>|^\s*){{ *(?:\w+\.)*(?:change|change_set|part)\.title *}}", re.MULTILINE)
"""What a template shows of a title of a request or change, which can name an end, without a filter."""
PLAIN_TITLES = {"templates/changes/change.html", "templates/access/what/_build.html"}
"""A <title>, which can't have elements, and a part of the builder."""


def test_every_title_of_a_request_passes_the_filter() -> None:
    assert unfiltered(TITLES, but=PLAIN_TITLES) == {}
    head = (ROOT / "templates/changes/_request_head.html").read_text(encoding="utf-8")
    assert "<h1>{{ title|local_times }}</h1>" in head
    rows = ("changes/_list_rows", "changes/_inbox_rows", "changes/_inbox_others", "dashboard/_waiting")
    for name in rows:
        text = (ROOT / f"templates/{name}.html").read_text(encoding="utf-8")
        assert "{{ row.title|local_times }}</a>" in text, name
