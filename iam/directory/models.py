"""The tables of people, their teams, their IAM users, and their roles in Gatehouse."""

from __future__ import annotations

import uuid

from django.db import models


class Person(models.Model):
    """A person known to Gatehouse, the actor of changes and journal entries."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=128)
    email = models.EmailField(unique=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    was_approver = models.BooleanField(default=False, editable=False)
    """True if they have ever been an approver. It remains when the role is removed."""

    class Meta:
        verbose_name_plural = "people"

    def __str__(self) -> str:
        return self.name


class LinkOrigin(models.TextChoices):
    """How an IAM user was linked to a person."""

    HAND = "hand", "linked by hand"
    CONFIRMED = "confirmed", "confirmed"
    JOINED = "joined", "made for them"


class Identity(models.Model):
    """An IAM user that was linked to a person, by its ARN. The link gives the person rights over the user.

    `aws_id` is AWS's unique ID, empty until the mirror has it. A user that was deleted and created again has
    another ID and isn't linked.
    """

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="identities")
    user_arn = models.CharField(max_length=2048, unique=True)
    aws_id = models.CharField(max_length=128, blank=True, default="", db_index=True)
    tie = models.CharField(max_length=12, choices=LinkOrigin.choices, default=LinkOrigin.HAND)
    linked_by = models.CharField(max_length=128, blank=True, default="")
    linked_at = models.DateTimeField(auto_now_add=True, null=True)

    class Meta:
        verbose_name_plural = "identities"

    def __str__(self) -> str:
        return self.user_arn


class Team(models.Model):
    """A team of people, found in AWS by its rules."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=128)
    description = models.CharField(max_length=512, blank=True)

    def __str__(self) -> str:
        return self.name


class RuleKind(models.TextChoices):
    """What makes an IAM user part of a team."""

    GROUP = "group", "is a member of the IAM group"
    PATH = "path", "lies under the path"


class TeamRule(models.Model):
    """A rule by which users of an account (blank: of any) in the group or under the path belong
    to the team.
    """

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="rules")
    kind = models.CharField(max_length=8, choices=RuleKind.choices)
    account_id = models.CharField(max_length=12, blank=True)
    value = models.CharField(max_length=512)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "kind", "account_id", "value"], name="team_rule_once")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"


class OwnedUser(models.Model):
    """An IAM user without a person, such as a machine's, and the team that owns it.

    `aws_id` is AWS's unique ID: a renamed user remains with its team, and a user that was deleted and created
    again is a different one. `user_arn` follows a rename after the next sync.
    """

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="owned_users")
    account_id = models.CharField(max_length=12)
    aws_id = models.CharField(max_length=512, unique=True)
    user_arn = models.CharField(max_length=2048)
    set_by = models.CharField(max_length=128)
    set_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "machine user"

    def __str__(self) -> str:
        return self.user_arn


class OwnedKind(models.TextChoices):
    """What has a named owner."""

    IDENTITY = "identity", "IAM user or role"
    KEY = "key", "Access key"
    GRANT = "grant", "Grant"


