"""Creates the people, teams, sign-ins and connected accounts of the embedded default."""

from __future__ import annotations

from django.utils import timezone

from console.demo.assertions import write_assertions
from console.demo.onboarding import write_blueprints
from console.demo.organisation.gatehouse import EXTERNAL_ID
from console.demo.organisation.people import ACCOUNT_IDS, OPERATORS, SampleOperator
from console.demo.password import PASSWORD
from console.demo.reviews import write_rules
from console.operators.services import create_operator
from iam.directory import teams
from iam.directory.models import Person, Role, RuleKind, Team
from iam.journal.services import COMMAND_LINE
from iam.mirror.accounts.connect import AccountConnection, connect_account
from iam.mirror.models import Account
from iam.mirror.models.accounts import AccountSource

NAMES = {
    "management": "northline-hub",
    "production": "production",
    "data": "data",
    "staging": "staging",
    "sandbox": "sandbox",
}


def prepare() -> None:
    """Create what is missing. Existing objects stay unchanged."""
    for someone in OPERATORS:
        if not Person.objects.filter(email=someone.email).exists():
            _appoint(someone)
    for key, number in ACCOUNT_IDS.items():
        if not Account.objects.filter(account_id=number).exists():
            _connect(NAMES[key], number)
    write_blueprints()
    write_assertions()
    write_rules()


def _appoint(someone: SampleOperator) -> None:
    role = Role(someone.role.replace(" ", "-"))
    team = _team(someone) if role is Role.TEAM_LEAD else None
    create_operator(
        username=someone.username,
        name=someone.display_name,
        email=someone.email,
        password=PASSWORD,
        roles=[role],
        team=team,
        arns=someone.user_arns,
        actor=COMMAND_LINE,
    )


def _team(someone: SampleOperator) -> Team:
    """Create the team of a lead. Users match it by its IAM groups, and by the path of its newcomers."""
    team = teams.create_team(
        name="Payments", description="Builds and runs the payment services", actor=COMMAND_LINE
    )
    for group in someone.teams:
        teams.add_rule(team, kind=RuleKind.GROUP, value=group, actor=COMMAND_LINE)
    teams.add_rule(team, kind=RuleKind.PATH, value="/payments/", actor=COMMAND_LINE)
    return team


def _connect(name: str, number: str) -> None:
    connection = AccountConnection(
        account_id=number,
        name=name,
        source=AccountSource.ROLE,
        role_arn=f"arn:aws:iam::{number}:role/gatehouse-reader",
        write_role_arn=f"arn:aws:iam::{number}:role/gatehouse-writer",
        external_id=EXTERNAL_ID,
    )
    connect_account(connection, actor=COMMAND_LINE, due_at=timezone.now())
