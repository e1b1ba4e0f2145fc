"""The shape of what people type on the accounts pages; whether it can be is for the services to say."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from iam.mirror.accounts.uploads import limit_bytes
from iam.mirror.accounts.validation import INTERVALS, NAME_LONGEST, SetupError, checked_number
from iam.mirror.models.accounts import Account, Partition, Source

_MONO = {"class": "input mono", "autocomplete": "off", "spellcheck": "false"}
_TEXT = {"class": "input", "autocomplete": "off"}


def tell(form: forms.Form, error: SetupError) -> None:
    """Put what a service says beside the field that it is about."""
    form.add_error(error.field if error.field in form.fields else None, error.message)


class SetupForm(forms.Form):
    """A form without Django's colons and browser validation, whose messages are ours."""

    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""


class NameForm(SetupForm):
    """The first step of a connection: which account, and what people call it."""

    account_id = forms.CharField(
        label="Account number",
        max_length=20,
        widget=forms.TextInput(attrs=_MONO | {"inputmode": "numeric", "placeholder": "1234-5678-9012"}),
        error_messages={"required": "Write the twelve digits of the account."},
    )
    name = forms.CharField(
        label="Name in Gatehouse",
        max_length=NAME_LONGEST,
        widget=forms.TextInput(attrs=_TEXT | {"placeholder": "prod-payments"}),
        error_messages={"required": "Give the account a name."},
    )
    partition = forms.ChoiceField(
        label="Partition", choices=Partition.choices, widget=forms.Select(attrs={"class": "input"})
    )

    def clean_account_id(self) -> str:
        """What is wrong with the number is said together with what is wrong with the name."""
        try:
            return checked_number(self.cleaned_data["account_id"])
        except SetupError as error:
            raise forms.ValidationError(error.message) from error


class RoleForm(SetupForm):
    """The second step: the roles that now exist in the account."""

    role_arn = forms.CharField(
        label="ARN of the reading role",
        max_length=2048,
        widget=forms.TextInput(attrs=_MONO),
        error_messages={"required": "Write the ARN of the role that you made."},
    )
    write_role_arn = forms.CharField(
        label="ARN of the writing role",
        required=False,
        max_length=2048,
        widget=forms.TextInput(attrs=_MONO),
        help_text="Leave it empty as long as Gatehouse shall only read",
    )


class HubForm(SetupForm):
    """Who assumes the roles, where the worker cannot say it or AWS leaves out the role's path."""

    hub_arn = forms.CharField(
        label="ARN of Gatehouse's own role",
        max_length=2048,
        widget=forms.TextInput(attrs=_MONO),
        error_messages={"required": "Write the ARN of the role that the worker has."},
    )


class ExternalIdForm(SetupForm):
    """An external id that a role in AWS asks for already."""

    external_id = forms.CharField(
        label="External ID",
        max_length=1224,
        widget=forms.TextInput(attrs=_MONO),
        error_messages={"required": "Write the external ID."},
    )


class EnvironmentForm(SetupForm):
    """What people call the account that the worker runs in."""

    name = forms.CharField(
        label="Name in Gatehouse",
        max_length=NAME_LONGEST,
        widget=forms.TextInput(attrs=_TEXT),
        error_messages={"required": "Give the account a name."},
    )


class DiscoverForm(SetupForm):
    """Through whom the organization is asked."""

    account = forms.ChoiceField(
        label="Ask through", required=False, widget=forms.Select(attrs={"class": "input"})
    )

    def __init__(self, *args: Any, accounts: list[Account], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["account"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            ("", "The worker's own credentials"),
            *((account.account_id, f"{account.name}, {account.display_id}") for account in accounts),
        ]


class RolePlanForm(SetupForm):
    """The role that every chosen account has."""

    role_name = forms.CharField(
        label="Name of the reading role in every account",
        max_length=64,
        widget=forms.TextInput(attrs=_MONO),
        error_messages={"required": "Write the name of the role."},
    )
    write_role_name = forms.CharField(
        label="Name of the writing role",
        required=False,
        max_length=64,
        widget=forms.TextInput(attrs=_MONO),
        help_text="Leave it empty as long as Gatehouse shall only read",
    )
    external_id = forms.CharField(
        label="External ID",
        required=False,
        max_length=1224,
        widget=forms.TextInput(attrs=_MONO),
        help_text="The one that the roles' trust asks for",
    )


class SettingsForm(SetupForm):
    """How a connected account is named, reached and read."""

    name = forms.CharField(
        label="Name in Gatehouse",
        max_length=NAME_LONGEST,
        widget=forms.TextInput(attrs=_TEXT),
        error_messages={"required": "Give the account a name."},
    )
    pull_every = forms.TypedChoiceField(
        label="Read it",
        required=False,
        coerce=int,
        empty_value=None,
        widget=forms.Select(attrs={"class": "input"}),
    )
    role_arn = forms.CharField(
        label="ARN of the reading role",
        max_length=2048,
        widget=forms.TextInput(attrs=_MONO),
        error_messages={"required": "Write the ARN of the role that reads."},
    )
    write_role_arn = forms.CharField(
        label="ARN of the writing role",
        required=False,
        max_length=2048,
        widget=forms.TextInput(attrs=_MONO),
        help_text="Empty: Gatehouse only reads this account",
    )
    external_id = forms.CharField(
        label="External ID", required=False, max_length=1224, widget=forms.TextInput(attrs=_MONO)
    )

    def __init__(self, *args: Any, account: Account, default_minutes: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["pull_every"]
        assert isinstance(field, forms.TypedChoiceField)
        field.choices = [
            ("", f"{every(default_minutes)}, as by default"),
            *((minutes, every(minutes)) for minutes in INTERVALS),
        ]
        if account.source not in {Source.ROLE, Source.ORGANIZATION}:
            for name in ("role_arn", "write_role_arn", "external_id"):
                del self.fields[name]
        if account.source == Source.EXPORT:
            del self.fields["pull_every"]


def every(minutes: int) -> str:
    """An interval in words."""
    if minutes % 1440 == 0:
        return "Once a day" if minutes == 1440 else f"Every {minutes // 1440} days"
    if minutes % 60 == 0:
        return "Every hour" if minutes == 60 else f"Every {minutes // 60} hours"
    return "Every minute" if minutes == 1 else f"Every {minutes} minutes"


class UploadForm(SetupForm):
    """An export, perhaps with the credential report, and when they were made."""

    export = forms.FileField(
        label="Export",
        widget=forms.ClearableFileInput(attrs={"class": "input", "accept": ".json,application/json"}),
        error_messages={
            "required": "Choose the file that the command has written.",
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
        max_length=NAME_LONGEST,
        widget=forms.TextInput(attrs=_TEXT),
        help_text="Empty: the name that it has, or its number",
    )
    observed_at = forms.DateTimeField(
        label="Made at, UTC",
        required=False,
        widget=forms.DateTimeInput(
            attrs={"class": "input", "type": "datetime-local", "step": "1"}, format="%Y-%m-%dT%H:%M:%S"
        ),
        help_text="Empty: the newest date that the files hold",
        error_messages={"invalid": "This is not a date and time."},
    )

    accept_loss = forms.BooleanField(label="What is missing in it was really deleted", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
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
        f"This is more than {megabytes()}, the most that this installation takes. Connect an account of "
        "this size by a role, or have GATEHOUSE_UPLOAD_MEGABYTES raised."
    )
