"""Operators (the sign-ins that Django and allauth authenticate), their sessions, and locks."""

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
    """A sign-in of a person; roles belong to the person."""

    person = models.OneToOneField(Person, on_delete=models.PROTECT, null=True, related_name="operator")
    # Every session is checked against this number; incrementing it ends them all.
    session_epoch = models.PositiveIntegerField(default=0)
    shortcuts = models.BooleanField(default=True)
    # IANA time zone name; "" uses the browser's time zone.
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
    """A session: a digest of its key, its encrypted data, and what its operator sees of it. See
    `console.operators.session_store`.
    """

    session_key = models.CharField(max_length=64, primary_key=True)
    # None until the sign-in is complete; the other fields are empty until then too.
    operator = models.ForeignKey(Operator, on_delete=models.CASCADE, null=True)
    began_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=200, blank=True, default="")

    @classmethod
    def get_session_store_class(cls) -> type[SessionBase]:
        """Return the store that reads and writes the rows."""
        store: type[SessionBase] = import_module(settings.SESSION_ENGINE).SessionStore
        return store


class SignInLock(models.Model):
    """Failures of a sign-in name, second factor or network address, and the end of its lock."""

    key = models.CharField(max_length=80, unique=True)
    failures = models.PositiveIntegerField(default=0)
    since = models.DateTimeField()
    locked_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.key}: {self.failures}"


class TotpStep(models.Model):
    """The last time step accepted from an authenticator app; codes of it and of older steps are used up."""

    authenticator = models.OneToOneField(
        Authenticator, on_delete=models.CASCADE, primary_key=True, related_name="totp_step"
    )
    # Number of the 30-second step since 1970.
    step = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.step)
