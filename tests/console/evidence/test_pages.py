"""The pages of evidence packs: request, follow, download."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from iam.audit.evidence.models import EvidencePack, PackState
from iam.audit.evidence.pack_builder import run_pack
from iam.audit.evidence.verify_evidence import verify
from iam.directory.models import Role
from iam.journal.models import Entry
from iam.mirror.models import Account
from tests import factories
from tests.console.findings.test_pages import signed_in, text
from tests.iam.audit.evidence.made_packs import done_change

pytestmark = pytest.mark.django_db
LIST, NEW = "/evidence/", "/evidence/new/"


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Path) -> None:
    settings.VAR = tmp_path / "var"


@pytest.fixture
def account() -> Account:
    account = factories.account()
    factories.synced(account)
    return account


def _filled(**fields: Any) -> dict[str, Any]:
    today = timezone.now().date()
    return {
        "about": "period",
        "since": str(today - timedelta(days=30)),
        "until": str(today),
        "sample_size": "5",
        "seed": "",
        **fields,
    }


def test_a_pack_is_requested_built_downloaded_and_verified(account: Account, tmp_path: Path) -> None:
    done_change(account)
    client = signed_in(Role.AUDITOR)
    assert "No packs yet" in text(client, LIST)
    answer = client.post(NEW, _filled(accounts=[account.account_id]))
    assert answer.status_code == 302
    page = text(client, answer.url)
    assert "Waiting for a worker" in page
    pack = EvidencePack.objects.get()
    run_pack(pack.pk)
    page = text(client, answer.url)
    assert "Ready to download" in page
    assert "Sampled changes</dt> <dd>1</dd>" in re.sub(r"\s+", " ", page) or "Sampled changes" in page
    sent = client.get(f"{answer.url}download/")
    path = tmp_path / "pack.zip"
    path.write_bytes(b"".join(sent.streaming_content))
    assert verify(str(path))[1] == set()
    assert sent["Content-Disposition"] == f'attachment; filename="gatehouse-{pack.reference}.zip"'
    assert Entry.objects.filter(kind="evidence.download", data_json__contains=pack.reference).exists()


def test_the_page_follows_the_worker_and_stops(account: Account) -> None:
    client = signed_in(Role.AUDITOR)
    address = client.post(NEW, _filled()).url
    assert 'hx-trigger="load' in text(client, address)
    assert client.get(f"{address}?n=3", headers={"HX-Request": "true"}).status_code == 200
    run_pack(EvidencePack.objects.get().pk)
    last = client.get(f"{address}?n=4", headers={"HX-Request": "true"})
    assert last.status_code == 286
    assert "hx-get" not in last.content.decode()


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"until": "2020-01-01"}, "The period must end after it begins."),
        ({"since": "never"}, "Write the day as"),
        ({"sample_size": "9999"}, "A sample has at most 500 changes."),
        ({"seed": "a b"}, "Use up to 64 letters"),
        ({"accounts": ["999999999999"]}, "Choose from the list."),
        ({"about": "framework:x"}, "Select a valid choice"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(account: Account, fields: dict[str, Any], says: str) -> None:
    answer = signed_in(Role.AUDITOR).post(NEW, _filled(**fields))
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert not EvidencePack.objects.exists()


def test_a_failed_pack_says_why(account: Account) -> None:
    client = signed_in(Role.AUDITOR)
    address = client.post(NEW, _filled()).url
    EvidencePack.objects.update(state=PackState.FAILED, error="The file couldn’t be written: No space left.")
    assert "No space left" in text(client, address)
    assert client.get(f"{address}download/").status_code == 404


def test_the_list_asks_the_database_the_same_however_many_packs(
    account: Account, django_assert_max_num_queries: Any
) -> None:
    client = signed_in(Role.AUDITOR)
    client.post(NEW, _filled())
    for _ in range(10):
        pack = EvidencePack.objects.first()
        assert pack is not None
        pack.pk = None
        pack._state.adding = True
        pack.save(force_insert=True)
    with django_assert_max_num_queries(20):
        client.get(LIST)


def test_the_verifier_is_the_one_of_the_packs(account: Account) -> None:
    sent = signed_in(Role.AUDITOR).get("/evidence/verifier/")
    assert b"def verify(" in sent.content
