"""The pages of leaving: what ends is shown before it is asked for, lists cost the same for one and for many,
and a certificate that was altered says so.
"""

from __future__ import annotations

import json
from io import BytesIO
from uuid import uuid4

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from iam.changes.models import Change
from iam.directory.models import Role, RuleKind, Team, TeamRule
from iam.guard import viewer_for
from iam.mirror.models import Account, EdgeKind, Entity
from iam.people.offboarding import current_access, restore_and_delete
from iam.people.offboarding.models import (
    Leaver,
    OffboardedUser,
    OffboardingCertificate,
    OffboardingRun,
    OffboardingStage,
)
from iam.people.offboarding.open_access import DENY, DENY_TEXT
from iam.people.offboarding.queries import openable
from iam.people.offboarding.services import without_access_already
from iam.people.runs.models import RowStatus
from tests import factories
from tests.console import offboarding

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("address", "leads_to"), [("/leaving/suspend/", "/leaving/new/"), ("/moving/new/", "/moving/")]
)
def test_an_address_without_a_person_leads_to_where_one_is_chosen(
    admin: Client, address: str, leads_to: str
) -> None:
    assert admin.get(address).headers["Location"] == leads_to
    assert admin.get(f"{address}?user=999999").status_code == 404


def test_a_change_of_team_without_a_choice_says_what_to_choose(admin: Client, user: Entity) -> None:
    page = admin.get(f"/moving/new/?user={user.pk}").content.decode()
    assert "Choose the blueprint" not in page
    assert "Choose the blueprint" in admin.get(f"/moving/new/?user={user.pk}&from=&to=").content.decode()


@pytest.mark.parametrize(
    ("stage", "source", "words"),
    [
        (OffboardingStage.WAITING, "", "Offboarding requested"),
        (OffboardingStage.WAITING, "MOV-2F27B278", "Change of team requested"),
        (OffboardingStage.GONE, "", "Access removed"),
        (OffboardingStage.SUSPENDED, "", "Suspended, waiting for confirmation"),
        (OffboardingStage.CONFIRMED, "", "Suspended"),
        (OffboardingStage.RETURNED, "", ""),
        (OffboardingStage.CALLED_OFF, "", ""),
    ],
)
def test_the_page_of_a_user_says_whether_their_access_is_gone(
    admin: Client, user: Entity, stage: OffboardingStage, source: str, words: str
) -> None:
    run = OffboardingRun.objects.create(requested_by=uuid4(), requested_label="Elif Kaya", source=source)
    leaver = Leaver.objects.create(run=run, name="Maya Okafor", stage=stage)
    OffboardedUser.objects.create(
        leaver=leaver, account=user.account, user=user, user_arn=user.arn, user_name=user.name
    )
    address = reverse("offboarding:leaver", args=[leaver.pk])
    for name in ("person", "person-credentials"):
        head = admin.get(reverse(f"identities:{name}", args=[user.pk])).content.decode()
        head = head.partition('class="page-head"')[2].partition("</header>")[0]
        assert (address in head) is bool(words)
        assert words in head


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        (OffboardingStage.CONFIRMED, "is suspended"),
        (OffboardingStage.GONE, "was offboarded"),
        (OffboardingStage.RETURNED, ""),
    ],
)
def test_who_has_no_access_is_restored_before_they_change_team(
    user: Entity, stage: OffboardingStage, words: str
) -> None:
    run = OffboardingRun.objects.create(
        requested_by=uuid4(), requested_label="Elif Kaya", is_suspension=stage == OffboardingStage.CONFIRMED
    )
    leaver = Leaver.objects.create(run=run, name="Maya Okafor", stage=stage)
    OffboardedUser.objects.create(
        leaver=leaver, account=user.account, user=user, user_arn=user.arn, user_name=user.name
    )
    reason = without_access_already([user])
    assert reason == (f"Maya Okafor {words} ({run.reference}). Restore access first." if words else "")
    other = factories.user(user.account, "maya.two")
    assert without_access_already([user, other]) == ""
    OffboardingRun.objects.update(source="MOV-2F27B278")
    assert without_access_already([user]) == ""


