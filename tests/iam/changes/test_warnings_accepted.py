"""The approver sees every warning that the requester saw: on the page of the request, on that of break-glass,
and in the mail. A table over kinds of requests.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from types import SimpleNamespace
from typing import Any, cast

import pytest
from django.template.loader import render_to_string
from django.urls import reverse

from iam.changes import services
from iam.changes.models import Change, ChangeState
from iam.changes.operations import ADD_TO_GROUP, REGISTRY, Membership, Operation, PutInlinePolicy
from iam.changes.operations.login_profile import CreateLoginProfile
from iam.changes.services.deletion import deletion_of
from iam.changes.warnings import general_warnings, merged, warnings_of
from iam.guard import viewer_for
from iam.mirror.models import AccountFact
from iam.notify.models import OutgoingMessage
from tests import factories
from tests.iam.changes.site import Site

BUCKET = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow",'
    '"Action":"s3:GetObject","Resource":"arn:aws:s3:::pay-ledger/*"}]}'
)


def text_of(answer: Any) -> str:
    """What a page says, without its markup."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def management(site: Site) -> list[Operation]:
    fact = {"Id": "o-1", "ManagementAccountId": site.account.account_id}
    AccountFact.objects.create(
        account=site.account,
        name="organization",
        value=fact,
        valid_from=factories.FIRST_READ,
        observed_at=factories.FIRST_READ,
    )
    return [Membership.of(ADD_TO_GROUP, site.user, group=site.group)]


def same_bucket(site: Site) -> list[Operation]:
    other = factories.account("222222222222", name="data", write_role_arn=site.account.write_role_arn)
    return [
        PutInlinePolicy.of(factories.role(account, "reader"), name="ledger", text=BUCKET)
        for account in (site.account, other)
    ]


def irreversible(site: Site) -> list[Operation]:
    return deletion_of(factories.user(site.account, "leaver", credentials={"mfa": "none"}))


def managed_by_terraform(site: Site) -> list[Operation]:
    group = factories.group(site.account, "iac", path="/terraform/")
    return [
        Membership.of(ADD_TO_GROUP, site.user, group=group),
        Membership.of(ADD_TO_GROUP, site.user, group=site.group),
    ]


def noted(site: Site) -> list[Operation]:
    """A request whose maker gives warnings of its own."""
    return [Membership.of(ADD_TO_GROUP, site.user, group=site.group)]


