"""A request has one title and one page: in the inbox, the list, on its page, in the browser tab, in mails and
on the overview.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse

from iam.changes import services
from iam.changes.models import Change, ChangeState
from iam.guard import viewer_for
from iam.notify.models import OutgoingMessage
from tests import factories
from tests.iam.changes.site import Site

TITLE = "Onboard 2 people to Payments"


@pytest.fixture
def several(site: Site) -> list[Change]:
    """A request of two changes."""
    actor = viewer_for(site.asks.person)
    groups = [site.group, factories.group(site.account, "support")]
    plans = [services.plan_membership(actor, user=site.user, group=group, do="add") for group in groups]
    return services.request_changes(
        plans, actor=actor, reason="New shift", idempotency_key="set", title=TITLE
    )


def heading(site: Site, address: str) -> tuple[str, str]:
    """The text of the first heading, and of the browser tab."""
    page = site.approver.get(address, follow=True).content.decode()
    match = re.search(r"<h1[^>]*>(.*?)</h1>", page, re.S)
    tab = re.search(r"<title>(.*?)</title>", page, re.S)
    assert match is not None
    assert tab is not None
    return match[1].strip(), " ".join(tab[1].split())


def test_the_title_is_the_same_everywhere(site: Site, several: list[Change]) -> None:
    for part in several:
        h1, tab = heading(site, reverse("changes:request", args=[part.pk]))
        assert h1 == TITLE
        assert tab.startswith(TITLE)
    for name in ("changes:approvals", "changes:list"):
        page = site.approver.get(reverse(name))
        assert [row["title"] for row in page.context["rows"]] == [TITLE], name
        assert several[0].title not in re.sub(r"<small.*?</small>", "", page.content.decode(), flags=re.S)
    assert {outgoing.subject for outgoing in OutgoingMessage.objects.all()} == {
        f"Waiting for your approval: {TITLE}"
    }


def test_approving_leads_to_the_whole_request(site: Site, several: list[Change]) -> None:
    for part in several:
        answer = site.decide(site.approver, part, "approve")
        if answer.status_code == 302:
            assert answer["Location"] == reverse("changes:request", args=[part.pk])
    page = site.approver.get(reverse("changes:request", args=[several[1].pk]))
    assert [part.change.pk for part in page.context["listed"]] == [part.pk for part in several]


def test_the_page_of_one_change_links_up_and_decides_nothing(site: Site, several: list[Change]) -> None:
    page = site.approver.get(reverse("changes:change", args=[several[1].pk])).content.decode()
    assert reverse("changes:request", args=[several[1].pk]) in page
    assert 'name="decision"' not in page


def test_a_request_of_one_change_has_one_page(site: Site) -> None:
    change = site.asked()
    for name in ("changes:request", "changes:approval"):
        answer = site.approver.get(reverse(name, args=[change.pk]), follow=True)
        assert answer.redirect_chain[-1][0] == reverse("changes:change", args=[change.pk])


def test_list_inbox_page_and_header_show_the_same_effect(site: Site) -> None:
    factories.edge("attached", site.group, factories.policy(site.account, "Reads"))  # type: ignore[arg-type]
    change = site.asked()
    page = site.approver.get(reverse("changes:change", args=[change.pk])).context
    weight = page["weight"]
    assert weight["more"] > 0
    assert (page["impact"].more, page["impact"].affected) == (weight["more"], weight["affected"])
    for name in ("changes:approvals", "changes:list"):
        [row] = site.approver.get(reverse(name)).context["rows"]
        assert {key: row[key] for key in weight} == weight, name
        assert row["risk"] == page["risk"]


def test_the_list_has_a_row_for_each_request_and_says_how_it_stands(
    site: Site, several: list[Change]
) -> None:
    Change.objects.filter(pk=several[0].pk).update(state=ChangeState.APPLIED)
    Change.objects.filter(pk=several[1].pk).update(state=ChangeState.FAILED)
    page = {
        tab: [(row["title"], row["mark"].text, row["standing_words"]) for row in rows.context["rows"]]
        for tab in ("", "waiting", "running", "applied", "trouble", "closed")
        for rows in [site.asker.get(reverse("changes:list"), {"tab": tab})]
    }
    row = (TITLE, "Failed", "1 of 2 changes done, 1 failed")
    nothing: list[tuple[str, str, str]] = []
    assert page == {
        "": [row],
        "waiting": nothing,
        "running": nothing,
        "applied": nothing,
        "trouble": [row],
        "closed": nothing,
    }


def test_a_link_that_says_request_leads_to_its_page() -> None:
    link = re.compile(r"<a\b[^>]*\{% url 'changes:change' [^%]*%\}[^>]*>(.*?)</a>", re.S)
    wrong = [
        f"{template.name}: {text}"
        for template in Path(settings.BASE_DIR, "templates").rglob("*.html")
        for text in link.findall(template.read_text(encoding="utf-8"))
        if "request" in re.sub(r"{[{%].*?[%}]}", "", text).lower()
    ]
    assert wrong == []