def test_a_request_that_is_being_written_counts_those_for_whom_it_is(user: Entity) -> None:
    operator = factories.operator(Role.ADMINISTRATOR, name="Ines Duarte")
    run = OffboardingRun.objects.create(
        requested_by=operator.person_id, requested_label="Ines Duarte", state="asking"
    )
    for number in range(4):
        standing = RowStatus.READY if number else RowStatus.BAD
        Leaver.objects.create(run=run, position=number, name=f"N {number}", standing=standing)
    client = Client()
    client.force_login(operator)
    page = client.get(reverse("offboarding:run", args=[run.pk])).content.decode()
    words = " ".join(page.split())
    assert "<title> Offboard 3 people" in words
    assert "Access removed for 0 of 3 people" in words
    assert "Offboard 0" not in words


def test_a_list_says_how_many_names_it_has_twice(admin: Client, user: Entity) -> None:
    names = {"people": "maya.okafor\n maya.okafor\nnobody"}
    page = admin.post("/leaving/file/", names, follow=True).content.decode()
    assert "From a list, without" in page
    once = admin.post("/leaving/file/", {"people": "maya.okafor\nnobody"}, follow=True).content.decode()
    assert "From a list." in once


def test_what_ends_is_shown_and_then_asked_for_once(admin: Client, user: Entity) -> None:
    address = f"{reverse('offboarding:begin')}?user={user.pk}"
    page = admin.get(address).content.decode()
    assert "Set inline policy GatehouseLeft of user maya.okafor" in page
    assert "Remove maya.okafor from payments-dev" in page
    assert admin.post(address, {"reason": "", "grace": "30", "key": "k"}).status_code == 422
    sent = {"reason": "Last day", "grace": "0", "key": "k"}
    later = admin.post(address, {**sent, "key": "other", "when": "later", "at": "yesterday"})
    assert "Enter the day and the time when access ends." in later.content.decode()
    answers = {admin.post(address, sent)["Location"] for _ in range(2)}
    assert len(answers) == 1
    live = admin.get(answers.pop()).content.decode()
    assert "Waiting for approval" in live
    assert "hx-get" in live
    change = Change.objects.get(position=0)
    assert f'href="{reverse("changes:request", args=[change.pk])}"' in live
    assert (
        reverse("offboarding:run", args=[OffboardingRun.objects.get().pk])
        in admin.get(reverse("changes:request", args=[change.pk])).content.decode()
    )
    again = admin.get(address).content.decode()
    assert "maya.okafor is already being offboarded" in again
    assert "This can’t be requested" not in again


def test_a_list_is_checked_row_by_row_and_nobody_is_asked_for_while_one_is_bad(
    admin: Client, user: Entity
) -> None:
    file = BytesIO(b"E-mail;User name\n;maya.okafor\n;nobody\n")
    file.name = "leavers.csv"
    draft = admin.post(reverse("offboarding:file"), {"file": file})["Location"]
    assert "No one in your accounts or teams" in admin.get(draft).content.decode()
    run = OffboardingRun.objects.get()
    ask = reverse("offboarding:run-request", args=[run.pk])
    refused = admin.post(ask, {"reason": "They go", "grace": "30"})
    assert "1 of 2 rows need fixing" in refused.content.decode()
    assert not Change.objects.exists()
    admin.post(ask, {"reason": "They go", "grace": "30", "skip": "1"})
    assert Leaver.objects.filter(stage=OffboardingStage.WAITING).count() == 1
    huge = admin.generic(
        "POST",
        reverse("offboarding:file"),
        b"x",
        content_type="multipart/form-data; boundary=x",
        CONTENT_LENGTH="1073741824",
    )
    assert (huge.status_code, huge["Connection"]) == (413, "close")


def test_lists_cost_the_same_for_one_and_for_many_and_are_narrowed(admin: Client, user: Entity) -> None:
    author = factories.person("Hana Sato")
    offboarding.left(user, author)

    def cost() -> tuple[int, str]:
        with CaptureQueriesContext(connection) as queries:
            page = admin.get(reverse("offboarding:leavers")).content.decode()
        return len(queries), page

    admin.get(reverse("offboarding:leavers"))
    few, _ = cost()
    others = [factories.user(user.account, f"leaver-{number}") for number in range(12)]
    for entity in others:
        offboarding.left(entity, author, stage=OffboardingStage.DELETED)
    many, page = cost()
    assert few == many
    assert "leaver-11" in page
    narrowed = admin.get(f"{reverse('offboarding:leavers')}?show=deleted&q=leaver-3").content.decode()
    assert "leaver-3" in narrowed
    assert "leaver-4" not in narrowed


