"""The tables of onboarding runs: the people, and the IAM user of each in each account."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from iam.changes.models import ChangeSet
from iam.mirror.models import Account, Entity, Kind
from iam.people.blueprints.models import BlueprintVersion
from iam.people.runs.models import AbstractListRun, RowStatus

OF_ONBOARDING = "onboarding"
"""The cause of a set that creates the users of a run; its id is the run's."""
OF_RETRY = "onboarding-again"
"""The cause of a set that retries what failed; its id is that of the set in which it failed."""


class OnboardingRun(AbstractListRun):
    """People who are onboarded together. `trials` counts how often failed changes were retried."""

    prefix = "RUN"

    version = models.ForeignKey(BlueprintVersion, on_delete=models.PROTECT, related_name="runs")
    trials = models.PositiveSmallIntegerField(default=0)

    class Meta:
        db_table = "onboarding_run"
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="run_newest"),
            models.Index(fields=["state", "created_at"], name="run_by_state"),
        ]


class OnboardedPerson(models.Model):
    """A row of a run. `person_id` identifies the person in the directory, now or later. `until` is the last
    day of access. `users` are the mirror ids of existing users that can be included.

    `problems` are sentences about the row; `wrong` are those about a single field, by its name.
    `wants_link_at` is when the person requested another invitation. `link_for` is the sender of another
    invitation, which is sent when the new first password is set.
    """

    run = models.ForeignKey(OnboardingRun, on_delete=models.CASCADE, related_name="people")
    position = models.PositiveIntegerField()
    line = models.PositiveIntegerField()
    name = models.CharField(max_length=256, blank=True)
    email = models.CharField(max_length=256, blank=True)
    typed_name = models.CharField(max_length=64, blank=True, help_text="The user name that somebody wrote.")
    user_name = models.CharField(max_length=64, blank=True)
    until = models.DateField(null=True)
    typed_until = models.CharField(max_length=40, blank=True, help_text="The last day as somebody wrote it.")
    person_id = models.UUIDField(default=uuid.uuid4)
    standing = models.CharField(max_length=8, choices=RowStatus.choices, default=RowStatus.READY)
    problems = models.JSONField(default=list)
    wrong = models.JSONField(default=dict)
    users = models.JSONField(default=list)
    wants_link_at = models.DateTimeField(null=True)
    link_for = models.UUIDField(null=True)

    class Meta:
        db_table = "onboarding_newcomer"
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["run", "position"], name="newcomer_once")]
        indexes = [models.Index(fields=["run", "standing", "position"], name="newcomer_by_standing")]

    def __str__(self) -> str:
        return f"{self.line}: {self.name}"

    @property
    def other_problems(self) -> list[str]:
        """The problems that concern the row as a whole."""
        at_fields = set(self.wrong.values())
        return [problem for problem in self.problems if problem not in at_fields]


class ProvisionedUser(models.Model):
    """The user of a newcomer in an account. Its changes are those of `lane` in `change_set`, and those in the
    sets that retried failed ones.

    `password_seal` and `key_seal` are the seals of the secrets. `settled_at` is when every change had ended
    and the grants were written.
    """

    newcomer = models.ForeignKey(OnboardedPerson, on_delete=models.CASCADE, related_name="places")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    user_arn = models.CharField(max_length=2048)
    change_set = models.ForeignKey(ChangeSet, on_delete=models.PROTECT, related_name="+")
    lane = models.PositiveSmallIntegerField()
    password_seal = models.UUIDField(null=True)
    key_seal = models.UUIDField(null=True)
    joined_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "onboarding_place"
        constraints = [
            models.UniqueConstraint(fields=["newcomer", "account"], name="one_user_of_newcomer"),
            models.UniqueConstraint(fields=["change_set", "lane"], name="one_place_of_lane"),
        ]
        indexes = [
            models.Index(fields=["change_set"], condition=Q(settled_at__isnull=True), name="place_unsettled"),
        ]

    def __str__(self) -> str:
        return self.user_arn

    def user(self) -> Entity | None:
        """Return the IAM user in the mirror, or None."""
        users = Entity.objects.filter(account=self.account_id, kind=Kind.USER, arn=self.user_arn)
        return users.filter(gone_at__isnull=True).first()
