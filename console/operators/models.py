"""The sign-in of a person: what Django and allauth authenticate, and which sign-ins are locked for a
while.
"""

from __future__ import annotations

from importlib import import_module

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils.crypto import salted_hmac

from iam.directory.models import Person


class Operator(AbstractUser):
    """A sign-in, tied to the person on whose behalf it acts; roles belong to the person."""

    person = models.OneToOneField(Person, on_delete=models.PROTECT, null=True, related_name="operator")
    # Part of what every session is checked against: one more ends them all.
    session_epoch = models.PositiveIntegerField(default=0)
    shortcuts = models.BooleanField(default=True)
    # A name of the IANA database; "" is the zone of the browser.
    time_zone = models.CharField(max_length=64, blank=True, default="")

    def __str__(self) -> str:
        return self.username

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        return salted_hmac(
            "gatehouse.operator.session",
            f"{self.password}:{self.session_epoch}",
            secret=secret,
            algorithm="sha256",
        ).hexdigest()


class OperatorSession(AbstractBaseSession):
    """A session: a digest of its key, its sealed data, and what its operator reads of it. See
    `console.operators.session_store`.
    """

    session_key = models.CharField(max_length=64, primary_key=True)
    # None before the sign-in is complete; then the other fields are empty as well.
    operator = models.ForeignKey(Operator, on_delete=models.CASCADE, null=True)
    began_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=200, blank=True, default="")

    @classmethod
    def get_session_store_class(cls) -> type[SessionBase]:
        """What reads and writes the rows."""
        store: type[SessionBase] = import_module(settings.SESSION_ENGINE).SessionStore
        return store


class SignInLock(models.Model):
    """Failures of one sign-in name, second factor or network address, and until when it is locked."""

    key = models.CharField(max_length=80, unique=True)
    failures = models.PositiveIntegerField(default=0)
    since = models.DateTimeField()
    locked_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.key}: {self.failures}"


class TotpStep(models.Model):
    """The last time step whose code an authenticator app was let in with: that code and older ones are used
    up.
    """

    authenticator = models.OneToOneField(
        Authenticator, on_delete=models.CASCADE, primary_key=True, related_name="totp_step"
    )
    # Steps of 30 seconds since 1970.
    step = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.step)
