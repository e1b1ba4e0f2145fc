"""Settings of CloudTrail sources: who sees and changes them, and errors at their fields."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from iam.activity.sources.models import ReadSpan, SourceFile, SpanBasis, TrailSource, TrailUpload
from iam.activity.sources.uploads import read_upload
from iam.directory.models import Role
from iam.journal.models import Entry
from iam.mirror.models import Account, Kind
from tests import factories
from tests.iam.activity.sources.aws import ACCOUNT, events, reader, source

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]
GOOD = {
    "kind": "bucket",
    "account": ACCOUNT,
    "bucket": "northline-trail",
    "region": "eu-west-1",
    "since": "2026-01-01",
    "reason": "The new organization trail",
}


@pytest.fixture
def account() -> Account:
    return reader()


def _client(role: Role, **fields: Any) -> Client:
    client = Client()
    client.force_login(factories.operator(role, **fields))
    return client


def _text(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def _approve(address: str, decision: str = "approve") -> None:
    approver = _client(Role.APPROVER, name="Hana Sato")
    assert f'value="{decision}"' in _text(approver.get(address))
    assert approver.post(f"{address}decide/", {"decision": decision})["Location"] == address


def test_a_source_is_added_when_someone_else_approves(account: Account) -> None:
    admin = _client(Role.ADMINISTRATOR, name="Ines Duarte")
    address = admin.post("/activity/sources/add/", GOOD)["Location"]
    page = _text(admin.get(address))
    assert "Another approver or administrator has to decide." in page
    assert "Add CloudTrail source: s3://northline-trail/" in page
    assert "1 Jan 2026" in page
    assert "The new organization trail" in page
    assert "Waiting for approval" in _text(admin.get("/activity/sources/"))
    admin.post(f"{address}decide/", {"decision": "approve"})
    assert not TrailSource.objects.exists()
    _approve(address)
    row = TrailSource.objects.get()
    assert row.created_by == "Ines Duarte"
    assert "A worker is reading one file" in _text(admin.get(f"/activity/sources/{row.pk}/"))
    assert "Decided by Hana Sato" in _text(admin.get(address))
    entries = Entry.objects.filter(kind__startswith="trail_source.").order_by("pk")
    assert [(entry.kind, entry.actor_label) for entry in entries] == [
        ("trail_source.request", "Ines Duarte"),
        ("trail_source.add", "Hana Sato"),
        ("trail_source.approve", "Hana Sato"),
    ]


def test_the_event_history_has_no_file_to_read(account: Account) -> None:
    admin = _client(Role.ADMINISTRATOR)
    for row, button, running in (
        (source(account), "Read one file now", "A worker is reading one file."),
        (source(account, kind="history"), "Read the last day now", "reading the events of the last day."),
    ):
        address = f"/activity/sources/{row.pk}/"
        assert button in _text(admin.get(address))
        admin.post(f"{address}test/")
        assert running in _text(admin.get(address))


def test_a_declined_request_changes_nothing(account: Account) -> None:
    address = _client(Role.ADMINISTRATOR).post("/activity/sources/add/", GOOD)["Location"]
    _approve(address, "decline")
    assert not TrailSource.objects.exists()


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("bucket", "Not A Bucket", "3 to 63 lower-case letters"),
        ("bucket", "", "3 to 63 lower-case letters"),
        ("key_prefix", "x/AWSLogs/1", "what comes before AWSLogs/"),
        ("region", "Dublin", "such as eu-west-1"),
        ("queue_url", "http://queue", "looks like https://sqs."),
        ("since", "2099-01-01", "lies in the future"),
        ("since", "soon", "Enter a date"),
        ("account", "999999999999", "Choose an account"),
    ],
)
def test_a_wrong_answer_is_told_at_its_field(account: Account, field: str, value: str, words: str) -> None:
    answer = _client(Role.ADMINISTRATOR).post("/activity/sources/add/", GOOD | {field: value})
    assert answer.status_code == 422
    page = _text(answer)
    error = re.search(rf'id="id_{field}_error">.*?</span>', page)
    assert error is not None, page
    assert words in error[0]
    assert not TrailSource.objects.exists()


def test_the_same_bucket_is_added_once(account: Account) -> None:
    source(account, bucket="northline-trail", prefix="")
    answer = _client(Role.ADMINISTRATOR).post("/activity/sources/add/", GOOD)
    assert answer.status_code == 422
    assert "A source reads this already." in _text(answer)


def test_a_reason_is_needed(account: Account) -> None:
    row, admin = source(account), _client(Role.ADMINISTRATOR)
    for address in ("add/", f"{row.pk}/", f"{row.pk}/remove/"):
        answer = admin.post(f"/activity/sources/{address}", GOOD | {"reason": " "})
        assert answer.status_code == 422
        assert "Give a reason. The approver and auditors see it." in _text(answer)


def test_a_change_waits_for_someone_else_and_names_what_differs(account: Account) -> None:
    row, admin = source(account), _client(Role.ADMINISTRATOR)
    address = admin.post(f"/activity/sources/{row.pk}/", GOOD | {"bucket": "other-trail"})["Location"]
    page = _text(admin.get(address))
    assert "Then: other-trail" in page
    assert TrailSource.objects.get().bucket == row.bucket
    assert "requests to change this source" in _text(admin.get(f"/activity/sources/{row.pk}/"))
    again = admin.post(f"/activity/sources/{row.pk}/", GOOD | {"bucket": "third-trail"})
    assert "Another request about this source waits for approval." in _text(again)
    _approve(address)
    assert TrailSource.objects.get().bucket == "other-trail"


def test_what_a_test_found_stands_at_its_field(account: Account) -> None:
    wrong = {"is_ok": False, "text": "There is no bucket x.", "field": "bucket"}
    row = source(account, checked_at=timezone.now(), check_result=wrong)
    page = _text(_client(Role.ADMINISTRATOR).get(f"/activity/sources/{row.pk}/"))
    assert re.search(r'name="bucket".{0,400}There is no bucket x\.', page)
    assert "s3:GetObject" in page


def test_a_source_is_paused_and_resumed_at_once_and_removed_by_two(account: Account) -> None:
    admin = _client(Role.ADMINISTRATOR)
    row = source(account)
    for what, field in (("pause", True), ("resume", False)):
        admin.post(f"/activity/sources/{row.pk}/{what}/")
        assert TrailSource.objects.get().is_paused is field
    answer = admin.post(f"/activity/sources/{row.pk}/remove/", {"reason": "The trail is gone"})
    assert TrailSource.objects.get().removed_at is None
    _approve(answer["Location"])
    assert TrailSource.objects.get().removed_at is not None
    assert "No source" in _text(admin.get("/activity/sources/"))
    kinds = set(Entry.objects.values_list("kind", flat=True))
    assert {"trail_source.pause", "trail_source.resume", "trail_source.remove"} <= kinds
    assert admin.post(f"/activity/sources/{row.pk}/delete/").status_code == 404


def test_an_auditor_sees_sources_and_changes_none(account: Account) -> None:
    row = source(account, error="It failed.")
    auditor = _client(Role.AUDITOR)
    page = _text(auditor.get("/activity/sources/"))
    assert "It failed." in page
    assert "Add source" not in page
    for address in ("add/", f"{row.pk}/"):
        assert auditor.get(f"/activity/sources/{address}").status_code == 404
    assert auditor.post(f"/activity/sources/{row.pk}/pause/").status_code == 404
    admin = _client(Role.ADMINISTRATOR, name="Ada Admin")
    address = admin.post("/activity/sources/add/", GOOD | {"bucket": "other-trail"})["Location"]
    assert 'value="approve"' not in _text(auditor.get(address))
    assert auditor.post(f"{address}decide/", {"decision": "approve"}).status_code == 404
    operator = factories.operator(None, name="Ann Limited")
    factories.assign(operator.person, Role.APPROVER, account_id=ACCOUNT)
    limited = Client()
    limited.force_login(operator)
    assert limited.get(address).status_code == 404
    assert limited.post(f"{address}decide/", {"decision": "approve"}).status_code == 404
    assert TrailSource.objects.count() == 1


def test_a_trail_that_nobody_reads_leads_to_its_source(account: Account) -> None:
    attrs = {"S3BucketName": "trails", "S3KeyPrefix": "", "HomeRegion": "eu-west-1", "IsLogging": True}
    factories.entity(account, Kind.TRAIL, "events", attrs=attrs)
    admin = _client(Role.ADMINISTRATOR)
    link = re.search(r'href="(/activity/sources/add/\?[^"]*)"', _text(admin.get("/activity/sources/")))
    assert link is not None
    assert 'value="trails"' in _text(admin.get(link[1].replace("&amp;", "&")))


def test_coverage_tells_what_is_complete_unverified_and_missing(account: Account) -> None:
    now = timezone.now()
    place = {"account_id": ACCOUNT, "region": "eu-west-1"}
    page = _text(_client(Role.ADMINISTRATOR).get("/activity/coverage/"))
    assert "Unknown: neither a bucket nor the event history is a source" in page
    ReadSpan.objects.create(
        **place, basis=SpanBasis.DIGEST, start=now - timedelta(days=9), end=now - timedelta(days=6)
    )
    ReadSpan.objects.create(
        **place, basis=SpanBasis.LISTING, start=now - timedelta(days=7), end=now - timedelta(days=5)
    )
    SourceFile.objects.create(
        source=source(account),
        key_digest="0" * 32,
        key="AWSLogs/bad.json.gz",
        at=now,
        problem="The file is empty.",
        read_at=now,
        **place,
    )
    page = _text(_client(Role.AUDITOR, name="Otto Audit").get("/activity/coverage/"))
    assert page.count("Complete from") == 1
    assert page.count("Read from") == 1
    assert page.count("Missing from") == 1
    assert "bad.json.gz: The file is empty." in page


def test_files_are_uploaded_and_their_progress_is_shown(
    account: Account, tmp_path: Path, settings: Any
) -> None:
    settings.VAR = str(tmp_path)
    admin = _client(Role.ADMINISTRATOR)
    files = [SimpleUploadedFile("a.json.gz", events(2)), SimpleUploadedFile("b.json", b"{")]
    address = admin.post("/activity/sources/upload/", {"files": files})["Location"]
    assert "0 of 2 files processed" in _text(admin.get(address))
    read_upload(TrailUpload.objects.get().pk)
    page = _text(admin.get(address))
    assert "2 of 2 files processed, 1 couldn’t be read" in page
    assert "b.json" in page
    assert "isn’t valid JSON" in page
    assert admin.get(address, {"n": "1"}, headers={"HX-Request": "true"}).status_code == 286
    sources = _text(admin.get("/activity/sources/"))
    assert "2 files read" in sources
    assert "1 of them could not be read, or not completely:" in sources
    assert re.search(r">b\.json</span> The file isn’t valid JSON", sources)
    assert '<a href="/activity/sources/">1 trail file</a>' in _text(admin.get("/activity/"))


def test_an_upload_that_is_too_large_is_refused_before_it_is_read(account: Account, settings: Any) -> None:
    settings.UPLOAD_MEGABYTES = 1
    admin = _client(Role.ADMINISTRATOR)
    file = SimpleUploadedFile("a.json", b"x" * 1_200_000)
    answer = admin.post("/activity/sources/upload/", {"files": file})
    assert answer.status_code == 413
    assert "larger than 1 MB" in _text(answer)
    assert not TrailUpload.objects.exists()
