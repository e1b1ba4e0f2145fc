"""Settings of the account as a whole: no entity is their subject, and one change of each is under way at a
time. The alias for the sign-in address is one.

An account has one alias at most: a new one takes the place of the one that there is. Aliases are unique over
all of AWS, so one that was let go may be somebody else's the next moment.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar, Final
from uuid import UUID

from iam.aws.reads import lists
from iam.aws.session import Aws
from iam.changes.operations.base import AccessEffect, Image, Operation
from iam.changes.operations.params import Params
from iam.changes.operations.spec import HIGH, NORMAL, OperationSpec
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


FORM: Final = re.compile(r"(?!\d{12}$)[a-z0-9](?:[a-z0-9]|-(?!-)){1,61}[a-z0-9]")


class AliasParams(Params):
    alias: str


CREATE_ALIAS: Final = OperationSpec(
    slug="account_alias.create",
    subject_kind=ACCOUNT,
    title="Set account alias {alias}",
    no_op="The account already has the alias {alias}.",
    counted=("Set", "account alias|account aliases"),
    state={"alias": "alias_after"},
    call="CreateAccountAlias",
    parameters={"AccountAlias": "alias"},
    sentence="Sets the account alias to {alias}",
)
DELETE_ALIAS: Final = replace(
    CREATE_ALIAS,
    slug="account_alias.delete",
    title="Remove account alias {alias}",
    no_op="The account has no alias.",
    counted=("Delete", "account alias|account aliases"),
    call="DeleteAccountAlias",
    sentence="Removes the account alias {alias}",
    adds=False,
)


class Alias(AccountSetting):
    """The account gets an alias in place of the one that it has, or loses it."""

    SPECS = (CREATE_ALIAS, DELETE_ALIAS)
    fact = "alias"
    inputs: AliasParams

    @property
    def alias_after(self) -> str:
        return self.inputs.alias if self.spec.adds else ""

    def value_now(self, aws: Aws) -> str:
        return next(iter(lists.account_aliases(aws)), "")

    def image(self, value: str) -> Image:
        return {"alias": value}

    def difference_sentences(self, before: Image) -> list[str]:
        sentences = []
        if self.alias_after:
            sentences.append(f"People sign in at https://{self.alias_after}.signin.aws.amazon.com/console.")
        if before["alias"]:
            sentences.append(
                f"https://{before['alias']}.signin.aws.amazon.com/console stops working, and "
                f"any AWS account can take the alias {before['alias']}."
            )
        sentences.append("The sign-in address with the account ID keeps working.")
        return sentences

    def refusal(self) -> str:
        """In words: AWS's model gives a pattern only."""
        alias = self.inputs.alias
        if not self.spec.adds:
            now = self.state_in_mirror()
            if now and now["alias"] not in ("", alias):
                return f"the account’s alias is {now['alias']}, not {alias}."
        elif not FORM.fullmatch(alias):
            return (
                "an alias has 3 to 63 lowercase letters, digits and single hyphens, starts and ends with a "
                "letter or digit, and can’t be an account ID."
            )
        return ""

    def sensitivity(self, effect: AccessEffect) -> str:
        """High where an address goes that people know: anyone who takes it next is asked for their
        passwords.
        """
        before = self.state_in_mirror()
        return HIGH if before and before["alias"] else NORMAL

    def restoration(self, before: Image) -> Operation | None:
        """The alias of before, unless somebody has taken it meanwhile; or none."""
        if before["alias"]:
            return Alias.of(CREATE_ALIAS, self.account, alias=before["alias"])
        return Alias.of(DELETE_ALIAS, self.account, alias=self.alias_after)
