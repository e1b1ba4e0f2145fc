"""The tables of offboarding: who is offboarded, together with whom, from which accounts, and what AWS showed
when it was verified.
"""

from __future__ import annotations

import re
import uuid
from typing import Final

from django.db import models
from django.db.models import Q

from iam.access.grants.models import Grant
from iam.changes.models import OF_OFFBOARDING, ChangeSet
from iam.mirror.models import Account, Entity
from iam.people.runs.models import AbstractListRun, RowStatus

OF_REST = "leaving-rest"
"""The cause of a set that ends remaining access; its id is the seat's."""
OF_RETURN = "leaving-return"
"""The cause of a set that restores access; its id is the leaver's."""
OF_DELETION = "leaving-deletion"
"""The cause of a set that deletes the users; its id is the leaver's."""
OF_SUSPENSION = "suspension"
"""The cause of a set that suspends someone without prior approval; its id is the run's."""
OF_INVITING = "leaving-invite"
"""The cause of a set that sets a new password for a restored person; its id is the leaver's."""
CAUSES = (OF_OFFBOARDING, OF_REST, OF_RETURN, OF_DELETION, OF_SUSPENSION, OF_INVITING)


PROVE_USER: Final = "iam.people.offboarding.tasks.prove_user"
REQUEST_RUN: Final = "iam.people.offboarding.tasks.request_run"
MOVE: Final = re.compile(r"MOV-[0-9A-F]{8}")


class OffboardingRun(AbstractListRun):
    """People who are offboarded together in one request. Each has their own stage, so the run itself ends
    when it is requested. `leaves_at` null means at once.

    The users are deleted `grace_days` after verification, with approval; 0 keeps them without access. `roles`
    are the roles (mirror ids) whose trust policy is changed to exclude the person, `sessions` those in which
    all sessions end. `is_suspension` means that access was removed at once, reversibly, and another person
    confirms it afterwards.
    """

    ended_at = None
    leaves_at = models.DateTimeField(null=True)
    grace_days = models.PositiveSmallIntegerField(default=30)
    roles = models.JSONField(default=list)
    sessions = models.JSONField(default=list)
    is_suspension = models.BooleanField(default=False)

    class Meta:
        db_table = "leaving_run"
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="leaving_newest"),
            models.Index(fields=["state", "asked_at"], name="leaving_by_state"),
        ]

    @property
    def prefix(self) -> str:  # type: ignore[override]
        """The prefix of its reference."""
        return "SUS" if self.is_suspension else "LVG"

    @property
    def is_move(self) -> bool:
        """True if the person changes team and loses only what the former team gave. They are not
        offboarded.
        """
        return MOVE.fullmatch(self.source) is not None


class OffboardingStage(models.TextChoices):
    """The status of a person who is offboarded or suspended."""

    DRAFT = "draft", "Draft"
    WAITING = "waiting", "Waiting for approval"
    PLANNED = "planned", "Scheduled"
    CLOSING = "closing", "Removing access"
    OPEN = "open", "Access not fully removed"
    GONE = "gone", "Access removed"
    RETURNING = "returning", "Restore requested"
    RETURNED = "returned", "Access restored"
    PARTLY = "partly", "Partly restored"
    DELETING = "deleting", "Deletion requested"
    DELETED = "deleted", "Users deleted"
    CALLED_OFF = "called-off", "Cancelled"
    SUSPENDING = "suspending", "Suspending"
    SUSPENDED = "suspended", "Suspended, waiting for confirmation"
    CONFIRMED = "confirmed", "Suspended"
    FOLLOWED = "followed", "Offboarded since"


MOVING = (
    OffboardingStage.WAITING,
    OffboardingStage.PLANNED,
    OffboardingStage.CLOSING,
    OffboardingStage.OPEN,
    OffboardingStage.RETURNING,
    OffboardingStage.DELETING,
    OffboardingStage.SUSPENDING,
)
"""Stages in which work is in progress."""
SUSPENSION = (OffboardingStage.SUSPENDED, OffboardingStage.CONFIRMED)
"""Stages in which a suspension is in force. It can be restored or followed by an offboarding."""


FINAL_STAGES = (OffboardingStage.RETURNED, OffboardingStage.CALLED_OFF)
"""Stages in which nothing will be removed any more, so a title must not announce it."""


