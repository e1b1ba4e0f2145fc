"""A setting of the account as a whole: no entity is its subject, and one change of it is under way at a
time."""

from __future__ import annotations

from abc import abstractmethod
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID

from iam.aws.session import Aws
from iam.changes.operations.base import Image, Operation
from iam.mirror.models import AccountFact, Entity, valid_at
from iam.mirror.refresh import enter_setting

ACCOUNT = "account"
"""The kind of subject: no kind of entity."""


class AccountSetting(Operation):
    """What operations on a setting share. `fact` is its name among the facts of the account."""

    excluded = ("",)
    missing_message = "The account settings aren’t synced yet. Sync the account, then try again."
    fact: ClassVar[str]
    _read: tuple[datetime, Any] | None = None

    @property
    def subject_id(self) -> str:
        """How people call the setting, of which an account has one."""
        return self.fact.replace("_", " ").capitalize()

    def modified_arns(self) -> tuple[str, ...]:
        return ()

    def subject(self) -> Entity | None:
        return None

    def state_in_mirror(self) -> Image | None:
        """None while the settings have not been read."""
        row = AccountFact.objects.filter(valid_at(None), account=self.account, name=self.fact).first()
        return None if row is None else self.image(row.value)

    def identity_error(self, aws: Aws) -> str:
        return ""

    def observe(self, aws: Aws) -> Image:
        at = datetime.now(tz=UTC)
        self._read = (at, self.value_now(aws))
        return self.image(self._read[1])

    def read_back(self, aws: Aws, *, cause_id: UUID | None) -> None:
        at, value = self._read or (datetime.now(tz=UTC), self.value_now(aws))
        enter_setting(self.account, name=self.fact, value=value, at=at, cause_id=cause_id)

    def notes(self) -> tuple[str, ...]:
        before = self.state_in_mirror()
        return () if before is None else tuple(self.difference_sentences(before))

    @abstractmethod
    def value_now(self, aws: Aws) -> Any:
        """The fact's value as AWS shows it. Raises AwsError."""

    @abstractmethod
    def image(self, value: Any) -> Image:
        """The image of a value."""

    @abstractmethod
    def difference_sentences(self, before: Image) -> list[str]:
        """What becomes different, in sentences."""
