"""Drawing a sample on its page: the same one as in a pack, recorded, and as CSV."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone

from iam.audit.evidence.models import PackKind
from iam.audit.evidence.pack_builder import build_here
from iam.audit.evidence.packs import PackOrder
from iam.directory.models import Role
from iam.journal.models import Entry
from iam.mirror.models import Account
from tests import factories
from tests.console.findings.test_pages import signed_in, text
from tests.iam.audit.evidence.made_packs import auditor, done_change

pytestmark = pytest.mark.django_db
PAGE, FILE = "/evidence/sample/", "/evidence/sample/export/"
SEED = "an-agreed-seed"


@pytest.fixture
def account() -> Account:
    account = factories.account()
    factories.synced(account)
    return account


def address(page: str = PAGE, **values: Any) -> str:
    today = timezone.now().date()
    first = today - timedelta(days=30)
    values = {"since": first, "until": today, "sample_size": 3, "seed": SEED, **values}
    return f"{page}?{urlencode(values, doseq=True)}"


def drawn(page: str) -> list[str]:
    """The references of the changes, in the order of the page."""
    return re.findall(r'<span class="id ref">(CHG-[0-9A-F]+)</span>', page)


def test_the_form_has_a_random_seed_and_draws_nothing_yet(account: Account) -> None:
    client = signed_in(Role.AUDITOR)
    seeds = set()
    for _ in range(2):
        page = text(client, PAGE)
        seeds.update(re.findall(r'name="seed"[^>]*value="([0-9a-f]{16})"', page))
        seeds.update(re.findall(r'value="([0-9a-f]{16})"[^>]*name="seed"', page))
    assert len(seeds) == 2
    assert 'id="sample"' not in page
    assert not Entry.objects.filter(kind="evidence.sample").exists()


def test_each_drawn_change_shows_its_whole_trail_and_the_draw_is_recorded(account: Account) -> None:
    change = done_change(account, reason="Needs it for the audit")
    page = re.sub(r"\s+", " ", text(signed_in(Role.AUDITOR), address()))
    assert "1 of 1 change drawn" in page
    assert SEED in page
    assert drawn(page) == [change.reference]
    assert "Needs it for the audit" in page
    assert "by Hana Sato at" in page
    assert change.calls[0]["request_id"] in page
    assert "CloudTrail: " in page
    assert "AWS showed it as requested after" in page
    entry = Entry.objects.get(kind="evidence.sample")
    assert entry.data["drawn_with"] == SEED
    assert (entry.data["sample"], entry.data["population"]) == (1, 1)


def test_it_is_the_sample_of_a_pack_with_this_seed(account: Account, settings: Any, tmp_path: Path) -> None:
    settings.VAR = tmp_path / "var"
    for _ in range(8):
        done_change(account)
    today = datetime.combine(timezone.now().date(), datetime.min.time(), tzinfo=UTC)
    since, until = today - timedelta(days=30), today + timedelta(days=1)
    order = PackOrder(kind=PackKind.PERIOD, since=since, until=until, seed=SEED, sample_size=3)
    build_here(order, tmp_path / "pack.zip", viewer=auditor())
    with zipfile.ZipFile(tmp_path / "pack.zip") as pack:
        of_the_pack = pack.read("sample.csv").decode()
    client = signed_in(Role.AUDITOR)
    sent = client.get(address(FILE))
    assert sent["Content-Disposition"] == f'attachment; filename="sample-{SEED}.csv"'
    assert b"".join(sent.streaming_content).decode() == of_the_pack
    rows = list(csv.DictReader(io.StringIO(of_the_pack)))
    assert len(rows) == 3
    assert drawn(text(client, address())) == [row["change"] for row in rows]
    assert set(drawn(text(client, address(seed="another", sample_size=8)))) > {row["change"] for row in rows}
    # The page and the file were both drawn, and both are recorded.
    assert Entry.objects.filter(kind="evidence.sample").count() == 3


def test_an_empty_seed_becomes_a_random_one_that_the_file_has_too(account: Account) -> None:
    done_change(account)
    client = signed_in(Role.AUDITOR)
    page = text(client, address(seed=""))
    [file] = re.findall(rf'href="({FILE}[^"]*)"', page)
    seed = Entry.objects.get(kind="evidence.sample").data["drawn_with"]
    assert f"seed={seed}" in file
    client.get(file.replace("&amp;", "&"))
    assert {entry.data["drawn_with"] for entry in Entry.objects.filter(kind="evidence.sample")} == {seed}


def test_a_long_sample_is_cut_and_says_so(
    account: Account, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    monkeypatch.setattr("console.evidence.sample.SHOWN", 2)
    for _ in range(6):
        done_change(account)
    client = signed_in(Role.AUDITOR)
    with django_assert_max_num_queries(30):
        page = text(client, address(sample_size=6))
    assert len(drawn(page)) == 2
    assert "The first 2, in the order of the draw. The CSV file has all of them." in page


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"until": "2020-01-01"}, "The period must end after it begins."),
        ({"since": "never"}, "Write the day as"),
        ({"sample_size": "9999"}, "A sample has at most 500 changes."),
        ({"seed": "a b"}, "Use up to 64 letters"),
        ({"accounts": ["999999999999"]}, "Choose from the list."),
    ],
)
@pytest.mark.parametrize("page", [PAGE, FILE])
def test_what_is_wrong_is_said_at_its_field(
    account: Account, values: dict[str, Any], says: str, page: str
) -> None:
    answer = signed_in(Role.AUDITOR).get(address(page, **values))
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert not Entry.objects.filter(kind="evidence.sample").exists()


def test_no_change_of_an_account_that_one_does_not_see_is_drawn(account: Account) -> None:
    other = factories.account("222222222222")
    factories.synced(other)
    seen = done_change(account)
    done_change(other)
    operator = factories.operator(None, name="Otto Audit")
    factories.assign(operator.person, Role.AUDITOR, account_id=account.account_id)
    client = Client()
    client.force_login(operator)
    assert drawn(text(client, address())) == [seen.reference]
    assert client.get(address(accounts=[other.account_id])).status_code == 422
