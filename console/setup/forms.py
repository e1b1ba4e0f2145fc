"""The shape of what people type on the accounts pages; whether it can be is for the services to say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from console.web.moments import input_text, read_input, zone_label
from iam.mirror.accounts.names import checked_own_name
from iam.mirror.accounts.uploads import limit_bytes
from iam.mirror.accounts.validation import (
    INTERVALS,
    MAX_NAME_LENGTH,
    SetupError,
    checked_external_id,
    checked_number,
    checked_role,
    checked_role_name,
)
from iam.mirror.models.accounts import Account, AccountSource, Partition
from iam.mirror.models.setup import ConnectionDraft

_MONO = {"class": "input mono", "autocomplete": "off", "spellcheck": "false"}
_TEXT = {"class": "input", "autocomplete": "off"}


def checked_by(check: Callable[..., str], text: str, **terms: Any) -> str:
    """What a check of the services makes of a field; its complaint is the field's, so that all fields have
    theirs at once.
    """
    try:
        return check(text, **terms)
    except SetupError as error:
        raise forms.ValidationError(error.message) from error


class MonoField(forms.CharField):
    """A name of AWS, such as an ARN."""

    widget = forms.TextInput(attrs=_MONO)


class SetupForm(forms.Form):
    """A form without Django's colons and browser validation, whose messages are ours."""

    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""


class NameForm(SetupForm):
    """The first step of a connection: which account, and what people call it."""

    account_id = forms.CharField(
        label="Account ID",
        max_length=20,
        widget=forms.TextInput(attrs=_MONO | {"inputmode": "numeric", "placeholder": "1234-5678-9012"}),
        error_messages={"required": "Enter the 12-digit account ID."},
    )
    name = forms.CharField(
        label="Name in Gatehouse",
        max_length=MAX_NAME_LENGTH,
        widget=forms.TextInput(attrs=_TEXT | {"placeholder": "prod-payments"}),
        error_messages={"required": "Enter a name for the account."},
    )
    partition = forms.ChoiceField(
        label="Partition", choices=Partition.choices, widget=forms.Select(attrs={"class": "input"})
    )

    def clean_account_id(self) -> str:
        """What is wrong with the number is said together with what is wrong with the name."""
        return checked_by(checked_number, self.cleaned_data["account_id"])


