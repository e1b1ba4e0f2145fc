"""The form to set the owner of a machine user, a role, an access key or a grant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from console.web.access import ViewerRequest, entity_or_404, require, require_present
from console.web.render import render_page
from iam.directory.models import NamedOwner, Person, Team
from iam.directory.rules import DirectoryRuleError
from iam.guard import Right, Viewer
from iam.linking.key_owners import (
    key_subject,
    may_name_key_owner,
    owners_of_keys,
    set_key_owner,
)
from iam.linking.known_owners import (
    KnownOwner,
    identity_subject,
    may_name_owner,
    named_owner,
    owners_known,
    set_identity_owner,
)
from iam.linking.rights import OWNER_RIGHTS
from iam.mirror.models import Kind

PAGES: Final = {Kind.USER: ("identities:person", "people"), Kind.ROLE: ("identities:role", "roles")}
KEY_HINT: Final = (
    "The name of a team, or the email address of a person. Leave it empty to use the owner of the IAM user."
)
MAX_TEXT: Final = 254
MAX_WHY: Final = 1000
HINT: Final = (
    "The name of a team, or the email address of a person. Leave it empty to use the tags Owner and Team, or "
    "the owning team."
)


def text_in(request: ViewerRequest, name: str, most: int) -> str:
    """Return the text of a field."""
    return request.POST.get(name, "").replace("\x00", "").strip()[:most]


def team_names(viewer: Viewer) -> list[str]:
    """Return the suggested teams: all for administrators, else those that the viewer leads."""
    teams = Team.objects.order_by("name")
    if not viewer.may(Right.MANAGE_OPERATORS):
        teams = teams.filter(slug__in=viewer.leads)
    return list(teams.values_list("name", flat=True))


def owner_form(
    request: ViewerRequest,
    save: Callable[[str, str], bool],
    *,
    name: str,
    back: str,
    named: NamedOwner | None,
    known: KnownOwner | None,
    section: str,
    hint: str = HINT,
) -> HttpResponse:
    """Show the form for the object called `name`; a POST passes the owner and the reason to `save`.

    `known` is the current owner.
    """
    error, text = "", _text_of(named)
    if request.method == "POST":
        text = text_in(request, "owner", MAX_TEXT)
        try:
            changed = save(text, text_in(request, "why", MAX_WHY))
        except DirectoryRuleError as refusal:
            error = str(refusal)
        else:
            outcome = "Owner saved. Nothing changes in AWS." if changed else "Nothing changed."
            messages.success(request, outcome)
            return redirect(back)
    context = {
        "name": name,
        "back": back,
        "named": named,
        "known": known,
        "text": text,
        "why": text_in(request, "why", MAX_WHY),
        "error": error,
        "hint": hint,
        "team_names": team_names(request.viewer),
        "section": section,
    }
    status = 422 if error else 200
    return render_page(request, "linking/named_owner.html", context, status=status)


def _text_of(named: NamedOwner | None) -> str:
    if named is None:
        return ""
    owner: Person | Team | None = named.team or named.person
    return owner.email if isinstance(owner, Person) else named.owner_name


@require(*OWNER_RIGHTS)
@require_http_methods(["GET", "HEAD", "POST"])
def identity_owner(request: ViewerRequest, pk: int) -> HttpResponse:
    """Set the owner of a machine user or role."""
    require_present(request)
    entity = entity_or_404(request.viewer, pk, kinds=[Kind.USER, Kind.ROLE])
    if not may_name_owner(request.viewer, entity):
        raise Http404
    page, section = PAGES[Kind(entity.kind)]
    return owner_form(
        request,
        lambda text, why: set_identity_owner(request.viewer, entity, text, why=why),
        name=entity.name,
        back=reverse(page, args=[entity.pk]),
        named=named_owner(identity_subject(entity)),
        known=owners_known([entity.pk]).get(entity.pk),
        section=section,
    )


@require(*OWNER_RIGHTS)
@require_http_methods(["GET", "HEAD", "POST"])
def key_owner(request: ViewerRequest, pk: int) -> HttpResponse:
    """Set the owner of an access key, if it differs from the owner of its IAM user."""
    require_present(request)
    key = entity_or_404(request.viewer, pk, kinds=[Kind.ACCESS_KEY])
    if key.owner is None or not may_name_key_owner(request.viewer, key):
        raise Http404
    return owner_form(
        request,
        lambda text, why: set_key_owner(request.viewer, key, text, why=why),
        name=f"{key.aws_id} of {key.owner.name}",
        back=reverse("identities:person-credentials", args=[key.owner.pk]),
        named=named_owner(key_subject(key)),
        known=owners_of_keys([key]).get(key.pk),
        section="people",
        hint=KEY_HINT,
    )
