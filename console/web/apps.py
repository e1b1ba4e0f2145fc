"""The Django application of console.web."""

import gc

from django import forms
from django.apps import AppConfig
from django.core import validators

# A form field reads its error messages when it is created, which happens when a module with a form is
# imported. So nothing may be imported before this.
forms.Field.default_error_messages = {
    **forms.Field.default_error_messages,
    "required": "Fill in this field.",
}
validators.validate_email.message = "“%(value)s” isn’t a valid email address."
validators.MinValueValidator.message = "Enter %(limit_value)s or more."
validators.MaxValueValidator.message = "Enter %(limit_value)s or less."
validators.MinLengthValidator.message = "Use at least %(limit_value)d characters."
validators.MaxLengthValidator.message = "Use at most %(limit_value)d characters."


class WebConfig(AppConfig):
    name = "console.web"
    label = "web"

    def ready(self) -> None:
        from console.web import checks

        assert checks.ONLY_FOR_DEVELOPMENT  # Importing the module registers the check.
        # This application is the last one: later garbage collections skip everything that is loaded by now.
        gc.freeze()
        gc.enable()
