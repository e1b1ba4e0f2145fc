"""My access: a person's own access in AWS, and how they sign in there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.http import HttpResponse
from django.urls import reverse

from console.access.grants.marks import ALTERED, mark_of, marks_of
from console.access.grants.presenters import used_of
from console.changes.presenters import StateMark
from console.identities.details import labels
from console.identities.details.frame import ShownEntity
from console.identities.details.holdings import held_by
from console.identities.details.people import credentials_context
from console.web.access import ViewerRequest, layout_for
from console.web.asof import asof_context
from console.web.render import render_page
from console.web.shortened_lists import ShortenedList, first_rows
from iam.access.grants.models import Grant
from iam.access.grants.own_grants import own_grants, recently_declined
from iam.access.grants.services.rights import may_extend
from iam.changes.models import Change
from iam.changes.queries import waiting_for_others
from iam.changes.titles import partly_hidden, title_of
from iam.linking.ownership import unconfirmed_of, unsynced_users
from iam.mirror.models import Entity, Kind, Usage, UserCredentials
from iam.mirror.queries import entities
from iam.mirror.queries.visibility import disconnected_entities, visible_entities
from iam.people.campaigns.queries import own_due
from iam.people.rotation.services import new_keys_of

MAX_USERS = 10
"""Maximum number of cards. A person usually has one IAM user per account; the pages of the accounts show the
rest.
"""
DECLINED = 5
"""Maximum number of the viewer's declined requests that are shown."""


def my_access(request: ViewerRequest) -> HttpResponse:
    """Show a card per IAM user of the viewer: groups, policies, password, MFA and keys."""
    own_users = (
        visible_entities(request.viewer)
        .filter(kind=Kind.USER, gone_at__isnull=True)
        .select_related("account")
        .order_by("account__name", "name", "pk")
    )
    users = list(own_users)
    not_yet = bool(users) and request.at is not None
    cards = [card for user in users if (card := _card(request, user))]
    context = (asof_context(request, entity=users[0]) if users else {}) | {
        "section": "overview",
        "intro": _intro(request, has_users=bool(cards), not_yet=not_yet),
        "first_name": request.viewer.name.split(" ")[0],
        "not_yet": not_yet,
        "users": cards,
        "unsynced": unsynced_users([request.viewer.person_id]).get(request.viewer.person_id, 0),
        "hidden_users": _hidden_users(request) if request.at is None else [],
        "waiting": _waiting(request) if request.at is None else [],
        "grants": _grants(request) if request.at is None else [],
        "declined": _declined(request) if request.at is None else [],
        "grant_count": own_grants(request.viewer).count() if request.at is None else 0,
        "mfa_due": own_due(request.viewer.scope.user_arns) if request.at is None else None,
        "today": datetime.now(tz=UTC).date(),
        "new_keys": new_keys_of(request.viewer) if request.at is None else [],
        "unconfirmed": unconfirmed_of(request.viewer.person_id) if request.at is None else 0,
        "layout": layout_for(request.viewer),
    }
    return render_page(request, "dashboard/my_access.html", context)


def _hidden_users(request: ViewerRequest) -> ShortenedList[Entity]:
    """Return the viewer's users in disconnected accounts."""
    users = disconnected_entities(request.viewer).filter(kind=Kind.USER, gone_at__isnull=True)
    users = users.select_related("account").order_by("account__name", "name", "pk")
    return first_rows(request, users, most=MAX_USERS, name="disconnected")


def _intro(request: ViewerRequest, *, has_users: bool, not_yet: bool) -> str:
    if has_users and request.at is None:
        return "This is your access to AWS, and how you sign in there."
    if has_users:
        return "This was your access to AWS, and how you signed in there."
    return "Your AWS user did not exist then, or was not known yet." if not_yet else ""


def _waiting(request: ViewerRequest) -> ShortenedList[tuple[Change, str]]:
    """Return the viewer's waiting requests with their titles. Grants have their own lines."""
    waiting = waiting_for_others(request.viewer).exclude(change_set__cause_kind__startswith="grant")
    changes = first_rows(
        request, waiting.select_related("account", "change_set"), most=MAX_USERS, name="waiting"
    )
    partial = partly_hidden([change.change_set_id for change in changes], viewer=request.viewer)
    rows = []
    for change in changes:
        rows.append((change, title_of(change, is_partial=change.change_set_id in partial)))
    return changes.with_rows(rows)


def _grants(request: ViewerRequest) -> ShortenedList[dict[str, Any]]:
    """Return the viewer's active and requested grants, the first to end first."""
    now = datetime.now(tz=UTC)
    grants = first_rows(request, own_grants(request.viewer), most=MAX_USERS, name="grants")
    marks = marks_of(grants)
    rows = []
    for grant in grants:
        mark = marks[grant.pk]
        can_extend = not may_extend(grant, viewer=request.viewer)
        row = {
            "grant": grant,
            "mark": mark,
            "used": used_of(grant, now=now),
            "is_altered": mark is ALTERED,
            "extends": can_extend,
        }
        rows.append(row)
    return grants.with_rows(rows)


def _declined(request: ViewerRequest) -> list[tuple[Grant, StateMark]]:
    """Return the viewer's recently declined requests for access."""
    return [(grant, mark_of(grant)) for grant in recently_declined(request.viewer)[:DECLINED]]


def _card(request: ViewerRequest, user: Entity) -> dict[str, Any] | None:
    state = entities.state_at(user, at=request.at)
    if state is None:
        return None
    shown = ShownEntity(user, state, request.at, request.viewer)
    holding = held_by(shown)
    credentials = entities.credentials(user, at=request.at)
    usage = Usage.objects.filter(entity=user).first() if request.at is None else None
    contents = entities.group_contents([tie.pk for tie in holding.groups], at=request.at)
    shown_credentials = credentials_context(shown, credentials, usage)
    inline = entities.inline_policies(user, at=request.at)
    return shown_credentials | {
        "user": user,
        "state": state,
        "url": reverse("identities:person", args=[user.pk]),
        "groups": [(tie, _gives(contents[tie.pk])) for tie in holding.groups],
        "policies": holding.policies,
        "inline": inline,
        "sources": _sources(len(holding.groups), len(holding.policies) + len(inline)),
        "password": _password(credentials, shown_credentials["password_days"]),
        "no_keys": _no_keys(credentials),
        "boundary": holding.boundary,
        "credentials": credentials,
        "usage": usage,
        "mfa": labels.mfa_mark(credentials),
        "alarm": bool(credentials and credentials.mfa == "none" and credentials.has_password),
    }


def _gives(content: entities.GroupContent) -> str:
    names = [policy.name for policy in content.policies] + list(content.inline)
    return f"Gives {', '.join(names)}." if names else "Gives no access."


def _sources(groups: int, policies: int) -> str:
    parts = [(groups, "group", "groups"), (policies, "policy", "policies")]
    return ", ".join(f"{number} {noun if number == 1 else many}" for number, noun, many in parts if number)


def _password(credentials: UserCredentials | None, days: int | None) -> str:
    if credentials is None or credentials.has_password is None:
        return "Unknown"
    if not credentials.has_password:
        return "None"
    if days is None:
        return "Set"
    return f"{days} day{'' if days == 1 else 's'} old"


def _no_keys(credentials: UserCredentials | None) -> str:
    """Return the text if no key is listed; the credential report may still know how many there are."""
    if credentials is None:
        return "Unknown"
    return f"{credentials.keys}, {credentials.active_keys} active" if credentials.keys else "None"