def test_of_whoever_has_left_it_is_said_and_where_that_stands(admin: Client) -> None:
    gone = factories.user(Account.objects.get(), "nina", credentials={"has_password": False})
    factories.inline(gone, DENY, body=json.loads(DENY_TEXT))
    leaver = offboarding.left(gone, factories.person("Hana Sato"))
    page = admin.get(f"{reverse('offboarding:begin')}?user={gone.pk}").content.decode()
    assert "nina was already offboarded" in page
    assert reverse("offboarding:leaver", args=[leaver.pk]) in page
    assert "This can’t be requested" not in page


def test_in_a_list_whoever_has_left_is_to_be_put_right(admin: Client, user: Entity) -> None:
    leaver = offboarding.left(user, factories.person("Hana Sato"))
    file = BytesIO(b"E-mail;User name\n;maya.okafor\n")
    file.name = "leavers.csv"
    draft = admin.post(reverse("offboarding:file"), {"file": file})["Location"]
    page = admin.get(draft).content.decode()
    assert f"was already offboarded ({leaver.run.reference}). No access is left to remove." in page
    assert not Leaver.objects.filter(standing=RowStatus.READY, stage=OffboardingStage.DRAFT).exists()


def test_a_deletion_that_is_refused_keeps_the_reason(admin: Client, user: Entity) -> None:
    leaver = offboarding.left(user, factories.person("Hana Sato"), stage=OffboardingStage.RETURNED)
    page = admin.post(reverse("offboarding:delete", args=[leaver.pk]), {"reason": "Gone <for> good"})
    assert page.status_code == 422
    assert "Gone &lt;for&gt; good</textarea>" in page.content.decode()


def test_a_certificate_stands_in_the_journal_until_somebody_alters_it(admin: Client, user: Entity) -> None:
    leaver = offboarding.left(user, factories.person("Hana Sato"))
    address = reverse("offboarding:certificate", args=[leaver.pk, "ended"])
    assert "Matches the journal" in admin.get(address).content.decode()
    file = admin.get(reverse("offboarding:certificate-export", args=[leaver.pk, "ended"]))
    assert file.content.decode() == OffboardingCertificate.objects.get().text
    OffboardingCertificate.objects.update(text=file.content.decode().replace("maya", "nina"))
    assert "Does not match the journal" in admin.get(address).content.decode()
    live = admin.get(reverse("offboarding:leaver", args=[leaver.pk]), headers={"HX-Request": "true"})
    assert live.status_code == 286


def test_people_are_found_by_any_part_and_a_miss_leads_on(admin: Client, user: Entity) -> None:
    address = reverse("offboarding:begin")
    everyone = admin.get(address).content.decode()
    assert f"?user={user.pk}" in everyone
    assert f"?user={user.pk}" in admin.get(address, {"q": "OKAF"}).content.decode()
    offboarding.left(factories.user(user.account, "nina.lund"), factories.person("Hana Sato"))
    missed = admin.get(address, {"q": "no such name"}).content.decode()
    assert "No IAM user in your accounts matches “no such name”" in missed
    assert "Show everyone you can offboard" in missed
    factories.person("Zoë Nowhere")
    nowhere = admin.get(address, {"q": "zoe"}).content.decode()
    assert "In Gatehouse, without an IAM user" in nowhere
    assert "Zoë Nowhere" in nowhere
    assert "Offboard nina.lund" in admin.get(address, {"q": "nina"}).content.decode()


@pytest.mark.parametrize("name", ["retry", "confirm", "lift-suspension"])
def test_a_post_address_that_is_opened_leads_back_to_its_page(admin: Client, user: Entity, name: str) -> None:
    leaver = offboarding.left(user, factories.person("Hana Sato"))
    answer = admin.get(reverse(f"offboarding:{name}", args=[leaver.pk]))
    assert answer["Location"] == reverse("offboarding:leaver", args=[leaver.pk])


@pytest.mark.parametrize("stage", [stage for stage in OffboardingStage if stage != OffboardingStage.DRAFT])
def test_each_status_says_what_is_so_and_what_can_be_done(
    admin: Client, user: Entity, stage: OffboardingStage
) -> None:
    """No page says that access is back, or gone, beside a status that says otherwise; each button that it
    shows can be used.
    """
    leaver = offboarding.left(user, factories.person("Hana Sato"), stage=stage)
    page = admin.get(reverse("offboarding:leaver", args=[leaver.pk])).content.decode()
    assert stage.label in page
    assert ("Access restored</strong>" in page) == (stage == OffboardingStage.RETURNED)
    assert ("AWS was checked afterwards and shows no access" in page) is False
    # The mirror shows no deny on this user: where access should be cut, the page says so.
    assert ("AWS shows access again" in page) == (stage in current_access.CUT)
    for name in ("restore", "delete"):
        address = reverse(f"offboarding:{name}", args=[leaver.pk])
        assert (f'href="{address}"' in page) == (
            stage in (restore_and_delete.RESTORABLE if name == "restore" else restore_and_delete.DELETABLE)
        )
        assert admin.get(address).status_code == 200


