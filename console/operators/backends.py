"""Authentication backend: only operators whose person is active can sign in."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.internal.userkit import filter_users_by_email, get_user_by_username
from django.db.models import BigAutoField

from console.operators.models import Operator
from iam.compiled_queries import CompiledQuery, columns, instance
from iam.directory.models import Person
from iam.prepared_statements import QueryParam


class OperatorBackend(AuthenticationBackend):  # type: ignore[misc]
    """Allauth's backend, which also checks the directory; the person is loaded with the operator in one
    query.
    """

    def get_user(self, user_id: Any) -> Operator | None:
        """Return the operator of a session; None if they may no longer sign in."""
        rows = _SIGNED_IN.rows(pk=user_id)
        if not rows:
            return None
        own, of_person = rows[0][: len(_OWN)], rows[0][len(_OWN) :]
        operator = instance(Operator, own)
        operator.person = instance(Person, of_person) if operator.person_id else None
        return operator if self.user_can_authenticate(operator) else None

    def _authenticate(self, request: Any, **credentials: Any) -> Operator | None:
        """Compare exactly one password hash for any user name, so that the time doesn’t reveal who is
        known.
        """
        password = str(credentials["password"])
        email, username = str(credentials.get("email") or ""), str(credentials.get("username") or "")
        operators = filter_users_by_email(email, prefer_verified=True, for_login=True) if email else []
        user = None
        if operators:
            user = operators[0]
        elif username:
            user = get_user_by_username(username)
        checked: Operator | None = self._check_password(user, password)
        return checked

    def user_can_authenticate(self, user: Any) -> bool:
        """Return whether the operator and the person are active."""
        return bool(user.is_active and user.person_id and user.person.is_active)


_OWN, _PERSON = columns(Operator), columns(Person)
_SIGNED_IN = CompiledQuery(
    lambda: Operator.objects.filter(pk=QueryParam("pk", BigAutoField())).values_list(
        *_OWN, *(f"person__{name}" for name in _PERSON)
    )
)
