"""Set the rules for the console passwords of an account's users, or go back to AWS's own.

What is left out of the call becomes AWS's default, so that all of it is always sent. Rules for length and
characters count from the next change of a password on; the rule for its age counts at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from iam.aws.reads import lists
from iam.aws.session import Aws
from iam.changes.operations.account_setting import ACCOUNT, AccountSetting
from iam.changes.operations.base import AccessEffect, Image, Operation
from iam.changes.operations.params import Params
from iam.changes.operations.spec import HIGH, NORMAL, OperationSpec

KINDS: Final = {
    "requires_uppercase": "an upper-case letter",
    "requires_lowercase": "a lower-case letter",
    "requires_numbers": "a digit",
    "requires_symbols": "a symbol",
}
"""Field → what a password must have."""
DEFAULT_LENGTH: Final = 8
DEFAULT_KINDS: Final = 3
"""What AWS asks where no policy is set: so many characters, of so many of the four kinds."""
LIMITS: Final = {"minimum_length": (6, 128), "maximum_age": (0, 1095), "reuse_prevention": (0, 24)}
WORDS: Final = {
    "minimum_length": "the shortest password",
    "maximum_age": "the age of a password in days",
    "reuse_prevention": "the number of former passwords",
}


@dataclass(frozen=True, slots=True)
class PasswordRules:
    """All rules. Of `maximum_age` (days) and `reuse_prevention` (former passwords) 0 is none.
    `hard_expiry`: who lets it expire must be let in again by an administrator."""

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
            wanted = int if name in LIMITS else bool
            if type(value) is not wanted:
                raise ValueError(f"{name} must be {wanted.__name__}, not {value!r}.")


class NoParams(Params):
    """It takes none."""


class PasswordPolicy(AccountSetting):
    fact = "password_policy"

    def value_now(self, aws: Aws) -> dict[str, Any] | None:
        record = lists.password_policy(aws)
        return asdict(record) if record else None

    def image(self, value: Mapping[str, Any] | None) -> Image:
        """Whether passwords expire says nothing beside their age."""
        if value is None:
            return {"rules": None}
        names = PasswordRules.__dataclass_fields__
        return {"rules": {name: value[name] or (0 if name in LIMITS else False) for name in names}}

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
        """In words: AWS's model gives no least values."""
        settings = asdict(self.inputs)
        for name, (least, most) in LIMITS.items():
            if not least <= settings[name] <= most:
                return f"{WORDS[name]} must be {least} to {most}, not {settings[name]}."
        if settings["hard_expiry"] and not settings["maximum_age"]:
            return "“administrator reset required” needs a maximum password age."
        return ""


class DeletePasswordPolicy(PasswordPolicy):
    """Takes all rules away; AWS's own hold then."""

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


Rules = Mapping[str, Any]


def is_looser(rules: Rules | None, *, than: Rules | None) -> bool:
    """True if some rule requires less; None means AWS's default policy."""
    if rules is None:
        return than is not None
    if than is None:
        kinds = sum(bool(rules[name]) for name in KINDS)
        return int(rules["minimum_length"]) < DEFAULT_LENGTH or kinds < DEFAULT_KINDS
    if any(than[name] and not rules[name] for name in KINDS):
        return True
    if rules["minimum_length"] < than["minimum_length"]:
        return True
    if rules["reuse_prevention"] < than["reuse_prevention"]:
        return True
    # An age of 0 means that passwords never expire.
    if than["maximum_age"] and not 0 < rules["maximum_age"] <= than["maximum_age"]:
        return True
    return bool(than["hard_expiry"] and not rules["hard_expiry"])


def differences(before: Rules | None, after: Rules | None) -> list[str]:
    """What the rules ask for differently, in sentences."""
    if after is None:
        return [
            f"AWS’s default: {DEFAULT_LENGTH} characters, {DEFAULT_KINDS} of the 4 character "
            "types, no expiration, reuse allowed."
        ]
    settings_after = _told(after)
    known = _told(before) if before is not None else {}
    sentences: list[str] = []
    for name, sentence in settings_after.items():
        if name not in known:
            sentences.append(sentence)
        elif known[name] != sentence:
            sentences.append(f"{sentence} Before: {_lower(known[name])}")
    return sentences


def _told(rules: Rules) -> dict[str, str]:
    kinds = [words for name, words in KINDS.items() if rules[name]]
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
