"""The page of a change: for those who ask, approve, only look; live; and its forms."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from console.changes import presenters, request_context
from iam.changes import states as events
from iam.changes.models import Change, ChangeEvent, ChangeState
from iam.directory.models import Role
from iam.mirror.models import EdgeKind
from tests import factories
from tests.iam.changes.site import HTMX, Site, page_of, signed_in


def test_the_approver_sees_a_form_and_the_one_who_asked_does_not(site: Site) -> None:
    change = site.asked()
    approver, asker = (c.get(page_of(change)).content.decode() for c in (site.approver, site.asker))

    assert "Your decision" in approver
    assert "Waiting for you" in approver
    assert "Withdraw" not in approver
    assert "Your decision" not in asker
    assert "Withdraw" in asker


def test_approving_queues_the_change(site: Site) -> None:
    change = site.asked()
    answer = site.decide(site.approver, change, "approve", "Yes")

    change.refresh_from_db()
    assert answer.status_code == 302
    assert change.state == ChangeState.QUEUED
    text = site.approver.get(page_of(change)).content.decode()
    assert "Hana Sato approved" in text
    assert "“Yes”" in text


def test_rejecting_without_a_comment_keeps_the_page(site: Site) -> None:
    change = site.asked()
    answer = site.decide(site.approver, change, "reject")
    assert answer.status_code == 422
    assert "Write why you reject it" in answer.content.decode()

    site.decide(site.approver, change, "reject", "Not this week")
    change.refresh_from_db()
    assert change.state == ChangeState.REJECTED


def test_a_receipt_that_changed_is_shown_before_it_is_approved(site: Site) -> None:
    change = site.asked()
    factories.edge(EdgeKind.ATTACHED, site.group, factories.policy(site.account, "AddedMeanwhile"))

    answer = site.decide(site.approver, change, "approve", "Yes")

    assert answer.status_code == 422
    text = answer.content.decode()
    assert "has changed since you opened the page" in text
    assert "AddedMeanwhile" in text
    assert ">Yes</textarea>" in text
    change.refresh_from_db()
    assert change.state == ChangeState.AWAITING

    site.decide(site.approver, change, "approve")
    change.refresh_from_db()
    assert change.state == ChangeState.QUEUED


def test_the_one_who_asked_cannot_post_the_approval(site: Site) -> None:
    site.post(site.approver)
    change = Change.objects.get()
    answer = site.decide(site.approver, change, "approve")

    assert answer.status_code == 422
    assert "someone else decides" in answer.content.decode()
    change.refresh_from_db()
    assert change.state == ChangeState.AWAITING


def test_an_administrator_cannot_decide(site: Site) -> None:
    change = site.asked()
    other = signed_in(factories.operator(Role.ADMINISTRATOR, name="Ben Okri"))
    assert site.decide(other, change, "approve").status_code == 404


def test_deciding_asks_who_one_is_when_the_sign_in_is_old(site: Site, settings: Any) -> None:
    change = site.asked()
    settings.REAUTHENTICATE_MINUTES = 0

    assert "Confirm it’s you" in site.approver.get(page_of(change)).content.decode()
    answer = site.decide(site.approver, change, "approve")
    assert answer.status_code == 302
    assert answer.url != page_of(change)
    change.refresh_from_db()
    assert change.state == ChangeState.AWAITING


def test_what_was_typed_is_offered_again_once_one_has_confirmed_who_one_is(site: Site, settings: Any) -> None:
    change = site.asked()
    settings.REAUTHENTICATE_MINUTES = 0
    answer = site.decide(site.approver, change, "approve", comment="Fits the <rota>")
    assert "next=%2Fprofile%2Fcontinue%2F" in answer.url
    settings.REAUTHENTICATE_MINUTES = 15

    page = site.approver.get(reverse("resume"))
    fields = dict(page.context["fields"])
    assert "Fits the &lt;rota&gt;" in page.content.decode()
    assert page.context["path"] == reverse("changes:decide", args=[change.pk])
    assert "no-store" in page["Cache-Control"]
    site.approver.post(page.context["path"], fields)
    change.refresh_from_db()
    assert change.state == ChangeState.QUEUED
    assert site.asker.get(reverse("resume")).status_code == 302


def test_a_form_with_a_secret_is_not_kept(site: Site, settings: Any) -> None:
    change = site.asked()
    settings.REAUTHENTICATE_MINUTES = 0
    site.decide(site.approver, change, "approve", sealed="hunter2")
    assert "kept_form" not in site.approver.session


def test_a_member_withdraws_what_they_requested(site: Site) -> None:
    member = factories.operator(Role.MEMBER, name="Kwame Boateng", arns=(site.user.arn,))
    change = site.asked()
    Change.objects.filter(pk=change.pk).update(requested_by=member.person.pk)
    client = signed_in(member)
    address = reverse("changes:withdraw", args=[change.pk])
    assert address in client.get(reverse("changes:change", args=[change.pk])).content.decode()
    assert client.post(address).status_code == 302
    change.refresh_from_db()
    assert change.state == ChangeState.CANCELLED


def test_withdrawing(site: Site) -> None:
    change = site.asked()
    assert site.approver.post(reverse("changes:withdraw", args=[change.pk])).status_code == 422

    site.asker.post(reverse("changes:withdraw", args=[change.pk]))
    change.refresh_from_db()
    assert change.state == ChangeState.CANCELLED


def test_a_running_change_is_asked_for_by_itself_until_it_is_over(site: Site) -> None:
    change = site.asked()
    site.decide(site.approver, change, "approve")

    page = site.asker.get(page_of(change))
    assert 'hx-trigger="every 300ms"' in page.content.decode()
    version = page.context["version"]

    nothing_new = site.asker.get(f"{page_of(change)}?seen={version}", headers=HTMX)
    assert nothing_new.status_code == 204

    Change.objects.update(queued_at=datetime.now(tz=UTC) - timedelta(seconds=6))
    slower = site.asker.get(f"{page_of(change)}?seen={version}", headers=HTMX)
    assert slower.status_code == 200
    assert 'hx-trigger="every 2s"' in slower.content.decode()
    assert "<html" not in slower.content.decode()

    Change.objects.update(state=ChangeState.APPLIED, ended_at=datetime.now(tz=UTC))
    over = site.asker.get(f"{page_of(change)}?seen={version}", headers=HTMX)
    assert over.status_code == 286
    assert "hx-trigger" not in over.content.decode()
    assert 'hx-swap-oob="innerHTML">Done' in over.content.decode()


def test_a_change_that_ends_while_the_page_is_computed_is_asked_for_once_more(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = site.asked()
    Change.objects.update(state=ChangeState.CONFIRMING, queued_at=datetime.now(tz=UTC))
    before = request_context.timeline

    def ends_meanwhile(read: Change) -> list[ChangeEvent]:
        Change.objects.update(state=ChangeState.APPLIED, ended_at=datetime.now(tz=UTC))
        return before(read)

    monkeypatch.setattr(request_context, "timeline", ends_meanwhile)
    page = site.asker.get(f"{page_of(change)}?seen=older", headers=HTMX)
    assert "In progress" in page.content.decode()
    assert (page.status_code, "hx-trigger" in page.content.decode()) == (200, True)

    over = site.asker.get(f"{page_of(change)}?seen={page.context['version']}", headers=HTMX)
    assert over.status_code == 286
    assert 'hx-swap-oob="innerHTML">Done' in over.content.decode()


def test_without_scripts_a_reload_shows_how_it_stands(site: Site) -> None:
    change = site.asked()
    Change.objects.update(state=ChangeState.APPLYING)
    assert "In progress" in site.asker.get(page_of(change)).content.decode()


def applied(site: Site) -> Change:
    """A change that was carried out, as the mirror shows."""
    change = site.asked()
    Change.objects.update(state=ChangeState.APPLIED, ended_at=datetime.now(tz=UTC))
    factories.edge(EdgeKind.MEMBER, site.user, site.group)
    change.refresh_from_db()
    return change


def test_undo_is_offered_shown_and_asked_for(site: Site) -> None:
    change = applied(site)
    address = reverse("changes:undo", args=[change.pk])
    assert address in site.asker.get(page_of(change)).content.decode()

    preview = site.asker.get(address).content.decode()
    assert "Remove kwame.boateng from deployers" in preview
    assert "iam:RemoveUserFromGroup" in preview

    answer = site.asker.post(address, {"reason": "Over", "key": str(uuid.uuid4())})
    made = Change.objects.get(reverts=change)
    assert answer.url == page_of(made)
    text = site.asker.get(page_of(change)).content.decode()
    assert made.reference in text
    assert address not in text


def test_undo_that_is_not_possible_says_why(site: Site) -> None:
    change = site.asked()
    Change.objects.update(state=ChangeState.APPLIED, ended_at=datetime.now(tz=UTC))

    page = site.asker.get(page_of(change)).content.decode()
    assert "changed this in AWS since" in page
    assert reverse("changes:undo", args=[change.pk]) not in page
    preview = site.asker.get(reverse("changes:undo", args=[change.pk])).content.decode()
    assert "This can’t be undone" in preview
    assert "Ask to undo" not in preview


def test_an_auditor_sees_everything_and_can_do_nothing(site: Site) -> None:
    change = applied(site)
    auditor = signed_in(factories.operator(Role.AUDITOR, name="Noor Haddad"))

    text = auditor.get(page_of(change)).content.decode()
    assert "Add kwame.boateng to deployers" in text
    sign_out = f'<form method="post" action="{reverse("account_logout")}"'
    assert '<form method="post"' not in text.replace(sign_out, "")
    assert reverse("changes:undo", args=[change.pk]) not in text
    refused = auditor.post(reverse("changes:withdraw", args=[change.pk]))
    assert refused.status_code == 422
    for name in ("refresh", "undo", "decide"):
        assert auditor.post(reverse(f"changes:{name}", args=[change.pk])).status_code == 404
    assert auditor.get(reverse("changes:approvals")).status_code == 404


def test_an_unknown_change_can_be_looked_at_again(site: Site) -> None:
    change = site.asked()
    Change.objects.update(state=ChangeState.UNKNOWN, error_message="Nobody knows.")
    assert "Refresh" in site.asker.get(page_of(change)).content.decode()

    site.asker.post(reverse("changes:refresh", args=[change.pk]))
    change.refresh_from_db()
    assert change.state == ChangeState.CONFIRMING


def test_a_change_that_hangs_says_when_another_worker_takes_over(site: Site) -> None:
    change = site.asked()
    long_ago, soon = datetime.now(tz=UTC) - timedelta(seconds=11), datetime(2026, 1, 5, 9, 0, 7, tzinfo=UTC)
    Change.objects.update(state=ChangeState.APPLYING, applying_at=long_ago, lease_until=soon)

    text = site.asker.get(page_of(change)).content.decode()

    assert "another one takes over at 09:00:07 UTC" in text


def test_a_rejection_without_a_word_is_sent_back_to_the_field(site: Site) -> None:
    change = site.asked()
    response = site.decide(site.approver, change, "reject")
    assert response.status_code == 422
    page = response.content.decode()
    assert 'aria-invalid="true"' in page
    assert "Write why you reject it." in page


def test_each_kind_of_line_that_is_written_has_words() -> None:
    sources = Path(events.__file__).parent.rglob("*.py")
    calls = re.compile(r"\b(?:add_event|move|queue)\([^()]*?kind=\"([a-z_]+)\"")
    written = {kind for source in sources for kind in calls.findall(source.read_text(encoding="utf-8"))}
    assert {"accepted", "taken_over", "retry"} <= written
    assert written - set(presenters._LINES) == set()
