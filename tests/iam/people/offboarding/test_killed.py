"""A worker that is killed while it proves that somebody's access has ended: another goes on, and nothing is
certified twice.

With processes that are killed and all that may break around them: `tests.bench.leaving.torture`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from iam.changes.models import Change
from iam.directory.models import Person
from iam.notify.events import NotifyEvent
from iam.notify.models import OutgoingMessage
from iam.people.links.models import OneTimeLink
from iam.people.offboarding import (
    reconcile,
    removal_proof,
    repeat_invitation,
    restore_and_delete,
    restored_sign_in,
    tasks,
)
from iam.people.offboarding.models import OF_RETURN, Leaver, OffboardedUser, OffboardingCertificate
from iam.people.offboarding.repeat_invitation import invite_again
from tests.iam.changes.test_lost_workers import KilledError, dying_after, killed
from tests.iam.people.offboarding.conftest import Farewell

pytestmark = [pytest.mark.on_postgresql, pytest.mark.django_db]

STEPS: dict[str, tuple[Any, str, Callable[..., Any]]] = {
    "before AWS is read again": (removal_proof, "reread_user_access", killed),
    "after AWS was read again": (
        removal_proof,
        "reread_user_access",
        dying_after(removal_proof.reread_user_access),
    ),
    "after it is proved": (reconcile, "prove_user", dying_after(reconcile.prove_user)),
    "before it is certified": (reconcile, "certify", killed),
    "after it is certified": (reconcile, "certify", dying_after(reconcile.certify)),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_worker_killed_at_any_step_of_the_proof_leaves_it_to_another(
    farewell: Farewell, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    run = farewell.asked()
    farewell.approve(run)
    place, name, dies = STEPS[step]
    with monkeypatch.context() as patched:
        patched.setattr(place, name, dies)
        with pytest.raises(KilledError):
            farewell.work()
    # What was in the queue went with the worker.
    farewell.sent.clear()
    assert run.people.get().stage == "closing"

    reconcile.reconcile_open(older_than=timedelta(seconds=-1))
    farewell.work()

    leaver = run.people.get()
    assert leaver.stage == "gone", list(OffboardedUser.objects.values("proof", "trouble"))
    assert farewell.held() == {"policies": ["GatehouseLeft"], "active keys": 0, "groups": []}
    body = json.loads(OffboardingCertificate.objects.get().text)
    assert all(body[moment] for moment in ("began_at", "denied_everything_at", "proved_at"))
    assert all(account["proved_at"] for account in body["accounts"])


def restored(farewell: Farewell) -> Leaver:
    """Somebody whose access came back, and who has seen the password that was set."""
    leaver = farewell.gone(actor=farewell.lead)
    farewell.agree(restore_and_delete.request_return(farewell.lead, leaver=leaver, reason="The wrong one")[0])
    farewell.work()
    leaver.refresh_from_db()
    restored_sign_in.show_password(sent_link(leaver), leaver.seats.get(), session="here")
    return leaver


def sent_link(leaver: Leaver) -> OneTimeLink:
    leaver.refresh_from_db()
    return OneTimeLink.objects.get(cause_id=restored_sign_in.cause_of(leaver))


def opened(leaver: Leaver) -> str:
    """The password that the newest link shows."""
    return restored_sign_in.show_password(sent_link(leaver), leaver.seats.get(), session="there")


LINK_STEPS: dict[str, tuple[Any, str, Callable[..., Any]]] = {
    "before the link is made": (restored_sign_in, "make_link", killed),
    "after the link is made": (restored_sign_in, "make_link", dying_after(restored_sign_in.make_link)),
    "after the mail is written": (restored_sign_in, "notify", dying_after(restored_sign_in.notify)),
    "after it is recorded": (restored_sign_in, "record", dying_after(restored_sign_in.record)),
}


@pytest.mark.parametrize("step", LINK_STEPS)
@pytest.mark.parametrize("error", [KilledError, RuntimeError])
def test_the_link_to_a_new_password_is_sent_once_though_the_process_is_lost(
    farewell: Farewell, monkeypatch: pytest.MonkeyPatch, step: str, error: type[BaseException]
) -> None:
    leaver = restored(farewell)
    with farewell.committing(execute=True):
        assert invite_again(farewell.lead, leaver=leaver) is None
    place, name, dies = LINK_STEPS[step]

    def broken(*args: Any, **kwargs: Any) -> Any:
        try:
            dies(*args, **kwargs)
        except KilledError:
            raise error from None

    with monkeypatch.context() as patched:
        patched.setattr(place, name, broken)
        # An exception is caught by who tells of ends, and nobody is told again.
        with pytest.raises(KilledError) if error is KilledError else nullcontext():
            farewell.work()
    leaver.refresh_from_db()
    assert leaver.link_due_at is not None
    assert not OneTimeLink.objects.filter(cause_id=restored_sign_in.cause_of(leaver)).exists()

    repeat_invitation.settle_passwords(older_than=timedelta(seconds=-1))
    mails = OutgoingMessage.objects.filter(event=NotifyEvent.INVITED).count()
    password = opened(leaver)
    assert len(password) >= 12
    assert (leaver.link_due_at, leaver.trouble) == (None, "")
    assert repeat_invitation.settle_passwords(older_than=timedelta(seconds=-1)) == 0
    assert OutgoingMessage.objects.filter(event=NotifyEvent.INVITED).count() == mails
    assert Change.objects.filter(operation="login_profile.update").count() == 1


def test_the_sweep_of_offboardings_sends_a_link_that_nobody_was_told_to_send(farewell: Farewell) -> None:
    leaver = restored(farewell)
    with farewell.committing(execute=True):
        invite_again(farewell.lead, leaver=leaver)
    farewell.work_alone()
    Leaver.objects.update(link_due_at=datetime.now(tz=UTC) - timedelta(minutes=1))
    assert tasks.reconcile_runs() == 1
    assert opened(leaver)


def test_a_new_password_without_a_link_is_said_on_the_page(farewell: Farewell) -> None:
    leaver = restored(farewell)
    with farewell.committing(execute=True):
        invite_again(farewell.lead, leaver=leaver)
    Person.objects.filter(pk=leaver.person_id).update(is_active=False)
    farewell.work()
    leaver.refresh_from_db()
    assert "no link was sent" in leaver.trouble
    assert leaver.link_due_at is None

    Person.objects.filter(pk=leaver.person_id).update(is_active=True)
    assert invite_again(farewell.lead, leaver=leaver) is not None
    assert opened(leaver)


@pytest.mark.parametrize("name", ["keep_seals", "_begin"])
def test_a_restore_is_requested_with_the_place_of_its_password_or_not_at_all(
    farewell: Farewell, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    leaver = farewell.gone(actor=farewell.lead)
    with monkeypatch.context() as patched:
        patched.setattr(restore_and_delete, name, killed)
        with pytest.raises(KilledError):
            restore_and_delete.request_return(farewell.lead, leaver=leaver, reason="The wrong one")
    leaver.refresh_from_db()
    assert leaver.stage == "gone"
    assert not restore_and_delete.afterwards_changes(leaver, OF_RETURN)

    farewell.agree(restore_and_delete.request_return(farewell.lead, leaver=leaver, reason="The wrong one")[0])
    farewell.work()
    assert opened(leaver)


@pytest.mark.parametrize("step", LINK_STEPS)
def test_a_restore_whose_process_is_lost_before_its_link_is_finished_by_the_sweep(
    farewell: Farewell, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    leaver = farewell.gone(actor=farewell.lead)
    farewell.agree(restore_and_delete.request_return(farewell.lead, leaver=leaver, reason="The wrong one")[0])
    place, name, dies = LINK_STEPS[step]
    with monkeypatch.context() as patched:
        patched.setattr(place, name, dies)
        with pytest.raises(KilledError):
            farewell.work()
    leaver.refresh_from_db()
    assert leaver.stage == "returning"

    reconcile.reconcile_open(older_than=timedelta(seconds=-1))
    leaver.refresh_from_db()
    assert leaver.stage == "returned"
    assert opened(leaver)
