"""Forms of the accounts pages; they check the input's shape, and the services check the rules."""

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
    """Run a check of the services as a field's validation, so that the errors of all fields appear at
    once.
    """
    try:
        return check(text, **terms)
    except SetupError as error:
        raise forms.ValidationError(error.message) from error


class MonoField(forms.CharField):
    """A field for an AWS identifier such as an ARN."""

    widget = forms.TextInput(attrs=_MONO)


class SetupForm(forms.Form):
    """Base form without Django's colons and browser validation, with our messages."""

    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""


class NameForm(SetupForm):
    """The first step of a connection: the account and its name."""

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
        """Check the account ID, so that its error appears together with that of the name."""
        return checked_by(checked_number, self.cleaned_data["account_id"])


class AccountRolesForm(SetupForm):
    """Base form with the ARNs of an account's roles; `where` gives their required account and partition."""

    def __init__(self, *args: Any, where: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._where = where

    def clean_role_arn(self) -> str:
        """Check one ARN, so that its error appears together with that of the other."""
        return checked_by(checked_role, self.cleaned_data["role_arn"], **self._where)

    def clean_write_role_arn(self) -> str:
        """Check the ARN of the write role, if given."""
        arn: str = self.cleaned_data["write_role_arn"]
        return checked_by(checked_role, arn, field="write_role_arn", **self._where) if arn else ""


def where_of(account: Account | ConnectionDraft) -> dict[str, str]:
    """Return the account and partition that roles must belong to."""
    return {"account_id": account.account_id, "partition": account.partition}


class RoleForm(AccountRolesForm):
    """The second step: the roles that were created in the account."""

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
    """The principal that assumes the roles, if the worker can’t report it, or if AWS omits the role's
    path.
    """

    hub_arn = MonoField(
        label="ARN of Gatehouse’s own role",
        max_length=2048,
        error_messages={"required": "Enter the ARN of the worker’s role."},
    )


class ExternalIdForm(SetupForm):
    """The external ID that an existing role requires."""

    external_id = MonoField(
        label="External ID",
        max_length=1224,
        error_messages={"required": "Enter the external ID."},
    )


class EnvironmentForm(SetupForm):
    """The name of the account that the worker runs in."""

    name = forms.CharField(
        label="Name in Gatehouse",
        max_length=MAX_NAME_LENGTH,
        widget=forms.TextInput(attrs=_TEXT),
        error_messages={"required": "Enter a name for the account."},
    )


class DiscoverForm(SetupForm):
    """The account through which the organization is queried."""

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
    """The role that every selected account has."""

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
        """Check the role name, so that its error appears together with those of the other fields."""
        return checked_by(checked_role_name, self.cleaned_data["role_name"])

    def clean_write_role_name(self) -> str:
        """Check the name of the write role, if given."""
        name: str = self.cleaned_data["write_role_name"]
        return checked_by(checked_role_name, name) if name else ""

    def clean_external_id(self) -> str:
        """Check the external ID."""
        return checked_by(checked_external_id, self.cleaned_data["external_id"], required=False)


class SettingsForm(AccountRolesForm):
    """The name, access and sync settings of a connected account."""

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
        """Check that no other account has the name."""
        return checked_by(checked_own_name, self.cleaned_data["name"], account_id=self._account.account_id)

    def clean_external_id(self) -> str:
        """Require the external ID if the account was connected by a role alone."""
        required = self._account.source == AccountSource.ROLE
        return checked_by(checked_external_id, self.cleaned_data["external_id"], required=required)


def interval_words(minutes: int) -> str:
    """Return an interval in words."""
    if minutes % 1440 == 0:
        return "Once a day" if minutes == 1440 else f"Every {minutes // 1440} days"
    if minutes % 60 == 0:
        return "Every hour" if minutes == 60 else f"Every {minutes // 60} hours"
    return "Every minute" if minutes == 1 else f"Every {minutes} minutes"


class LocalMomentField(forms.Field):
    """A datetime field in the reader's time zone, which the label names."""

    widget = forms.DateTimeInput(attrs={"class": "input", "type": "datetime-local", "step": "1"})

    def to_python(self, value: Any) -> datetime | None:
        """Return the moment in UTC."""
        text = str(value or "").strip()
        moment = read_input(text)
        if text and moment is None:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return moment

    def prepare_value(self, value: Any) -> Any:
        """Return the moment in the reader's zone; invalid input stays unchanged."""
        return input_text(value) if isinstance(value, datetime) else value


class UploadForm(SetupForm):
    """An export, optionally with the credential report, and when they were created."""

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
        """Refuse a file that exceeds the limit."""
        file: UploadedFile[bytes] = self.cleaned_data["export"]
        return _small_enough(file)

    def clean_report(self) -> UploadedFile[bytes] | None:
        """Refuse a file that exceeds the limit."""
        file: UploadedFile[bytes] | None = self.cleaned_data["report"]
        return _small_enough(file) if file else None


def _small_enough(file: UploadedFile[bytes]) -> UploadedFile[bytes]:
    if (file.size or 0) > limit_bytes():
        raise forms.ValidationError(too_large())
    return file


def megabytes() -> str:
    """Return the upload limit in words."""
    return f"{limit_bytes() // (1024 * 1024)} MB"


def too_large() -> str:
    """Return the error for an upload that exceeds the limit."""
    return (
        f"The file is larger than {megabytes()}, the limit of this installation. Connect an account of "
        "this size by a role, or have GATEHOUSE_UPLOAD_MEGABYTES raised."
    )
