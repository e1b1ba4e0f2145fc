"""The sample grants: once, when the people are read, approved by somebody else than who asked."""

from __future__ import annotations

import pytest

from console.demo.grants import SAMPLES, give_samples
from console.demo.organisation.people import ACCOUNT_IDS
from console.demo.prepare import NAMES
from iam.access.grants.models import Grant
from iam.changes.models import Approval, Change
from iam.changes.states import RUN_CHANGE
from iam.directory.models import Role
from tests import factories as make
from tests.queue import catch

pytestmark = pytest.mark.django_db
PRODUCTION = ACCOUNT_IDS["production"]


@pytest.fixture
def organisation(monkeypatch: pytest.MonkeyPatch) -> None:
    """The people of the samples, with users that are not read yet."""
    catch(monkeypatch, RUN_CHANGE, lambda *_, **__: True)
    roles = {"ines.duarte": Role.ADMINISTRATOR, "tomas.lind": Role.MEMBER}
    for login in {who for sample in SAMPLES for who in (sample.asker, sample.receiver, *sample.approvers)}:
        arn = f"arn:aws:iam::{PRODUCTION}:user/{login}"
        someone = make.person(login, email=f"{login}@northline.example", arns=(arn,))
        make.assign(someone, roles.get(login, Role.APPROVER))


def read() -> None:
    """The first reading has been."""
    account = make.account(
        PRODUCTION,
        name=NAMES["production"],
        write_role_arn=f"arn:aws:iam::{PRODUCTION}:role/gatehouse-writer",
    )
    for sample in SAMPLES:
        make.user(account, sample.receiver)


def test_nothing_is_given_before_the_people_are_read(organisation: None) -> None:
    assert give_samples() == 0
    assert not Grant.objects.exists()


def test_sample_grants_are_given_once_and_approved_by_others(organisation: None) -> None:
    read()
    assert give_samples() == len(SAMPLES)
    waiting = Change.objects.filter(state="awaiting_approval").values("change_set").distinct()
    assert waiting.count() == sum(not sample.approvers for sample in SAMPLES) == 1
    assert set(Change.objects.values_list("state", flat=True)) == {"queued", "awaiting_approval"}
    for grant in Grant.objects.exclude(parts__change_set__in=waiting):
        sets = grant.parts.values("change_set").distinct()
        approvers = Approval.objects.filter(change_set__in=sets).values_list("approver_id", flat=True)
        assert approvers
        assert grant.requested_by not in approvers
    assert give_samples() == 0
    assert Grant.objects.count() == len(SAMPLES)


def test_production_gets_none(organisation: None, settings: object) -> None:
    read()
    settings.EMBEDDED = False  # type: ignore[attr-defined]
    assert give_samples() == 0
