"""What a pack holds, for whom, and how a worker builds it."""

from __future__ import annotations

import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from iam.audit.evidence.change_sample import lowest
from iam.audit.evidence.models import EvidencePack, PackKind, PackState
from iam.audit.evidence.pack_builder import run_pack
from iam.audit.evidence.packs import (
    BUILD_TASK,
    PackOrder,
    PackRefusedError,
    request_pack,
    visible_packs,
    waiting_packs,
)
from iam.audit.evidence.verify_evidence import verify
from iam.audit.findings.calculation import calculate
from iam.audit.reviews.models import ReviewAccess, ReviewCampaign, ReviewItem
from iam.audit.reviews.terms import ReviewTerms
from iam.changes.models import ChangeState
from iam.directory.models import Role, Team
from iam.guard import viewer_for
from iam.journal.models import Entry
from iam.journal.services import record
from iam.mirror.models import Account
from tests import factories
from tests.iam.activity.events import happened, identity_of
from tests.iam.audit.evidence.made_packs import auditor, built, done_change, facts, members

pytestmark = pytest.mark.django_db
NOW = timezone.now


@pytest.fixture
def account() -> Account:
    return factories.account()


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Path) -> None:
    settings.VAR = tmp_path / "var"


def _order(**fields: Any) -> PackOrder:
    now = NOW()
    return PackOrder(**{"kind": PackKind.PERIOD, "since": now - timedelta(days=7), "until": now, **fields})


def test_a_change_is_shown_from_its_request_to_what_was_read_back(account: Account, tmp_path: Path) -> None:
    user = factories.user(account, "tomas")
    change = done_change(account)
    call = change.calls[0]
    at = change.requested_at.replace(microsecond=0)
    iam = {"eventSource": "iam.amazonaws.com", "eventName": "AddUserToGroup", "readOnly": False}
    event = happened(identity_of(user), at=at, requestID=call["request_id"], **iam)
    row = facts(built(tmp_path), "sample")["rows"][0]
    assert row["requested_by"] == "Tomas Lind"
    assert row["approvals"][0].startswith("Approved by Hana Sato at ")
    assert row["calls"][0]["request_id"] == call["request_id"]
    assert row["calls"][0]["cloudtrail"]["state"] == "recorded"
    assert row["read_back"].startswith("AWS showed it as requested after 2 reads")
    assert event is None or str(event) or True


def test_without_an_event_the_row_says_unknown_and_claims_nothing(account: Account, tmp_path: Path) -> None:
    done_change(account)
    row = facts(built(tmp_path), "changes")["rows"][0]
    assert row["calls"][0]["cloudtrail"] == {"state": "unknown: no events of this time were synced"}


def test_what_was_not_synced_is_unknown(account: Account, tmp_path: Path) -> None:
    factories.user(account, "tomas", credentials={"mfa": "unread", "has_password": None})
    row = facts(built(tmp_path), "users")["rows"][0]
    assert (row["mfa"], row["console_password"]) == ("unknown", "unknown")


def test_users_are_those_of_the_moment(account: Account, tmp_path: Path) -> None:
    gone = factories.user(account, "gone")
    factories.user(account, "here")
    factories.ends(gone.states.get(), at=NOW() - timedelta(days=1))
    names = [row["user"] for row in facts(built(tmp_path), "users")["rows"]]
    assert names == ["here"]


def test_all_files_of_a_table_have_the_same_rows(account: Account, tmp_path: Path) -> None:
    for _ in range(3):
        done_change(account, reason="=1+1")
    pack = built(tmp_path)
    assert len(facts(pack, "changes")["rows"]) == 3
    lines = members(pack)["changes.csv"].decode().splitlines()
    assert len(lines) == 4
    assert "'=1+1" in lines[1]
    assert facts(pack, "changes")["as_of"] == facts(pack, "users")["as_of"]


