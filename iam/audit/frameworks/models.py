"""Models of frameworks: scopes, parts of accounts, results, and decisions of people."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from iam.audit.approval_requests.requests import DecidedRequest
from iam.mirror.models import Account


class ComplianceScope(models.Model):
    """A named part of the organization, such as the cardholder data environment; see ScopeTerms."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=120, unique=True)
    terms = models.JSONField()
    changed_by = models.CharField(max_length=200)
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class FrameworkAssessment(models.Model):
    """The contribution of one account, or (account null) of Gatehouse itself, to each requirement.

    The parts are by requirement number, for now (moment null) or a requested past moment. `key` is a digest
    of framework, scope, account and moment; `inputs` is a digest of the judged data.
    """

    key = models.CharField(max_length=32, unique=True)
    framework = models.CharField(max_length=40)
    scope = models.ForeignKey(ComplianceScope, on_delete=models.CASCADE, null=True, related_name="+")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, null=True, related_name="+")
    moment = models.DateTimeField(null=True)
    inputs = models.CharField(max_length=32)
    evaluated_at = models.DateTimeField()
    parts = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["framework", "scope", "account"], name="assessment_of_framework"),
            models.Index(fields=["moment"], condition=Q(moment__isnull=False), name="past_assessment"),
        ]

    def __str__(self) -> str:
        return f"{self.framework} of {self.account_id} at {self.evaluated_at}"


class FrameworkSummary(models.Model):
    """The results of a framework in a scope over all accounts, for now (moment null) or a requested past
    moment.

    `updated_at` is null until a worker has judged it.
    """

    key = models.CharField(max_length=32, unique=True)
    framework = models.CharField(max_length=40)
    scope = models.ForeignKey(ComplianceScope, on_delete=models.CASCADE, null=True, related_name="+")
    moment = models.DateTimeField(null=True)
    requested_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(null=True)
    results = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["requested_at"], name="summary_waits", condition=Q(updated_at__isnull=True))
        ]

    def __str__(self) -> str:
        return f"{self.framework} at {self.moment or 'now'}"


class RequirementChange(models.Model):
    """A change of a requirement's state in a scope, over all accounts."""

    framework = models.CharField(max_length=40)
    scope = models.ForeignKey(ComplianceScope, on_delete=models.CASCADE, null=True, related_name="+")
    requirement = models.CharField(max_length=16)
    at = models.DateTimeField()
    before = models.CharField(max_length=16, blank=True)
    state = models.CharField(max_length=16)
    reason = models.CharField(max_length=1000, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["framework", "requirement", "at"], name="requirement_history"),
            models.Index(fields=["framework", "at"], name="framework_history"),
        ]

    def __str__(self) -> str:
        return f"{self.requirement}: {self.state} at {self.at}"


class DecisionState(models.TextChoices):
    """The status of a decision. An attestation is in force at once."""

    REQUESTED = "requested", "Waiting for approval"
    IN_FORCE = "in-force", "In force"
    DECLINED = "declined", "Declined"
    ENDED = "ended", "Ended"


class RequirementDecision(DecidedRequest):
    """A decision about a requirement in a scope.

    It is an attestation or, with the approval of a second person, an exception, a compensating control or
    that it does not apply. `kind` is one of `iam.audit.frameworks.judgement.DecisionKind`; `covers` are the
    keys that failed when an exception was requested. In force from `from_at` (not while a request waits)
    until `until` or `ended_at`.
    """

    framework = models.CharField(max_length=40)
    requirement = models.CharField(max_length=16)
    scope = models.ForeignKey(ComplianceScope, on_delete=models.PROTECT, null=True, related_name="+")
    kind = models.CharField(max_length=16)
    state = models.CharField(max_length=10, choices=DecisionState.choices)
    covers = models.JSONField(default=list)
    until = models.DateTimeField()
    from_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_name = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [models.Index(fields=["framework", "requirement"], name="decision_of_requirement")]
        constraints = [
            models.UniqueConstraint(
                fields=["framework", "requirement", "kind", "scope"],
                condition=Q(state="requested", scope__isnull=False),
                name="one_requested_decision",
            ),
            models.UniqueConstraint(
                fields=["framework", "requirement", "kind"],
                condition=Q(state="requested", scope__isnull=True),
                name="one_requested_decision_of_all",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.requirement}: {self.state}"


class AssessmentMark(models.Model):
    """The assessment of a framework in a scope by someone at a moment. "Changed since the last assessment"
    counts from it.
    """

    framework = models.CharField(max_length=40)
    scope = models.ForeignKey(ComplianceScope, on_delete=models.CASCADE, null=True, related_name="+")
    at = models.DateTimeField()
    by = models.UUIDField()
    by_name = models.CharField(max_length=200)
    counts = models.JSONField(default=dict, help_text="How many requirements were in each state.")

    class Meta:
        indexes = [models.Index(fields=["framework", "-at"], name="last_assessment")]

    def __str__(self) -> str:
        return f"{self.framework} assessed at {self.at}"
