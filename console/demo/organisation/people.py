"""Northline's people: user names and email addresses, and the operators of Gatehouse."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from itertools import chain

from console.demo.organisation.teams import TEAMS, SampleTeam

DOMAIN = "northline.example"
ACCOUNT_IDS = {
    "management": "509330017742",
    "production": "447109238816",
    "data": "612044783021",
    "staging": "880311547790",
    "sandbox": "209766310042",
}
# The ages of the accounts in days.
ACCOUNT_AGES = {"management": 2100, "production": 1600, "data": 1400, "staging": 1500, "sandbox": 1100}


@dataclass(frozen=True)
class SamplePerson:
    """A person; `accounts` are the names of accounts with an IAM user of theirs."""

    name: str
    login: str
    email: str
    team: SampleTeam
    leads: bool

    @property
    def accounts(self) -> tuple[str, ...]:
        """The names of the accounts in which the person has an IAM user. Everyone is in the team's first
        account; the lead and two of three colleagues are in the others too.
        """
        first, *others = self.team.groups
        wide = self.leads or self.team.people.index(self.name) % 3 != 2
        return (first, *others) if wide else (first,)


@dataclass(frozen=True)
class SampleOperator:
    """A person who signs in to Gatehouse in the embedded default."""

    username: str
    display_name: str
    email: str
    role: str
    user_arns: tuple[str, ...]
    teams: tuple[str, ...]


def login_of(name: str) -> str:
    """Return first.last in lower-case ASCII: `Björn Aasland` is `bjorn.aasland`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    first, *rest = plain.replace("'", "").split()
    return ".".join((first, "-".join(rest)))


def _person(team: SampleTeam, name: str) -> SamplePerson:
    login = login_of(name)
    mail = f"{login}@{DOMAIN}" if team.key != "contractors" else f"{login}@brightwater.example"
    return SamplePerson(name=name, login=login, email=mail, team=team, leads=name == team.people[0])


def _members(team: SampleTeam) -> tuple[SamplePerson, ...]:
    return tuple(_person(team, name) for name in team.people)


PEOPLE: tuple[SamplePerson, ...] = tuple(chain.from_iterable(_members(team) for team in TEAMS))
BY_NAME = {person.name: person for person in PEOPLE}


def _operator(name: str, role: str, *teams: str) -> SampleOperator:
    person = BY_NAME[name]
    arns = tuple(
        f"arn:aws:iam::{ACCOUNT_IDS[account]}:user{person.team.path}{person.login}"
        for account in person.accounts
    )
    return SampleOperator(person.login, person.name, person.email, role, arns, teams)


OPERATORS: tuple[SampleOperator, ...] = (
    _operator("Ines Duarte", "administrator", "iam-admins"),
    _operator("Hana Sato", "approver", "sre", "platform-oncall"),
    _operator("Jonas Berg", "approver", "security-readers"),
    _operator("Elif Kaya", "team lead", "payments-dev", "deployers"),
    _operator("Tomas Lind", "member", "payments-dev"),
    _operator("Amara Diallo", "auditor", "security-readers"),
)