def test_only_what_the_person_sees_is_in_it(account: Account, tmp_path: Path) -> None:
    other = factories.account("222222222222", name="data")
    done_change(account)
    done_change(other)
    factories.user(other, "elsewhere")
    record(kind="role.assign", actor=None, subject="of no account")
    pack = built(tmp_path, viewer=auditor(account_id=account.account_id))
    assert [row["account"] for row in facts(pack, "changes")["rows"]] == [account.account_id]
    assert facts(pack, "users")["rows"] == []
    journal = members(pack)["journal/entries.jsonl"].decode()
    assert "222222222222" not in journal
    assert "of no account" not in journal
    assert verify(str(pack))[1] == set()


def test_who_does_not_read_the_journal_gets_hashes_alone(account: Account, tmp_path: Path) -> None:
    done_change(account)
    pack = built(tmp_path, viewer=factories.viewer(Role.APPROVER))
    journal = members(pack)["journal/entries.jsonl"].decode()
    assert '"hash"' in journal
    assert "canonical" not in journal
    assert verify(str(pack))[1] == set()


def test_chosen_accounts_narrow_everything(account: Account, tmp_path: Path) -> None:
    other = factories.account("222222222222", name="data")
    done_change(account)
    done_change(other)
    pack = built(tmp_path, accounts=("222222222222",))
    assert [row["account"] for row in facts(pack, "changes")["rows"]] == ["222222222222"]
    assert '"account_id\\":\\"111111111111' not in members(pack)["journal/entries.jsonl"].decode()


def test_a_seed_draws_the_same_sample_and_a_larger_one_contains_it() -> None:
    ids = [uuid.UUID(int=number) for number in range(1000)]
    drawn = lowest(ids, seed="a", size=10)
    assert drawn == lowest(reversed(ids), seed="a", size=10)
    assert lowest(ids, seed="a", size=20)[:10] == drawn
    assert lowest(ids, seed="b", size=10) != drawn
    assert len(set(drawn)) == 10


def test_only_changes_that_are_done_are_drawn(account: Account, tmp_path: Path) -> None:
    done_change(account)
    done_change(account, state=ChangeState.REJECTED)
    sample = facts(built(tmp_path, seed="s1"), "sample")
    assert (sample["seed"], sample["population"], len(sample["rows"])) == ("s1", 1, 1)


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.APPROVER, Role.AUDITOR])
def test_a_worker_builds_what_was_requested(account: Account, role: Role) -> None:
    done_change(account)
    viewer = factories.viewer(role)
    pack = request_pack(_order(), actor=viewer, now=NOW())
    assert waiting_packs() == [pack.pk]
    run_pack(pack.pk)
    pack.refresh_from_db()
    assert (pack.state, pack.error) == (PackState.DONE, "")
    assert pack.path.stat().st_size == pack.size
    assert verify(str(pack.path), pack.key)[1] == set()
    assert waiting_packs() == []
    entries = Entry.objects.filter(kind__startswith="evidence.").order_by("id")
    assert list(entries.values_list("kind", flat=True)) == ["evidence.request", "evidence.build"]


def test_members_and_team_leads_build_none(account: Account) -> None:
    lead = factories.person("Elif Kaya")
    factories.assign(lead, Role.TEAM_LEAD, team=Team.objects.create(slug="pay", name="Payments"))
    for viewer in (factories.viewer(Role.MEMBER), viewer_for(lead)):
        with pytest.raises(PackRefusedError):
            request_pack(_order(), actor=viewer, now=NOW())


def test_a_person_who_lost_the_role_meanwhile_gets_nothing(account: Account) -> None:
    viewer = auditor()
    pack = request_pack(_order(), actor=viewer, now=NOW())
    factories.Person.objects.get(pk=viewer.person_id).assignments.all().delete()
    run_pack(pack.pk)
    pack.refresh_from_db()
    assert pack.state == PackState.FAILED
    assert not pack.path.exists()


