"""Who leaves, together with whom, from which accounts, and what was read when it was proved."""

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
"""The cause of a set that ends what was still found; its id is the seat's."""
OF_RETURN = "leaving-return"
"""The cause of a set that gives access back; its id is the leaver's."""
OF_DELETION = "leaving-deletion"
"""The cause of a set that deletes the users; its id is the leaver's."""
OF_SUSPENSION = "suspension"
"""The cause of a set that suspends somebody, without an approval before; its id is the run's."""
OF_INVITING = "leaving-invite"
"""The cause of a set that gives a restored person another password; its id is the leaver's."""
CAUSES = (OF_OFFBOARDING, OF_REST, OF_RETURN, OF_DELETION, OF_SUSPENSION, OF_INVITING)


PROVE_USER: Final = "iam.people.offboarding.tasks.prove_user"
REQUEST_RUN: Final = "iam.people.offboarding.tasks.request_run"
MOVE: Final = re.compile(r"MOV-[0-9A-F]{8}")


class OffboardingRun(AbstractListRun):
    """People who are offboarded together: one request. Each of them has a stage, so the run ends with being
    requested. `leaves_at` null: at once.

    `grace_days` after the proof the users are deleted, once that was approved; 0: they stay, without access.
    `roles` are the roles (by number of the mirror) whose trust policy loses the person, `sessions` those of
    which all sessions end. `is_suspension`: access was cut at once, in a way that can be turned back, and
    somebody else confirms it afterwards.
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
        """How its reference begins."""
        return "SUS" if self.is_suspension else "LVG"

    @property
    def is_move(self) -> bool:
        """True if its person changes team, and loses only what the former team gave: they are not
        offboarded.
        """
        return MOVE.fullmatch(self.source) is not None


class OffboardingStage(models.TextChoices):
    """The status of one person who is offboarded or suspended."""

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
"""While something is still to come."""
SUSPENSION = (OffboardingStage.SUSPENDED, OffboardingStage.CONFIRMED)
"""While a suspension is in force: it can be restored, or followed by an offboarding."""


FINAL_STAGES = (OffboardingStage.RETURNED, OffboardingStage.CALLED_OFF)
"""Nothing is removed any more: a title that tells to remove it would be wrong."""


class Leaver(models.Model):
    """One person of a run. `typed` is what somebody wrote for them; `teams` are the slugs of the teams whose
    they were when it was asked for.

    `closed_at`: the deny-all stood in every account; `proved_at`: AWS was read again and showed nothing open;
    `delete_after`: the end of the grace period. `followed_by`: the offboarding that began while this
    suspension was in force. `trials`: how often restoring and deleting were asked for. `link_due_at`: since
    when a restored person waits for the link to another password; empty when it was sent. `unseen`: users of
    theirs that the requester does not reach, and which stay as they are.
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
        """'Offboard Maya Okafor', 'Suspend Maya Okafor': the same on every page, in requests and in mails."""
        if self.run.is_move:
            return f"Remove former access of {self.name}"
        return f"{'Suspend' if self.run.is_suspension else 'Offboard'} {self.name}"

    @property
    def heading(self) -> str:
        """The title of its page: the request's, and once access was restored or the request was cancelled
        'Suspension of Maya Okafor'.
        """
        if self.stage not in FINAL_STAGES or self.run.is_move:
            return self.title
        return f"{'Suspension' if self.run.is_suspension else 'Offboarding'} of {self.name}"


class OffboardedUser(models.Model):
    """The user of a leaver in an account. The changes are those of `lane` in `change_set`, and of the sets
    that ended what was still found (`trials` of them).

    `proof` is what AWS showed when it was read again: rows of (what, call, at, says, is_open). `proved_at` is
    when that showed nothing open. `password_seal` is where the password waits that somebody gets who comes
    back.
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
    """A grant that ends, wholly or for this user, because they leave."""

    seat = models.ForeignKey(OffboardedUser, on_delete=models.CASCADE, related_name="grants")
    grant = models.ForeignKey(Grant, on_delete=models.PROTECT, related_name="+")
    is_whole = models.BooleanField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["seat", "grant"], name="one_end_of_grant")]

    def __str__(self) -> str:
        return f"{self.grant_id} of {self.seat_id}"


class OffboardingCertificate(models.Model):
    """What was done for a leaver, frozen when it was done; `digest` is of the exact `text`, and stands in the
    entry of the journal.
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
