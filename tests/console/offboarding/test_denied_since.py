"""What the page of a person says of the denial is so in each status."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.template.loader import render_to_string

from iam.people.offboarding.models import Leaver, OffboardingRun, OffboardingStage

NOT_CUT = (OffboardingStage.WAITING, OffboardingStage.PLANNED, OffboardingStage.CALLED_OFF)
NO_LONGER_CUT = (OffboardingStage.RETURNED, OffboardingStage.PARTLY)
CUT = datetime(2026, 1, 15, 9, tzinfo=UTC)


@pytest.mark.parametrize("stage", [stage for stage in OffboardingStage if stage != OffboardingStage.DRAFT])
def test_only_who_is_denied_now_is_denied_since_a_day(stage: OffboardingStage) -> None:
    leaver = Leaver(name="Maya Okafor", stage=stage, closed_at=CUT)
    text = render_to_string("offboarding/_leaver_facts.html", {"leaver": leaver, "run": OffboardingRun()})
    assert ("Denied everything since" in text) == (stage not in (*NOT_CUT, *NO_LONGER_CUT))
    assert ("Denied everything from" in text) == (stage in NO_LONGER_CUT)
    assert ("Checked in AWS" in text) == (stage not in NOT_CUT)


def test_a_restore_does_not_claim_to_give_back_a_deleted_password() -> None:
    leaver = Leaver(name="Maya Okafor", stage=OffboardingStage.RETURNED, closed_at=CUT, returned_at=CUT)
    context = {"leaver": leaver, "run": OffboardingRun(), "later_done": 2, "later_total": 2}
    words = " ".join(render_to_string("offboarding/_leaver_status.html", context).split())
    assert "2 of 2 changes gave back what AWS can restore." in words
    assert "Reset a deleted password" in words