KINDS: dict[str, tuple[Callable[[Site], list[Operation]], list[str], str]] = {
    "management account": (management, [], "is the management account of its organization"),
    "same bucket": (same_bucket, [], "The S3 bucket pay-ledger is requested in 2 accounts"),
    "irreversible": (irreversible, [], "can’t be undone"),
    "terraform": (managed_by_terraform, [], "Terraform manages iac"),
    "its own": (noted, ["Kwame Boateng has no MFA device.", "It ends only while Gatehouse runs."], "no MFA"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_warning_is_on_each_page_of_approval_and_in_the_mail(site: Site, kind: str) -> None:
    make, notes, expected = KINDS[kind]
    operations = make(site)
    actor = viewer_for(site.asks.person)
    planned = services.plan_set(operations, viewer=actor)
    before = [*notes, *general_warnings(operations)]
    change = services.request_changes(
        planned, actor=actor, reason="r", idempotency_key="1", title=kind, notes=notes
    )[0]
    parts = list(Change.objects.order_by("position"))

    accepted = [accepted_warning.text for accepted_warning in warnings_of(change.change_set, parts=parts)]
    assert set(before) <= set(accepted)
    assert any(expected in text for text in accepted), accepted

    page = text_of(site.approver.get(reverse("changes:request", args=[change.pk]), follow=True))
    emergency = text_of(site.asker.get(reverse("changes:break-glass", args=[change.pk])))
    [message] = OutgoingMessage.objects.filter(event="change.waiting", channel="email")
    for sentence in change.change_set.notes:
        assert sentence in page
        assert sentence in emergency
        assert sentence in message.text
    for accepted_warning in warnings_of(change.change_set, parts=parts):
        words = accepted_warning.text.removeprefix("This can’t be undone. ")
        if "manages" not in words or len(parts) > 1:
            assert words in page, words
        assert accepted_warning.text in message.text
    if accepted:
        assert "Warnings you accept by approving" in message.text


def test_a_request_that_is_done_shows_its_warnings_as_those_before_approval(site: Site) -> None:
    actor = viewer_for(site.asks.person)
    planned = services.plan_set(same_bucket(site), viewer=actor)
    notes = ["Access ends 7 days after approval."]
    change = services.request_changes(
        planned, actor=actor, reason="r", idempotency_key="1", title="Buckets", notes=notes
    )[0]
    address = reverse("changes:request", args=[change.pk])
    assert "Warnings you accept by approving" in text_of(site.approver.get(address))
    Change.objects.update(state=ChangeState.APPLIED)
    assert "Warnings before approval" in text_of(site.approver.get(address))


def receipts(count: int, note: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Receipts of changes to so many users, each with the note about its user."""
    names = [f"user.{number}" for number in range(count)]
    return [
        (f"Remove the MFA device of {name}", name, {"effect": {"notes": [note.format(name)]}})
        for name in names
    ]


@pytest.mark.parametrize(
    "note",
    [
        "{} will have no MFA: the password alone is enough.",
        "The password of {} is gone.",
        "Nothing is left for {}.",
    ],
)
def test_a_note_that_differs_only_in_the_name_is_one_with_the_names_of_the_others(note: str) -> None:
    (accepted_warning,) = merged([], receipts(12, note))
    assert accepted_warning.text == note.format("user.0")
    assert accepted_warning.is_note
    assert accepted_warning.first_alike == ("user.1", "user.2", "user.3")
    assert accepted_warning.more_alike == tuple(f"user.{number}" for number in range(4, 12))
    assert (
        accepted_warning.full_text
        == f"{accepted_warning.text} The same for user.1, user.2, user.3 and 8 more."
    )
    assert len(accepted_warning.about) == 12


def recipient_notes() -> list[str]:
    """Every sentence that says who alone can read a secret, with {} for the name."""
    inputs = SimpleNamespace(recipient_name="{}")
    password = SimpleNamespace(is_typed=False, is_reset_required=False, inputs=inputs)
    notes = [*CreateLoginProfile.notes(cast("CreateLoginProfile", password))]
    for spec in REGISTRY.values():
        notes += [note.replace("{recipient_name}", "{}") for note in spec.notes if "{recipient_name}" in note]
    return sorted(set(notes))


@pytest.mark.parametrize("note", recipient_notes())
def test_who_alone_can_read_a_secret_is_said_once_for_all(note: str) -> None:
    """The sentence has the name of the person, where the subject is the user."""
    people = ("Dee O’Hara", "Maya Okafor", "Bo Ek", "Ada Lovelace", "Zoë Łuczak")
    changes = []
    for number, name in enumerate(people):
        changes.append(("Create", f"user.{number}", {"effect": {"notes": [note.format(name)]}}))
    (accepted_warning,) = merged([], changes)
    assert accepted_warning.text == note.format("Dee O’Hara")
    assert accepted_warning.alike == people[1:]
    assert accepted_warning.full_text.endswith(" The same for Maya Okafor, Bo Ek, Ada Lovelace and 1 more.")


def test_notes_that_say_different_things_stay_apart() -> None:
    accepted_warnings = merged(
        [], [*receipts(2, "{} keeps 1 other MFA device."), *receipts(1, "{} will have no MFA.")]
    )
    assert [(accepted_warning.text, accepted_warning.alike) for accepted_warning in accepted_warnings] == [
        ("user.0 keeps 1 other MFA device.", ("user.1",)),
        ("user.0 will have no MFA.", ()),
    ]
    # The name of one is the beginning of the name of another.
    longer = [("A", "user", {"effect": {"notes": ["user.name is kept.", "user is kept."]}})]
    assert [accepted_warning.text for accepted_warning in merged([], longer)] == [
        "user.name is kept.",
        "user is kept.",
    ]


def test_a_sentence_with_very_many_names_begins_short_and_is_whole_on_demand() -> None:
    names = ", ".join(f"Person Number{number}" for number in range(60))
    (accepted_warning,) = merged([f"60 IAM users have no MFA device. They are {names}."], [])
    assert len(accepted_warning.preview_text) <= 240
    assert accepted_warning.text.startswith(accepted_warning.preview_text)
    shown = " ".join(render_to_string("changes/_warning_text.html", {"one": accepted_warning}).split())
    assert accepted_warning.text in shown
    assert "<details" in shown


def test_a_title_that_is_the_same_in_two_accounts_is_named_once() -> None:
    receipt = {"effect": {"notes": ["The password must be changed at the first sign-in."]}}
    title = "Create console password for zoe.adler"
    [warning] = merged([], [(title, "zoe.adler", receipt), (title, "zoe.adler", receipt)])
    assert warning.about == (title,)
