"""Moments are read in the reader's zone, in one format, with UTC beside them; addresses and forms mean one
moment everywhere.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from console.web import moments
from console.web.moments import (
    day_end,
    day_start,
    duration_text,
    input_text,
    left_text,
    read_day,
    read_in,
    read_input,
    zone_named,
)
from console.web.templatetags.ui import ago, left, moment
from console.web.templatetags.when import between, clock
from iam.directory.models import Role
from tests import factories

SUMMER = datetime(2026, 7, 14, 21, 30, 7, tzinfo=UTC)
WINTER = datetime(2026, 12, 5, 11, 26, 7, tzinfo=UTC)
ROOT = Path(settings.BASE_DIR)


def test_a_moment_is_shown_in_the_readers_zone_with_utc_in_its_title() -> None:
    with read_in(zone_named("Europe/Riga")):
        assert moment(WINTER) == (
            '<time datetime="2026-12-05T11:26:07Z" title="5 Dec 2026, 11:26:07 UTC">5 Dec 2026, 13:26</time>'
        )
        assert ">15 Jul 2026, 00:30</time>" in moment(SUMMER)
        assert ">15 Jul 2026</time>" in moment(SUMMER, only="date")


def test_utc_is_named_where_the_readers_zone_is_not_known() -> None:
    assert ">5 Dec 2026, 11:26 UTC</time>" in moment(WINTER)
    for name in ("UTC", "Etc/UTC"):
        with read_in(zone_named(name)):
            assert ">5 Dec 2026, 11:26 UTC</time>" in moment(WINTER)


def test_a_day_is_the_same_everywhere() -> None:
    for name in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        with read_in(zone_named(name)):
            assert moment(date(2026, 12, 5)) == '<time datetime="2026-12-05">5 Dec 2026</time>'


def test_two_observations_of_one_day_are_those_of_the_readers_day() -> None:
    before = datetime(2026, 7, 14, 20, 45, tzinfo=UTC)
    with read_in(zone_named("Europe/Riga")):
        assert "14 Jul 2026, 23:45" in between(SUMMER, before)
    with read_in(zone_named("America/New_York")):
        assert re.sub("<[^>]*>", "", between(SUMMER, before)) == "Between 16:45 and 17:30:07"


@pytest.mark.parametrize(("first", "last"), [(0, 0), (0, 999_999), (120_000, 480_000)])
@pytest.mark.parametrize("second", [0, 7])
def test_what_lies_within_one_second_is_no_period(first: int, last: int, second: int) -> None:
    after, value = (SUMMER.replace(second=second, microsecond=part) for part in (first, last))
    with read_in(None):
        assert re.sub("<[^>]*>", "", between(value, after)) == f"At 21:30:{second:02} UTC"


def test_the_clock_of_another_day_has_its_date() -> None:
    with read_in(zone_named("Europe/Riga")):
        assert ">5 Dec 2020, 13:26</time>" in clock(WINTER.replace(year=2020))


@pytest.mark.parametrize(
    "name", ["", "Nowhere/Land", "../../etc/passwd", "/etc/localtime", "x" * 5_000, "Europe"]
)
def test_a_zone_that_does_not_exist_is_none(name: str) -> None:
    assert zone_named(name) is None


@pytest.mark.parametrize("name", ["Europe/Riga", "America/St_Johns", "Asia/Kathmandu", "UTC"])
@pytest.mark.parametrize("when", [SUMMER, WINTER])
def test_what_a_field_shows_is_read_back_as_the_same_minute(name: str, when: datetime) -> None:
    with read_in(zone_named(name)):
        assert read_input(input_text(when)) == when


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-13-01T00:00", "0001-01-01T00:00"])
def test_a_malformed_moment_is_none(text: str) -> None:
    with read_in(zone_named("Asia/Tokyo")):
        assert read_input(text) is None


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(seconds=20), "less than a minute"),
        (timedelta(minutes=1), "1 min"),
        (timedelta(minutes=59, seconds=40), "1 hour"),
        (timedelta(hours=7, minutes=50), "8 hours"),
        (timedelta(hours=47, minutes=45), "2 days"),
        (timedelta(days=6, hours=23), "7 days"),
    ],
)
def test_a_length_is_rounded_to_its_unit(length: timedelta, text: str) -> None:
    assert duration_text(length) == text


def test_what_is_over_has_nothing_left() -> None:
    now = datetime.now(tz=UTC)
    assert left_text(now - timedelta(seconds=1)) == "ended"
    assert ">7 days left</time>" in left(now + timedelta(days=7))
    assert ago(now - timedelta(days=7)).endswith(">7 d ago</time>")


@pytest.mark.parametrize("name", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Riga", "UTC"])
def test_a_day_that_is_chosen_is_the_day_that_is_shown(name: str) -> None:
    day = date(2026, 12, 5)
    with read_in(zone_named(name)):
        assert ">5 Dec 2026</time>" in moment(day_start(day), only="date")
        assert ">5 Dec 2026</time>" in moment(day_end(day), only="date")
        assert day_start(day, later=1) - day_end(day) == timedelta(seconds=1)
        for edge in (date.min, date.max):
            assert day_start(edge).tzinfo == day_end(edge).tzinfo == day_start(edge, later=1).tzinfo == UTC


def test_a_malformed_day_is_none() -> None:
    assert [read_day(text) for text in ("", "soon", "2026-13-01")] == [None, None, None]
    assert read_day(" 2026-12-05 ") == date(2026, 12, 5)


def test_no_page_reads_a_day_as_one_of_utc() -> None:
    """But evidence, audits and past scores, whose days say that they are of UTC."""
    own = {
        str(file.relative_to(ROOT))
        for file in (ROOT / "console").glob("**/*.py")
        if "demo" not in file.parts and "datetime.combine(" in file.read_text(encoding="utf-8")
    }
    assert own == {
        "console/web/moments.py",
        "console/evidence/pack_form.py",
        "console/operators/directory_forms.py",
        "console/findings/past_posture.py",
    }


def test_no_sentence_goes_on_with_a_capital_letter() -> None:
    """'last Just now': after a word, a comma or a colon, `ago` is told that it is within a sentence."""
    within = re.compile(r"[a-z,:] *{% ago (?![^%]*within=True)[^%]*%}")
    assert within.search("last {% ago row.at %}")
    wrong = [
        f"{file.relative_to(ROOT)}: {line.strip()}"
        for file in (ROOT / "templates").glob("**/*.html")
        for line in file.read_text(encoding="utf-8").splitlines()
        if within.search(line)
    ]
    assert wrong == []


def page(client: Client, address: str) -> str:
    return client.get(address).content.decode()


@pytest.mark.django_db
def test_the_zone_of_the_profile_wins_over_that_of_the_browser() -> None:
    operator = factories.operator(Role.ADMINISTRATOR, name="Ines Duarte")
    client = Client()
    client.force_login(operator)
    operator.last_login = WINTER
    operator.save(update_fields=["last_login"])
    assert "5 Dec 2026, 11:26 UTC" in page(client, "/profile/")
    client.cookies["zone"] = "Asia/Tokyo"
    assert "5 Dec 2026, 20:26<" in page(client, "/profile/")
    client.post("/profile/preferences/", {"time_zone": "Europe/Riga", "shortcuts": "on"})
    assert "5 Dec 2026, 13:26<" in page(client, "/profile/")
    client.cookies["zone"] = "Nowhere/Land"
    client.post("/profile/preferences/", {"time_zone": "", "shortcuts": "on"})
    assert "5 Dec 2026, 11:26 UTC" in page(client, "/profile/")


@pytest.mark.django_db
def test_a_zone_that_does_not_exist_is_refused_and_changes_nothing() -> None:
    operator = factories.operator(Role.MEMBER, name="Kwame Boateng")
    client = Client()
    client.force_login(operator)
    client.post("/profile/preferences/", {"time_zone": "Europe/Riga"})
    answer = client.post("/profile/preferences/", {"time_zone": "Mars/Olympus"}, follow=True)
    assert "isn’t a time zone" in answer.content.decode().replace("&#x27;", "’")
    operator.refresh_from_db()
    assert operator.time_zone == "Europe/Riga"


@pytest.mark.django_db
def test_one_readers_zone_is_not_shown_to_the_next() -> None:
    client = Client()
    client.force_login(factories.operator(Role.ADMINISTRATOR, name="Ines Duarte"))
    client.cookies["zone"] = "Asia/Tokyo"
    page(client, "/profile/")
    assert moments.zone_label() == "UTC"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("as-of=2026-07-15T00:30&as-of-zone=Europe/Riga", "?as-of=2026-07-14T21%3A30%3A00"),
        ("q=a&as-of=2026-07-15T00:30&as-of-zone=UTC", "?q=a&as-of=2026-07-15T00%3A30%3A00"),
        ("as-of=2026-07-15T00:30&as-of-zone=Mars", "?as-of=2026-07-15T00%3A30%3A00"),
        ("as-of=soon&as-of-zone=Europe/Riga&q=a", "?as-of=soon&q=a"),
    ],
)
def test_an_address_of_the_past_is_in_utc_whoever_typed_it(typed: str, address: str) -> None:
    client = Client()
    client.force_login(factories.operator(Role.ADMINISTRATOR, name="Ines Duarte"))
    answer = client.get(f"/people/?{typed}")
    assert answer.status_code == 302
    assert answer["Location"] == f"/people/{address}"


READ_AS_UTC = re.compile(r"{%\s*(?:moment|clock|between|since|ago)\b[^%]*%}\s*(?:</time>)?\s*UTC\b")
DATED = re.compile(r"\|\s*date:\s*(?P<quote>['\"])(?P<format>.*?)(?P=quote)")
MACHINE = re.compile(r"Y-m-d(?:\\TH:i(?::s)?)?|c|[A-Z]")
"""What addresses and attributes hold; a single letter is arithmetic of the calendar, such as the number of a
week.
"""


@pytest.mark.parametrize("file", sorted((ROOT / "templates").rglob("*.html")), ids=lambda file: file.name)
def test_no_template_names_a_zone_or_a_format_of_its_own(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert not READ_AS_UTC.search(text), "moment, clock and between name UTC themselves where it is shown"
    formats = [match["format"] for match in DATED.finditer(text)]
    assert [time_format for time_format in formats if not MACHINE.fullmatch(time_format)] == [], (
        "people read dates with {% moment %}"
    )
