"""The Django application of console.web."""

import gc

from django import forms
from django.apps import AppConfig
from django.core.validators import validate_email

# A field takes its messages when it is made, which is when a module with a form is imported: nothing is
# imported before this.
forms.Field.default_error_messages = {
    **forms.Field.default_error_messages,
    "required": "Fill in this field.",
}
validate_email.message = "“%(value)s” isn’t a valid email address."


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
