"""Models of calculated privilege escalation: calculations, findings, groups, and answers to questions."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class EscalationCalculation(models.Model):
    """The calculation of a moment.

    `moment` is "" for now, else ISO 8601. `number` grows with each calculated state; 0 means requested and
    not calculated. `inputs` is a digest of all inputs, `revisions` those of the accounts. By account, `asked`
    counts users and roles, and `unread` has clauses on unsynced data; `limitations` are those of the answers.
    `lease` is held by one process until `lease_until`.
    """

    moment = models.CharField(max_length=40, primary_key=True)
    format = models.PositiveSmallIntegerField(default=0)
    number = models.PositiveBigIntegerField(default=0)
    inputs = models.CharField(max_length=32, blank=True)
    revisions = models.JSONField(default=dict)
    asked = models.JSONField(default=dict)
    unread = models.JSONField(default=dict)
    limitations = models.JSONField(default=list)
    calculated_at = models.DateTimeField(null=True)
    seconds = models.FloatField(default=0)
    wanted_at = models.DateTimeField(null=True)
    lease = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True)

    class Meta:
        db_table = "access_escalating_calculation"

    def __str__(self) -> str:
        return f"escalation {self.moment or 'now'}, {self.number}"


class EscalationCertainty(models.IntegerChoices):
    """The certainty of a finding, most certain first."""

    CONFIRMED = 0
    UNCONFIRMED = 1
    CONDITIONAL = 2


class EscalationFinding(models.Model):
    """A user or role that can become administrator, or is one (no `steps`).

    `principal` is its primary key in the mirror. `opener` is the group of its path (`EscalationOpening`),
    `stamp` the state of the accounts for which the path was explained, `unread` are clauses. `search` is its
    search text in lower case.
    """

    calculation = models.ForeignKey(
        EscalationCalculation, db_index=False, on_delete=models.CASCADE, related_name="findings"
    )
    account = models.CharField(max_length=12)
    principal = models.BigIntegerField()
    arn = models.CharField(max_length=2048)
    aws_id = models.CharField(max_length=128, blank=True)
    is_role = models.BooleanField()
    is_conditional = models.BooleanField()
    steps = models.PositiveIntegerField()
    certainty = models.PositiveSmallIntegerField(choices=EscalationCertainty.choices)
    unread = models.JSONField(default=list)
    opener = models.CharField(max_length=16, blank=True)
    search = models.TextField(blank=True)
    path = models.JSONField()
    stamp = models.CharField(max_length=32)

    class Meta:
        db_table = "access_escalating_finding"
        constraints = [
            models.UniqueConstraint(fields=["calculation", "principal"], name="one_finding_of_a_principal")
        ]
        indexes = [
            models.Index(
                fields=["calculation", "is_role", "is_conditional", "steps", "account", "arn"],
                condition=Q(steps__gt=0),
                name="finding_by_place",
            ),
            models.Index(fields=["calculation", "opener", "certainty"], name="finding_by_opener"),
            models.Index(fields=["calculation", "account"], name="finding_by_account"),
        ]

    def __str__(self) -> str:
        return f"{self.arn} in {self.steps} steps"


class EscalationOpening(models.Model):
    """A group of findings: the statements that open their paths, and the acts of the paths by account, most
    frequent first.
    """

    calculation = models.ForeignKey(
        EscalationCalculation, db_index=False, on_delete=models.CASCADE, related_name="openings"
    )
    key = models.CharField(max_length=16)
    statements = models.JSONField(default=list)
    means = models.JSONField(default=dict)

    class Meta:
        db_table = "access_escalating_opening"
        constraints = [models.UniqueConstraint(fields=["calculation", "key"], name="one_opening_of_a_key")]

    def __str__(self) -> str:
        return self.key


class EscalationQuestion(models.Model):
    """A question of a page that needs the graph.

    `key` is a digest of question and moment; `number` is that of the calculation used for the answer.
    """

    key = models.CharField(max_length=32, primary_key=True)
    calculation = models.ForeignKey(EscalationCalculation, on_delete=models.CASCADE, related_name="questions")
    asks = models.JSONField()
    asked_at = models.DateTimeField()
    number = models.PositiveBigIntegerField(default=0)
    answer = models.JSONField(null=True)
    answered_at = models.DateTimeField(null=True)
    has_failed = models.BooleanField(default=False)

    class Meta:
        db_table = "access_escalating_question"
        indexes = [models.Index(fields=["asked_at"], name="question_by_age")]

    def __str__(self) -> str:
        return f"{self.asks.get('question')} {self.key}"


class ServiceUse(models.Model):
    """Counts of who can use which AWS service in an account: users, roles, and principals by access level."""

    account = models.CharField(max_length=12, primary_key=True)
    revision = models.PositiveBigIntegerField()
    standing = models.CharField(max_length=32)
    format = models.PositiveSmallIntegerField()
    users = models.PositiveIntegerField()
    roles = models.PositiveIntegerField()
    services = models.JSONField()
    calculated_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"services of {self.account}"
