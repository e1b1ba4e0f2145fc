"""Creates sample blueprints of teams, so that people can be onboarded at once, and a completed run."""

from __future__ import annotations

from typing import Final

import structlog
from django.conf import settings
from django.db import transaction

from console.demo.organisation.people import ACCOUNT_IDS
from console.demo.samples import approve_all, viewer_of
from iam.changes.errors import RefusedError
from iam.directory import teams
from iam.directory.models import RuleKind, Team
from iam.journal.services import COMMAND_LINE
from iam.mirror.models import Entity, Kind
from iam.people.blueprints.body import BlueprintBody, FilledTemplate
from iam.people.blueprints.models import Blueprint, BlueprintVersion
from iam.people.blueprints.services import create_blueprint
from iam.people.onboarding.models import OnboardingRun
from iam.people.onboarding.pasted_rows import NewcomerRow
from iam.people.onboarding.queries import sets_of
from iam.people.onboarding.row_checks import stage
from iam.people.onboarding.services import request_run

logger = structlog.get_logger(__name__)
ASKER: Final = "ines.duarte"
APPROVERS: Final = ("hana.sato", "jonas.berg")
TEAMS: Final = (
    ("Analysts", "Analyzes demand, fares and punctuality", RuleKind.GROUP, "analysts"),
    ("Contractors", "External staff, for a limited time", RuleKind.PATH, "/contractors/"),
)
"""(name, description, type and value of the rule) of teams that have no lead in the sample."""


def _in(*names: str) -> tuple[str, ...]:
    return tuple(ACCOUNT_IDS[name] for name in names)


OWN_PASSWORD: Final = (FilledTemplate("own-password", 1),)
"""AWS requires a new password at the first sign-in, so newcomers must be allowed to change it."""
BLUEPRINTS: Final = (
    (
        "Payments",
        "Developer",
        BlueprintBody(
            accounts=_in("production", "staging"),
            path="/payments/",
            groups=("payments-dev",),
            templates=OWN_PASSWORD,
            tags={"Team": "payments", "CostCentre": "4200"},
        ),
    ),
    (
        "Analysts",
        "Analyst",
        BlueprintBody(
            accounts=_in("data"),
            path="/people/",
            groups=("analysts",),
            templates=OWN_PASSWORD,
            tags={"Team": "analysts", "CostCentre": "4410"},
        ),
    ),
    (
        "Contractors",
        "Contractor, 90 days",
        BlueprintBody(
            accounts=_in("staging"),
            path="/contractors/",
            groups=("contractors",),
            templates=OWN_PASSWORD,
            boundary="TeamBoundary",
            tags={"Team": "contractors", "CostCentre": "4900"},
            stay=90,
        ),
    ),
)
RUN_OF: Final = "Analyst"
PEOPLE: Final = (
    NewcomerRow(line=2, name="Freya Lindholm", email="freya.lindholm@northline.example"),
    NewcomerRow(line=3, name="Mateo Silva", email="mateo.silva@northline.example"),
    NewcomerRow(line=4, name="Aiko Watanabe", email="aiko.watanabe@northline.example"),
)
WHY: Final = "New hires in the fares team, starting on Monday"


def write_blueprints() -> None:
    """Create the teams and their blueprints if there are none."""
    actor = viewer_of(ASKER)
    if actor is None or Blueprint.objects.exists():
        return
    for name, description, kind, value in TEAMS:
        if not Team.objects.filter(name=name).exists():
            team = teams.create_team(name=name, description=description, actor=COMMAND_LINE)
            teams.add_rule(team, kind=kind, value=value, actor=COMMAND_LINE)
    for team_name, name, body in BLUEPRINTS:
        own_team = Team.objects.filter(name=team_name).first()
        try:
            if own_team is not None:
                create_blueprint(actor, team=own_team, name=name, body=body)
        except RefusedError as error:
            logger.warning("sample_blueprint.refused", blueprint=name, why=error.message)


def run_sample() -> int:
    """Onboard a few people once the account is synced, if no one was onboarded yet. Returns their number."""
    if not settings.EMBEDDED or OnboardingRun.objects.exists():
        return 0
    version = BlueprintVersion.objects.filter(blueprint__name=RUN_OF, number=1).first()
    actor = viewer_of(ASKER)
    if version is None or actor is None or not _is_read(version):
        return 0
    try:
        with transaction.atomic():
            # If two workers try at the same time, only one starts the run.
            Blueprint.objects.select_for_update().get(pk=version.blueprint_id)
            if OnboardingRun.objects.exists():
                return 0
            run = stage(actor, version=version, rows=PEOPLE, source="new-analysts.csv")
        request_run(actor, run=run, reason=WHY)
        for group in sets_of(run):
            approve_all(group.changes.order_by("position").first(), APPROVERS)
    except RefusedError as error:
        logger.warning("sample_run.refused", why=error.message)
        return 0
    return len(PEOPLE)


def _is_read(version: BlueprintVersion) -> bool:
    """True if the mirror has one of the groups in the blueprint."""
    groups = Entity.objects.filter(kind=Kind.GROUP, name__in=version.body.groups, gone_at__isnull=True)
    return groups.filter(account__account_id__in=version.body.accounts).exists()
