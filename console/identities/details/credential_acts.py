"""The buttons for changes of someone's credentials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.urls import reverse
from django.utils.http import urlencode

from iam.changes.credential_acts import acts_on
from iam.mirror.models import Entity, EntityState, Kind, UserCredentials
from iam.mirror.refresh.credentials import is_virtual


@dataclass(frozen=True, slots=True)
class CredentialButton:
    """A button: its label, its address, and whether something is lost."""

    text: str
    url: str
    is_danger: bool = False


_WORDS: Final = {
    "activate": "Activate",
    "deactivate": "Deactivate",
    "delete": "Delete",
    "reset": "Reset password",
}


def acts_of(state: EntityState) -> list[CredentialButton]:
    """Return the changes that can be requested for a credential."""
    entity = state.entity
    tags = f"{reverse('changes:act', args=['tag-it'])}?on={entity.pk}"
    named = (
        [CredentialButton("Tags", tags)]
        if entity.kind == Kind.MFA_DEVICE and is_virtual(entity.aws_id)
        else []
    )
    return named + [
        CredentialButton(
            _WORDS[act.partition(".")[2]], _address(act, of=entity.pk), is_danger=act.endswith(".delete")
        )
        for act in acts_on(entity.kind, status=state.category, aws_id=entity.aws_id)
    ]


def user_acts(user: Entity, credentials: UserCredentials | None) -> dict[str, list[CredentialButton]]:
    """Return the changes that can be requested for the user, by card: password, keys, others."""
    has_password = bool(credentials and credentials.has_password)
    password = (
        [
            CredentialButton("Reset password", _address("login_profile.update", user=user.pk)),
            CredentialButton(
                "Require change at next sign-in", _address("login_profile.require_change", user=user.pk)
            ),
            CredentialButton("Delete", _address("login_profile.delete", user=user.pk), is_danger=True),
        ]
        if has_password
        else [CredentialButton("Create password", _address("login_profile.create", user=user.pk))]
    )
    return {
        "password": password,
        "keys": [CredentialButton("Create access key", _address("access_key.create", user=user.pk))],
        "others": [
            CredentialButton(
                "Create service credential", _address("service_credential.create", user=user.pk)
            ),
            CredentialButton("Upload SSH key", _address("ssh_key.upload", user=user.pk)),
            CredentialButton(
                "Upload signing certificate", _address("signing_certificate.upload", user=user.pk)
            ),
        ],
    }


def _address(act: str, **about: int) -> str:
    query: dict[str, str | int] = {"do": act, **about}
    return f"{reverse('changes:credential')}?{urlencode(query)}"