class NamedOwner(models.Model):
    """The person or team set in Gatehouse as responsible for a machine user, a role, an access key or a
    grant. It gives no rights.

    `subject` is AWS's unique ID, so that a role that was deleted and created again is a different one, or the
    id of the key or grant. `name` is its display name. `account_id` is blank for a grant in several accounts.
    """

    kind = models.CharField(max_length=8, choices=OwnedKind.choices)
    subject = models.CharField(max_length=512)
    account_id = models.CharField(max_length=12, blank=True)
    name = models.CharField(max_length=512)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, null=True, related_name="named_for")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, related_name="named_for")
    set_by = models.CharField(max_length=128)
    set_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "owned identity or grant"
        verbose_name_plural = "owned identities and grants"
        constraints = [
            models.UniqueConstraint(fields=["kind", "subject"], name="one_named_owner"),
            models.CheckConstraint(
                condition=models.Q(person__isnull=True, team__isnull=False)
                | models.Q(person__isnull=False, team__isnull=True),
                name="a_person_or_a_team_owns",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.owner_name} owns {self.name}"

    @property
    def owner_name(self) -> str:
        """The name of the person or team."""
        owner = self.team or self.person
        return owner.name if owner else ""

    @property
    def short_name(self) -> str:
        """The name without its ARN."""
        return self.name.rpartition("/")[2] if self.name.startswith("arn:") else self.name

    @property
    def kind_label(self) -> str:
        """The type in words: role, IAM user, access key or grant."""
        if self.kind != OwnedKind.IDENTITY:
            return OwnedKind(self.kind).label
        return "Role" if ":role/" in self.name else "IAM user"


class Role(models.TextChoices):
    """The roles of a person in Gatehouse."""

    ADMINISTRATOR = "administrator", "Administrator"
    APPROVER = "approver", "Approver"
    TEAM_LEAD = "team-lead", "Team lead"
    MEMBER = "member", "Member"
    AUDITOR = "auditor", "Auditor"


class AuditScope(models.Model):
    """The limits of a person's auditor roles besides their accounts: frameworks by name, evidence packs by
    id, a period (`until` exclusive). Empty ones limit nothing. A person with a limit can't see any other
    pages.
    """

    person = models.OneToOneField(
        Person, on_delete=models.CASCADE, primary_key=True, related_name="audit_scope"
    )
    frameworks = models.JSONField(default=list)
    packs = models.JSONField(default=list)
    since = models.DateTimeField(null=True)
    until = models.DateTimeField(null=True)
    set_by = models.CharField(max_length=128)
    set_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"audit scope of {self.person_id}"


class RoleAssignment(models.Model):
    """A role of a person, in one account (blank: in all), for one team (team leads only), until a time
    (auditors only). The guard ignores roles that have ended.
    """

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="assignments")
    role = models.CharField(max_length=16, choices=Role.choices)
    account_id = models.CharField(max_length=12, blank=True)
    team = models.ForeignKey(
        Team, on_delete=models.CASCADE, null=True, blank=True, related_name="assignments"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    until = models.DateTimeField(null=True, help_text="When it ends without anyone’s doing (auditors only).")

    class Meta:
        constraints = [
            # Two constraints, because nulls are never equal and SQLite can't change that.
            models.UniqueConstraint(
                fields=["person", "role", "account_id"],
                condition=models.Q(team__isnull=True),
                name="role_once",
            ),
            models.UniqueConstraint(
                fields=["person", "role", "account_id", "team"],
                condition=models.Q(team__isnull=False),
                name="role_once_a_team",
            ),
            models.CheckConstraint(
                condition=models.Q(role="team-lead", team__isnull=False)
                | (~models.Q(role="team-lead") & models.Q(team__isnull=True)),
                name="a_team_lead_leads_a_team",
            ),
            models.CheckConstraint(
                condition=models.Q(role="auditor") | models.Q(until__isnull=True),
                name="an_auditor_alone_ends",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} is {self.role}"


class AppointmentState(models.TextChoices):
    """The status of an appointment."""

    WAITING = "waiting", "Waiting"
    APPROVED = "approved", "Approved"
    REJECTED = "rejected", "Rejected"
    WITHDRAWN = "withdrawn", "Withdrawn"


class Appointment(models.Model):
    """A role that decides about others, requested by one person and given when a second one approves."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="appointments")
    role = models.CharField(max_length=16, choices=Role.choices)
    account_id = models.CharField(max_length=12, blank=True)
    state = models.CharField(
        max_length=12, choices=AppointmentState.choices, default=AppointmentState.WAITING
    )
    asked_by = models.UUIDField()
    asked_label = models.CharField(max_length=128)
    at = models.DateTimeField(auto_now_add=True)
    decided_by = models.UUIDField(null=True)
    decided_label = models.CharField(max_length=128, blank=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "role", "account_id"],
                condition=models.Q(state="waiting"),
                name="one_appointment_waits",
            )
        ]

    def __str__(self) -> str:
        return f"{self.person_id} to become {self.role}"
