"""What the journal says of a request: a plain sentence with its title and number, and a link to its page."""

from __future__ import annotations

import csv
import io
import re
from string import Formatter
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from console.audit import sentences
from console.audit.entry_sentences import words_of
from iam.changes import services
from iam.changes.models import Change
from iam.directory.models import Role
from iam.guard import viewer_for
from iam.journal.services import record
from tests import factories
from tests.iam.changes.site import Site, signed_in

pytestmark = pytest.mark.django_db
JOURNAL = "/audit/journal/"


def _page(client: Client, query: str = "") -> str:
    page = client.get(JOURNAL + query).content.decode()
    return re.sub(r"\s+", " ", re.sub(r'<span class="ref">(.*?)</span>', r"\1", page))


@pytest.fixture
def auditor() -> Client:
    """A browser of an auditor of all accounts."""
    return signed_in(factories.operator(Role.AUDITOR, name="Otto Audit"))


def test_a_request_is_told_by_its_title_and_number_with_a_link(site: Site, auditor: Client) -> None:
    change = site.asked()
    site.decide(site.approver, change, "approve", "Fine")
    named = f"“Add kwame.boateng to deployers” ({change.reference})"
    page = _page(auditor)
    assert f"{site.asks.person.name} requested {named}" in page
    assert f"{site.approves.person.name} approved {named}" in page
    link = reverse("changes:change", args=[change.pk])
    assert f'<a class="id ref" href="{link}">{change.reference}</a>' in page


def test_every_change_of_a_request_is_told_by_the_title_of_the_request(site: Site, auditor: Client) -> None:
    actor = viewer_for(site.asks.person)
    groups = [factories.group(site.account, name) for name in ("one", "two")]
    plans = [services.plan_membership(actor, user=site.user, group=group, do="add") for group in groups]
    asked = services.request_changes(
        plans, actor=actor, reason="r", idempotency_key="1", title="Grow the team"
    )
    first, second = sorted(asked, key=lambda change: change.position)
    page = _page(auditor)
    title = f"“Grow the team” ({first.reference})"
    for change in (first, second):
        assert f"requested {title}, including “{change.title}”" in page
    assert f'href="{reverse("changes:request", args=[first.pk])}"' in page
    record(kind="change.applied", actor=None, data={"change": second.pk, "title": second.title})
    done = f"Gatehouse completed “{second.title}” ({second.reference}), part of “Grow the team”"
    assert done in _page(auditor)


def test_an_auditor_of_another_account_reads_no_title_of_the_whole(site: Site) -> None:
    """An entry about a change that the reader does not see says what the entry itself holds, without a
    link.
    """
    change = site.asked()
    other = factories.account("222222222222")
    client = factories.operator(None, name="Otto Audit")
    factories.assign(client.person, Role.AUDITOR, account_id=other.account_id)
    record(
        kind="change.approved",
        actor=None,
        account_id=other.account_id,
        data={"change": change.pk, "title": "Own"},
    )
    page = _page(signed_in(client))
    assert "approved “Own”" in page
    assert change.reference not in page
    assert "Add kwame.boateng" not in page


def test_entries_are_found_by_the_number_of_their_request(site: Site, auditor: Client) -> None:
    change = site.asked()
    record(kind="team.create", actor=None, subject="Payments")
    page = _page(auditor, f"?q={change.reference.lower()}")
    assert f"({change.reference})" in page
    assert "created the team" not in page


def test_the_export_tells_the_same(site: Site, auditor: Client) -> None:
    change = site.asked()
    answer: Any = auditor.get(f"{JOURNAL}?kind=change&format=csv")
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert rows[0]["what"] == (
        f"{site.asks.person.name} requested “Add kwame.boateng to deployers” ({change.reference})"
    )


def test_a_page_of_changes_costs_the_same_however_many_they_are(site: Site, auditor: Client) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    change = site.asked()

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            auditor.get(JOURNAL)
        return len(captured)

    queries()
    before = queries()
    for _ in range(30):
        record(kind="change.commented", actor=None, data={"change": change.pk, "title": change.title})
    assert queries() == before


def test_names_keep_their_underscores_and_words_of_ours_lose_them() -> None:
    arn = "arn:aws:iam::111111111111:user/build_bot-2"
    linked = record(kind="identity.link", actor=None, subject="ada@example.com", data={"arn": arn})
    assert words_of(linked) == f"Gatehouse linked {arn} to ada@example.com"
    entry = record(
        kind="role.assign", actor=None, data={"role": "team-lead", "name": "Ada", "team": "data_eng"}
    )
    assert words_of(entry) == "Gatehouse gave Ada the team lead role of data_eng"
    joined = record(kind="person.join", actor=None, data={"name": "Ada", "why": "RUN-15113FB6"})
    assert words_of(joined) == "Ada was added by RUN-15113FB6"


def test_numbers_agree_with_what_they_count() -> None:
    entry = record(kind="onboarding.asked", actor=None, subject="RUN-1", data={"people": 1, "team": "core"})
    assert words_of(entry) == "Gatehouse requested to onboard 1 person to core (RUN-1)"
    many = record(kind="leaving.asked", actor=None, subject="LVG-1", data={"people": 3, "reference": "LVG-1"})
    assert words_of(many) == "Gatehouse requested the offboarding of 3 people (LVG-1)"


@pytest.mark.parametrize("kind", sorted(sentences.SENTENCES))
def test_a_sentence_begins_with_who_acted_or_what_it_is_about(kind: str) -> None:
    """No sentence begins with a bare verb ("Asked for …"): it names its subject first."""
    template = sentences.SENTENCES[kind]
    assert not template.endswith(".")
    fields = {name for _, name, _, _ in Formatter().parse(template) if name}
    starts = ("{", "A ", "An ", "The ", "No one ", "Another ", "Gatehouse ", "Sign-in ")
    assert template.startswith(starts), template
    assert fields, template


def test_every_act_on_a_change_has_its_sentence() -> None:
    from console.changes.presenters import _LINES

    assert set(_LINES) <= {*sentences.OF_REQUESTS, *sentences.OF_CHANGES}
    assert not Change.objects.exists()
