"""Someone whose offboarding or suspension is under way: no page offers the fields of a second request that
would be refused.
"""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from iam.changes.models import Change
from iam.mirror.models import Entity
from iam.people.offboarding.models import (
    MOVING,
    SUSPENSION,
    Leaver,
    OffboardedUser,
    OffboardingRun,
    OffboardingStage,
)
from iam.people.runs.models import RunState
from tests import factories

pytestmark = pytest.mark.django_db
FIELD = re.compile(r'<(?:input|textarea|select)\b[^>]*\bname="(?!csrfmiddlewaretoken|key|next)([\w-]+)"')


@pytest.fixture
def user(user: Entity) -> Entity:
    """Also of the same name as another one."""
    other = factories.account("222222222222", write_role_arn="arn:aws:iam::222222222222:role/w")
    factories.user(other, "maya.okafor")
    return user


def under_way(user: Entity, stage: OffboardingStage) -> Leaver:
    """Somebody with this status."""
    is_suspension = stage in (*SUSPENSION, OffboardingStage.SUSPENDING)
    run = OffboardingRun.objects.create(
        requested_by=uuid4(),
        requested_label="Elif Kaya",
        state=RunState.REQUESTED,
        is_suspension=is_suspension,
    )
    leaver = Leaver.objects.create(run=run, name="Maya Okafor", stage=stage)
    OffboardedUser.objects.create(
        leaver=leaver, account=user.account, user=user, user_arn=user.arn, user_name=user.name
    )
    return leaver


def fields(page: str) -> set[str]:
    """The names of the fields in the main part of a page."""
    return set(FIELD.findall(page.partition("<main")[2].partition("</main>")[0]))


@pytest.mark.parametrize("stage", MOVING)
def test_the_page_leads_to_what_is_under_way_and_offers_no_fields(
    admin: Client, user: Entity, stage: OffboardingStage
) -> None:
    address = f"{reverse('offboarding:begin')}?user={user.pk}"
    assert {"when", "grace", "reason", "also"} <= fields(admin.get(address).content.decode())
    leaver = under_way(user, stage)
    page = admin.get(address).content.decode()
    assert reverse("offboarding:leaver", args=[leaver.pk]) in page
    assert fields(page) == set()
    assert "Submit request" not in page
    sent = admin.post(address, {"reason": "Last day", "grace": "x", "key": "k"})
    assert sent.status_code == 422
    assert fields(sent.content.decode()) == set()
    assert "already being offboarded" in sent.content.decode()
    assert not Change.objects.exists()


def test_who_waits_to_be_offboarded_can_still_be_suspended_on_a_page_of_its_own(
    admin: Client, user: Entity
) -> None:
    under_way(user, OffboardingStage.WAITING)
    page = " ".join(admin.get(f"{reverse('offboarding:begin')}?user={user.pk}").content.decode().split())
    address = f"{reverse('offboarding:suspend')}?user={user.pk}"
    assert f'href="{address}"' in page
    assert "Uses the reason above" not in page
    assert "reason" in fields(admin.get(address).content.decode())


@pytest.mark.parametrize("stage", [*SUSPENSION, OffboardingStage.SUSPENDING])
def test_who_is_suspended_is_not_offered_to_be_suspended_again(
    admin: Client, user: Entity, stage: OffboardingStage
) -> None:
    under_way(user, stage)
    assert fields(admin.get(f"{reverse('offboarding:suspend')}?user={user.pk}").content.decode()) == set()
