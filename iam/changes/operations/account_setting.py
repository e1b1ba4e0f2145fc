"""Operations on settings of the whole account: the account alias in the sign-in URL, and the password policy
of its users.

They have no entity as subject, and each setting has at most one open change. An account has at most one
alias: a new one replaces the current one. Aliases are unique across AWS, so another account can take a
removed alias immediately.

UpdateAccountPasswordPolicy resets omitted parameters to AWS's defaults, so all of them are always sent. Rules
for length and characters apply from the next password change on; the maximum age applies at once.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, ClassVar, Final
from uuid import UUID

from iam.aws.reads import lists
from iam.aws.session import Aws
from iam.changes.access_effects import AccessEffect
from iam.changes.operations.base import Image, Operation
from iam.changes.operations.params import Params
from iam.changes.operations.spec import HIGH, NORMAL, OperationSpec
from iam.mirror.models import AccountFact, Entity, valid_at
from iam.mirror.refresh import enter_setting

ACCOUNT = "account"
"""The subject kind of account settings, which is not an entity kind."""


class AccountSetting(Operation):
    """An operation on one setting. `fact` is its name among the account's facts."""

    excluded = ("",)
    missing_message = "The account settings aren’t synced yet. Sync the account, then try again."
    fact: ClassVar[str]
    _read: tuple[datetime, Any] | None = None

    @property
    def subject_id(self) -> str:
        """The setting's name for people; an account has one of each."""
        return self.fact.replace("_", " ").capitalize()

    def modified_arns(self) -> tuple[str, ...]:
        return ()

    def subject(self) -> Entity | None:
        return None

    def state_in_mirror(self) -> Image | None:
        """The setting as the mirror has it; None if the settings have not been synced."""
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
        """Read the fact's current value from AWS. Raises AwsError."""

    @abstractmethod
    def image(self, value: Any) -> Image:
        """The image of a value of the fact."""

    @abstractmethod
    def difference_sentences(self, before: Image) -> list[str]:
        """Sentences on what changes."""


ALIAS_FORM: Final = re.compile(r"(?!\d{12}$)[a-z0-9](?:[a-z0-9]|-(?!-)){1,61}[a-z0-9]")


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
    """Sets the account alias, replacing the current one, or removes it."""

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
        """Explain an invalid alias in words, because AWS's service model has only a pattern."""
        alias = self.inputs.alias
        if not self.spec.adds:
            now = self.state_in_mirror()
            if now and now["alias"] not in ("", alias):
                return f"the account’s alias is {now['alias']}, not {alias}."
        elif not ALIAS_FORM.fullmatch(alias):
            return (
                "an alias has 3 to 63 lowercase letters, digits and single hyphens, starts and ends with a "
                "letter or digit, and can’t be an account ID."
            )
        return ""

    def sensitivity(self, effect: AccessEffect) -> str:
        """High if the account gives up its alias: the next account that takes it can ask people for their
        passwords at an address that they know.
        """
        before = self.state_in_mirror()
        return HIGH if before and before["alias"] else NORMAL

    def restoration(self, before: Image) -> Operation | None:
        """Set the previous alias again (another account may have taken it since), or remove the alias if
        there was none.
        """
        if before["alias"]:
            return Alias.of(CREATE_ALIAS, self.account, alias=before["alias"])
        return Alias.of(DELETE_ALIAS, self.account, alias=self.alias_after)


CHARACTER_KINDS: Final = {
    "requires_uppercase": "an upper-case letter",
    "requires_lowercase": "a lower-case letter",
    "requires_numbers": "a digit",
    "requires_symbols": "a symbol",
}
"""Field → what a password must contain."""
DEFAULT_LENGTH: Final = 8
DEFAULT_KINDS: Final = 3
"""AWS's default policy: the minimum length, and how many of the four character types a password needs."""
RULE_LIMITS: Final = {"minimum_length": (6, 128), "maximum_age": (0, 1095), "reuse_prevention": (0, 24)}
RULE_WORDS: Final = {
    "minimum_length": "the shortest password",
    "maximum_age": "the age of a password in days",
    "reuse_prevention": "the number of former passwords",
}


@dataclass(frozen=True, slots=True)
class PasswordRules:
    """A complete password policy. 0 means none for `maximum_age` (days) and `reuse_prevention` (previous
    passwords).

    With `hard_expiry`, an administrator must reset an expired password.
    """

    minimum_length: int
    requires_uppercase: bool
    requires_lowercase: bool
    requires_numbers: bool
    requires_symbols: bool
    allows_change: bool
    maximum_age: int
    reuse_prevention: int
    hard_expiry: bool

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            wanted = int if name in RULE_LIMITS else bool
            if type(value) is not wanted:
                raise ValueError(f"{name} must be {wanted.__name__}, not {value!r}.")


class NoParams(Params):
    """No parameters."""


