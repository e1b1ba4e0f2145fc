"""Who may authenticate: operators whose person is active."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend

from console.operators.models import Operator


class OperatorBackend(AuthenticationBackend):  # type: ignore[misc]
    """allauth's backend, which also asks the directory; the person comes in the same query as the operator."""

    def get_user(self, user_id: Any) -> Operator | None:
        """The operator behind a session; None when they may not sign in any more."""
        operator = Operator.objects.select_related("person").filter(pk=user_id).first()
        return operator if operator and self.user_can_authenticate(operator) else None

    def user_can_authenticate(self, user: Any) -> bool:
        """Whether the sign-in and the person behind it are active."""
        return bool(user.is_active and user.person_id and user.person.is_active)
