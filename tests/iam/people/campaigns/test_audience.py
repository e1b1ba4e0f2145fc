"""Before a campaign starts: whom it mails, whom it can't reach and why; while it runs: who is stuck, for
their lead.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from iam.directory.models import Team
from iam.guard import Viewer
from iam.mirror.models import Account
from iam.notify.models import OutgoingMessage
from iam.people.campaigns import reconcile, services
from iam.people.campaigns.audience import audience, stuck_campaigns
from iam.people.campaigns.models import Campaign
from iam.people.campaigns.queries import progress
from iam.people.links.models import OneTimeLink
from tests import factories
from tests.iam.people.campaigns.test_campaigns import client_of_ines, ines, mails
from tests.iam.people.campaigns.test_rights import begun, lead_of, user

__all__ = ["client_of_ines", "ines"]
pytestmark = pytest.mark.django_db


def unlinked(account: Account, name: str, mfa: str = "none") -> None:
    factories.user(account, name, credentials={"mfa": mfa, "has_password": True})


def test_everybody_is_in_just_one_list(ines: Viewer, account: Account) -> None:
    user(account, "kwame")
    unlinked(account, "nobody.knows")
    unlinked(account, "not.read", mfa="unread")
    unlinked(account, "perhaps", mfa="unknown")
    unlinked(account, "has.app", mfa="virtual")
    factories.user(account, "machine", credentials={"mfa": "none", "has_password": False})
    reached = audience(ines, account=account, team=None)
    assert [person.name for _, person in reached.mailed] == ["Kwame"]
    assert [entity.name for entity in reached.unlinked] == ["nobody.knows"]
    assert [entity.name for entity in reached.unknown] == ["not.read", "perhaps"]
    assert (reached.enrolled, reached.total) == (1, 5)


def test_the_review_counts_what_the_campaign_counts_and_mails_whom_it_names(
    ines: Viewer, account: Account, client_of_ines: Client
) -> None:
    user(account, "kwame")
    unlinked(account, "nobody.knows")
    unlinked(account, "perhaps", mfa="unknown")
    reached = audience(ines, account=account, team=None)
    campaign = begun(ines, account=account)
    known = progress(campaign)
    assert (known.total, known.missing, known.unread, known.enrolled) == (
        reached.total,
        len(reached.mailed) + len(reached.unlinked),
        len(reached.unknown),
        reached.enrolled,
    )
    reconcile.reconcile_campaigns()
    assert mails() == {person.name: 1 for _, person in reached.mailed}


def test_the_mail_that_is_shown_is_the_mail_that_is_sent(ines: Viewer, account: Account) -> None:
    user(account, "kwame")
    campaign = begun(ines, account=account)
    reconcile.reconcile_campaigns()
    sent = OutgoingMessage.objects.get()
    participant = campaign.participants.get()
    link = OneTimeLink.objects.get(cause_id=participant.pk)
    shown = services.message(campaign, user=participant.user, until=link.expires_at, is_reminder=False)
    assert (sent.subject, sent.text) == shown


def test_a_lead_sees_who_is_stuck_and_can_remind_all(ines: Viewer, account: Account, settings: Any) -> None:
    group = factories.group(account, "payments-dev")
    user(account, "kwame", group), user(account, "maya", group)
    lead = lead_of("payments", group)
    begun(lead, team=Team.objects.get(slug="payments"))
    begun(ines, account=account, name="Everybody")
    (stuck,) = stuck_campaigns(lead)
    assert (stuck.to_remind, stuck.unlinked, stuck.may_remind, stuck.more) == (2, 0, True, 0)
    assert sorted(row.person.name for row in stuck.people if row.person) == ["Kwame", "Maya"]
    assert len(stuck_campaigns(lead, most=1)[0].people) == 1
    assert services.remind(lead, campaign=stuck.campaign) == 2
    services.close(lead, stuck.campaign)
    assert stuck_campaigns(lead) == []
    assert Campaign.objects.count() == 2
