"""Whom one may give access: within one's reach, found by typing, by lists of names, and with their
namesakes.
"""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from iam.access.drafts import receivers
from iam.access.grants.terms import WhoKind
from iam.directory.models import Role, RuleKind, Team, TeamRule
from iam.guard import Viewer, viewer_for
from iam.mirror.models import Account, EdgeKind
from iam.mirror.queries.accounts import whole_accounts
from tests import factories as make

pytestmark = pytest.mark.django_db
WRITES = {"write_role_arn": "arn:aws:iam::111111111111:role/gatehouse-writer"}


@pytest.fixture
def production() -> Account:
    account = make.account(**WRITES)
    for name in ("maya.okafor", "tomas.lind", "kwame.boateng"):
        make.user(account, name, credentials={"mfa": "none"} if name == "tomas.lind" else None)
    team = make.group(account, "payments")
    make.edge(EdgeKind.MEMBER, account.entities.get(name="maya.okafor"), team)
    return account


def administrator() -> Viewer:
    someone = make.person("Ines")
    make.assign(someone, Role.ADMINISTRATOR)
    return viewer_for(someone)


def lead() -> Viewer:
    someone = make.person("Elif")
    team = Team.objects.create(slug="payments", name="Payments")
    Team.objects.create(slug="other", name="Other")
    TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value="payments")
    make.assign(someone, Role.TEAM_LEAD, team=team)
    return viewer_for(someone)


def names(receivers: list[receivers.DraftReceiver]) -> list[str]:
    return [receiver.name for receiver in receivers]


def test_typing_finds_every_word_in_accounts_that_can_be_changed(production: Account) -> None:
    make.user(make.account("222222222222", name="read only"), "maya.okafor")
    ines = administrator()
    assert names(receivers.search(ines, WhoKind.USERS, text="okafor MAYA").rows) == ["maya.okafor"]
    matches = receivers.search(ines, WhoKind.USERS, text="", most=2)
    assert (len(matches.rows), matches.has_more) == (2, True)
    assert [receiver.has_mfa for receiver in receivers.search(ines, WhoKind.USERS, text="tomas").rows] == [
        False
    ]


def test_a_lead_finds_and_keeps_only_people_of_the_team(production: Account) -> None:
    elif_ = lead()
    assert names(receivers.search(elif_, WhoKind.USERS, text="").rows) == ["maya.okafor"]
    arns = [f"arn:aws:iam::111111111111:user/{name}" for name in ("tomas.lind", "maya.okafor")]
    assert names(receivers.chosen(elif_, WhoKind.USERS, arns)) == ["maya.okafor"]
    assert [team.slug for team in receivers.teams_to_choose(elif_)] == ["payments"]
    assert not whole_accounts(elif_).exists()
    pasted = receivers.read_names(elif_, WhoKind.USERS, "maya.okafor\ntomas.lind")
    assert (names(pasted.found), pasted.unknown) == (["maya.okafor"], ["tomas.lind"])


def test_a_member_and_an_auditor_find_nobody(production: Account) -> None:
    for role in (Role.MEMBER, Role.AUDITOR):
        someone = make.person(role.value, arns=(f"arn:aws:iam::111111111111:user/{role.value}",))
        make.assign(someone, role)
        assert receivers.search(viewer_for(someone), WhoKind.USERS, text="").rows == []


def test_a_pasted_list_means_names_addresses_and_arns(production: Account) -> None:
    make.person("Kwame", email="kb@example.com", arns=("arn:aws:iam::111111111111:user/kwame.boateng",))
    text = (
        "Maya Okafor, KB@example.com;\n  arn:aws:iam::111111111111:user/tomas.lind\nnobody\n\nGhost "
        "<ghost@example.com>"
    )
    pasted = receivers.read_names(administrator(), WhoKind.USERS, text)
    assert names(pasted.found) == ["maya.okafor", "kwame.boateng", "tomas.lind"]
    assert pasted.unknown == ["nobody", "ghost@example.com"]
    assert pasted.several == {}


def test_a_name_of_several_accounts_is_asked_about(production: Account) -> None:
    other = make.account("222222222222", name="staging", **WRITES)
    make.user(other, "maya.okafor")
    ines = administrator()
    pasted = receivers.read_names(ines, WhoKind.USERS, "maya.okafor")
    assert pasted.found == []
    assert [receiver.account.name for receiver in pasted.several["maya.okafor"]] == ["production", "staging"]
    in_one = receivers.read_names(ines, WhoKind.USERS, "maya.okafor", account_id="222222222222")
    assert [receiver.account.name for receiver in in_one.found] == ["staging"]
    assert [receiver.account.name for receiver in receivers.namesakes(ines, WhoKind.USERS, in_one.found)] == [
        "production"
    ]


def test_twenty_names_cost_as_many_queries_as_one(production: Account) -> None:
    ines = administrator()
    logins = [f"user.n{chr(97 + number)}" for number in range(20)]
    for login in logins:
        make.user(production, login)
    with CaptureQueriesContext(connection) as queries:
        receivers.read_names(ines, WhoKind.USERS, "a@example.com\nmaya.okafor")
    with CaptureQueriesContext(connection) as many:
        pasted = receivers.read_names(ines, WhoKind.USERS, "a@example.com\n" + "\n".join(logins))
    assert len(pasted.found) == 20
    assert len(many) == len(queries) <= 6


@pytest.mark.parametrize("text", ["", " ,;\n", "%", "x" * 5000, "<>", "\x01"])
def test_odd_lists_name_nobody(production: Account, text: str) -> None:
    pasted = receivers.read_names(administrator(), WhoKind.USERS, text)
    assert pasted.found == []
