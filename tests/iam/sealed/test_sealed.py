"""Secrets that are read once: by one person, in time, and by nobody in the database."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction

from iam.directory.models import Role
from iam.guard import Viewer
from iam.journal.models import Entry
from iam.sealed import services
from iam.sealed.models import Secret, SecretState
from iam.sealed.services import SealedError
from iam.sealed.tasks import sweep_secrets
from tests import factories

TEXT = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
AN_HOUR = timedelta(hours=1)
pytestmark = [pytest.mark.on_both, pytest.mark.django_db]


@pytest.fixture
def ines() -> Viewer:
    """Whose secret it is."""
    return factories.viewer(Role.ADMINISTRATOR, name="Ines Duarte")


def sealed_for(viewer: Viewer | None, *, text: str = TEXT, ttl: timedelta = AN_HOUR, **more: Any) -> UUID:
    """A secret."""
    person = viewer.person_id if viewer else None
    return services.seal(
        text, for_person=person, purpose="access_key.secret", label="AKIAEXAMPLE", ttl=ttl, **more
    )


def let_expire(secret_id: UUID) -> None:
    """Its time is over."""
    Secret.objects.filter(pk=secret_id).update(expires_at=datetime.now(tz=UTC) - timedelta(seconds=1))


def state_of(secret_id: UUID) -> tuple[str, str]:
    """What became of it, and what is left of its text."""
    secret = Secret.objects.get(pk=secret_id)
    return secret.state, secret.ciphertext


def test_a_secret_is_read_once(ines: Viewer) -> None:
    secret = sealed_for(ines)

    assert services.open_once(secret, person=ines) == TEXT
    assert state_of(secret) == (SecretState.OPENED, "")
    with pytest.raises(SealedError, match=r"Ines Duarte saw it on"):
        services.open_once(secret, person=ines)


def test_nobody_else_reads_it_and_it_is_still_there_for_its_person(ines: Viewer) -> None:
    secret = sealed_for(ines)
    other = factories.viewer(Role.ADMINISTRATOR, name="Hana Sato")

    for asked in (secret, uuid4()):
        with pytest.raises(SealedError, match="doesn’t exist, or it isn’t yours"):
            services.open_once(asked, person=other)
    assert services.open_once(secret, person=ines) == TEXT


def test_what_is_for_a_worker_is_read_by_no_person(ines: Viewer) -> None:
    secret = sealed_for(None)

    with pytest.raises(SealedError, match="doesn’t exist"):
        services.open_once(secret, person=ines)
    assert services.read_text(secret, purpose="access_key.secret") == TEXT


def test_another_purpose_opens_nothing() -> None:
    secret = sealed_for(None)

    with pytest.raises(SealedError, match="is not there"):
        services.read_text(secret, purpose="login_profile.password")
    assert services.read_text(secret, purpose="access_key.secret") == TEXT


def test_what_is_tied_to_a_browser_session_is_read_in_no_other(ines: Viewer) -> None:
    secret = sealed_for(ines, session="abc")

    for session in ("", "abd"):
        with pytest.raises(SealedError, match="only in the browser session"):
            services.open_once(secret, person=ines, session=session)
    assert services.open_once(secret, person=ines, session="abc") == TEXT


def test_a_secret_that_is_held_waits_for_its_release(ines: Viewer) -> None:
    secret = sealed_for(ines, is_held=True)
    with pytest.raises(SealedError, match="AWS has not accepted it yet"):
        services.open_once(secret, person=ines)

    assert sealed_for(ines, text="another", is_held=True, secret_id=secret) == secret
    assert services.release(secret)
    assert not services.release(secret)

    assert services.open_once(secret, person=ines) == "another"


def test_a_secret_that_could_be_read_is_never_replaced(ines: Viewer) -> None:
    secret = sealed_for(ines)
    with pytest.raises(IntegrityError), transaction.atomic():
        sealed_for(ines, text="another", secret_id=secret)
    assert services.open_once(secret, person=ines) == TEXT


@pytest.mark.parametrize("by", ["reading", "sweeping"])
def test_after_its_time_it_is_gone(ines: Viewer, by: str) -> None:
    secret = sealed_for(ines)
    let_expire(secret)
    if by == "sweeping":
        kept = sealed_for(ines)
        sweep_secrets()
        assert state_of(kept)[0] == SecretState.SEALED
    with pytest.raises(SealedError, match="No one opened it in time"):
        services.open_once(secret, person=ines)
    assert state_of(secret) == (SecretState.EXPIRED, "")


def test_a_shredded_secret_is_gone(ines: Viewer) -> None:
    secret = sealed_for(ines)

    assert services.destroy(secret, actor=ines)
    assert not services.destroy(secret)
    assert state_of(secret) == (SecretState.SHREDDED, "")


@pytest.mark.parametrize(
    ("text", "ttl"), [("", AN_HOUR), ("x" * 32_769, AN_HOUR), ("x", timedelta(0)), ("x", timedelta(days=8))]
)
def test_nothing_and_too_much_and_too_long_are_refused(ines: Viewer, text: str, ttl: timedelta) -> None:
    with pytest.raises(ValueError, match="A secret has"):
        sealed_for(ines, text=text, ttl=ttl)
    assert not Secret.objects.exists()


def test_the_database_and_the_journal_hold_nothing_readable(
    ines: Viewer, caplog: pytest.LogCaptureFixture
) -> None:
    secret = sealed_for(ines)
    rows = repr(list(Secret.objects.values())) + repr(list(Entry.objects.values()))
    services.open_once(secret, person=ines)
    rows += repr(list(Secret.objects.values())) + repr(list(Entry.objects.values()))

    assert TEXT not in rows
    assert TEXT not in caplog.text
    kinds = list(Entry.objects.order_by("id").values_list("kind", "subject", "actor_label"))
    assert kinds == [
        ("sealed.sealed", "AKIAEXAMPLE", "Gatehouse"),
        ("sealed.opened", "AKIAEXAMPLE", "Ines Duarte"),
    ]


def test_a_text_that_is_moved_to_another_row_opens_nothing(ines: Viewer) -> None:
    """Anyone who can write to the database gives themselves the secret of another; it does not fit the
    row.
    """
    theirs = sealed_for(ines)
    hana = factories.viewer(Role.APPROVER, name="Hana Sato")
    own = sealed_for(hana)
    Secret.objects.filter(pk=own).update(ciphertext=Secret.objects.get(pk=theirs).ciphertext)

    with pytest.raises(SealedError, match="GATEHOUSE_SEALED_KEY"):
        services.open_once(own, person=hana)

    Secret.objects.filter(pk=theirs).update(person_id=hana.person_id)
    with pytest.raises(SealedError, match="GATEHOUSE_SEALED_KEY"):
        services.open_once(theirs, person=hana)


def test_a_new_key_seals_and_the_former_one_still_opens(ines: Viewer, settings: Any) -> None:
    settings.SEALED_KEYS = ["first"]
    old = sealed_for(ines)
    settings.SEALED_KEYS = ["second", "first"]
    new = sealed_for(ines)
    assert services.open_once(old, person=ines) == TEXT

    settings.SEALED_KEYS = ["second"]
    assert services.open_once(new, person=ines) == TEXT


def test_without_its_key_a_secret_stays_closed_and_says_why(ines: Viewer, settings: Any) -> None:
    secret = sealed_for(ines)
    settings.SEALED_KEYS = ["another"]
    with pytest.raises(SealedError, match="GATEHOUSE_SEALED_KEY"):
        services.open_once(secret, person=ines)
    assert state_of(secret)[0] == SecretState.SEALED


@pytest.mark.django_db(transaction=True)
def test_of_many_who_read_at_once_one_gets_it(ines: Viewer) -> None:
    secret = sealed_for(ines)
    got: list[str] = []
    together = threading.Barrier(4)

    def read() -> None:
        together.wait()
        try:
            got.append(_opened(secret, ines))
        except SealedError:
            pass
        finally:
            if connection.vendor != "sqlite":
                connection.close()

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()

    assert got == [TEXT]
    assert Entry.objects.filter(kind="sealed.opened").count() == 1


def _opened(secret: UUID, person: Viewer) -> str:
    """SQLite in memory refuses two writers at once instead of letting one wait."""
    while True:
        try:
            return services.open_once(secret, person=person)
        except OperationalError:
            if connection.vendor != "sqlite":
                raise
            time.sleep(0.01)
