"""One account's page: sections, what is missing, what is held back, the reading that runs and those
that ran.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from iam.journal.models import Entry
from iam.mirror.models import Account, DoctorRun, EdgeKind, Kind, Pull, PullSection
from iam.mirror.pull.sections import ALL, ORGANIZATION
from iam.mirror.queries.figures import section_counts
from tests import factories
from tests.console.setup.conftest import HTMX, text_of

NOW = datetime.now(tz=UTC)
NUMBER = "447109238816"


@pytest.fixture(autouse=True)
def _the_clock_begins_here() -> Iterator[None]:
    """Ages are counted from one moment, however long the tests before took."""
    with time_machine.travel(NOW, tick=True):
        yield


def page(name: str = "account", number: str = NUMBER) -> str:
    return reverse(f"setup:{name}", args=[number])


def denied(account: Account) -> None:
    account.sections.filter(name="access_keys").update(
        state="denied",
        permission="iam:GetAccessKeyLastUsed",
        message="AWS denied it because no identity-based policy allows the action",
        bad_since=NOW - timedelta(days=3),
        request_id="4be1a0c2-77d3",
        count=388,
    )


def held(account: Account) -> None:
    account.sections.filter(name="users").update(
        state="held", message="40 of 200 in “Users” are missing from what AWS answered.", bad_since=NOW
    )


def test_every_section_has_its_age_and_count(admin: Client, account: Account) -> None:
    body = text_of(admin.get(page()))
    assert body.count('<span class="age">4 min ago</span>') == len(ALL)
    assert "AWS makes this report every 4 h" in body
    assert "Every 15 minutes" in body


def test_only_the_account_for_which_aws_lists_the_organization_counts_it(account: Account) -> None:
    assert ORGANIZATION not in section_counts(account, at=None)
    factories.entity(account, Kind.ORG_ROOT, "r-1")
    assert section_counts(account, at=None)[ORGANIZATION] == 1


def test_a_denied_section_says_since_when_which_permission_and_what_is_kept(
    admin: Client, account: Account
) -> None:
    denied(account)
    body = text_of(admin.get(page()))
    assert "AWS has denied access since" in body
    assert "The role <code>gatehouse-reader</code> lacks <code>iam:GetAccessKeyLastUsed</code>." in body
    assert "388 rows are kept from the sync of" in body
    assert f"1 of {len(ALL)} sections denied" in body


def test_the_fix_is_a_page_and_a_drawer_with_the_statement(admin: Client, account: Account) -> None:
    denied(account)
    whole = text_of(admin.get(page("fix-permissions")))
    drawer = admin.get(page("fix-permissions"), headers=HTMX).content.decode()
    assert not drawer.lstrip().startswith("<!DOCTYPE")
    assert 'id="fx-h"' in drawer
    for body in (whole, drawer):
        assert "GatehouseMissing" in body
        assert "iam:GetAccessKeyLastUsed" in body
        assert "4be1a0c2-77d3" in body
        assert 'data-copy-from="missing-read"' in body


def test_nothing_missing_is_said(admin: Client, account: Account) -> None:
    assert "No permission is known to be missing" in text_of(admin.get(page("fix-permissions")))


def test_a_reading_shows_its_progress_and_asks_again(admin: Client, account: Account) -> None:
    pull = Pull.objects.create(
        account=account,
        state="running",
        calls=26,
        calls_expected=41,
        phase="Reading policies",
        waits=2,
        began_at=NOW - timedelta(seconds=30),
    )
    PullSection.objects.create(
        pull=pull, name="users", state="complete", began_at=NOW, count=412, added=3, ended=1, changed=2
    )
    PullSection.objects.create(pull=pull, name="policies", state="reading", began_at=NOW)
    body = text_of(admin.get(page()))
    assert "<strong>26 of 41 calls</strong>, reading policies" in body
    assert "2 waits for AWS" in body
    assert "s left" in body
    assert "412, +3, −1, 2 changed" in body
    assert f"{len(ALL) - 2} more sections wait." in body
    assert 'hx-trigger="load delay:300ms"' in body
    assert f'role="status" id="said">Syncing, 60 %, 1 of {len(ALL)} sections' in body
    assert "Read now" not in body


def test_the_page_asks_quickly_for_five_seconds_then_less_often(admin: Client, account: Account) -> None:
    Pull.objects.create(account=account, state="running", calls=1, calls_expected=41)
    assert "load delay:300ms" in admin.get(page("pull-progress") + "?n=15", headers=HTMX).content.decode()
    late = admin.get(page("pull-progress") + "?n=16", headers=HTMX).content.decode()
    assert "load delay:2s" in late
    assert "?n=17" in late
    for nonsense in ("?n=x", "?n=-1", "?n=99999999"):
        assert admin.get(page("pull-progress") + nonsense, headers=HTMX).status_code == 200


def test_a_screen_reader_is_told_only_what_is_new(admin: Client, account: Account) -> None:
    Pull.objects.create(account=account, state="running", calls=26, calls_expected=41)
    first = admin.get(page("pull-progress") + "?n=1", headers=HTMX).content.decode()
    assert 'hx-swap-oob="innerHTML:#said"' in first
    again = admin.get(
        page("pull-progress"), {"n": 2, "said": f"Syncing, 60 %, 0 of {len(ALL)} sections"}, headers=HTMX
    )
    assert "hx-swap-oob" not in again.content.decode()


def test_the_end_stops_the_asking_and_brings_the_history(admin: Client, account: Account) -> None:
    Pull.objects.create(account=account, state="complete", began_at=NOW, ended_at=NOW, calls=41)
    response = admin.get(page("pull-progress") + "?n=9", headers=HTMX)
    body = text_of(response)
    assert response.status_code == 286
    assert "load delay" not in body
    assert 'id="pulls"' in body
    assert "Sync finished: Synced" in body


def test_no_number_beside_the_live_part_is_older_than_the_sync_that_ended(
    admin: Client, account: Account
) -> None:
    """What the page shows outside of the part that follows the sync is swapped at its end, or it would
    disagree with the counts of the sections.
    """
    factories.user(account, "new.user")
    Pull.objects.create(account=account, state="complete", began_at=NOW, ended_at=NOW, calls=41)
    whole = admin.get(page()).content.decode()
    for answer in (
        admin.get(page("pull-progress"), headers=HTMX),
        admin.post(page("stop-pull"), headers=HTMX),
    ):
        part = answer.content.decode()
        assert 'id="account-facts" hx-swap-oob="true"' in part
        facts = re.compile(r'<dl class="facts"\s+id="account-facts".*?</dl>', re.DOTALL)
        swapped = facts.search(part)
        assert swapped is not None
        assert swapped[0].replace(' hx-swap-oob="true"', "") in whole


def test_a_reading_is_asked_for_and_stopped_with_htmx_and_without(admin: Client, account: Account) -> None:
    assert admin.post(page("pull"))["Location"] == page()
    pull = Pull.objects.get()
    assert (pull.state, pull.trigger) == ("queued", "demand")
    part = admin.post(page("pull"), headers=HTMX)
    assert 'id="live"' in part.content.decode()
    assert Pull.objects.count() == 1
    body = admin.post(page("stop-pull"), headers=HTMX).content.decode()
    assert "load delay" not in body
    assert Pull.objects.get().state == "cancelled"
    assert admin.post(page("stop-pull")).status_code == 302
    assert Entry.objects.filter(kind="pull.cancel").count() == 1


def test_an_upload_cannot_be_read(admin: Client) -> None:
    factories.account("339011276654", name="brightwater", source="export", role_arn="")
    body = text_of(admin.post(page("pull", "339011276654"), follow=True))
    assert "comes from an uploaded file" in body
    assert "Read now" not in body
    assert "Upload a newer export" in body
    assert not Pull.objects.exists()


def test_what_was_held_back_is_applied_only_after_a_confirmation(admin: Client, account: Account) -> None:
    held(account)
    assert "Confirm removal" in text_of(admin.get(page()))
    assert "40 of 200" in text_of(admin.get(page("apply-loss")))
    refused = admin.post(page("apply-loss"))
    assert refused.status_code == 422
    assert "Select the checkbox" in text_of(refused)
    assert not Pull.objects.exists()
    admin.post(page("apply-loss"), {"sure": "yes"})
    pull = Pull.objects.get()
    assert pull.accept_loss
    assert Entry.objects.get(kind="pull.request").data["accept_loss"] is True


def test_nothing_held_back_is_nothing_to_apply(admin: Client, account: Account) -> None:
    body = text_of(admin.post(page("apply-loss"), {"sure": "yes"}, follow=True))
    assert "No sync is on hold anymore." in body
    assert not Pull.objects.exists()


def test_past_readings_say_who_how_long_and_what_was_different(admin: Client, account: Account) -> None:
    person = factories.person("Hana Sato")
    Pull.objects.create(
        account=account,
        state="complete",
        trigger="demand",
        requested_by=person.pk,
        began_at=NOW,
        ended_at=NOW + timedelta(seconds=12.34),
        calls=1041,
        waits=1,
        added=3,
        changed=2,
        ended=1,
    )
    Pull.objects.create(
        account=account,
        state="partial",
        trigger="schedule",
        began_at=NOW,
        ended_at=NOW,
        message="One <b> denied.",
    )
    body = text_of(admin.get(page()))
    for words in ("Hana Sato", "12.3 s", "1,041, 1 wait", "Schedule", "One &lt;b&gt; denied."):
        assert words in body


def test_old_readings_are_on_further_pages(admin: Client, account: Account) -> None:
    for n in range(45):
        pull = Pull.objects.create(account=account, state="complete", calls=n)
        Pull.objects.filter(pk=pull.pk).update(created_at=NOW - timedelta(minutes=n))
    first = admin.get(page("pulls"))
    assert len(first.context["pulls"]["rows"]) == 20
    second = admin.get(page("pulls"), {"older": first.context["pulls"]["older"]})
    third = admin.get(page("pulls"), {"older": second.context["pulls"]["older"]})
    calls = [row[0].calls for r in (first, second, third) for row in r.context["pulls"]["rows"]]
    assert calls == list(range(45))
    assert not third.context["pulls"]["older"]
    for nonsense in ("x", "2026-01-05", "2026-99-01T00:00:00+00:00"):
        assert admin.get(page("pulls"), {"older": nonsense}).status_code == 200


def test_an_account_that_cannot_be_reached_says_why(admin: Client, account: Account) -> None:
    Pull.objects.create(account=account, state="failed", message="Can’t access the account: sts:AssumeRole.")
    body = text_of(admin.get(page()))
    assert "Sync failed" in body
    assert "Can’t access the account: sts:AssumeRole." in body
    assert "Find out why" in body


def test_a_role_that_cannot_be_assumed_is_one_problem_and_no_statement_is_offered_for_it(
    admin: Client, account: Account
) -> None:
    reason = "AWS doesn’t let Gatehouse assume the role."
    Pull.objects.create(account=account, state="failed", message=reason)
    account.sections.update(state="denied", permission="", message=reason, bad_since=NOW)
    body = text_of(admin.get(page()))
    assert body.count(reason) == 2, "once above the sections, and once at the sync that failed"
    assert "Find out why" in body
    assert "lacks" not in body
    assert body.count("denied, rows synced 4 min ago") == len(ALL)
    account.sections.filter(name="users").update(permission="iam:ListUsers", message="AWS denied it.")
    body = text_of(admin.get(page()))
    assert "lacks <code>iam:ListUsers</code>" in body
    assert f"1 of {len(ALL)} sections denied" in body
    for permission in ("", "sts:AssumeRole"):
        account.sections.update(permission=permission, message=reason)
        fix = text_of(admin.get(page("fix-permissions")))
        assert "GatehouseMissing" not in fix
        assert reason in fix


def test_the_organization_is_shown_where_it_was_read(admin: Client, account: Account) -> None:
    assert "as this account shows it" not in text_of(admin.get(page()))
    root = factories.entity(account, Kind.ORG_ROOT, "Root", arn="")
    member = factories.entity(account, Kind.ORG_ACCOUNT, "sandbox <1>", arn="", category="ACTIVE")
    scp = factories.entity(
        account, Kind.SCP, "DenyLeaving", arn="", category="customer", document=factories.document("{}")
    )
    factories.edge(EdgeKind.PARENT, member, root)
    factories.edge(EdgeKind.TARGET, scp, root)
    body = text_of(admin.get(page()))
    assert "SCP DenyLeaving" in body
    assert "sandbox &lt;1&gt;" in body


def test_the_page_costs_the_same_queries_however_much_there_is(admin: Client, account: Account) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            admin.get(page())
        return len(queries)

    root = factories.entity(account, Kind.ORG_ROOT, "Root", arn="")
    Pull.objects.create(account=account, state="complete", requested_by=factories.person("Jonas Berg").pk)
    cost()  # counts the users, once
    before = cost()
    for n in range(25):
        unit = factories.entity(account, Kind.ORG_UNIT, f"u{n}", arn="")
        factories.edge(EdgeKind.PARENT, unit, root)
        Pull.objects.create(account=account, state="complete", requested_by=factories.person(f"P {n}").pk)
    denied(account)
    assert cost() == before
    assert before <= 20


@pytest.mark.parametrize("verdict", ["denied", "failed"])
def test_the_doctors_page_shows_the_last_examination(admin: Client, account: Account, verdict: str) -> None:
    check = {
        "key": "ssh-keys",
        "group": "read",
        "title": "SSH keys",
        "verdict": verdict,
        "detail": "<b>why</b>",
        "code": "AccessDenied",
        "missing": ["iam:ListSSHPublicKeys"],
        "is_explicit": False,
        "told": "AWS <i>says</i>",
        "request_id": "r-77",
    }
    fine = check | {
        "key": "worker",
        "group": "way",
        "title": "The worker’s own credentials",
        "verdict": "ok",
        "missing": [],
    }
    DoctorRun.objects.create(
        account=account, state="done", ended_at=NOW + timedelta(minutes=1), checks=[fine, check]
    )
    body = text_of(admin.get(page("doctor")))
    assert "Last check," in body
    assert "1 of 2 work" in body
    assert "&lt;b&gt;why&lt;/b&gt;" in body
    assert "<i>says</i>" not in body
    assert "r-77" in body
    assert "Check again" in body
    assert "iam:ListSSHPublicKeys" in body


def test_an_examination_is_asked_for_and_followed(admin: Client, account: Account) -> None:
    assert "were not checked yet" in text_of(admin.get(page("doctor")))
    assert admin.post(page("doctor"))["Location"] == page("doctor")
    run = DoctorRun.objects.get()
    assert (run.state, run.pull_after) == ("queued", False)
    body = admin.get(page("doctor")).content.decode()
    assert "Waiting for a worker" in body
    assert "load delay:300ms" in body
    assert admin.get(page("doctor") + "?n=1", headers=HTMX).status_code == 200
    DoctorRun.objects.update(state="done", ended_at=NOW)
    done = admin.get(page("doctor") + "?n=2", headers=HTMX)
    assert done.status_code == 286
    assert "load delay" not in done.content.decode()
    admin.post(page("doctor"), {"then": "read"})
    assert DoctorRun.objects.filter(pull_after=True).count() == 1


def test_what_to_compare_is_shown_only_to_those_who_manage(
    admin: Client, auditor: Client, account: Account
) -> None:
    base = {"missing": [], "is_explicit": False, "told": "", "code": "", "request_id": "", "group": "way"}
    DoctorRun.objects.create(
        account=account,
        state="done",
        ended_at=NOW,
        checks=[
            base
            | {
                "key": "worker",
                "title": "w",
                "verdict": "ok",
                "detail": ("arn:aws:iam::509330017742:role/gatehouse"),
            },
            base | {"key": "assume", "title": "a", "verdict": "denied", "detail": "No.\n– one;\n– two."},
        ],
    )
    body = text_of(admin.get(page("doctor")))
    assert "gh-4e07b81c2d95" in body
    assert "No.<br>– one;<br>– two." in body
    seen = text_of(auditor.get(page("doctor")))
    assert "gh-4e07b81c2d95" not in seen
    assert "– one;" in seen


def test_an_upload_needs_no_doctor(admin: Client) -> None:
    factories.account("339011276654", name="brightwater", source="export", role_arn="")
    assert "It needs no role and no permissions" in text_of(admin.get(page("doctor", "339011276654")))
    body = text_of(admin.post(page("doctor", "339011276654"), follow=True))
    assert "Gatehouse can’t call AWS for it" in body
    assert not DoctorRun.objects.exists()


def test_no_page_is_green_over_an_account_of_which_a_part_could_not_be_synced(
    admin: Client, account: Account
) -> None:
    """The control at the top of each page that shows the mirror."""
    Pull.objects.create(account=account, state="complete", began_at=NOW, ended_at=NOW)
    user = factories.user(account, "zoe")
    pages = [page(), reverse("identities:person", args=[user.pk]), reverse("identities:people")]
    pages += [reverse("dashboard:overview"), f"{pages[-1]}?account={NUMBER}"]

    def tops() -> set[tuple[bool, bool]]:
        shown = [text_of(admin.get(address)).partition('class="menu end asof"')[2] for address in pages]
        heads = [name.partition('class="pop"')[0] for name in shown]
        return {('data-tone="ok"' in head, "Incomplete" in head) for head in heads}

    assert tops() == {(True, False)}
    for state in ("denied", "held", "failed", "partial"):
        account.sections.filter(name="mfa_devices").update(state=state)
        assert tops() == {(False, True)}, state
