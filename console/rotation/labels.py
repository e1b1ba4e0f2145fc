"""Labels of rotations: text, tone and icon of their status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from iam.changes.operations.user_credential import ACTIVE, INACTIVE
from iam.people.rotation.models import Rotation, RotationOutcome, RotationStage

MARKS: Final = {
    RotationStage.WAITING: ("Not requested yet", "", "hourglass"),
    RotationStage.ASKED: ("New key requested", "info", "hourglass"),
    RotationStage.HANDING: ("Secret available", "note", "hourglass"),
    RotationStage.USING: ("Both keys active", "info", "eye"),
    RotationStage.DEACTIVATING: ("Deactivation requested", "info", "hourglass"),
    RotationStage.INACTIVE: ("Old key inactive", "warn", "clock"),
    RotationStage.ACTIVATING: ("Being reactivated", "info", "hourglass"),
    RotationStage.DELETING: ("Deletion requested", "info", "hourglass"),
}
ENDS: Final = {
    RotationOutcome.DONE: ("Done", "ok", "check"),
    RotationOutcome.REFUSED: ("Could not be requested", "bad", "x"),
    RotationOutcome.NOT_MADE: ("No new key", "bad", "x"),
    RotationOutcome.UNFETCHED: ("Secret not fetched", "bad", "x"),
    RotationOutcome.USER_GONE: ("User gone", "", ""),
    RotationOutcome.KEY_GONE: ("New key gone", "bad", "x"),
    RotationOutcome.CANCELLED: ("Cancelled", "", ""),
}


WATCHED: Final = (RotationStage.USING, RotationStage.INACTIVE)
"""Stages that are named by the status of the keys, which someone can change in AWS at any time."""
KEY_MARKS: Final = {
    (ACTIVE, ACTIVE): MARKS[RotationStage.USING],
    (INACTIVE, ACTIVE): MARKS[RotationStage.INACTIVE],
    (ACTIVE, INACTIVE): ("New key inactive", "warn", "triangle-alert"),
    (INACTIVE, INACTIVE): ("Both keys inactive", "bad", "triangle-alert"),
}


def mark_of(rotation: Rotation) -> tuple[str, str, str]:
    """Return (text, tone, icon) of a rotation's status, with the keys as `show_now` gave them."""
    return mark_at(rotation.stage, rotation.outcome, old=rotation.old_state, new=rotation.new_state)


def mark_at(stage: str, outcome: str, *, old: str, new: str) -> tuple[str, str, str]:
    """Return (text, tone, icon) of a stage and outcome, with the status of both keys ("" for none)."""
    if stage == RotationStage.ENDED:
        return ENDS[RotationOutcome(outcome)]
    if stage not in WATCHED:
        return MARKS[RotationStage(stage)]
    if not new:
        return "New key deleted", "bad", "x"
    if not old:
        return "Old key deleted", "", ""
    return KEY_MARKS.get((old, new), MARKS[RotationStage(stage)])


@dataclass(frozen=True, slots=True)
class KeyLocation:
    """A place where keys are configured, and how to replace them there; contains no secret."""

    title: str
    text: str
    code: str = ""


def places_for(user_name: str, key_id: str) -> list[KeyLocation]:
    """Return how to replace the key in common places.

    https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-files.html
    https://docs.aws.amazon.com/sdkref/latest/guide/feature-static-credentials.html
    """
    return [
        KeyLocation(
            "Command line (AWS CLI)",
            "Run this, and paste the new key and its secret when it asks. It replaces those of the profile "
            "in ~/.aws/credentials.",
            f"aws configure --profile {user_name}",
        ),
        KeyLocation(
            "Environment",
            "Set both variables where the process starts, such as a shell profile, a unit file or a "
            "container definition. Then restart it.",
            f"AWS_ACCESS_KEY_ID={key_id}\nAWS_SECRET_ACCESS_KEY=…",
        ),
        KeyLocation(
            "SDK",
            "boto3 and the other SDKs read the environment or ~/.aws/credentials: the code doesn’t change. "
            "If the key is in the code, move it out now.",
        ),
        KeyLocation(
            "CI",
            "Replace the two secret variables of the project or the organization, and run a job. Most CI "
            "systems can take a role by OIDC instead, and then need no key.",
        ),
        KeyLocation(
            "Check that it works",
            "With the new key in place, AWS answers with the user. The use appears here within minutes.",
            f"aws sts get-caller-identity --profile {user_name}",
        ),
    ]