class Leaver(models.Model):
    """A person of a run. `typed` is what was entered for them. `teams` are the slugs of their teams at the
    time of the request.

    `closed_at` is when the deny-all was in place in every account; `proved_at` is when a sync showed that no
    access is left; `delete_after` is the end of the grace period. `followed_by` is an offboarding that began
    during this suspension. `trials` counts requests to restore and delete. `link_due_at` is since when a
    restored person waits for the link to a new password, empty once it was sent. `unseen` counts their users
    that the requester can't reach and that stay unchanged.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey(OffboardingRun, on_delete=models.CASCADE, related_name="people")
    position = models.PositiveIntegerField(default=0)
    line = models.PositiveIntegerField(default=0)
    typed = models.CharField(max_length=256, blank=True)
    name = models.CharField(max_length=256, blank=True)
    email = models.CharField(max_length=256, blank=True)
    person_id = models.UUIDField(null=True)
    teams = models.JSONField(default=list)
    standing = models.CharField(max_length=8, choices=RowStatus.choices, default=RowStatus.READY)
    problems = models.JSONField(default=list)
    stage = models.CharField(max_length=12, choices=OffboardingStage.choices, default=OffboardingStage.DRAFT)
    began_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    proved_at = models.DateTimeField(null=True)
    delete_after = models.DateTimeField(null=True)
    returned_at = models.DateTimeField(null=True)
    followed_by = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="follows")
    deleted_at = models.DateTimeField(null=True)
    link_due_at = models.DateTimeField(null=True)
    trials = models.PositiveSmallIntegerField(default=0)
    unseen = models.PositiveSmallIntegerField(default=0)
    trouble = models.CharField(max_length=1024, blank=True)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["run", "position"], name="leaver_once")]
        indexes = [
            models.Index(fields=["stage", "delete_after"], name="leaver_by_stage"),
            models.Index(fields=["person_id"], name="leaver_by_person"),
            models.Index(
                fields=["link_due_at"], condition=Q(link_due_at__isnull=False), name="leaver_without_link"
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.typed

    @property
    def title(self) -> str:
        """The title on every page, in requests and in mails, such as 'Offboard Maya Okafor' or 'Suspend Maya
        Okafor'.
        """
        if self.run.is_move:
            return f"Remove former access of {self.name}"
        return f"{'Suspend' if self.run.is_suspension else 'Offboard'} {self.name}"

    @property
    def heading(self) -> str:
        """The heading of its page: the title, or 'Suspension of Maya Okafor' once access was restored or the
        request was cancelled.
        """
        if self.stage not in FINAL_STAGES or self.run.is_move:
            return self.title
        return f"{'Suspension' if self.run.is_suspension else 'Offboarding'} of {self.name}"


class OffboardedUser(models.Model):
    """A leaver's user in an account. Its changes are those of `lane` in `change_set`, and of the sets that
    ended remaining access (`trials` of them).

    `proof` is what AWS showed in the verification: rows of (what, call, at, says, is_open). `proved_at` is
    when that showed no open access. `password_seal` is the seal of the new password of a restored person.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    leaver = models.ForeignKey(Leaver, on_delete=models.CASCADE, related_name="seats")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(Entity, db_index=False, on_delete=models.PROTECT, related_name="+")
    user_arn = models.CharField(max_length=2048)
    user_name = models.CharField(max_length=64)
    change_set = models.ForeignKey(ChangeSet, on_delete=models.PROTECT, null=True, related_name="+")
    lane = models.PositiveSmallIntegerField(default=0)
    trials = models.PositiveSmallIntegerField(default=0)
    proof = models.JSONField(default=list)
    read_at = models.DateTimeField(null=True)
    proved_at = models.DateTimeField(null=True)
    password_seal = models.UUIDField(null=True)
    trouble = models.CharField(max_length=1024, blank=True)

    class Meta:
        db_table = "leaving_seat"
        constraints = [models.UniqueConstraint(fields=["leaver", "user"], name="one_seat_of_user")]
        indexes = [
            models.Index(fields=["user"], name="seat_by_user"),
            models.Index(fields=["change_set"], condition=Q(proved_at__isnull=True), name="seat_unproved"),
        ]

    def __str__(self) -> str:
        return self.user_arn


class EndedGrant(models.Model):
    """A grant that ends because of the offboarding, entirely or only for this user."""

    seat = models.ForeignKey(OffboardedUser, on_delete=models.CASCADE, related_name="grants")
    grant = models.ForeignKey(Grant, on_delete=models.PROTECT, related_name="+")
    is_whole = models.BooleanField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["seat", "grant"], name="one_end_of_grant")]

    def __str__(self) -> str:
        return f"{self.grant_id} of {self.seat_id}"


class OffboardingCertificate(models.Model):
    """A record of what was done for a leaver, frozen at that time. `digest` is that of the exact `text` and
    is also in the journal entry.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    leaver = models.ForeignKey(Leaver, on_delete=models.PROTECT, related_name="certificates")
    kind = models.CharField(max_length=8, choices=[("ended", "Access ended"), ("deleted", "Users deleted")])
    text = models.TextField()
    digest = models.CharField(max_length=64)
    entry_id = models.BigIntegerField()
    made_at = models.DateTimeField()

    class Meta:
        db_table = "leaving_certificate"
        ordering = ["made_at"]
        constraints = [models.UniqueConstraint(fields=["leaver", "kind"], name="one_certificate_of_kind")]

    def __str__(self) -> str:
        return f"{self.kind} {self.leaver_id}"
