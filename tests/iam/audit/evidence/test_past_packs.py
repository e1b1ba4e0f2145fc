"""A pack about a framework of an auditor whose period is over tells how it was at the end of the period."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from console.evidence.pack_form import PackForm
from iam.audit.evidence.models import PackKind, PackState
from iam.audit.evidence.pack_builder import run_pack
from iam.audit.evidence.packs import PackOrder, as_of_for, request_pack
from iam.audit.evidence.verify_evidence import verify
from iam.audit.findings.calculation import calculate
from iam.audit.frameworks import assessment
from iam.directory.audit_scopes import AuditTerms, set_audit_scope
from iam.directory.models import Role
from iam.guard import Viewer, evidence_viewer, viewer_for
from iam.journal.services import COMMAND_LINE
from tests import factories

pytestmark = pytest.mark.django_db
CIS = "cis-aws-7.0"


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Path) -> None:
    settings.VAR = tmp_path / "var"


def limited(**terms: Any) -> Viewer:
    operator = factories.operator(Role.AUDITOR, name="Otto Audit")
    set_audit_scope(operator.person, AuditTerms(frameworks=(CIS,), **terms), actor=COMMAND_LINE)
    viewer = evidence_viewer(viewer_for(operator.person))
    assert viewer.limits is not None
    return viewer


def rows(pack: Any, table: str) -> list[dict[str, Any]]:
    with zipfile.ZipFile(pack.path) as file:
        return list(json.loads(file.read(f"facts/{table}.json"))["rows"])


def test_it_tells_how_it_was_then() -> None:
    now = datetime.now(tz=UTC)
    ended = now - timedelta(days=30)
    account = factories.account()
    factories.synced(account)
    old = {"has_password": True, "mfa": "none", "active_keys": 0}
    factories.user(account, "then", credentials=old)
    factories.user(account, "since", credentials=old, since=now - timedelta(days=10))
    calculate(account)
    assessment.assess_due()
    viewer = limited(since=now - timedelta(days=90), until=ended)
    words = PackForm(viewer=viewer, chosen="", now=datetime.now(tz=UTC)).fields["about"].help_text
    assert "The period of your audit is over. A framework is shown as it was on" in words
    order = PackOrder(kind=PackKind.FRAMEWORK, subject=CIS, since=ended - timedelta(days=20), until=ended)
    pack = request_pack(order, actor=viewer, now=datetime.now(tz=UTC))
    run_pack(pack.pk)
    pack.refresh_from_db()
    assert (pack.state, pack.error) == (PackState.DONE, "")
    assert pack.as_of == ended - timedelta(seconds=1)
    assert verify(str(pack.path))[1] == set()
    requirements = rows(pack, "requirements")
    assert {row["automatic"]["as_of"] for row in requirements} == {pack.as_of.isoformat()}
    assert all(row["title"] != row["kind"] for row in rows(pack, "findings"))
    subjects = {row["subject"] for row in rows(pack, "findings")}
    assert any(subject.endswith("/then") for subject in subjects)
    for table in ("findings", "users"):
        assert "/since" not in json.dumps(rows(pack, table)), table


@pytest.mark.parametrize(
    ("ends_in", "is_past"), [(None, False), (timedelta(days=1), False), (timedelta(), True)]
)
def test_the_moment_of_a_pack(ends_in: timedelta | None, is_past: bool) -> None:
    now = datetime.now(tz=UTC)
    until = None if ends_in is None else now + ends_in
    limits = limited(since=now - timedelta(days=9), until=until).limits
    assert (as_of_for(limits, now=now) < now) is is_past
    assert as_of_for(None, now=now) == now