class AccountRolesForm(SetupForm):
    """A form with the ARNs of an account's roles; `where` says of which account and partition they have to
    be.
    """

    def __init__(self, *args: Any, where: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._where = where

    def clean_role_arn(self) -> str:
        """What is wrong with one ARN is said together with what is wrong with the other."""
        return checked_by(checked_role, self.cleaned_data["role_arn"], **self._where)

    def clean_write_role_arn(self) -> str:
        """The second role, if there is one."""
        arn: str = self.cleaned_data["write_role_arn"]
        return checked_by(checked_role, arn, field="write_role_arn", **self._where) if arn else ""


def where_of(account: Account | ConnectionDraft) -> dict[str, str]:
    """The account and partition that roles have to be of."""
    return {"account_id": account.account_id, "partition": account.partition}


class RoleForm(AccountRolesForm):
    """The second step: the roles that now exist in the account."""

    role_arn = MonoField(
        label="Read role ARN",
        max_length=2048,
        error_messages={"required": "Enter the ARN of the role that you created."},
    )
    write_role_arn = MonoField(
        label="Write role ARN",
        required=False,
        max_length=2048,
        help_text="Leave empty for read-only access",
    )


class HubForm(SetupForm):
    """Who assumes the roles, where the worker cannot say it or AWS leaves out the role's path."""

    hub_arn = MonoField(
        label="ARN of Gatehouse’s own role",
        max_length=2048,
        error_messages={"required": "Enter the ARN of the worker’s role."},
    )


class ExternalIdForm(SetupForm):
    """An external id that a role in AWS asks for already."""

    external_id = MonoField(
        label="External ID",
        max_length=1224,
        error_messages={"required": "Enter the external ID."},
    )


class EnvironmentForm(SetupForm):
    """What people call the account that the worker runs in."""

    name = forms.CharField(
        label="Name in Gatehouse",
        max_length=MAX_NAME_LENGTH,
        widget=forms.TextInput(attrs=_TEXT),
        error_messages={"required": "Enter a name for the account."},
    )


class DiscoverForm(SetupForm):
    """Through whom the organization is asked."""

    account = forms.ChoiceField(
        label="Discover with", required=False, widget=forms.Select(attrs={"class": "input"})
    )

    def __init__(self, *args: Any, accounts: list[Account], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["account"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            ("", "The worker’s own credentials"),
            *((account.account_id, f"{account.name}, {account.display_id}") for account in accounts),
        ]


class RolePlanForm(SetupForm):
    """The role that every chosen account has."""

    role_name = MonoField(
        label="Read role name in every account",
        max_length=64,
        error_messages={"required": "Enter the name of the role."},
    )
    write_role_name = MonoField(
        label="Write role name",
        required=False,
        max_length=64,
        help_text="Leave empty for read-only access",
    )
    external_id = MonoField(
        label="External ID",
        required=False,
        max_length=1224,
        help_text="As required by the trust policies of the roles",
    )

    def clean_role_name(self) -> str:
        """What is wrong with it is said together with what is wrong with the other fields, as below."""
        return checked_by(checked_role_name, self.cleaned_data["role_name"])

    def clean_write_role_name(self) -> str:
        """The same for the second role, if there is one."""
        name: str = self.cleaned_data["write_role_name"]
        return checked_by(checked_role_name, name) if name else ""

    def clean_external_id(self) -> str:
        """The same for the external ID."""
        return checked_by(checked_external_id, self.cleaned_data["external_id"], required=False)


class SettingsForm(AccountRolesForm):
    """How a connected account is named, reached and read."""

    name = forms.CharField(
        label="Name in Gatehouse",
        max_length=MAX_NAME_LENGTH,
        widget=forms.TextInput(attrs=_TEXT),
        error_messages={"required": "Enter a name for the account."},
    )
    pull_every = forms.TypedChoiceField(
        label="Sync",
        required=False,
        coerce=int,
        empty_value=None,
        widget=forms.Select(attrs={"class": "input"}),
    )
    role_arn = MonoField(
        label="Read role ARN",
        max_length=2048,
        error_messages={"required": "Enter the ARN of the read role."},
    )
    write_role_arn = MonoField(
        label="Write role ARN",
        required=False,
        max_length=2048,
        help_text="Leave empty for read-only access",
    )
    external_id = MonoField(
        label="External ID",
        required=False,
        max_length=1224,
    )

    def __init__(self, *args: Any, account: Account, default_minutes: int, **kwargs: Any) -> None:
        super().__init__(*args, where=where_of(account), **kwargs)
        self._account = account
        field = self.fields["pull_every"]
        assert isinstance(field, forms.TypedChoiceField)
        field.choices = [
            ("", f"{interval_words(default_minutes)}, the default"),
            *((minutes, interval_words(minutes)) for minutes in INTERVALS),
        ]
        if account.source not in {AccountSource.ROLE, AccountSource.ORGANIZATION}:
            for name in ("role_arn", "write_role_arn", "external_id"):
                del self.fields[name]
        if account.source == AccountSource.EXPORT:
            del self.fields["pull_every"]

    def clean_name(self) -> str:
        """A name that no other account has."""
        return checked_by(checked_own_name, self.cleaned_data["name"], account_id=self._account.account_id)

    def clean_external_id(self) -> str:
        """Required where the account was connected by a role alone."""
        required = self._account.source == AccountSource.ROLE
        return checked_by(checked_external_id, self.cleaned_data["external_id"], required=required)


def interval_words(minutes: int) -> str:
    """An interval in words."""
    if minutes % 1440 == 0:
        return "Once a day" if minutes == 1440 else f"Every {minutes // 1440} days"
    if minutes % 60 == 0:
        return "Every hour" if minutes == 60 else f"Every {minutes // 60} hours"
    return "Every minute" if minutes == 1 else f"Every {minutes} minutes"


class LocalMomentField(forms.Field):
    """A moment in the time zone of the reader, which the label names."""

    widget = forms.DateTimeInput(attrs={"class": "input", "type": "datetime-local", "step": "1"})

    def to_python(self, value: Any) -> datetime | None:
        """The moment in UTC."""
        text = str(value or "").strip()
        moment = read_input(text)
        if text and moment is None:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return moment

    def prepare_value(self, value: Any) -> Any:
        """The moment in the reader's zone; what was typed stays as it is."""
        return input_text(value) if isinstance(value, datetime) else value


class UploadForm(SetupForm):
    """An export, perhaps with the credential report, and when they were made."""

    export = forms.FileField(
        label="Export",
        widget=forms.ClearableFileInput(attrs={"class": "input", "accept": ".json,application/json"}),
        error_messages={
            "required": "Choose the file that the command created.",
            "empty": "This file is empty.",
        },
    )
    report = forms.FileField(
        label="Credential report",
        required=False,
        widget=forms.ClearableFileInput(attrs={"class": "input", "accept": ".csv,text/csv"}),
        help_text="Adds passwords, keys and MFA",
        error_messages={"empty": "This file is empty."},
    )
    name = forms.CharField(
        label="Name in Gatehouse",
        required=False,
        max_length=MAX_NAME_LENGTH,
        widget=forms.TextInput(attrs=_TEXT),
        help_text="Leave empty to use its name or account ID",
    )
    observed_at = LocalMomentField(
        label="Created at",
        required=False,
        help_text="Leave empty to use the newest date in the files",
        error_messages={"invalid": "This isn’t a valid date and time."},
    )

    accept_loss = forms.BooleanField(
        label="Entries missing from the file were deleted in AWS", required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["observed_at"].label = f"Created at ({zone_label()})"
        for name in ("export", "report"):
            self.fields[name].widget.attrs["data-max-bytes"] = str(limit_bytes())

    def clean_export(self) -> UploadedFile[bytes]:
        """Refuse a file that is larger than the limit."""
        file: UploadedFile[bytes] = self.cleaned_data["export"]
        return _small_enough(file)

    def clean_report(self) -> UploadedFile[bytes] | None:
        """Refuse a file that is larger than the limit."""
        file: UploadedFile[bytes] | None = self.cleaned_data["report"]
        return _small_enough(file) if file else None


def _small_enough(file: UploadedFile[bytes]) -> UploadedFile[bytes]:
    if (file.size or 0) > limit_bytes():
        raise forms.ValidationError(too_large())
    return file


def megabytes() -> str:
    """The limit of an upload in words."""
    return f"{limit_bytes() // (1024 * 1024)} MB"


def too_large() -> str:
    """The sentence about an upload beyond the limit."""
    return (
        f"The file is larger than {megabytes()}, the limit of this installation. Connect an account of "
        "this size by a role, or have GATEHOUSE_UPLOAD_MEGABYTES raised."
    )
