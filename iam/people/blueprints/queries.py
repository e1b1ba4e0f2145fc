"""Which blueprints somebody sees and may write, and how two versions differ, in words."""

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
    """Whether they see the people of all teams: who sees all accounts."""
    return viewer.scope.sees_everything


def visible_blueprints(viewer: Viewer) -> QuerySet[Blueprint]:
    """All for those who see all accounts, one's own teams' for who leads them, else none."""
    rows = Blueprint.objects.select_related("team")
    return rows if sees_every_team(viewer) else rows.filter(team__slug__in=viewer.leads)


def blueprint_for(viewer: Viewer, pk: UUID) -> Blueprint | None:
    """The blueprint, if the viewer sees it."""
    return visible_blueprints(viewer).filter(pk=pk).first()


def current_versions(viewer: Viewer, *, retired: bool = False) -> list[BlueprintVersion]:
    """The version in use of each that the viewer sees, by team and name; one query."""
    rows = BlueprintVersion.objects.filter(
        number=F("blueprint__current"), blueprint__in=visible_blueprints(viewer).values("pk")
    )
    rows = rows.filter(blueprint__retired_at__isnull=not retired).select_related("blueprint__team")
    return list(rows.order_by("blueprint__team__name", "blueprint__name"))


def version_of(blueprint: Blueprint, number: int | None = None) -> BlueprintVersion | None:
    """The version in use, or that of the number."""
    wanted = blueprint.current if number is None else number
    return BlueprintVersion.objects.filter(blueprint=blueprint, number=wanted).first()


def may_write(viewer: Viewer, team: Team) -> bool:
    """Administrators for every team, a lead for their own."""
    return viewer.may(Right.MANAGE_ACCOUNTS, account_id="") or team.slug in viewer.leads


def writable_teams(viewer: Viewer) -> list[Team]:
    """The teams for which the viewer writes blueprints, by name."""
    return [team for team in Team.objects.order_by("name") if may_write(viewer, team)]


def may_run(viewer: Viewer, team: Team) -> bool:
    """Who may onboard people of the team: who writes its blueprint, and an approver, who asks for changes
    everywhere.
    """
    return may_write(viewer, team) or (
        viewer.asks.sees_everything and viewer.may(Right.REQUEST_CHANGE, account_id="")
    )


@dataclass(frozen=True, slots=True)
class BlueprintDifference:
    """One part that differs, in words."""

    what: str
    before: str
    after: str


def differences(old: BlueprintBody, new: BlueprintBody) -> list[BlueprintDifference]:
    """What differs between two, part by part."""
    pairs = zip(parts_in_words(old), parts_in_words(new), strict=True)
    return [
        BlueprintDifference(what, before, after) for (what, before), (_, after) in pairs if before != after
    ]


def said_in_full(body: BlueprintBody) -> list[tuple[str, str]]:
    """The same with the names of the accounts; one query."""
    rows = Account.objects.filter(account_id__in=body.accounts)
    return parts_in_words(body, names=dict(rows.values_list("account_id", "name")))


def parts_in_words(body: BlueprintBody, *, names: Mapping[str, str] = NAMELESS) -> list[tuple[str, str]]:
    """(part, words) of what it says, always in the same order; `names` are of accounts by their numbers."""
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
    """'Read an S3 bucket (bucket: ledger)'."""
    offer = offer_of(filled.slug, number=filled.version)
    title = offer.version.title if offer else filled.slug
    parameters = ", ".join(f"{key}: {value}" for key, value in sorted(filled.parameters.items()))
    return f"{title} ({parameters})" if parameters else title
