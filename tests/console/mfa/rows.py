"""Rows about MFA that tests/test_urls_by_role.py looks at."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from iam.directory.models import Person, Team
from iam.mirror.models import Account, Entity, Kind
from iam.people.campaigns.models import Campaign
from iam.people.replacing.models import DeviceReplacement


def campaigns(account: Account, team: Team, author: Person) -> dict[str, dict[str, Any]]:
    """A campaign of the team that is led, and one of the whole account."""
    terms = {"due": datetime.now(tz=UTC).date(), "ending": "notify", "reason": "PCI"}
    terms |= {"begun_by": author, "begun_at": datetime.now(tz=UTC)}
    led = Campaign.objects.create(name="The team", team=team, **terms)
    whole = Campaign.objects.create(name="The account", account=account, **terms)
    return {"campaign": {"pk": led.pk}, "other campaign": {"pk": whole.pk}}


def replacement(user: Entity, person: Person, asker: Person) -> DeviceReplacement:
    """The administrator says that the member has lost a device."""
    now = datetime.now(tz=UTC)
    device = Entity.objects.filter(kind=Kind.MFA_DEVICE, owner=user).latest("pk")
    params = {"asked_over": "chat", "reason": "Lost", "asked_at": now, "until": now + timedelta(hours=4)}
    return DeviceReplacement.objects.create(person=person, user=user, device=device, asked_by=asker, **params)
