"""What a leaver owned is decided before their users are deleted, and what happens where no one decides."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from iam.changes.errors import RefusedError
from iam.directory.models import NamedOwner, OwnedKind, Role
from iam.directory.rules import DirectoryRuleError
from iam.journal.models import Entry
from iam.linking.known_owners import is_undecided, release_owned
from iam.people.offboarding import restore_and_delete
from iam.people.offboarding.models import Leaver
from tests import factories
from tests.iam.people.offboarding.conftest import Farewell


def owning(farewell: Farewell) -> Leaver:
    """Their access is gone, and they are still named for a grant and a role."""
    leaver = farewell.gone(grace_days=2)
    person = factories.person("Old Owner")
    for kind, subject in ((OwnedKind.GRANT, "g-1"), (OwnedKind.IDENTITY, "AROA1")):
        NamedOwner.objects.create(kind=kind, subject=subject, name=subject, person=person, set_by="x")
    Leaver.objects.filter(pk=leaver.pk).update(person_id=person.pk)
    leaver.refresh_from_db()
    return leaver


def test_users_are_deleted_once_owners_are_decided(farewell: Farewell) -> None:
    leaver = owning(farewell)
    with pytest.raises(RefusedError, match="still the named owner"):
        restore_and_delete.request_deletion(farewell.scene.requester, leaver=leaver, reason="Last day")
    administrator = factories.viewer(Role.ADMINISTRATOR, name="Another Admin")
    with pytest.raises(DirectoryRuleError, match="Say why"):
        release_owned(administrator, leaver.person_id, why="")
    assert release_owned(administrator, leaver.person_id, why="Nothing runs there") == 2
    assert not is_undecided(leaver.person_id)
    restore_and_delete.request_deletion(farewell.scene.requester, leaver=leaver, reason="Last day")
    leaver.refresh_from_db()
    assert leaver.stage == "deleting"
    reasons = {entry.data["why"] for entry in Entry.objects.filter(kind="owner.unname")}
    assert reasons == {"Nothing runs there"}


def test_at_the_end_of_the_grace_period_no_one_owns_what_nobody_decided_about(farewell: Farewell) -> None:
    leaver = owning(farewell)
    Leaver.objects.update(delete_after=datetime.now(tz=UTC) - timedelta(minutes=1))
    assert restore_and_delete.ask_due_deletions() == 1
    leaver.refresh_from_db()
    assert leaver.stage == "deleting", leaver.trouble
    assert not NamedOwner.objects.exists()
    entries = list(Entry.objects.filter(kind="owner.unname"))
    assert {entry.actor_label for entry in entries} == {"Gatehouse"}
    assert all(entry.data["why"].startswith("No one decided before") for entry in entries)


def test_who_only_sees_other_accounts_decides_nothing(farewell: Farewell) -> None:
    leaver = owning(farewell)
    approver = factories.viewer(Role.APPROVER, name="Someone Else")
    assert release_owned(approver, leaver.person_id, why="x") == 0
    assert is_undecided(leaver.person_id)
