"""An uploaded export becomes one observation of its account; what is wrong with it is said, and nothing is
kept.
"""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from iam.directory.models import Role
from iam.guard import viewer_for
from iam.journal.models import Entry
from iam.journal.services import COMMAND_LINE
from iam.mirror.accounts import uploads
from iam.mirror.accounts.import_export import ExportFiles, import_export
from iam.mirror.accounts.jobs import UploadedFile, request_import
from iam.mirror.accounts.run_jobs import run_job, sweep_jobs
from iam.mirror.accounts.validation import SetupError
from iam.mirror.models import Account, EntityState, Kind, Pull, Section, SetupJob, UserCredentials, valid_at
from iam.mirror.models.accounts import PullState
from tests import factories
from tests.iam.mirror.accounts import exports

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]
MADE = datetime(2026, 3, 3, 10, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, settings: Any) -> None:
    settings.VAR = tmp_path


def load(tmp_path: Path, body: dict[str, Any] | bytes, *, report: bytes | None = None, **fields: Any) -> Any:
    """Import a file in this process."""
    export = tmp_path / "iam.json"
    export.write_bytes(body if isinstance(body, bytes) else exports.as_bytes(body))
    path = None
    if report is not None:
        path = tmp_path / "report.csv"
        path.write_bytes(report)
    actor = fields.pop("actor", COMMAND_LINE)
    return import_export(ExportFiles(export=export, report=path, **fields), actor=actor)


def names(kind: Kind, *, at: datetime | None = None) -> list[str]:
    states = EntityState.objects.filter(valid_at(at), kind=kind)
    return sorted(states.values_list("name", flat=True))


def test_the_account_its_number_and_its_date_come_from_the_file(tmp_path: Path) -> None:
    loaded = load(tmp_path, exports.export("maya", "kwame"))
    account = Account.objects.get()
    assert (account.account_id, account.source, account.partition) == (exports.NUMBER, "export", "aws")
    assert loaded.observed_at == MADE
    assert loaded.counts == {"user": 2, "group": 1, "role": 1}
    assert names(Kind.USER) == ["kwame", "maya"]
    assert Section.objects.get(name="users").observed_at == MADE
    entry = Entry.objects.get(kind="account.import")
    assert (entry.account_id, entry.data["counts"]["user"], entry.data["is_new"]) == (exports.NUMBER, 2, True)


def test_a_credential_report_adds_passwords_and_mfa(tmp_path: Path) -> None:
    loaded = load(tmp_path, exports.export("maya"), report=exports.report("maya"))
    state = UserCredentials.objects.get(valid_to__isnull=True)
    assert (state.has_password, state.active_keys) == (True, 1)
    assert loaded.observed_at == MADE


def test_a_given_date_goes_before_the_newest_one_in_the_file(tmp_path: Path) -> None:
    assert load(
        tmp_path, exports.export("maya"), observed_at=MADE + timedelta(days=2)
    ).observed_at == MADE + timedelta(days=2)


def test_dates_in_the_future_do_not_count(tmp_path: Path) -> None:
    assert load(tmp_path, exports.export("maya", used="2999-01-01T00:00:00+00:00")).observed_at == datetime(
        2025, 6, 2, 9, 0, tzinfo=UTC
    )


def test_a_later_export_adds_a_moment_and_the_first_stays_visible(tmp_path: Path) -> None:
    load(tmp_path, exports.export("maya", "kwame", "tomas", "hana", "elif", "jonas"))
    later = MADE + timedelta(days=30)
    loaded = load(
        tmp_path, exports.export("maya", "kwame", "tomas", "hana", "elif", "priya"), observed_at=later
    )
    assert not loaded.is_new
    assert names(Kind.USER) == ["elif", "hana", "kwame", "maya", "priya", "tomas"]
    assert names(Kind.USER, at=MADE + timedelta(days=1)) == [
        "elif",
        "hana",
        "jonas",
        "kwame",
        "maya",
        "tomas",
    ]
    assert Account.objects.count() == 1


def test_an_earlier_export_is_refused(tmp_path: Path) -> None:
    load(tmp_path, exports.export("maya"))
    for moment in (MADE, MADE - timedelta(seconds=1)):
        with pytest.raises(SetupError, match=r"last updated as of 3 Mar 2026, 10:00:00 UTC") as caught:
            load(tmp_path, exports.export("kwame"), observed_at=moment)
        assert caught.value.field == "observed_at"
    assert names(Kind.USER) == ["maya"]


