"""Tables that are kept between test runs are made again once anything changes that they are made from."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from tests.services import table_sources

ROOT = Path(__file__).resolve().parent.parent


MADE_FROM = [
    "iam/mirror/migrations/0001_initial.py",
    "iam/mirror/models/entities.py",
    "iam/people/campaigns/models.py",
    "iam/access/templates/shipped_files.py",
    "iam/access/templates/body.py",
    "iam/access/templates/shipped/audit-iam.json",
    "iam/journal/triggers.py",
    "iam/journal/apps.py",
    "iam/activity/partitions.py",
    "console/operators/session_store.py",
    "console/settings.py",
    "tests/services/tables.py",
]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what tables are made from."""
    copy = tmp_path_factory.mktemp("tree")
    for source in table_sources.sources(ROOT):
        target = copy / source.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    return copy


@pytest.fixture(scope="module")
def key(tree: Path) -> str:
    return table_sources.key(tree)


def test_migrations_what_they_import_models_and_shipped_data_are_sources() -> None:
    names = {str(path.relative_to(ROOT)) for path in table_sources.sources(ROOT)}
    assert set(MADE_FROM) <= names
    others = {"iam/nudge.py", "iam/aws/client_pool.py"}
    assert all((ROOT / name).is_file() for name in others)
    assert others.isdisjoint(names)


@pytest.mark.parametrize("name", MADE_FROM[:2] + MADE_FROM[5:7])
def test_a_change_of_what_tables_are_made_from_makes_them_again(tree: Path, key: str, name: str) -> None:
    path = tree / name
    before = path.read_bytes()
    path.write_bytes(before + b"\n")
    assert table_sources.key(tree) != key
    path.write_bytes(before)


@pytest.mark.parametrize("folder", ["iam/journal/migrations", "iam/access/templates/shipped"])
def test_a_new_file_makes_them_again(tree: Path, key: str, folder: str) -> None:
    new = tree / folder / ("9999_new.py" if folder.endswith("migrations") else "new.json")
    new.write_text("")
    assert table_sources.key(tree) != key
    new.unlink()


def test_they_are_made_again_each_day_and_for_another_server(tree: Path, key: str) -> None:
    assert table_sources.key(tree, "/usr/lib/postgresql/17/bin") != key
    with time_machine.travel(datetime.now(tz=UTC) + timedelta(days=1)):
        assert table_sources.key(tree) != key
