"""The Django application of console.web."""

import gc

from django import forms
from django.apps import AppConfig
from django.core import validators

# A field takes its messages when it is made, which is when a module with a form is imported: nothing is
# imported before this.
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
    """Registers console.web."""

    name = "console.web"
    label = "web"

    def ready(self) -> None:
        from console.web import checks

        assert checks.ONLY_FOR_DEVELOPMENT  # Its import registers the check.
        # This application is the last one: all that is there by now is left out of each later collection.
        gc.freeze()
        gc.enable()