def test_an_unusual_loss_is_held_back_until_somebody_says_that_it_is_real(tmp_path: Path) -> None:
    many = [f"user-{n}" for n in range(40)]
    load(tmp_path, exports.export(*many))
    later = MADE + timedelta(days=1)
    loaded = load(tmp_path, exports.export(*many[:5]), observed_at=later)
    assert "35 of 40" in loaded.held
    assert len(names(Kind.USER)) == 40
    again = load(tmp_path, exports.export(*many[:5]), observed_at=later, accept_loss=True)
    assert again.held == ""
    assert names(Kind.USER) == sorted(many[:5])


def test_an_account_that_a_role_reaches_takes_no_upload(tmp_path: Path) -> None:
    factories.account(exports.NUMBER, name="brightwater")
    with pytest.raises(SetupError, match="connected already, as brightwater, and synced from AWS"):
        load(tmp_path, exports.export("maya"))
    assert names(Kind.USER) == []
    assert Account.objects.get().source == "role"


def test_a_disconnected_account_may_be_known_from_an_upload(tmp_path: Path) -> None:
    factories.account(exports.NUMBER, name="brightwater", removed_at=MADE - timedelta(days=9))
    load(tmp_path, exports.export("maya"))
    account = Account.objects.get()
    assert (account.removed_at, account.source, account.name) == (None, "export", "brightwater")


def test_another_partition_than_before_is_refused(tmp_path: Path) -> None:
    factories.account(exports.NUMBER, name="b", source="export", partition="aws-cn", role_arn="")
    with pytest.raises(SetupError, match="partition aws"):
        load(tmp_path, exports.export("maya"))


def test_a_report_of_another_account_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="credential report is of account 111111111111") as caught:
        load(tmp_path, exports.export("maya"), report=exports.report("maya", number="111111111111"))
    assert caught.value.field == "report"
    assert not Account.objects.exists()


@pytest.mark.parametrize(
    ("report", "words"),
    [
        (b"user,arn\nmaya,x\n", "lacks the column"),
        (b"\xff\xfe\x00\x01", "not UTF-8"),
        (b"", "lacks the column"),
        (exports.report("maya").replace(b"true", b"maybe", 1), "Line 2, column password_enabled"),
        (exports.report("maya") + b"one,two\n", "Line 3"),
        (b"PK\x03\x04" + bytes(range(256)), "not UTF-8|lacks"),
    ],
)
def test_a_report_with_wrong_columns_is_refused_with_its_place(
    tmp_path: Path, report: bytes, words: str
) -> None:
    with pytest.raises(SetupError, match=words) as caught:
        load(tmp_path, exports.export("maya"), report=report)
    assert caught.value.field == "report"
    assert not Account.objects.exists()
    assert not Pull.objects.exists()


