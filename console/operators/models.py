"""The sign-in of a person: what Django and allauth authenticate."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models

from iam.directory.models import Person


class Operator(AbstractUser):
    """A sign-in, tied to the person on whose behalf it acts; roles belong to the person."""

    person = models.OneToOneField(Person, on_delete=models.PROTECT, null=True, related_name="operator")

    def __str__(self) -> str:
        return self.username
