"""The tables of matching rules, of the match of each user, and of excluded matches."""

from __future__ import annotations

from django.db import models

from iam.directory.models import Person
from iam.mirror.models import Account, Entity


def first_tag_keys() -> list[str]:
    """Return the initial tag keys. `owner` isn't included, because it often names who maintains a machine."""
    return ["email"]


class MatchMethod(models.TextChoices):
    """How a user is matched with a person, the strongest method first."""

    HAND = "hand", "Linked by hand"
    TAG = "tag", "Tag"
    ADDRESS = "address", "User name is the email address"
    RULE = "rule", "Name rule"


class LinkStanding(models.TextChoices):
    """The combined result of the matching rules."""

    NOBODY = "nobody", "Unmatched"
    KNOWN = "known", "One person"
    AMBIGUOUS = "ambiguous", "Several people fit the same rule"
    CONFLICT = "conflict", "Tags and rules disagree"


class MatchSettings(models.Model):
    """The organization's settings: one row. `version` counts changes of them and of the rules."""

    tag_keys = models.JSONField(default=first_tag_keys)
    by_address = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1)
    people_until = models.DateTimeField(
        null=True, help_text="People added before this time have been matched."
    )

    class Meta:
        db_table = "linking_ways"
        verbose_name_plural = "match settings"

    def __str__(self) -> str:
        return f"match settings, version {self.version}"


class NameRule(models.Model):
    """A user name derived from the local part of an address, such as `{f}{last}` from `{first}.{last}`."""

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
    """The match of a user by the rules, updated when the mirror, the rules or the people change. Links made
    by hand are in the directory.

    `login` is the user name in lower case, `address` is the address in a tag, or empty. `person` is set only
    if all rules agree. `said` has each rule's result: {"person", "address", "how", "words"}. `former` is the
    person linked to an earlier user with the same ARN.
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
    """A person excluded as a match for a user. A user that is created again is a different user."""

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
    """How far an account was matched: its revision, and the version of the rules."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, primary_key=True, related_name="+")
    revision = models.PositiveBigIntegerField(default=0)
    rules_version = models.PositiveIntegerField(default=0, db_column="ways")

    class Meta:
        db_table = "linking_worked"

    def __str__(self) -> str:
        return f"{self.account_id} until {self.revision}"
