"""Take the console password of a user away.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteLoginProfile.html
"""

from __future__ import annotations

from typing import Self

from iam.changes.operations.base import Call, Image, Operation
from iam.changes.operations.user_credential import OfUser, UserParams, credentials_row, names_of
from iam.mirror.models import Entity
from iam.mirror.pull.sections import LOGIN_PROFILES
from iam.mirror.reread.credentials import Credentials


class OnLoginProfile(OfUser):
    """What all of them share."""

    family = "login-profile"
    section = LOGIN_PROFILES

    @classmethod
    def of(cls, user: Entity) -> Self:
        """The operation on a user of the mirror."""
        return cls(user.account, UserParams(**names_of(user)))


class DeleteLoginProfile(OnLoginProfile):
    """Takes the password away."""

    slug = "login_profile.delete"
    is_idempotent = True

    @property
    def title(self) -> str:
        """See Operation."""
        return f"Delete the console password of {self.user.user_name}"

    @property
    def already(self) -> str:
        """See Operation."""
        return f"{self.user.user_name} has no console password."

    @property
    def irreversible(self) -> str:
        """See Operation."""
        return "AWS never shows a password, so nothing brings this one back; a new one can be set."

    @property
    def instead(self) -> str:
        """See Operation."""
        return "Put them into a group whose policy denies everything: the password stays, and does nothing while they are in it."

    def wanted(self) -> Image:
        """See Operation."""
        return {"has_password": False}

    def image_of(self, user: Entity) -> Image:
        """See OfUser; where no report and no profile has been read, AWS is looked at when the change runs."""
        row = credentials_row(user)
        return {"has_password": row is None or row.has_password is not False}

    def image_now(self, read: Credentials) -> Image:
        """See OfUser."""
        return {"has_password": bool(read.records)}

    def calls(self) -> tuple[Call, ...]:
        """See Operation."""
        name = self.user.user_name
        return (self.call("DeleteLoginProfile", sentence=f"{name} can no longer sign in to the AWS console"),)

    def notes(self) -> tuple[str, ...]:
        """See OfUser."""
        return (
            f"Sessions in which {self.user.user_name} is signed in now go on until they end; access keys are not touched.",
        )

    def inverse(self, before: Image) -> Operation | None:
        """See Operation: the password is known to nobody but its owner."""
        return None
