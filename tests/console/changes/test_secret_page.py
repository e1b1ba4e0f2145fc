"""The page that shows the secret of a new credential once: to its person, by a POST, and to nobody else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.urls import reverse

from iam.changes import services
from iam.changes.models import Change, ChangeSet, ChangeState
from iam.changes.operations import Operation
from iam.changes.operations.login_profile import CreateLoginProfile
from iam.changes.operations.one_time_credential import CreateAccessKey
from iam.changes.operations.params import Recipient
from iam.changes.operations.sealed_secret import READABLE_FOR
from iam.directory.models import Role
from iam.guard import viewer_for
from iam.journal.models import Entry
from iam.mirror.models import UserCredentials
from iam.people.rotation.models import OF_ROTATION
from iam.sealed import services as sealed
from iam.sealed.models import Secret
from tests import factories
from tests.iam.changes.site import Site, page_of, signed_in

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


def asked(site: Site, operation: type[CreateAccessKey] | type[CreateLoginProfile]) -> Change:
    """Ines has asked for a credential of the site's user, for herself to read."""
    viewer = viewer_for(site.asks.person)
    made: Operation = operation.of(
        site.user, recipient=Recipient(viewer.person_id, viewer.name), sealed_id=uuid4()
    )
    return services.request_change(
        services.plan(made, viewer=viewer), actor=viewer, reason="CI", idempotency_key=str(uuid4())
    )


def applied(change: Change, *, secret: str = SECRET, label: str = KEY) -> Change:
    """A worker has carried it out, and sealed what AWS gave it."""
    sealed.seal(
        secret,
        for_person=UUID(change.params["recipient_id"]),
        purpose="access_key.secret",
        label=label,
        ttl=READABLE_FOR,
        secret_id=UUID(change.params["sealed_id"]),
    )
    now = datetime.now(tz=UTC)
    Change.objects.filter(pk=change.pk).update(state=ChangeState.APPLIED, ended_at=now)
    change.refresh_from_db()
    return change


def address(change: Change) -> str:
    """The page of the secret."""
    return reverse("changes:secret", args=[change.pk])


@pytest.fixture
def change(site: Site) -> Change:
    """A key that was made."""
    return applied(asked(site, CreateAccessKey))


def text(answer: Any) -> str:
    """What the browser is told."""
    return str(answer.content.decode())


def test_a_secret_is_read_once_by_its_person(site: Site, change: Change) -> None:
    page = text(site.asker.get(page_of(change)))
    assert "A secret is waiting for you" in page
    assert f'action="{address(change)}"' in page
    assert SECRET not in page

    answer = site.asker.post(address(change))

    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    shown = text(answer)
    assert KEY in shown
    assert SECRET in shown
    assert 'hx-history="false"' in shown
    assert f"aws_secret_access_key = {SECRET}" in shown

    again = site.asker.post(address(change))
    assert again.status_code == 422
    assert "saw it on" in text(again)
    assert SECRET not in text(again)
    assert "Ines Duarte read the secret" in text(site.asker.get(page_of(change)))
    assert Entry.objects.get(kind="sealed.opened").actor_label == "Ines Duarte"


def test_nobody_else_reads_it_whatever_they_may(site: Site, change: Change) -> None:
    others = [
        site.approver,
        signed_in(factories.operator(Role.ADMINISTRATOR, name="Jonas Berg")),
        signed_in(factories.operator(Role.AUDITOR, name="Amara Diallo")),
    ]
    for other in others:
        page = text(other.get(page_of(change)))
        assert "The secret is waiting for Ines Duarte" in page
        assert address(change) not in page
        assert other.post(address(change)).status_code == 404
    assert Client().post(address(change)).status_code == 302
    assert SECRET in text(site.asker.post(address(change)))


def test_a_get_shows_nothing_and_leads_back(site: Site, change: Change) -> None:
    answer = site.asker.get(address(change))

    assert (answer.status_code, answer["Location"]) == (302, page_of(change))
    assert Secret.objects.get().state == "sealed"


def test_a_secret_is_shown_after_a_recent_sign_in_only(site: Site, change: Change, settings: Any) -> None:
    settings.REAUTHENTICATE_MINUTES = 0

    answer = site.asker.post(address(change))

    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in/confirm/")
    assert Secret.objects.get().state == "sealed"


