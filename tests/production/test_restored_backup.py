"""A dump is loaded into a second cluster: what it would still do to AWS waits, and what it would let in is
out.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.production import Installation, done
from tests.production.conftest import address, documented_sql, execute
from tests.services.postgres import Cluster

BEFORE = """
import django; django.setup()
from datetime import UTC, datetime, timedelta
from importlib import import_module
from django.conf import settings
from console.operators.session_store import SessionStore
from iam.changes.models import Change, ChangeSet
from iam.directory.models import Person
from iam.journal.chain import chain_pending
from iam.journal.services import record
from iam.mirror.models import Account
from iam.people.links.models import OneTimeLink
from iam.sealed.models import Secret

now = datetime.now(tz=UTC)
account = Account.objects.create(account_id="111122223333", name="Backup", source="role")
person = Person.objects.create(name="Maya Okafor", email="maya@example.com")
def change(state, **more):
    group = ChangeSet.objects.create(title=f"Give {state}")
    return Change.objects.create(
        change_set=group, operation="group_membership.add", title=f"Give {state}", account=account, subject_kind="user", subject_id="AIDA",
        subject_arn="arn:aws:iam::111122223333:user/maya", params={}, before={}, after={}, receipt={}, receipt_digest="x", state=state,
        idempotency_key=f"backup-{state}", requested_by=person.pk, requested_label="Maya Okafor", reason="Tests", queued_at=now, **more)
