"""Give the account an alias for its sign-in address, or take it away.

An account has one alias at most: a new one takes the place of the one that there is. Aliases are unique over
all of AWS, so one that was let go may be somebody else's the next moment.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from iam.aws.reads import lists
from iam.aws.session import Aws
from iam.changes.operations.account_setting import ACCOUNT, AccountSetting
from iam.changes.operations.base import AccessEffect, Image, Operation
from iam.changes.operations.params import Params
from iam.changes.operations.spec import HIGH, NORMAL, OperationSpec

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
