"""Files of packs are deleted by administrators or by the setting, and the journal says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from iam.audit.evidence.models import EvidencePack, PackKind, PackState
from iam.audit.evidence.removals import RemovalRefusedError, remove_file
from iam.audit.evidence.tasks import remove_old_packs
from iam.directory.audit_scopes import AuditTerms, set_audit_scope
from iam.directory.models import Role
from iam.guard import viewer_for
from iam.journal.models import Entry
from iam.journal.services import COMMAND_LINE
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime.now(tz=UTC)


@pytest.fixture(autouse=True)
def _var(settings: Any, tmp_path: Path) -> None:
    settings.VAR = tmp_path
    settings.EVIDENCE_DAYS = 90


def pack(days: int) -> EvidencePack:
    made = EvidencePack.objects.create(
        kind=PackKind.PERIOD,
        title="Changes",
        since=NOW - timedelta(days=days + 9),
        until=NOW - timedelta(days=days),
        seed="s",
        sample_size=1,
        requested_by="7f9c2f4e-7cb2-4b58-9df4-111111111111",
        requested_name="Otto",
        requested_at=NOW - timedelta(days=days),
        ended_at=NOW - timedelta(days=days),
        state=PackState.DONE,
        sha256="ab" * 32,
    )
    made.path.parent.mkdir(exist_ok=True)
    made.path.write_text("x")
    return made


def test_files_older_than_the_setting_are_deleted() -> None:
    old, young = pack(91), pack(89)
    remove_old_packs.run()
    assert (old.path.exists(), young.path.exists()) == (False, True)
    old.refresh_from_db()
    assert (old.sha256, old.removed_at is not None) == ("ab" * 32, True)
    entry = Entry.objects.get(kind="evidence.remove")
    assert entry.data == {"pack": old.reference, "sha256": old.sha256}
    remove_old_packs.run()
    assert Entry.objects.filter(kind="evidence.remove").count() == 1


def test_without_a_setting_all_stay(settings: Any) -> None:
    settings.EVIDENCE_DAYS = 0
    old = pack(999)
    remove_old_packs.run()
    assert old.path.exists()


def test_what_an_auditor_was_given_stays() -> None:
    old = pack(200)
    auditor = factories.operator(Role.AUDITOR, name="Otto Audit").person
    set_audit_scope(auditor, AuditTerms(packs=[str(old.pk)]), actor=COMMAND_LINE)
    remove_old_packs.run()
    assert old.path.exists()


def test_a_file_that_could_not_be_deleted_is_deleted_later(monkeypatch: pytest.MonkeyPatch) -> None:
    old = pack(200)

    def refuse(self: Path, missing_ok: bool = False) -> None:
        raise PermissionError

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refuse)
        remove_old_packs.run()
    assert old.path.exists()
    remove_old_packs.run()
    assert not old.path.exists()


@pytest.mark.parametrize("role", [Role.APPROVER, Role.AUDITOR, Role.MEMBER])
def test_only_administrators_of_everything_delete(role: Role) -> None:
    old = pack(1)
    viewer = viewer_for(factories.operator(role, name="Someone").person)
    with pytest.raises(RemovalRefusedError):
        remove_file(old, actor=viewer, now=NOW)
    assert old.path.exists()


def test_the_page_deletes_and_says_who_did() -> None:
    factories.account()
    made = pack(1)
    client = Client()
    client.force_login(factories.operator(Role.ADMINISTRATOR))
    page = reverse("evidence:pack", args=[made.pk])
    assert "Delete file" in client.get(page).content.decode()
    assert client.post(reverse("evidence:pack-delete", args=[made.pk])).status_code == 302
    assert not made.path.exists()
    text = " ".join(client.get(page).content.decode().split())
    assert "by Ines Duarte. Build the pack again if you need it." in text
    assert "Without its file" in text
    assert "Ready to download" not in text
    assert ">Delete file<" not in text
    assert client.get(reverse("evidence:pack-export", args=[made.pk])).status_code == 404
