"""Queries for the blueprints that a viewer can see and edit, and the differences between two versions in
words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import F, QuerySet

from iam.access.templates.queries import offer_of
from iam.directory.models import Team
from iam.guard import Right, Viewer
from iam.mirror.models import Account
from iam.people.blueprints.body import BlueprintBody, FilledTemplate
from iam.people.blueprints.models import Blueprint, BlueprintVersion
from iam.people.blueprints.user_names import RULES

NOTHING: Final = "None"
NAMELESS: Final[Mapping[str, str]] = {}


def sees_every_team(viewer: Viewer) -> bool:
    """Return True if the viewer can see the people of all teams, because they can see all accounts."""
    return viewer.scope.sees_everything


def visible_blueprints(viewer: Viewer) -> QuerySet[Blueprint]:
    """Return the blueprints that the viewer can see: all if they can see all accounts, or else those of the
    teams that they lead.
    """
    rows = Blueprint.objects.select_related("team")
    return rows if sees_every_team(viewer) else rows.filter(team__slug__in=viewer.leads)


def blueprint_for(viewer: Viewer, pk: UUID) -> Blueprint | None:
    """Return the blueprint if the viewer can see it, or None."""
    return visible_blueprints(viewer).filter(pk=pk).first()


def current_versions(viewer: Viewer, *, retired: bool = False) -> list[BlueprintVersion]:
    """Return the current versions of the blueprints that the viewer can see, by team and name, with one
    query.
    """
    rows = BlueprintVersion.objects.filter(
        number=F("blueprint__current"), blueprint__in=visible_blueprints(viewer).values("pk")
    )
    rows = rows.filter(blueprint__retired_at__isnull=not retired).select_related("blueprint__team")
    return list(rows.order_by("blueprint__team__name", "blueprint__name"))


def version_of(blueprint: Blueprint, number: int | None = None) -> BlueprintVersion | None:
    """Return the version with this number, or the current one."""
    wanted = blueprint.current if number is None else number
    return BlueprintVersion.objects.filter(blueprint=blueprint, number=wanted).first()


def may_write(viewer: Viewer, team: Team) -> bool:
    """Return True if the viewer can edit the team's blueprints: an administrator, or a lead of the team."""
    return viewer.may(Right.MANAGE_ACCOUNTS, account_id="") or team.slug in viewer.leads


def writable_teams(viewer: Viewer) -> list[Team]:
    """Return the teams whose blueprints the viewer can edit, by name."""
    return [team for team in Team.objects.order_by("name") if may_write(viewer, team)]


def may_run(viewer: Viewer, team: Team) -> bool:
    """Return True if the viewer can onboard people to the team: those who can edit its blueprints, and
    approvers who can request changes in all accounts.
    """
    return may_write(viewer, team) or (
        viewer.asks.sees_everything and viewer.may(Right.REQUEST_CHANGE, account_id="")
    )


@dataclass(frozen=True, slots=True)
class BlueprintDifference:
    """A part that differs between two versions, in words."""

    what: str
    before: str
    after: str


def differences(old: BlueprintBody, new: BlueprintBody) -> list[BlueprintDifference]:
    """Return the parts that differ between two versions."""
    pairs = zip(parts_in_words(old), parts_in_words(new), strict=True)
    return [
        BlueprintDifference(what, before, after) for (what, before), (_, after) in pairs if before != after
    ]


def said_in_full(body: BlueprintBody) -> list[tuple[str, str]]:
    """Return `parts_in_words` with the names of the accounts, with one query."""
    rows = Account.objects.filter(account_id__in=body.accounts)
    return parts_in_words(body, names=dict(rows.values_list("account_id", "name")))


def parts_in_words(body: BlueprintBody, *, names: Mapping[str, str] = NAMELESS) -> list[tuple[str, str]]:
    """Return (part, words) for each part of the content, always in the same order. `names` maps account IDs
    to names.
    """
    accounts = []
    for number in body.accounts:
        words = f"{names[number]} ({number})" if number in names else number
        accounts.append(words)
    tags = ", ".join(f"{key} = {value}" for key, value in sorted(body.tags.items()))
    return [
        ("Accounts", ", ".join(accounts) or NOTHING),
        ("Groups", ", ".join(body.groups) or NOTHING),
        ("Templates", "; ".join(map(template_words, body.templates)) or NOTHING),
        ("Permissions boundary", body.boundary or NOTHING),
        ("Path", body.path),
        ("Tags", tags or NOTHING),
        ("Console password", "Yes, changed at the first sign-in" if body.password else "No"),
        ("Access key", "Yes" if body.key else "No"),
        ("MFA", "Required" if body.mfa else "Not required"),
        ("Gatehouse sign-in", "Yes, as a member" if body.gatehouse else "No"),
        ("User names", RULES.get(body.naming, body.naming)),
        ("Duration", f"At most {body.stay:,} days" if body.stay else "Permanent"),
    ]


def template_words(filled: FilledTemplate) -> str:
    """Return the template in words, such as 'Read an S3 bucket (Bucket: ledger)', with the labels and the
    order of its form. A parameter that the version doesn't have is last, by its name.
    """
    offer = offer_of(filled.slug, number=filled.version)
    if offer is None:
        title, labels = filled.slug, {}
    else:
        title = offer.version.title
        labels = {parameter.name: parameter.label for parameter in offer.body.parameters}
    unknown = sorted(filled.parameters.keys() - labels.keys())
    labels |= {name: name for name in unknown}
    shown = [
        f"{label}: {filled.parameters[name]}" for name, label in labels.items() if name in filled.parameters
    ]
    return f"{title} ({', '.join(shown)})" if shown else title
