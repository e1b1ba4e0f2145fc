"""Models of assertions: requests to change them, results by account, and their history."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from iam.audit.approval_requests.requests import DecidedRequest
from iam.mirror.models import Account


class AssertionStatus(models.TextChoices):
    """Whether the assertion is checked."""

    REQUESTED = "requested", "Waiting for approval"
    ACTIVE = "active", "Active"
    RETIRED = "retired", "Retired"
    DECLINED = "declined", "Declined"


class AssertionState(models.TextChoices):
    """The result of the last check. Unknown: no breach is known, but some data is not synced."""

    HELD = "held", "Held"
    BROKEN = "broken", "Broken"
    UNKNOWN = "unknown", "Unknown"


class StandingAssertion(models.Model):
    """An assertion that only certain principals can do certain actions on certain resources.

    `terms` is the JSON of AssertionTerms; `version` counts approved changes. `broken_since` is the beginning
    of the current breach, `first_broken` and `last_broken` are when it was first and last seen.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120)
    reason = models.CharField(max_length=1000)
    owner = models.CharField(max_length=200, blank=True)
    terms = models.JSONField()
    version = models.PositiveIntegerField(default=1)
    status = models.CharField(
        max_length=10, choices=AssertionStatus.choices, default=AssertionStatus.REQUESTED
    )
    state = models.CharField(max_length=8, choices=AssertionState.choices, default=AssertionState.UNKNOWN)
    created_at = models.DateTimeField()
    active_from = models.DateTimeField(null=True)
    retired_at = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(null=True)
    first_broken = models.DateTimeField(null=True)
    last_broken = models.DateTimeField(null=True)
    broken_since = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["name"],
                condition=Q(status__in=("requested", "active")),
                name="one_assertion_of_a_name",
            )
        ]

    def __str__(self) -> str:
        return self.name


class AssertionResult(models.Model):
    """The result for one account.

    `inputs` is a digest of everything it depends on, so that an account is checked again only if that
    changes. `breaches` is JSON of AssertionBreach; `unread` are clauses.
    """

    assertion = models.ForeignKey(StandingAssertion, on_delete=models.CASCADE, related_name="results")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    inputs = models.CharField(max_length=32)
    breaches = models.JSONField(default=list)
    unread = models.JSONField(default=list)
    checked_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["assertion", "account"], name="one_result_of_an_account")
        ]

    def __str__(self) -> str:
        return f"{self.assertion_id} in {self.account_id}"


class AssertionAct(models.TextChoices):
    """The kind of request."""

    CREATE = "create", "Create"
    CHANGE = "change", "Change"
    RETIRE = "retire", "Retire"


class ProposalState(models.TextChoices):
    """The status of a request."""

    REQUESTED = "requested", "Waiting for approval"
    APPROVED = "approved", "Approved"
    DECLINED = "declined", "Declined"
    WITHDRAWN = "withdrawn", "Withdrawn"


class AssertionProposal(DecidedRequest):
    """A request to create, change or retire an assertion. Someone other than the requester decides."""

    assertion = models.ForeignKey(StandingAssertion, on_delete=models.CASCADE, related_name="proposals")
    act = models.CharField(max_length=8, choices=AssertionAct.choices)
    state = models.CharField(max_length=10, choices=ProposalState.choices, default=ProposalState.REQUESTED)
    name = models.CharField(max_length=120)
    owner = models.CharField(max_length=200, blank=True)
    terms = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["assertion"], condition=Q(state="requested"), name="one_requested_proposal"
            )
        ]

    def __str__(self) -> str:
        return f"{self.act} {self.name}: {self.state}"


class AssertionEventKind(models.TextChoices):
    """The kinds of events in the history."""

    REQUESTED = "requested", "Requested"
    APPROVED = "approved", "Approved"
    DECLINED = "declined", "Declined"
    HELD = "held", "Held"
    BROKEN = "broken", "Broken"
    UNKNOWN = "unknown", "Unknown"


class AssertionEvent(models.Model):
    """One event in the history of an assertion. `detail` is the request, or who breaks it."""

    assertion = models.ForeignKey(
        StandingAssertion, db_index=False, on_delete=models.CASCADE, related_name="events"
    )
    at = models.DateTimeField()
    kind = models.CharField(max_length=10, choices=AssertionEventKind.choices)
    actor = models.CharField(max_length=200, blank=True)
    reason = models.CharField(max_length=1000, blank=True)
    detail = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["assertion", "at"], name="assertion_history")]

    def __str__(self) -> str:
        return f"{self.kind} at {self.at}"
