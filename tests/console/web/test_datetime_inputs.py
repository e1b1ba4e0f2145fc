"""A moment that is typed is in the time zone in which the page shows moments, and is shown back as it was
typed: in every form.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlparse
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.http import HttpResponse, QueryDict
from django.test import Client
from django.urls import reverse

from console.access.circumstances import circumstances_of
from console.access.grants.ends import read_ends, until_text
from console.access.what.condition_rows import moment_input
from console.access.what.posted import typed_value
from console.changes import approval
from console.offboarding.terms import read_terms
from console.setup.forms import UploadForm
from console.web.moments import input_text, read_in
from iam.changes.errors import RefusedError
from iam.directory.models import Role
from tests import factories as make

pytestmark = pytest.mark.django_db
ROOT: Final = Path(__file__).parents[3]
TOKYO: Final = ZoneInfo("Asia/Tokyo")
TYPED: Final = "2026-01-05T21:00"
MEANT: Final = datetime(2026, 1, 5, 12, tzinfo=UTC)
Seen = tuple[datetime | None, str]
"""The moment that was understood, and what the field then shows."""


@pytest.fixture
def client() -> Client:
    """A browser of an administrator in Tokyo."""
    operator = make.operator(Role.ADMINISTRATOR)
    operator.time_zone = TOKYO.key
    operator.save()
    browser = Client()
    browser.force_login(operator)
    return browser


def field_of(response: Any, name: str) -> str:
    """What the field of a page holds."""
    page = response.content.decode()
    tag = next(
        matches
        for matches in re.findall(r"<input[^>]*>", page)
        if f'name="{name}"' in matches and "datetime" in matches
    )
    return str(re.findall(r'value="([^"]*)"', tag)[0])


def as_of(client: Client, path: str) -> Seen:
    answer = client.get(path, {"as-of": TYPED, "as-of-zone": TOKYO.key})
    asked = parse_qs(urlparse(answer["Location"]).query)
    page = client.get(answer["Location"])
    return datetime.fromisoformat(asked["as-of"][0]).replace(tzinfo=UTC), field_of(page, "as-of")


def shown_as_of(client: Client) -> Seen:
    make.user(make.account(), "maya")
    return as_of(client, "/people/")


def history(client: Client) -> Seen:
    user = make.user(make.account(), "maya", since=datetime(2025, 1, 1, tzinfo=UTC))
    return as_of(client, f"/people/{user.pk}/history/")


def compared(name: str) -> Callable[[Client], Seen]:
    def see(client: Client) -> Seen:
        account = make.account()
        other = {"from": "2025-01-01T00:00"} if name == "to" else {}
        form_data = {"account": account.account_id, name: TYPED, "zone": TOKYO.key} | other
        page = client.get("/compare/", form_data)
        return page.context["left" if name == "from" else "right"], field_of(page, name)

    return see


def principals_compared(side: str) -> Callable[[Client], Seen]:
    def see(client: Client) -> Seen:
        user = make.user(make.account(), "maya")
        page = client.get("/access/compare/", {"a": user.arn, f"{side}-at": TYPED, "zone": TOKYO.key})
        form = page.context["form"]
        return (form.left if side == "a" else form.right).at, field_of(page, f"{side}-at")

    return see


def circumstances(client: Client) -> Seen:
    with read_in(TOKYO):
        circumstances = circumstances_of(QueryDict(f"time={TYPED}&zone={TOKYO.key}&action=s3:GetObject"))
        again = circumstances_of(QueryDict(f"time={dict(circumstances.pairs)['time']}&action=s3:GetObject"))
    assert again.context == circumstances.context, "the address means the same to everybody"
    text = str(circumstances.context["aws:CurrentTime"])
    return datetime.fromisoformat(text.replace("Z", "+00:00")), circumstances.given["time"]


def condition(name: str) -> Callable[[Client], Seen]:
    def see(client: Client) -> Seen:
        with read_in(TOKYO):
            kept = typed_value(name, TYPED)
            shown = moment_input(kept)
        assert typed_value("c-ip-nets", TYPED) == TYPED, "other fields stay as they are"
        return datetime.fromisoformat(kept.replace("Z", "+00:00")), shown

    return see


def ends(client: Client) -> Seen:
    with read_in(TOKYO):
        ends = read_ends(QueryDict(f"ends=date&until={TYPED}"))
        return datetime.fromisoformat(ends.until), until_text(ends)


def leaving(client: Client) -> Seen:
    with read_in(TOKYO):
        terms = read_terms(QueryDict(f"when=later&at={TYPED}&grace=30"))
        return terms.leaves_at, input_text(terms.leaves_at)


def shortened(client: Client) -> Seen:
    seen: list[datetime] = []

    def refuse(shown: object, *, actor: object, until: datetime) -> None:
        seen.append(until)
        raise RefusedError("That is later than before.")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(approval, "acting_on", lambda *_: None)
        patch.setattr(approval.services, "shorten", refuse)
        patch.setattr(approval, "refused_page", lambda *_, ends_input, **__: HttpResponse(ends_input))
        page = client.post(reverse("changes:shorten", args=[uuid4()]), {"until": TYPED})
    return seen[0], page.content.decode()


def uploaded(client: Client) -> Seen:
    with read_in(TOKYO):
        form = UploadForm({"observed_at": TYPED})
        form.is_valid()
        assert form.fields["observed_at"].label == "Created at (Asia/Tokyo)"
        assert 'value="2026-01-05T21:00"' in str(form["observed_at"])
        again = UploadForm(initial={"observed_at": form.cleaned_data["observed_at"]})
        return form.cleaned_data["observed_at"], str(again["observed_at"].value())


INPUTS: Final[dict[tuple[str, str], Callable[[Client], Seen]]] = {
    ("templates/components/asof.html", "as-of"): shown_as_of,
    ("templates/identities/history.html", "as-of"): history,
    ("templates/identities/_compare_dates.html", "from"): compared("from"),
    ("templates/identities/_compare_dates.html", "to"): compared("to"),
    ("templates/access/compare.html", "a-at"): principals_compared("a"),
    ("templates/access/compare.html", "b-at"): principals_compared("b"),
    ("templates/access/_circumstances.html", "time"): circumstances,
    ("templates/access/what/_part_conditions.html", "c-time-from"): condition("c-time-from"),
    ("templates/access/what/_part_conditions.html", "c-time-until"): condition("c-time-until"),
    ("templates/access/grants/_ends.html", "until"): ends,
    ("templates/changes/_shorten.html", "until"): shortened,
    ("templates/offboarding/_when.html", "at"): leaving,
    ("console/setup/forms.py", "observed_at"): uploaded,
}


def inputs() -> set[tuple[str, str]]:
    """Every input of type datetime-local: the file that has it, and its name."""
    inputs = set()
    for path in sorted((ROOT / "templates").rglob("*.html")):
        text, name = path.read_text(), str(path.relative_to(ROOT))
        for tag in re.findall(r"<input[^>]*datetime-local[^>]*>?", text):
            inputs.add((name, re.findall(r'name="([^"]+)"', tag)[0]))
        for field in re.findall(r'{% input_field "([^"]+)"[^%]*datetime-local', text):
            inputs.add((name, field))
        assert text.count("datetime-local") == sum(file == name for file, _ in inputs), name
    for path in sorted((ROOT / "console").rglob("*.py")):
        text = path.read_text()
        for _ in re.findall(r'"datetime-local"', text):
            inputs |= {
                (str(path.relative_to(ROOT)), matches)
                for matches in re.findall(r"(\w+) = LocalMomentField", text)
            }
    return inputs


def test_every_input_of_a_moment_is_in_the_table() -> None:
    assert inputs() == set(INPUTS)


@pytest.mark.parametrize("where", INPUTS, ids=lambda where: f"{where[0]}:{where[1]}")
def test_what_is_typed_in_tokyo_is_meant_and_shown_in_tokyo(client: Client, where: tuple[str, str]) -> None:
    moment, shown = INPUTS[where](client)
    assert moment == MEANT
    assert shown.removesuffix(":00") == TYPED.removesuffix(":00")


@pytest.mark.parametrize("where", [path for path, _ in INPUTS if path.startswith("templates/")])
def test_the_zone_is_named_beside_the_field(where: str) -> None:
    text = (ROOT / where).read_text()
    assert re.search(r"{% zone|{{ zone|until_label", text), where
    assert "UTC" not in text