def test_a_pack_whose_worker_died_is_built_by_another(account: Account) -> None:
    pack = request_pack(_order(), actor=auditor(), now=NOW())
    rows = EvidencePack.objects.filter(pk=pack.pk)
    rows.update(state=PackState.BUILDING, lease_until=NOW() + timedelta(minutes=1))
    run_pack(pack.pk)
    assert rows.get().state == PackState.BUILDING
    rows.update(lease_until=NOW() - timedelta(minutes=1))
    assert waiting_packs() == [pack.pk]
    run_pack(pack.pk)
    assert rows.get().state == PackState.DONE


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"since": NOW(), "until": NOW() - timedelta(days=1)}, "until"),
        ({"since": NOW() - timedelta(days=2000)}, "since"),
        ({"seed": "a b"}, "seed"),
        ({"sample_size": 501}, "sample_size"),
        ({"accounts": ("999999999999",)}, "accounts"),
    ],
)
def test_a_wrong_order_is_refused_at_its_field(account: Account, fields: Any, field: str) -> None:
    with pytest.raises(PackRefusedError) as error:
        request_pack(_order(**fields), actor=auditor(), now=NOW())
    assert error.value.field == field


def test_without_a_key_nothing_is_built(account: Account, settings: Any) -> None:
    settings.SIGNING_KEYS = []
    with pytest.raises(PackRefusedError, match="GATEHOUSE_SIGNING_KEY"):
        request_pack(_order(), actor=auditor(), now=NOW())


def test_packs_of_others_are_seen_by_who_sees_everything(account: Account) -> None:
    pack = request_pack(_order(), actor=auditor(account_id=account.account_id), now=NOW())
    assert list(visible_packs(factories.viewer(Role.ADMINISTRATOR))) == [pack]
    assert list(visible_packs(factories.viewer(Role.APPROVER, name="Hana Sato"))) == []
    assert list(visible_packs(auditor(account_id="222222222222"))) == []


def test_the_name_of_the_task_is_known() -> None:
    from console.celery import app

    app.loader.import_default_modules()
    assert BUILD_TASK in app.tasks


def test_a_pack_of_a_framework_has_its_requirements_for_the_chosen_account(
    account: Account, tmp_path: Path
) -> None:
    factories.synced(account)
    factories.user(account, "tomas", credentials={"has_password": True, "mfa": "none"})
    calculate(account)
    order = {"kind": PackKind.FRAMEWORK, "subject": "pci-dss-4.0.1", "accounts": (account.account_id,)}
    pack = built(tmp_path, **order)
    rows = {row["requirement"]: row for row in facts(pack, "requirements")["rows"]}
    assert {"7.2.4", "8.4.2"} <= rows.keys()
    assert set(rows["8.4.2"]["automatic"]["accounts"]) <= {account.account_id, "gatehouse"}
    findings = [(row["kind"], row["title"]) for row in facts(pack, "findings")["rows"]]
    assert ("password-without-mfa", "Console password without MFA") in findings
    assert all(title != kind for kind, title in findings)
    assert verify(str(pack))[1] == set()


def test_a_framework_that_is_not_there_is_refused(account: Account) -> None:
    with pytest.raises(PackRefusedError) as error:
        request_pack(_order(kind=PackKind.FRAMEWORK, subject="x"), actor=auditor(), now=NOW())
    assert error.value.field == "subject"


def test_a_pack_of_a_review_has_its_rows_and_its_sign_off(account: Account, tmp_path: Path) -> None:
    user = factories.user(account, "tomas")
    campaign = ReviewCampaign.objects.create(
        name="Quarter",
        terms=ReviewTerms().to_json(),
        requested_by=uuid.uuid4(),
        owner_id=uuid.uuid4(),
        reviewer_id=uuid.uuid4(),
        second_reviewer_id=uuid.uuid4(),
        due_at=NOW(),
    )
    ReviewItem.objects.create(
        campaign=campaign,
        account=account,
        entity=user,
        subject_kind="person",
        subject="tomas",
        sort="member",
        target="arn:aws:iam::111111111111:group/g",
        target_name="g",
        access=ReviewAccess.objects.create(campaign=campaign, key="k", lines=["Read files"]),
        use="unknown",
        decision="keep",
        decided_name="Hana Sato",
        decided_at=NOW(),
    )
    pack = built(tmp_path, kind=PackKind.REVIEW, subject=campaign.reference)
    row = facts(pack, "reviews")["rows"][0]
    assert (row["subject"], row["decision"], row["use"]) == ("tomas", "Keep", "Unknown")
    with pytest.raises(PackRefusedError):
        request_pack(_order(kind=PackKind.REVIEW, subject="REV-00000000"), actor=auditor(), now=NOW())