def test_where_the_deny_is_in_force_nothing_says_otherwise(admin: Client) -> None:
    gone = factories.user(Account.objects.get(), "nina", credentials={"has_password": False})
    factories.inline(gone, DENY, body=json.loads(DENY_TEXT))
    leaver = offboarding.left(gone, factories.person("Hana Sato"))
    page = admin.get(reverse("offboarding:leaver", args=[leaver.pk])).content.decode()
    assert "AWS shows access again" not in page
    assert "AWS was checked afterwards and shows no access" in page
    assert "In force" in page


def test_what_and_where_stands_above_the_plan(admin: Client, user: Entity) -> None:
    page = admin.get(f"{reverse('offboarding:begin')}?user={user.pk}").content.decode()
    block = " ".join(page.partition('id="wt-h"')[2].partition("</ul>")[0].split())
    assert "Remove maya.okafor from payments-dev" in block
    assert f"in {user.account.name}" in block
    assert page.index('id="wt-h"') < page.index(f'id="si-{user.pk}"'), "the steps of each account follow"


def test_the_numbers_of_a_person_are_those_of_their_accounts(admin: Client, user: Entity) -> None:
    """A step that failed and of which AWS shows nothing any more counts neither as open nor in one place
    only.
    """
    leaver = offboarding.left(user, factories.person("Hana Sato"))
    Change.objects.filter(position=2).update(state="failed")
    page = admin.get(reverse("offboarding:leaver", args=[leaver.pk])).content.decode()
    assert "2 of 2 steps done" in page
    assert "2 of 2 done, 1 more failed and is no longer needed" in " ".join(page.split())
    OffboardedUser.objects.update(proved_at=None)
    page = admin.get(reverse("offboarding:leaver", args=[leaver.pk])).content.decode()
    assert "2 of 3 steps done" in page
    assert "2 of 3 done" in page


def test_an_offboarding_that_somebody_cannot_open_is_named_and_no_link(user: Entity) -> None:
    lead, author = (
        factories.person("Elif Kaya", email="elif@example.com"),
        factories.person("Ines", email="i@e.org"),
    )
    team = Team.objects.create(name="Payments", slug="payments")
    factories.assign(lead, Role.TEAM_LEAD, team=team)
    own = offboarding.left(user, author, teams=(team.slug,))
    other = offboarding.left(factories.user(user.account, "tomas.lind"), author, teams=("others",))
    opened = openable(viewer_for(lead), [own, other, None])
    assert opened == {own.pk}
    for leaver, is_link in ((own, True), (other, False)):
        text = render_to_string("offboarding/_reference.html", {"leaver": leaver, "openable": opened})
        assert leaver.run.reference in text
        assert (reverse("offboarding:leaver", args=[leaver.pk]) in text) == is_link


def test_a_lead_is_not_offered_to_offboard_herself(user: Entity) -> None:
    team = Team.objects.create(name="Payments", slug="payments")
    TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value="payments-dev")
    own = factories.user(user.account, "elif.kaya")
    factories.edge(EdgeKind.MEMBER, own, Entity.objects.get(name="payments-dev"))
    client = Client()
    client.force_login(factories.operator(Role.TEAM_LEAD, name="Elif Kaya", team=team, arns=(own.arn,)))
    page = client.get(reverse("offboarding:begin")).content.decode()
    assert f'{reverse("offboarding:begin")}?user={user.pk}"' in page
    assert f'{reverse("offboarding:begin")}?user={own.pk}"' not in page
    assert "This is you." in page


@pytest.mark.parametrize(
    ("stage", "is_said"),
    [(OffboardingStage.GONE, True), (OffboardingStage.RETURNED, False), (OffboardingStage.CALLED_OFF, False)],
)
def test_users_elsewhere_keep_access_only_matters_while_access_is_removed(
    admin: Client, user: Entity, stage: OffboardingStage, is_said: bool
) -> None:
    leaver = offboarding.left(user, factories.person("Hana Sato"), stage=stage)
    Leaver.objects.filter(pk=leaver.pk).update(unseen=2)
    page = admin.get(reverse("offboarding:leaver", args=[leaver.pk])).content.decode()
    assert ("Ask an administrator" in page) == is_said
