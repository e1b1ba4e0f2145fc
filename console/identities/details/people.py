"""The pages of an IAM user: permissions, credentials and history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpResponse
from django.urls import reverse

from console.identities.details import history, labels
from console.identities.details.credential_acts import CredentialButton, acts_of, user_acts
from console.identities.details.frame import (
    DetailTab,
    ShownEntity,
    membership_address,
    render_shown,
    shown_or_404,
)
from console.identities.details.holdings import (
    HeldPolicyRow,
    HeldTies,
    address,
    held_by,
    managed,
    own_policies,
)
from console.identities.details.owners import owner_facts
from console.offboarding.notice import access_notice
from console.web.access import ViewerRequest, require
from iam.guard import Right
from iam.linking.key_owners import owners_of_keys
from iam.linking.known_owners import may_name_owner
from iam.linking.machines import is_machine_with
from iam.linking.owners import owning_team
from iam.mirror.display_names import display_name, people_of_users
from iam.mirror.models import EntityState, Kind, Usage, UserCredentials
from iam.mirror.pull.sections import LABELS, SERVICE_CREDENTIALS, SIGNING_CERTIFICATES, SSH_KEYS
from iam.mirror.queries import entities
from iam.mirror.queries.entities import GroupContent, OpenableEntities
from iam.people.enrolment.devices import labels_of
from iam.people.rotation.key_statuses import knows_keys
from iam.people.rotation.rotation_plan import living_of

OTHERS = (SSH_KEYS, SIGNING_CERTIFICATES, SERVICE_CREDENTIALS)
"""Sections of the card “Other credentials”."""
SEES = (Right.SEE_ACCOUNT, Right.SEE_TEAM, Right.SEE_SELF)


@require(*SEES)
def person(request: ViewerRequest, pk: int) -> HttpResponse:
    """Show groups and policies, the first tab of a person."""
    shown = shown_or_404(request, pk, kinds=[Kind.USER])
    if shown.state is None:
        return render_shown(request, shown, "identities/person.html", {})
    holding = held_by(shown)
    contents = entities.group_contents([tie.pk for tie in holding.groups], at=shown.at)
    policies = chain.from_iterable(content.policies for content in contents.values())
    through = [tie.pk for tie in policies]
    open_to = shown.openable([*holding.pks, *through])
    askable = shown.requestable([shown.entity.pk, *(tie.pk for tie in holding.groups)])
    context = _head(shown, holding, open_to, here="identities:person") | {
        "tab": "identities/person_groups.html",
        "groups": [
            {
                "tie": tie,
                "url": address("identities:group", tie, open_to),
                "content": contents[tie.pk],
                "policies": len(contents[tie.pk].policies) + len(contents[tie.pk].inline),
                "remove": membership_address(user=shown.entity.pk, group=tie.pk, do="remove")
                if tie.pk in askable and shown.entity.pk in askable
                else "",
            }
            for tie in holding.groups
        ],
        "add": membership_address(user=shown.entity.pk, do="add") if shown.entity.pk in askable else "",
        "policies": _policy_rows(shown, holding, contents, open_to),
    }
    return render_shown(request, shown, "identities/person.html", context)


@require(*SEES)
def person_credentials(request: ViewerRequest, pk: int) -> HttpResponse:
    """Show password, MFA devices, keys and other credentials."""
    shown = shown_or_404(request, pk, kinds=[Kind.USER])
    if shown.state is None:
        return render_shown(request, shown, "identities/person.html", {})
    holding = held_by(shown)
    open_to = shown.openable(holding.pks)
    head = _head(shown, holding, open_to, here="identities:person-credentials")
    context = head | credentials_context(shown, head["credentials"], head["usage"])
    asks = shown.entity.pk in shown.requestable([shown.entity.pk])
    return render_shown(
        request,
        shown,
        "identities/person.html",
        context
        | {
            "tab": "identities/person_credentials.html",
            "user_acts": user_acts(shown.entity, head["credentials"]) if asks else None,
            "adds_device": shown.is_self and shown.at is None,
            "rotates": (asks or shown.is_self) and shown.at is None,
            "rotation": living_of(shown.entity) if shown.at is None else None,
            "asks_device": asks and shown.at is None,
            "sends_link": asks
            and shown.at is None
            and not (context["devices"] or _has_mfa(head["credentials"])),
        },
    )


@require(*SEES)
def person_history(request: ViewerRequest, pk: int) -> HttpResponse:
    """Show what changed, when, and why."""
    shown = shown_or_404(request, pk, kinds=[Kind.USER])
    return history.render_history(
        request, shown, "identities/person.html", person_head, here="identities:person-history"
    )


@dataclass(frozen=True, slots=True)
class HeaderAction:
    """A button in the page header."""

    label: str
    url: str
    icon: str
    is_primary: bool = False


def _actions(shown: ShownEntity, *, is_machine: bool) -> list[HeaderAction]:
    """Return what the viewer can do with this user."""
    pk, viewer = shown.entity.pk, shown.viewer
    why = HeaderAction("Explain access", reverse("access:person-why", args=[pk]), "circle-help")
    if shown.at is not None:
        return []
    if pk not in shown.requestable([pk]):
        asks = shown.is_self and viewer.may(Right.SEE_SELF)
        request = HeaderAction("Request access", reverse("access:ask"), "key-round", is_primary=True)
        return [request, why] if asks else [why]
    actions = [
        HeaderAction("Grant access", f"{reverse('access:grant-new')}?for={pk}", "key-round", is_primary=True),
        why,
    ]
    if is_machine:
        actions += [
            HeaderAction("Owning team", reverse("linking:person", args=[pk]), "users"),
            HeaderAction(
                "Rotate access keys", reverse("identities:person-credentials", args=[pk]), "rotate-cw"
            ),
            HeaderAction("Delete", f"{reverse('changes:act', args=['delete'])}?on={pk}", "trash-2"),
        ]
    elif not shown.is_self:
        actions += [
            HeaderAction("Change team", f"{reverse('moving:begin')}?user={pk}", "arrow-left-right"),
            HeaderAction("Offboard", f"{reverse('offboarding:begin')}?user={pk}", "log-out"),
        ]
    return actions


def _has_mfa(credentials: UserCredentials | None) -> bool:
    return credentials is not None and credentials.mfa not in ("none", "unread")


def _has_no_password(credentials: UserCredentials | None) -> bool:
    return credentials is not None and credentials.has_password is False


def person_head(shown: ShownEntity, *, here: str) -> dict[str, Any]:
    """Return the context above the tabs of a person; `here` is the URL name of the current page."""
    holding = held_by(shown)
    return _head(shown, holding, shown.openable(holding.pks), here=here)


def _head(shown: ShownEntity, holding: HeldTies, open_to: OpenableEntities, *, here: str) -> dict[str, Any]:
    credentials = entities.credentials(shown.entity, at=shown.at)
    tags = entities.tags(shown.entity, at=shown.at)
    days = labels.days_since(credentials.oldest_key_at, at=shown.at) if credentials else None
    usage = _usage(shown)
    owned = owning_team(shown.entity) if shown.at is None else None
    is_machine = is_machine_with(shown.entity, owned=owned, credentials=credentials, tags=tags)
    return {
        "display_name": display_name(
            shown.entity.name, tags, person=people_of_users([shown.entity.pk]).get(shown.entity.pk, "")
        ),
        "credentials": credentials,
        "usage": usage,
        "access_notice": access_notice(shown.entity, viewer=shown.viewer) if shown.at is None else None,
        "actions": _actions(shown, is_machine=is_machine),
        "never_used": labels.never_used(credentials),
        "mfa": labels.mfa_mark(credentials),
        "console": labels.password_words(credentials),
        "oldest_key": labels.days_words(days, never=labels.no_key(credentials)),
        "key_is_old": days is not None and days > labels.KEY_DAYS,
        "boundary": holding.boundary,
        "boundary_url": address("identities:policy", holding.boundary, open_to),
        "tags": tags,
        "owning_team": owned,
        **(owner_facts(shown) if is_machine or _has_no_password(credentials) else {}),
        "tabs": _tabs(shown, credentials, here=here),
    }


def _tabs(shown: ShownEntity, credentials: UserCredentials | None, *, here: str) -> list[DetailTab]:
    alarm = bool(credentials and credentials.mfa == "none" and credentials.has_password)
    alarm_count = 1 if alarm else None
    access_title = "Effective access" if shown.viewer.sees_accounts else "Access"
    return [
        shown.tab("Groups and policies", "identities:person", here=here),
        shown.tab(
            "Credentials and MFA",
            "identities:person-credentials",
            here=here,
            count=alarm_count,
            tone="bad",
        ),
        shown.tab("All IAM users", "linking:person", here=here),
        shown.tab(access_title, "access:person", here=here),
        shown.tab("Grants", "access:person-grants", here=here),
        shown.tab("Activity", "activity:person", here=here),
        shown.tab("History", "identities:person-history", here=here),
    ]


def _usage(shown: ShownEntity) -> Usage | None:
    """Return last use, which is only known for the present."""
    return entities.last_use(shown.entity) if shown.at is None else None


def _policy_rows(
    shown: ShownEntity, holding: HeldTies, contents: dict[int, GroupContent], open_to: OpenableEntities
) -> list[HeldPolicyRow]:
    rows = own_policies(
        holding, entities.inline_policies(shown.entity, at=shown.at), open_to, edits=shown.edits_all
    )
    for group in holding.groups:
        url = address("identities:group", group, open_to)
        content = contents[group.pk]
        rows += [managed(tie, open_to, through=group.name, through_url=url) for tie in content.policies]
        rows += [
            HeldPolicyRow(name, "Inline", through=group.name, through_url=url) for name in content.inline
        ]
    return rows


def credentials_context(
    shown: ShownEntity, credentials: UserCredentials | None, usage: Usage | None
) -> dict[str, Any]:
    """Return the context of the credentials tab: facts of the report, and each key, device and credential."""
    owned = entities.owned(shown.entity, at=shown.at)
    report = credentials.report if credentials else {}
    details = usage.details if usage else {}
    profile = report.get("login_profile")
    other_kinds = (Kind.SSH_KEY, Kind.SIGNING_CERTIFICATE, Kind.SERVICE_CREDENTIAL)
    others = chain.from_iterable(owned.get(kind, []) for kind in other_kinds)
    return {
        "password_days": labels.days_since(credentials.password_changed_at, at=shown.at)
        if credentials and credentials.password_changed_at
        else None,
        "password_last_used": labels.moment_from(details.get("password_last_used")),
        "password_next": labels.moment_from(report.get("password_next_rotation")),
        "must_change": profile.get("PasswordResetRequired") if isinstance(profile, dict) else None,
        "sign_in": labels.sign_in_words(profile) if isinstance(profile, dict) else "",
        "devices": _devices(owned.get(Kind.MFA_DEVICE, []), at=shown.at),
        "keys": _keys(owned.get(Kind.ACCESS_KEY, []), shown),
        "keys_known": knows_keys(shown.entity, credentials),
        "keys_counted": credentials.keys if credentials else 0,
        "keys_active": credentials.active_keys if credentials else 0,
        "others": [
            (key, labels.status_mark(key), str(key.attrs.get("ServiceName", "")), acts_of(key))
            for key in others
        ],
        "others_unsynced": _unsynced_others(shown),
    }


def _unsynced_others(shown: ShownEntity) -> str:
    """Return the other credential types that were never synced in this account, as text; "" if there are
    none.
    """
    missing = shown.unsynced()
    return ", ".join(LABELS[name] for name in OTHERS if name in missing)


def _devices(
    devices: Sequence[EntityState], *, at: datetime | None
) -> list[tuple[EntityState, labels.EntityBadge, list[CredentialButton]]]:
    """Return each device with its badge and its possible actions."""
    label_by_id = labels_of([device.entity_id for device in devices if device.category == "virtual"], at=at)
    return [
        (device, labels.device_mark(device, label=label_by_id.get(device.entity_id, "")), acts_of(device))
        for device in devices
    ]


def _keys(states: Sequence[EntityState], shown: ShownEntity) -> list[dict[str, Any]]:
    """Return each key with its current owner, and where the viewer can set the owner."""
    if shown.at is not None or not states:
        return [_key(state, shown) for state in states]
    owners = owners_of_keys([state.entity for state in states])
    may_set = may_name_owner(shown.viewer, shown.entity)
    rows = []
    for state in states:
        url = reverse("linking:key-owner", args=[state.entity_id]) if may_set else ""
        rows.append(_key(state, shown) | {"owner": owners.get(state.entity_id), "owner_url": url})
    return rows


def _key(state: EntityState, shown: ShownEntity) -> dict[str, Any]:
    try:
        usage = state.entity.usage if shown.at is None else None
    except ObjectDoesNotExist:
        usage = None
    if usage is not None and not usage.is_read:
        usage = None
    return {
        "state": state,
        "status": labels.status_mark(state),
        "age": labels.key_mark(state, at=shown.at),
        "usage": usage,
        "acts": acts_of(state),
    }
