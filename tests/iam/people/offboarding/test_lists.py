"""A list of leavers: what is read of a file, and what is said of each row before anybody can be asked for."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from iam.changes.errors import RefusedError
from iam.changes.models import Change
from iam.directory.models import Identity, Role, RuleKind, Team, TeamRule
from iam.guard import viewer_for
from iam.linking.refresh import refresh_links
from iam.mirror.models import EdgeKind, Entity, TagSet
from iam.people.offboarding import services
from iam.people.offboarding.models import OffboardedUser, OffboardingRun
from iam.people.offboarding.pasted_rows import read_leavers
from iam.people.offboarding.row_checks import check_again, stage
from iam.people.offboarding.services import OffboardingTerms, request_run
from iam.people.sheet_lines import SheetError
from tests import factories
from tests.queue import catch

pytestmark = pytest.mark.on_postgresql

FILE = """\
Name;User name;E-Mail
Maya;;Maya@example.com
Nobody;nobody.at.all;
Kwame;kwame.boateng;
Again;maya.okafor;
;;
Formula;=cmd();
Nothing;;
"""


def tagged(user: Entity, **tags: str) -> None:
    """Give a user of the mirror tags."""
    at = factories.FIRST_READ
    TagSet.objects.create(entity=user, account=user.account, tags=tags, valid_from=at, observed_at=at)


def test_a_file_is_read_by_its_address_or_user_name_with_every_mistake_in_its_line() -> None:
    rows = read_leavers(FILE.encode("utf-16"))
    assert [(row.line, row.text) for row in rows] == [
        (2, "Maya@example.com"),
        (3, "nobody.at.all"),
        (4, "kwame.boateng"),
        (5, "maya.okafor"),
        (7, "=cmd()"),
        (8, ""),
    ]
    assert "formula" in rows[4].errors[0]
    assert "names no one" in rows[5].errors[0]
    with pytest.raises(SheetError, match="must have a column"):
        read_leavers(b"Name,Phone\nMaya,1\n")
    with pytest.raises(SheetError, match="workbook"):
        read_leavers(b"PK\x03\x04")


@pytest.mark.django_db
def test_each_row_means_a_person_with_all_their_users_or_says_why_not() -> None:
    account, other = factories.account(), factories.account("222222222222", name="data")
    maya = factories.user(account, "maya.okafor")
    tagged(maya, Email="maya@example.com")
    tagged(factories.user(other, "mokafor"), email="MAYA@example.com")
    factories.user(account, "kwame.boateng")
    factories.user(other, "kwame.boateng")
    person = factories.person("Maya Okafor", email="maya@example.com")
    Identity.objects.create(person=person, user_arn=maya.arn)
    author = factories.viewer(Role.ADMINISTRATOR, name="Ines Duarte")

    refresh_links()
    run = stage(author, rows=read_leavers(FILE.encode()), source="leavers.csv")
    rows_by_line = {person.line: (person.name, person.problems) for person in run.people.all()}
    assert rows_by_line[2] == ("Maya Okafor", [])
    assert sorted(OffboardedUser.objects.filter(leaver__line=2).values_list("user_name", flat=True)) == [
        "maya.okafor",
        "mokafor",
    ]
    assert rows_by_line[3][1] == ["No one in your accounts or teams matches. Try a name, email or user name."]
    assert rows_by_line[4][1][0].startswith("Several people match: kwame.boateng in")
    assert rows_by_line[5][1] == ["The same person is in line 2 too."]
    with pytest.raises(RefusedError, match="5 of 6 rows need fixing"):
        request_run(author, run=run, terms=OffboardingTerms(reason="They go"))

    team = Team.objects.create(slug="payments", name="Payments")
    TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value="payments-dev")
    factories.edge(EdgeKind.MEMBER, maya, factories.group(account, "payments-dev"))
    lead = factories.person("Elif Kaya", email="elif@example.com")
    factories.assign(lead, Role.TEAM_LEAD, team=team)
    own = stage(viewer_for(lead), rows=read_leavers(FILE.encode()), source="leavers.csv")
    first = own.people.get(line=2)
    assert (first.problems, first.unseen, first.teams) == ([], 1, ["payments"])
    assert "No one in your accounts or teams" in own.people.get(line=4).problems[0]
    assert check_again(viewer_for(lead), run=own).people.count() == 6
    assert OffboardingRun.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("names", "typed", "end"),
    [
        (["kim.ek"] * 2, "kim.ek", " and kim.ek in b. Choose one."),
        (["kim.ek"] * 3, "kim.ek", " and kim.ek in c. Choose one."),
        (["kim.ek"] * 5, "kim.ek", " and 2 more. Choose one."),
        (["kim.ek", "kim.oz", "kim.li"], "kim", " and kim.oz (kim.oz in b). Choose one."),
        (["kim.ek", "kim.oz", "kim.li", "kim.ng", "kim.pe"], "kim", " and others. Choose one."),
    ],
)
def test_of_many_who_could_be_meant_the_row_says_that_there_are_more(
    names: list[str], typed: str, end: str
) -> None:
    for place, name in enumerate(names):
        factories.user(factories.account(f"{place + 1}" * 12, name="abcde"[place]), name)
    author = factories.viewer(Role.ADMINISTRATOR, name="Ines Duarte")
    run = stage(author, rows=read_leavers(f"User name\n{typed}\n".encode()), source="leavers.csv")
    [problem] = run.people.get().problems
    assert problem.startswith("Several people ")
    assert problem.endswith(end), problem


@pytest.mark.django_db
def test_a_long_list_is_asked_for_by_a_worker_and_once_whoever_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    account = factories.account(write_role_arn="arn:aws:iam::111111111111:role/w")
    for name in ("maya.okafor", "kwame.boateng"):
        factories.edge(EdgeKind.MEMBER, factories.user(account, name), factories.group(account, f"of-{name}"))
    author = factories.viewer(Role.ADMINISTRATOR, name="Ines Duarte")
    run = stage(author, rows=read_leavers(b"User name\nmaya.okafor\nkwame.boateng\n"), source="leavers.csv")
    sent: list[str] = []
    monkeypatch.setattr(services, "MAX_PLANNED_AT_ONCE", 1)
    catch(monkeypatch, "iam.people.offboarding.tasks", lambda task, pk: sent.append(task))
    requested = request_run(author, run=run, terms=OffboardingTerms(reason="They go"))
    assert (requested.state, sent, Change.objects.count()) == ("asking", ["request_run"], 0)

    assert services.OFFBOARDING.resume(older_than=timedelta(seconds=-1)) == 1
    run.refresh_from_db()
    asked = Change.objects.count()
    assert (run.state, set(run.people.values_list("stage", flat=True))) == ("asked", {"waiting"})
    reader = Client()
    reader.force_login(factories.operator(Role.ADMINISTRATOR, name="Hana Sato"))
    page = reader.get(reverse("offboarding:run", args=[run.pk])).content.decode()
    requests = [
        f'href="{reverse("changes:request", args=[pk])}"'
        for pk in Change.objects.values_list("pk", flat=True)
    ]
    assert any(link in page for link in requests), "any change leads to the page of the whole request"
    assert (
        list(Change.objects.order_by("position").values_list("operation", flat=True))[:2]
        == ["inline_policy.put"] * 2
    )

    # The process was lost when it had asked, and before it had written so.
    OffboardedUser.objects.update(change_set=None, lane=0)
    run.people.update(stage="draft")
    OffboardingRun.objects.update(state="asking")
    services.OFFBOARDING.request(run)
    run.refresh_from_db()
    assert (run.state, Change.objects.count()) == ("asked", asked)
    assert sorted(OffboardedUser.objects.values_list("lane", flat=True)) == [0, 1]