queued = change("queued", due_at=now)
applying = change("applying", applying_at=now, lease_until=now - timedelta(minutes=1), attempts=1)
session = SessionStore(); session["x"] = 1; session.save()
OneTimeLink.objects.create(purpose="invitation", person=person, user_arn=queued.subject_arn, created_at=now, created_label="x", expires_at=now + timedelta(days=3))
Secret.objects.create(purpose="x.y", ciphertext="sealed", sealed_at=now, expires_at=now + timedelta(days=3))
record(kind="backup.made", actor=None); chain_pending()
print(queued.reference, applying.reference)
"""  # noqa: E501
TRY = """
import django; django.setup()
from iam.changes.models import Change
from iam.changes.tasks import run_change, sweep_changes
for pk in Change.objects.values_list("pk", flat=True): run_change(str(pk))
sweep_changes()
print(sorted(Change.objects.values_list("state", "attempts")))
"""
SYNC = """
import django; django.setup()
from datetime import UTC, datetime
from iam.mirror.models import Account, Pull
now = datetime.now(tz=UTC)
account, _ = Account.objects.get_or_create(account_id="111122223333", defaults={"name": "Backup", "source": "role"})
Pull.objects.create(account=account, state="complete", began_at=now, ended_at=now)
"""  # noqa: E501

CHAIN = """
import django; django.setup()
from iam.journal.chain import chain_pending
chain_pending()
"""
ENTRY = """
import django; django.setup()
from iam.journal.chain import chain_pending
from iam.journal.services import record
record(kind="backup.made", actor=None); chain_pending()
"""


@pytest.fixture
def second() -> Iterator[Cluster]:
    """The cluster into which the backup goes."""
    started = Cluster.start()
    yield started
    started.stop()


def script(installed: Installation, text: str, **more: str) -> str:
    """What a script prints, in the environment of the installation."""
    ended = done(
        installed.start_any([sys.executable, "-c", text], DJANGO_SETTINGS_MODULE="console.settings", **more)
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


def manage(installed: Installation, *words: str, url: str) -> tuple[int, str]:
    """Exit code and output of a command on a database."""
    ended = done(installed.start_any([sys.executable, "manage.py", *words], DATABASE_URL=url))
    return ended.returncode, ended.stdout + ended.stderr


def copy(cluster: Cluster, second: Cluster, folder: Path) -> str:
    """The address of the database that was restored, by pg_dump and pg_restore, for the application."""
    roles, _, _ = documented_sql()
    execute(address(second, "gatehouse", "postgres"), "DROP DATABASE gatehouse;" + roles)
    for command in (
        [
            "pg_dump",
            "-Fc",
            "-h",
            str(cluster.folder),
            "-U",
            "gatehouse",
            "-f",
            str(folder / "dump"),
            "gatehouse",
        ],
        ["pg_restore", "-h", str(second.folder), "-U", "gatehouse", "-d", "gatehouse", str(folder / "dump")],
    ):
        program = str(cluster.programs / command[0])
        subprocess.run([program, *command[1:]], check=True, capture_output=True)
    return address(second, "gatehouse_app")


def test_a_restored_backup_waits_for_a_person(
    installed: Installation, cluster: Cluster, second: Cluster, tmp_path: Path
) -> None:
    queued, applying = script(installed, BEFORE).splitlines()[-1].split()
    start = "import django; django.setup()\nfrom console.web.startup import before_working; before_working()"
    script(installed, start)
    assert (
        manage(installed, "after_restore", "--status", url=installed.database_url)[1]
        == "Nothing is on hold.\n"
    )

    restored = copy(cluster, second, tmp_path)
    script(installed, start, DATABASE_URL=restored)
    code, text = manage(installed, "after_restore", "--status", url=restored)
    assert code == 0
    assert "another database than before" in text
    assert queued in text
    assert applying in text
    assert "Not synced since: Backup (111122223333)" in text

    states = "[('applying', 1), ('queued', 0)]"
    assert script(installed, TRY, DATABASE_URL=restored).splitlines()[-1] == states
    left = (
        "import django; django.setup()\nfrom console.operators.models import OperatorSession as "
        "Session\nfrom iam.people.links.models import OneTimeLink\n"
    )
    left += "from iam.sealed.models import Secret\n"
    left += (
        "print(Session.objects.count(), OneTimeLink.objects.filter(ended_at=None).count(), "
        "Secret.objects.exclude(ciphertext='').count())"
    )
    assert script(installed, left, DATABASE_URL=restored).splitlines()[-1] == "0 0 0"

    code, text = manage(installed, "after_restore", "--release", url=restored)
    assert (code, "Not synced since the restore: Backup" in text) == (1, True), text
    script(installed, SYNC, DATABASE_URL=restored)
    code, text = manage(installed, "after_restore", "--release", "--cancel", "CHG-00000000", url=restored)
    assert (code, "Not on hold: CHG-00000000" in text) == (1, True), text
    code, text = manage(installed, "after_restore", "--cancel-all", url=restored)
    assert (code, "1 change was cancelled; 1 running change has an unknown outcome" in text) == (0, True), (
        text
    )
    ended = script(installed, TRY, DATABASE_URL=restored).splitlines()[-1]
    assert ended == "[('cancelled', 0), ('unknown', 1)]"
    # Nobody chains here, and a minute without that is a warning: chain as a worker does each second.
    script(installed, CHAIN, DATABASE_URL=restored)
    code, text = manage(installed, "verify_journal", url=restored)
    assert code == 0, text

    # The next start is at home there, and the original was never on hold.
    script(installed, start, DATABASE_URL=restored)
    assert manage(installed, "after_restore", "--status", url=restored)[1] == "Nothing is on hold.\n"
    assert installed.rows("SELECT count(*) FROM restore_hold") == [(0,)]


def test_a_database_that_is_older_than_the_last_block_is_held(
    installed: Installation, cluster: Cluster, second: Cluster, tmp_path: Path
) -> None:
    """The same cluster and database, such as after a recovery to an earlier time: only the file beside it
    knows better.
    """
    script(installed, ENTRY)
    restored = copy(cluster, second, tmp_path)
    start = "import django; django.setup()\nfrom console.web.startup import before_working; before_working()"
    script(installed, start, DATABASE_URL=restored)
    script(installed, SYNC, DATABASE_URL=restored)
    assert manage(installed, "after_restore", "--cancel-all", url=restored)[0] == 0
    head = Path(installed.environment["GATEHOUSE_VAR"]) / "journal_head"
    before = head.read_text()
    try:
        head.write_text(f"999999:{'a' * 64}")
        script(installed, start, DATABASE_URL=restored)
        text = manage(installed, "after_restore", "--status", url=restored)[1]
        assert "older than the journal’s last block" in text
    finally:
        head.write_text(before)
