"""Operators in their browsers, an account they work on, and the forms they send."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.test import Client
from django.urls import reverse

from iam.changes.models import Change
from iam.mirror.models import Account, Entity

HTMX = {"HX-Request": "true"}


@dataclass
class Site:
    """An account with a user and a group, an operator who asks and one who approves, each signed in."""

    account: Account
    user: Entity
    group: Entity
    asker: Client
    approver: Client
    asks: Any
    approves: Any

    def address(self, do: str = "add", **fields: Any) -> str:
        """The page of the membership."""
        return f"{reverse('changes:membership')}?user={self.user.pk}&group={self.group.pk}&do={do}"

    def post(self, client: Client, *, reason: str = "On call", key: str = "") -> Any:
        """Send the form of the membership page."""
        return client.post(self.address(), {"reason": reason, "key": key or str(uuid.uuid4())})

    def asked(self) -> Change:
        """A change that waits for approval."""
        self.post(self.asker)
        return Change.objects.get()

    def decide(self, client: Client, change: Change, decision: str, comment: str = "", **fields: str) -> Any:
        """Send the form of the decision."""
        form = {"decision": decision, "comment": comment, "seen": change.change_set.receipt_digest} | fields
        return client.post(reverse("changes:decide", args=[change.pk]), form)


def signed_in(operator: Any) -> Client:
    """A browser in which somebody has just signed in."""
    client = Client()
    client.force_login(operator)
    return client


def page_of(change: Change) -> str:
    """The address of a change."""
    return reverse("changes:change", args=[change.pk])