class PasswordPolicy(AccountSetting):
    fact = "password_policy"

    def value_now(self, aws: Aws) -> dict[str, Any] | None:
        record = lists.password_policy(aws)
        return asdict(record) if record else None

    def image(self, value: Mapping[str, Any] | None) -> Image:
        """The image of a policy. It leaves out whether passwords expire, which `maximum_age` already says."""
        if value is None:
            return {"rules": None}
        names = PasswordRules.__dataclass_fields__
        return {"rules": {name: value[name] or (0 if name in RULE_LIMITS else False) for name in names}}

    def difference_sentences(self, before: Image) -> list[str]:
        return differences(before["rules"], self.desired_state()["rules"])

    def sensitivity(self, effect: AccessEffect) -> str:
        before = self.state_in_mirror()
        return HIGH if before and is_looser(self.desired_state()["rules"], than=before["rules"]) else NORMAL

    def restoration(self, before: Image) -> Operation | None:
        if before["rules"] is None:
            return DeletePasswordPolicy.of(self.account)
        return UpdatePasswordPolicy(self.account, PasswordRules(**before["rules"]))


class UpdatePasswordPolicy(PasswordPolicy):
    spec = OperationSpec(
        slug="password_policy.update",
        subject_kind=ACCOUNT,
        title="Set password policy",
        no_op="The account already has this password policy.",
        counted=("Set", "password policy|password policies"),
        call="UpdateAccountPasswordPolicy",
        parameters={
            "MinimumPasswordLength": "minimum_length",
            "RequireUppercaseCharacters": "requires_uppercase",
            "RequireLowercaseCharacters": "requires_lowercase",
            "RequireNumbers": "requires_numbers",
            "RequireSymbols": "requires_symbols",
            "AllowUsersToChangePassword": "allows_change",
            "HardExpiry": "hard_expiry",
            "MaxPasswordAge": "maximum_age?",
            "PasswordReusePrevention": "reuse_prevention?",
        },
        sentence="Sets this password policy",
    )

    inputs: PasswordRules

    def desired_state(self) -> Image:
        return {"rules": asdict(self.inputs)}

    def refusal(self) -> str:
        """Explain values out of range in words, because AWS's service model has no minimum values."""
        settings = asdict(self.inputs)
        for name, (least, most) in RULE_LIMITS.items():
            if not least <= settings[name] <= most:
                return f"{RULE_WORDS[name]} must be {least} to {most}, not {settings[name]}."
        if settings["hard_expiry"] and not settings["maximum_age"]:
            return "“administrator reset required” needs a maximum password age."
        return ""


class DeletePasswordPolicy(PasswordPolicy):
    """Deletes the password policy, so AWS's default policy applies."""

    spec = OperationSpec(
        slug="password_policy.delete",
        subject_kind=ACCOUNT,
        title="Delete password policy",
        no_op="The account has no password policy: AWS’s default already applies.",
        counted=("Delete", "password policy|password policies"),
        call="DeleteAccountPasswordPolicy",
        parameters={},
        sentence="Deletes the password policy, so AWS’s default applies",
    )

    inputs: NoParams

    def desired_state(self) -> Image:
        return {"rules": None}


RuleValues = Mapping[str, Any]


def is_looser(rules: RuleValues | None, *, than: RuleValues | None) -> bool:
    """True if some rule requires less; None means AWS's default policy."""
    if rules is None:
        return than is not None
    if than is None:
        kinds = sum(bool(rules[name]) for name in CHARACTER_KINDS)
        return int(rules["minimum_length"]) < DEFAULT_LENGTH or kinds < DEFAULT_KINDS
    if any(than[name] and not rules[name] for name in CHARACTER_KINDS):
        return True
    if rules["minimum_length"] < than["minimum_length"]:
        return True
    if rules["reuse_prevention"] < than["reuse_prevention"]:
        return True
    # An age of 0 means that passwords never expire.
    if than["maximum_age"] and not 0 < rules["maximum_age"] <= than["maximum_age"]:
        return True
    return bool(than["hard_expiry"] and not rules["hard_expiry"])


def differences(before: RuleValues | None, after: RuleValues | None) -> list[str]:
    """Sentences on the rules that change. None means AWS's default policy."""
    if after is None:
        return [
            f"AWS’s default: {DEFAULT_LENGTH} characters, {DEFAULT_KINDS} of the 4 character "
            "types, no expiration, reuse allowed."
        ]
    settings_after = _rule_sentences(after)
    known = _rule_sentences(before) if before is not None else {}
    sentences: list[str] = []
    for name, sentence in settings_after.items():
        if name not in known:
            sentences.append(sentence)
        elif known[name] != sentence:
            sentences.append(f"{sentence} Before: {_lower(known[name])}")
    return sentences


def _rule_sentences(rules: RuleValues) -> dict[str, str]:
    kinds = [words for name, words in CHARACTER_KINDS.items() if rules[name]]
    age, former = rules["maximum_age"], rules["reuse_prevention"]
    expired = "needs a reset by an administrator" if rules["hard_expiry"] else "is changed at sign-in"
    return {
        "length": f"Passwords have at least {rules['minimum_length']} characters.",
        "kinds": f"It has {', '.join(kinds)}." if kinds else "Any characters are allowed.",
        "change": "Users can change their own password."
        if rules["allows_change"]
        else "Users need a permission to change their own password.",
        "age": f"Passwords expire after {age} days. An expired password {expired}."
        if age
        else "Passwords don’t expire.",
        "former": f"The last {former} passwords can’t be reused."
        if former
        else "Old passwords can be reused.",
    }


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]
