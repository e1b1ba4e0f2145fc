"""Blueprints: who writes them, what they may say, and how names follow from people."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from iam.changes.errors import FieldError, RefusedError
from iam.directory.models import Role, RuleKind, Team, TeamRule
from iam.guard import Viewer, viewer_for
from iam.mirror.models import Account, EdgeKind
from iam.people.blueprints.body import BlueprintBody
from iam.people.blueprints.queries import current_versions, differences
from iam.people.blueprints.services import create_blueprint, save_version, set_retired
from iam.people.blueprints.user_names import free_name, user_name
from tests import factories


@pytest.mark.parametrize(
    ("name", "rule", "made"),
    [
        ("Maya Okafor", "first.last", "maya.okafor"),
        ("Maya Okafor", "flast", "mokafor"),
        ("Maya Okafor", "last.first", "okafor.maya"),
        ("Jürgen Groß-Łukasz", "first.last", "juergen.gross-lukasz"),
        ("Anne Marie O'Brien", "first.last", "anne.obrien"),
        ("Cher", "flast", "cher"),
        ("Okafor, Maya", "first.last", "maya.okafor"),
        ("Okafor, Maya", "last.first", "okafor.maya"),
        ("Maya Okafor, Jr.", "first.last", "maya.jr"),
        ("Okafor,", "first.last", "okafor"),
        ("Maya Okafor", "email", "m.o"),
        ("山田 太郎", "first.last", ""),
    ],
)
def test_names_follow_from_people_in_letters_that_aws_takes(name: str, rule: str, made: str) -> None:
    assert user_name(name, email="m.o@example.com", rule=rule) == made


def test_a_name_that_is_taken_gets_the_lowest_free_number_within_64_letters() -> None:
    assert free_name("maya", taken={"maya", "maya2"}) == "maya3"
    long = "x" * 64
    assert free_name(long, taken={long}) == "x" * 63 + "2"


GOOD = BlueprintBody(accounts=("111111111111",), path="/payments/", groups=("payments-dev",))


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"accounts": ()}, "accounts"),
        ({"accounts": ("12",)}, "accounts"),
        ({"path": "payments"}, "path"),
        ({"path": "/a b/"}, "path"),
        ({"groups": ("a b",)}, "groups"),
        ({"groups": tuple(f"g{n}" for n in range(11))}, "groups"),
        ({"boundary": "a b"}, "boundary"),
        ({"tags": {"aws:x": "1"}}, "tags"),
        ({"tags": {"Email": "x"}}, "tags"),
        ({"tags": {"k": "v" * 257}}, "tags"),
        ({"naming": "random"}, "naming"),
        ({"stay": 5000}, "stay"),
        ({"groups": (), "password": False}, "groups"),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_field(fields: dict[str, Any], part: str) -> None:
    GOOD.check()
    with pytest.raises(FieldError) as refused:
        replace(GOOD, **fields).check()
    assert refused.value.field == part


def test_it_comes_back_from_json_as_it_was() -> None:
    body = replace(GOOD, tags={"Team": "payments"}, stay=30, key=True)
    assert BlueprintBody.from_json(body.json) == body
    assert [difference.what for difference in differences(GOOD, body)] == ["Tags", "Access key", "Duration"]


@pytest.fixture
def lead(db: None) -> Viewer:
    """Leads payments: the group payments-dev, and the path /payments/."""
    factories.account(write_role_arn="arn:aws:iam::111111111111:role/w")
    team = Team.objects.create(slug="payments", name="Payments")
    TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value="payments-dev")
    TeamRule.objects.create(team=team, kind=RuleKind.PATH, value="/payments/")
    person = factories.person("Elif Kaya")
    factories.assign(person, Role.TEAM_LEAD, team=team)
    return viewer_for(person)


def test_a_lead_writes_for_their_own_team_only_and_sees_no_other(lead: Viewer) -> None:
    own, other = Team.objects.get(), Team.objects.create(slug="data", name="Data")
    TeamRule.objects.create(team=other, kind=RuleKind.PATH, value="/payments/")
    create_blueprint(lead, team=own, name="Developers", body=GOOD)
    with pytest.raises(RefusedError, match="Only administrators and the team’s leads"):
        create_blueprint(lead, team=other, name="Developers", body=GOOD)
    admin = factories.viewer(Role.ADMINISTRATOR, name="Ines Duarte")
    create_blueprint(admin, team=other, name="Analysts", body=GOOD)
    assert [blueprint_version.blueprint.name for blueprint_version in current_versions(lead)] == [
        "Developers"
    ]
    assert len(current_versions(admin)) == 2


def test_whoever_is_made_by_it_belongs_to_the_team_and_lies_where_its_lead_may_make_people(
    lead: Viewer,
) -> None:
    team = Team.objects.get()
    with pytest.raises(RefusedError, match="new users would not belong to Payments"):
        create_blueprint(lead, team=team, name="D", body=replace(GOOD, path="/data/", groups=("others",)))
    with pytest.raises(
        RefusedError, match="Choose a path of Payments in account 111111111111: /, /payments/"
    ):
        create_blueprint(lead, team=team, name="D", body=replace(GOOD, path="/paymentsx/"))
    with pytest.raises(RefusedError, match="Only an administrator can change"):
        create_blueprint(lead, team=team, name="D", body=replace(GOOD, boundary="Secret"))
    with pytest.raises(RefusedError, match="Account 222222222222 isn’t connected"):
        create_blueprint(lead, team=team, name="D", body=replace(GOOD, accounts=("222222222222",)))


def test_a_lead_makes_people_by_the_team_s_group_where_its_people_lie_already(lead: Viewer) -> None:
    account = Account.objects.get()
    TeamRule.objects.filter(kind=RuleKind.PATH).delete()
    member = factories.user(account, "maya.okafor", path="/people/")
    factories.edge(EdgeKind.MEMBER, member, factories.group(account, "payments-dev"))
    team = Team.objects.get()
    for number, path in enumerate(("/", "/people/")):
        create_blueprint(lead, team=team, name=f"Developers {number}", body=replace(GOOD, path=path))
    with pytest.raises(RefusedError, match="Choose a path of Payments"):
        create_blueprint(lead, team=team, name="Others", body=replace(GOOD, path="/people/admins/"))


def test_a_version_never_changes_and_a_late_writer_is_told(lead: Viewer) -> None:
    first = create_blueprint(lead, team=Team.objects.get(), name="Developers", body=GOOD)
    second = save_version(
        lead, blueprint=first.blueprint, body=replace(GOOD, stay=30), base=1, note="Shorter"
    )
    assert (second.number, first.body.stay) == (2, 0)
    with pytest.raises(RefusedError, match="Someone saved version 2"):
        save_version(lead, blueprint=first.blueprint, body=replace(GOOD, stay=60), base=1)
    with pytest.raises(RefusedError, match="Nothing differs"):
        save_version(lead, blueprint=first.blueprint, body=replace(GOOD, stay=30), base=2)
    with pytest.raises(TypeError):
        first.save()
    set_retired(lead, blueprint=first.blueprint, retired=True)
    assert current_versions(lead) == []
