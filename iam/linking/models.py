"""The ways by which users are known to be somebody's, what they say of each user, and who was said not to be
meant.
"""

from __future__ import annotations

from django.db import models

from iam.directory.models import Person
from iam.mirror.models import Account, Entity


def first_tag_keys() -> list[str]:
    """What an organization begins with. `owner` is not among them: it often names who looks after a
    machine.
    """
    return ["email"]


class MatchMethod(models.TextChoices):
    """By which way a user is known to be somebody's, the weightiest first."""

    HAND = "hand", "Linked by hand"
    TAG = "tag", "Tag"
    ADDRESS = "address", "User name is the email address"
    RULE = "rule", "Name rule"


class LinkStanding(models.TextChoices):
    """What the ways come to, together."""

    NOBODY = "nobody", "Unmatched"
    KNOWN = "known", "One person"
    AMBIGUOUS = "ambiguous", "Several people fit the same rule"
    CONFLICT = "conflict", "Tags and rules disagree"


class MatchSettings(models.Model):
    """The settings of the organization: one row. `version` counts what was changed of them and of the
    rules.
    """

    tag_keys = models.JSONField(default=first_tag_keys)
    by_address = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1)
    people_until = models.DateTimeField(null=True, help_text="Until when people who came were looked at.")

    class Meta:
        db_table = "linking_ways"
        verbose_name_plural = "ways"

    def __str__(self) -> str:
        return f"ways, version {self.version}"


class NameRule(models.Model):
    """A user name that is made of the local part of somebody's address: `{f}{last}` of `{first}.{last}`."""

    user_name = models.CharField(max_length=64)
    address = models.CharField(max_length=64)
    added_by = models.CharField(max_length=128)
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user_name", "address"], name="one_name_rule_of_a_kind")
        ]

    def __str__(self) -> str:
        return f"{self.user_name} of {self.address}"


class UserMatch(models.Model):
    """What the ways say of one user, worked out when the mirror, the ways or the people change; what is said
    by hand stands in the directory.

    `login` is the user name in small letters, `address` the address that a tag names, "" without. `person` is
    set only where all ways agree. `said` has each voice: {"person", "address", "how", "words"}. `former` had
    a user of the same ARN before this one was made.
    """

    user = models.OneToOneField(Entity, on_delete=models.CASCADE, primary_key=True, related_name="sign")
    account = models.ForeignKey(Account, db_index=False, on_delete=models.CASCADE, related_name="+")
    login = models.CharField(max_length=128)
    address = models.CharField(max_length=254, blank=True)
    standing = models.CharField(max_length=12, choices=LinkStanding.choices, default=LinkStanding.NOBODY)
    person = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, related_name="signs")
    former = models.ForeignKey(Person, db_index=False, on_delete=models.SET_NULL, null=True, related_name="+")
    how = models.CharField(max_length=8, choices=MatchMethod.choices, blank=True)
    words = models.CharField(max_length=256, blank=True)
    said = models.JSONField(default=list)

    class Meta:
        db_table = "linking_sign"
        indexes = [
            models.Index(fields=["login", "user"], name="sign_by_login"),
            models.Index(fields=["address"], name="sign_by_address", condition=~models.Q(address="")),
            models.Index(fields=["standing", "login", "user"], name="sign_by_standing"),
            models.Index(fields=["account", "standing"], name="sign_by_account"),
        ]

    def __str__(self) -> str:
        return f"{self.login}: {self.standing}"


class ExcludedMatch(models.Model):
    """Somebody said that this user is not this person's; no way says it again. A user who is made again is
    another user.
    """

    user = models.ForeignKey(Entity, on_delete=models.CASCADE, related_name="apart")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="apart")
    why = models.CharField(max_length=1000, blank=True)
    said_by = models.CharField(max_length=128)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "linking_apart"
        constraints = [models.UniqueConstraint(fields=["user", "person"], name="apart_once")]

    def __str__(self) -> str:
        return f"{self.user_id} is not {self.person_id}"


class MatchedAccount(models.Model):
    """How far an account was worked out: its revision, and the version of the ways."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, primary_key=True, related_name="+")
    revision = models.PositiveBigIntegerField(default=0)
    ways = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "linking_worked"

    def __str__(self) -> str:
        return f"{self.account_id} until {self.revision}"
