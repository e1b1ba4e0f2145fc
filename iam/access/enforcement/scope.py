"""Defines the users the policy applies to: a group of an account, or the users under a path; and how each
signs in.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.db.models import Count, F, Q, QuerySet

from iam.access.enforcement.check import PasswordState, SignInSituation
from iam.changes.errors import RefusedError
from iam.mirror.mfa import has_mfa
from iam.mirror.models import (
    Account,
    Edge,
    EdgeKind,
    Entity,
    EntityState,
    Kind,
    UserCredentials,
    valid_at,
)
from iam.mirror.queries.visibility import UnderPath

PATH_WORDS = "Enter a path that starts and ends with a slash, such as /payments/."


@dataclass(frozen=True, slots=True)
class PolicyScope:
    """A group, whose present and future members get the policy through it; or a path, whose current users get
    it individually.
    """

    account: Account
    group: Entity | None = None
    path: str = ""

    @property
    def words(self) -> str:
        """'the group deployers'; 'IAM users under /payments/'; 'all IAM users'."""
        if self.group is not None:
            return f"the group {self.group.name}"
        return "all IAM users" if self.path == "/" else f"IAM users under {self.path}"


def scope_of(account: Account, *, group: str = "", path: str = "") -> PolicyScope:
    """Parse the scope of a form. Raises RefusedError."""
    if group:
        entity = Entity.objects.filter(
            account=account, kind=Kind.GROUP, name__iexact=group, gone_at__isnull=True
        ).first()
        if entity is None:
            raise RefusedError(f"{account.name} has no group {group}, as of the last sync.")
        return PolicyScope(account, group=entity)
    if not (path.startswith("/") and path.endswith("/")):
        raise RefusedError(PATH_WORDS)
    return PolicyScope(account, path=path)


def users_in(scope: PolicyScope) -> list[Entity]:
    """The current users in scope, by name."""
    users: QuerySet[Entity] = Entity.objects.filter(
        account=scope.account, kind=Kind.USER, gone_at__isnull=True
    )
    if scope.group is not None:
        members = Edge.objects.filter(valid_at(None), kind=EdgeKind.MEMBER, target=scope.group)
        users = users.filter(pk__in=members.values("source"))
    elif scope.path != "/":
        states = EntityState.objects.filter(valid_at(None), account=scope.account, kind=Kind.USER)
        users = users.filter(pk__in=states.filter(UnderPath(F("path"), scope.path)).values("entity"))
    return list(users.select_related("account").order_by("name", "pk"))


def situations(users: Collection[int]) -> Mapping[int, SignInSituation]:
    """How each user signs in, according to the mirror. Two queries."""
    counted = Count(
        "credentials", filter=Q(credentials__kind=Kind.MFA_DEVICE, credentials__gone_at__isnull=True)
    )
    devices = dict(Entity.objects.filter(pk__in=users).annotate(n=counted).values_list("pk", "n"))
    rows = UserCredentials.objects.filter(valid_at(None), user__in=users)
    situations_by_id = {}
    for user, has_password, keys, mfa, report in rows.values_list(
        "user", "has_password", "active_keys", "mfa", "report"
    ):
        count = devices.get(user, 0) or int(has_mfa(mfa) is True)
        situations_by_id[user] = SignInSituation(_password(has_password, report), count, keys)
    return {user: situations_by_id.get(user, SignInSituation(PasswordState.UNREAD, 0)) for user in users}


def _password(has_password: bool | None, report: Mapping[str, object]) -> PasswordState:
    if has_password is None:
        return PasswordState.UNREAD
    if not has_password:
        return PasswordState.NONE
    profile = report.get("login_profile")
    must = isinstance(profile, dict) and profile.get("PasswordResetRequired")
    return PasswordState.MUST_CHANGE if must else PasswordState.SET