HOSTILE = {
    "not JSON": b"aws: command not found",
    "empty": b"",
    "binary": bytes(range(256)) * 40,
    "a list": b"[]",
    "a number": b"12",
    "cut short": exports.as_bytes(exports.export("maya"))[:-30],
    "deep": b'{"UserDetailList": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    "deep inside of a user": b'{"UserDetailList": [{"Path": '
    + b'{"a":' * 100_000
    + b"1"
    + b"}" * 100_000
    + b"}]}",
    "another document": b'{"Version": "2012-10-17", "Statement": []}',
    "one page of several": exports.as_bytes(exports.export("maya") | {"IsTruncated": True, "Marker": "x"}),
    "two accounts": exports.as_bytes(
        exports.export("maya") | {"GroupDetailList": [exports.group("a", number="111111111111")]}
    ),
    "a huge number": b'{"UserDetailList": [' + b"9" * 50_000 + b"]}",
    "not a number": b'{"UserDetailList": NaN}',
    "the same user twice": exports.as_bytes(exports.export("maya", "maya")),
    "a name that is markup": exports.as_bytes(exports.export("<script>alert(1)</script>")),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_file_is_refused_in_a_sentence_and_nothing_is_kept(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(SetupError) as caught:
        load(tmp_path, content)
    assert caught.value.message.rstrip().endswith((".", "`"))
    assert 20 < len(caught.value.message) < 600
    assert not Account.objects.exists()
    assert not Pull.objects.exists()


def test_a_file_beyond_the_limit_is_refused_without_being_parsed(tmp_path: Path, settings: Any) -> None:
    settings.UPLOAD_MEGABYTES = 1
    body = exports.as_bytes(exports.export("maya")) + b" " * (1 << 20)
    with pytest.raises(SetupError, match="larger than"):
        load(tmp_path, body)


def test_a_script_in_a_policy_is_data(tmp_path: Path) -> None:
    body = exports.export("maya")
    body["GroupDetailList"][0]["GroupPolicyList"] = [
        {"PolicyName": "x", "PolicyDocument": {"Statement": [{"Sid": "<script>alert(1)</script>"}]}}
    ]
    load(tmp_path, body)
    assert names(Kind.GROUP) == ["analysts"]


def test_an_administrator_of_another_account_may_not_load_it(tmp_path: Path) -> None:
    person = factories.person()
    factories.assign(person, Role.ADMINISTRATOR, account_id="111111111111")
    with pytest.raises(SetupError, match="can’t be managed"):
        load(tmp_path, exports.export("maya"), actor=viewer_for(person))
    assert not Account.objects.exists()


def test_a_defect_while_loading_leaves_no_account_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr("iam.mirror.accounts.import_export.load_export", broken)
    with pytest.raises(RuntimeError):
        load(tmp_path, exports.export("maya"))
    assert not Account.objects.exists()


def asked(content: bytes, *, report: bytes | None = None, **fields: Any) -> SetupJob:
    """An upload as the page hands it over."""
    someone = fields.pop("actor", None) or factories.viewer()
    return request_import(
        UploadedFile("iam.json", [content[:100], content[100:]]),
        report=UploadedFile("report.csv", [report]) if report else None,
        actor=someone,
        **fields,
    )


def test_the_uploaded_files_are_private_and_gone_afterwards() -> None:
    job = asked(
        exports.as_bytes(exports.export("maya")), report=exports.report("maya"), name="Brightwater 2026"
    )
    files = sorted(uploads.folder().iterdir())
    assert [file.name for file in files] == [f"{job.pk}.csv", f"{job.pk}.json"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE(uploads.folder().stat().st_mode) == 0o700
    done = run_job(job.pk)
    assert done is not None
    assert (done.state, done.result["account_id"], done.result["counts"]["user"]) == (
        "done",
        exports.NUMBER,
        1,
    )
    assert Account.objects.get().name == "Brightwater 2026"
    assert list(uploads.folder().iterdir()) == []
    assert Pull.objects.get().requested_by == job.requested_by
    assert Pull.objects.get().state == PullState.COMPLETE


def test_a_refused_upload_ends_its_job_with_the_sentence_and_its_files_go() -> None:
    job = asked(b"{}")
    done = run_job(job.pk)
    assert done is not None
    assert done.state == "failed"
    assert "is missing" in done.message
    assert list(uploads.folder().iterdir()) == []


def test_a_file_that_is_not_there_is_no_empty_account() -> None:
    job = asked(b"{}")
    uploads.remove(job.pk)
    done = run_job(job.pk)
    assert done is not None
    assert "must share the folder in GATEHOUSE_VAR" in done.message


def test_whoever_may_no_longer_sign_in_loads_nothing() -> None:
    someone = factories.viewer()
    job = asked(exports.as_bytes(exports.export("maya")), actor=someone)
    from iam.directory.models import Person

    Person.objects.filter(pk=someone.person_id).update(is_active=False)
    done = run_job(job.pk)
    assert done is not None
    assert "can no longer sign in" in done.message
    assert not Account.objects.exists()


def test_a_job_is_carried_out_once() -> None:
    job = asked(exports.as_bytes(exports.export("maya")))
    assert run_job(job.pk) is not None
    assert run_job(job.pk) is None
    assert Pull.objects.count() == 1


def test_a_moment_in_the_future_is_refused_before_anything_is_kept() -> None:
    with pytest.raises(SetupError) as caught:
        asked(b"{}", observed_at=datetime.now(tz=UTC) + timedelta(hours=1))
    assert caught.value.field == "observed_at"
    assert list(uploads.folder().iterdir()) == []
    assert not SetupJob.objects.exists()


def test_an_upload_is_in_the_journal_without_its_content() -> None:
    asked(exports.as_bytes(exports.export("maya")))
    entry = Entry.objects.get(kind="account.upload")
    assert entry.subject == "iam.json"
    assert "maya" not in json.dumps(entry.data)


def test_the_sweep_removes_old_files_that_belong_to_no_job() -> None:
    import os
    import time

    job = asked(b"{}")
    lost = uploads.folder() / "11111111-1111-1111-1111-111111111111.json"
    lost.write_bytes(b"{}")
    old = time.time() - 2 * 86_400
    for path in uploads.folder().iterdir():
        os.utime(path, (old, old))
    sweep_jobs()
    assert [path.name for path in uploads.folder().iterdir()] == [f"{job.pk}.json"]