def test_before_it_is_applied_there_is_nothing_to_read(site: Site) -> None:
    change = asked(site, CreateAccessKey)

    page = text(site.asker.get(page_of(change)))
    assert "A secret waits" not in page
    assert "Only Ines Duarte can read the secret, in one browser" in page
    assert site.asker.post(address(change)).status_code == 422


def test_what_nobody_has_read_in_time_is_said_to_be_gone(site: Site, change: Change) -> None:
    Secret.objects.update(expires_at=datetime.now(tz=UTC) - timedelta(seconds=1))
    sealed.sweep()

    assert "No one read the secret" in text(site.asker.get(page_of(change)))
    assert "No one opened it in time" in text(site.asker.post(address(change)))


def test_the_first_password_comes_with_where_to_sign_in(site: Site) -> None:
    UserCredentials.objects.filter(user=site.user).update(has_password=False)
    change = applied(asked(site, CreateLoginProfile), label="console password of kwame.boateng")

    shown = text(site.asker.post(address(change)))

    assert f"https://{site.account.account_id}.signin.aws.amazon.com/console" in shown
    assert "kwame.boateng" in shown
    assert "aws_secret_access_key" not in shown


def test_a_secret_that_was_sealed_for_nothing_is_destroyed(
    site: Site, django_capture_on_commit_callbacks: Any
) -> None:
    change = asked(site, CreateAccessKey)
    sealed.seal(
        "typed",
        for_person=None,
        purpose="login_profile.typed_password",
        ttl=READABLE_FOR,
        secret_id=UUID(change.params["sealed_id"]),
        is_held=True,
    )
    with django_capture_on_commit_callbacks(execute=True):
        services.withdraw(change, actor=viewer_for(site.asks.person))

    assert Secret.objects.get().state == "shredded"


def test_a_request_with_several_secrets_speaks_of_all_of_them(site: Site) -> None:
    viewer = viewer_for(site.asks.person)
    holders = [factories.user(site.account, name) for name in ("ci-one", "ci-two", "ci-three")]
    readers = [
        Recipient(uuid4(), "Niall Quinn"),
        Recipient(uuid4(), "Wei Zhang"),
        Recipient(viewer.person_id, viewer.name),
    ]
    planned = []
    for holder, recipient in zip(holders, readers, strict=True):
        operation = CreateAccessKey.of(holder, recipient=recipient, sealed_id=uuid4())
        planned.append(services.plan(operation, viewer=viewer))
    made = services.request_changes(
        planned, actor=viewer, reason="CI", idempotency_key="set", title="Three keys"
    )
    page_address = reverse("changes:request", args=[made[0].pk])
    assert "waiting, each for its person" not in text(site.approver.get(page_address))
    changes = [applied(Change.objects.get(pk=change.pk)) for change in made]

    page = text(site.approver.get(page_address))
    assert "3 secrets are waiting, each for its person" in page
    assert "The secret is waiting for" not in page

    # Each reader finds their own on the page of the request, wherever it stands in it.
    assert f'action="{address(changes[2])}"' in text(site.asker.get(page_address))
    site.asker.post(address(changes[2]))
    page = text(site.asker.get(page_address))
    assert f'action="{address(changes[2])}"' not in page
    assert "2 of 3 secrets are waiting, each for its person" in page
    assert "1 was read" in page
    assert "Ines Duarte read the secret" not in page

    sealed.destroy(UUID(changes[0].params["sealed_id"]))
    page = text(site.approver.get(page_address))
    assert "1 of 3 secrets is waiting, each for its person" in page
    assert "1 was read, 1 was destroyed unread" in page


def test_what_follows_an_unread_secret_is_only_said_where_no_run_takes_care_of_it(
    site: Site, change: Change
) -> None:
    sealed.destroy(UUID(change.params["sealed_id"]))
    assert "then request a new one" in text(site.asker.get(page_of(change)))
    ChangeSet.objects.update(cause_kind=OF_ROTATION, cause_id=uuid4())
    page = text(site.asker.get(page_of(change)))
    assert "No one read the secret" in page
    assert "then request a new one" not in page
