"""The pages of access keys: lists with filters and few queries, beginning one and many, one live, whose it
is.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from iam.changes.models import Change, ChangeState
from iam.directory.models import Person, Role, RuleKind, Team, TeamRule
from iam.journal.models import Entry
from iam.mirror.models import Account, AccountFact, EdgeKind, Entity
from iam.people.links.models import LinkPurpose, OneTimeLink
from iam.people.links.services import make_link
from iam.people.links.signed_ids import word_of
from iam.people.rotation import key_list
from iam.people.rotation.models import Rotation, RotationOutcome, RotationStage
from iam.people.rotation.own_keys import OF_OWN_KEY
from iam.sealed.services import seal
from tests import factories
from tests.console.rotation.rows import key, rotation

pytestmark = pytest.mark.django_db
DAY = timedelta(hours=24)


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    cache.clear()


@pytest.fixture
def account() -> Account:
    return factories.account(write_role_arn="arn:aws:iam::111111111111:role/gatehouse-writer")


def signed_in(role: Role | None, name: str = "Ines Duarte", **more: Any) -> tuple[Client, Person]:
    operator = factories.operator(role, name=name, **more)
    client = Client()
    client.force_login(operator)
    return client, operator.person


def ids(page: Any) -> list[str]:
    return [row["name"] for row in page.context["rows"]]


def test_views_and_filters_show_what_they_say(account: Account) -> None:
    client, _ = signed_in(Role.AUDITOR)
    first, second = (
        factories.user(account, "ada"),
        factories.user(account, "bo", credentials={"active_keys": 2, "keys": 2}),
    )
    old = key(first, days=400, used=200)
    fresh, twin = key(second, days=10, used=1), key(second, days=120)
    gone = key(first, days=300, status="Inactive", used=100)
    page = reverse("keys:keys")
    assert ids(client.get(page)) == [entity.aws_id for entity in (old, gone, twin, fresh)]
    assert ids(client.get(f"{page}?view=old")) == [old.aws_id, twin.aws_id]
    assert ids(client.get(f"{page}?view=never")) == [twin.aws_id]
    assert set(ids(client.get(f"{page}?view=two"))) == {fresh.aws_id, twin.aws_id}
    assert ids(client.get(f"{page}?state=inactive")) == [gone.aws_id]
    assert ids(client.get(f"{page}?use=idle-90&state=active")) == [old.aws_id, twin.aws_id]
    assert ids(client.get(f"{page}?age=365")) == [old.aws_id]
    assert ids(client.get(f"{page}?sort=-used"))[0] == fresh.aws_id
    assert set(ids(client.get(f"{page}?q=bo"))) == {fresh.aws_id, twin.aws_id}
    assert ids(client.get(f"{page}?q={old.aws_id}")) == [old.aws_id]


@pytest.mark.parametrize("many", [0, 2000])
def test_keys_on_their_way_out_are_found_whether_few_are_or_many(
    account: Account, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    monkeypatch.setattr(key_list, "MANY_ROTATIONS", many)
    client, person = signed_in(Role.ADMINISTRATOR)
    old, ended = (key(factories.user(account, name)) for name in ("ada", "bo"))
    key(factories.user(account, "no-rotation"))
    rotation(old, person)
    rotation(
        ended, person, stage=RotationStage.ENDED, outcome=RotationOutcome.DONE, ended_at=datetime.now(tz=UTC)
    )
    removed = factories.account("222222222222", removed_at=datetime.now(tz=UTC))
    gone = key(factories.user(removed, "cy"))
    rotation(gone, person)
    assert ids(client.get(reverse("keys:keys"), {"view": "rotating"})) == [old.aws_id]
    page = client.get(reverse("keys:rotations")).content.decode()
    assert old.aws_id in page
    assert gone.aws_id not in page


def test_the_lists_take_the_same_queries_for_a_few_and_for_many(account: Account) -> None:
    client, person = signed_in(Role.ADMINISTRATOR)
    counts: dict[str, list[int]] = {}
    for size in (2, 30):
        for _ in range(size):
            rotation(key(factories.user(account, f"u{Entity.objects.count()}")), person)
        for address in (reverse("keys:keys"), reverse("keys:keys") + "?sort=used", reverse("keys:rotations")):
            client.get(address)
            cache.clear()
            with CaptureQueriesContext(connection) as queries:
                assert client.get(address).status_code == 200
            counts.setdefault(address, []).append(len(queries))
    assert all(few == many for few, many in counts.values()), counts


def test_an_empty_list_says_so(account: Account) -> None:
    client, _ = signed_in(Role.ADMINISTRATOR)
    for name in ("keys:keys", "keys:rotations", "keys:root-keys", "keys:my-keys"):
        assert client.get(reverse(name)).status_code == 200
    assert "No key is being rotated" in client.get(reverse("keys:rotations")).content.decode()
    assert "None is done yet" in client.get(reverse("keys:rotations"), {"view": "done"}).content.decode()


def test_what_is_carried_out_is_counted_apart_from_what_waits_for_approval(account: Account) -> None:
    user = factories.user(account, "kwame.boateng")
    member, person = signed_in(Role.MEMBER, name="Kwame Boateng", arns=(user.arn,))
    old = key(user)
    terms = {"quiet": "14", "keep": "7", "how": "automatic", "reason": "Old"}
    assert member.post(reverse("keys:rotate", args=[old.pk]), terms).status_code == 302
    rotation(key(factories.user(account, "bo")), person, stage=RotationStage.WAITING)
    administrator, _ = signed_in(Role.ADMINISTRATOR)
    page = reverse("keys:rotations")

    def counted(words: str) -> str:
        tab = administrator.get(page).content.decode().partition(f">{words}")[2].partition("</a>")[0]
        return tab.removeprefix('<span class="count">').removesuffix("</span>")

    assert (counted("Waiting for approval"), counted("Being requested or changed")) == ("1", "1")
    assert ">Waiting for approval<" in administrator.get(f"{page}?view=asked").content.decode()
    Change.objects.update(state=ChangeState.QUEUED)
    assert (counted("Waiting for approval"), counted("Being requested or changed")) == ("", "2")
    assert old.aws_id not in administrator.get(f"{page}?view=asked").content.decode()
    assert old.aws_id in administrator.get(f"{page}?view=carried").content.decode()


def test_a_lead_sees_the_keys_and_rotations_of_their_team_only(account: Account) -> None:
    mine, other = factories.user(account, "mine"), factories.user(account, "other")
    group = factories.group(account, "payments-dev")
    factories.edge(EdgeKind.MEMBER, mine, group)
    team = Team.objects.create(slug="payments", name="Payments")
    TeamRule.objects.create(team=team, kind=RuleKind.GROUP, account_id=account.account_id, value=group.name)
    client, _ = signed_in(Role.TEAM_LEAD, name="Maya Okafor", team=team)
    somebody = factories.person("Somebody", email="somebody@example.com")
    seen, hidden = rotation(key(mine), somebody), rotation(key(other), somebody)
    assert ids(client.get(reverse("keys:keys"))) == [seen.old.aws_id]
    text = client.get(reverse("keys:rotations")).content.decode()
    assert seen.old.aws_id in text
    assert hidden.old.aws_id not in text
    for name, method in (("keys:rotation", client.get), ("keys:rotation-act", client.post)):
        assert method(reverse(name, args=[hidden.pk]), {"do": "look"}).status_code == 404
    assert client.post(reverse("keys:rotation-act", args=[seen.pk]), {"do": "look"}).status_code == 302
    seen.refresh_from_db()
    assert seen.wanted == "look"


def test_an_auditor_reads_and_does_nothing(account: Account) -> None:
    client, _ = signed_in(Role.AUDITOR, name="Otto Audit")
    own = rotation(key(factories.user(account, "ada")), factories.person("Ada", email="ada@example.com"))
    page = client.get(reverse("keys:rotation", args=[own.pk]))
    assert page.status_code == 200
    assert "<form" not in page.content.decode().partition('id="live"')[2].partition("</main>")[0]
    for name, of in (
        ("keys:rotation-act", own.pk),
        ("keys:new-key-secret", own.pk),
        ("keys:rotate", own.old_id),
    ):
        assert client.post(reverse(name, args=[of]), {"do": "deactivate"}).status_code == 404


def test_the_secret_is_shown_once_to_its_person_and_to_no_administrator(account: Account) -> None:
    user = factories.user(account, "kwame.boateng")
    member, person = signed_in(Role.MEMBER, name="Kwame Boateng", arns=(user.arn,))
    administrator, _ = signed_in(Role.ADMINISTRATOR)
    handed = rotation(key(user), person, stage=RotationStage.HANDING, fetched_at=None, quiet_from=None)
    handed.sealed_id = seal(
        "the/secret", for_person=person.pk, purpose="access_key.secret", ttl=DAY, label=handed.new_key_id
    )
    handed.save()
    address = reverse("keys:new-key-secret", args=[handed.pk])
    assert administrator.post(address).status_code == 404
    assert member.get(address)["Location"] == reverse("keys:rotation", args=[handed.pk])
    assert "the/secret" not in member.get(reverse("keys:rotation", args=[handed.pk])).content.decode()
    page = member.post(address)
    assert "the/secret" in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    again = member.post(address)
    assert again.status_code == 422
    assert "the/secret" not in again.content.decode()


def test_a_link_of_somebody_else_or_of_another_rotation_opens_nothing(account: Account) -> None:
    user = factories.user(account, "kwame.boateng")
    person = factories.person("Kwame Boateng", email="kwame@example.com")
    thief = factories.person("Mallory", email="mallory@example.com")
    handed = rotation(key(user), person, stage=RotationStage.HANDING, fetched_at=None, quiet_from=None)
    handed.sealed_id = seal(
        "the/secret", for_person=person.pk, purpose="access_key.secret", ttl=DAY, label=handed.new_key_id
    )
    handed.save()
    bad = [
        _link(thief, user, handed),
        _link(person, factories.user(account, "another"), handed),
        make_link(LinkPurpose.MFA, person=person, user_arn=user.arn, actor=None, cause_id=handed.pk),
    ]
    # The last one would be right, but is not the latest of the rotation.
    for link, latest in [*((link, link) for link in bad), (_link(person, user, handed), None)]:
        Rotation.objects.update(link=latest)
        browser = Client()
        browser.post(f"/link/{word_of(link.pk)}/")
        page = browser.post(reverse("keys:new-key-link"))
        assert page.status_code == 403
        assert "the/secret" not in page.content.decode()


def test_a_link_shows_the_secret_by_a_press_once_and_then_opens_nothing(account: Account) -> None:
    user = factories.user(account, "kwame.boateng")
    person = factories.person("Kwame Boateng", email="kwame@example.com")
    handed = rotation(key(user), person, stage=RotationStage.HANDING, fetched_at=None, quiet_from=None)
    handed.link = _link(person, user, handed)
    handed.sealed_id = seal(
        "the/secret", for_person=person.pk, purpose="access_key.secret", ttl=DAY, label=handed.new_key_id
    )
    handed.save()
    browser, page = Client(), reverse("keys:new-key-link")
    browser.post(f"/link/{word_of(handed.link.pk)}/")
    for _ in range(2):
        assert "the/secret" not in browser.get(page).content.decode()
    assert "the old one hasn’t been used for 7 days" in browser.get(page).content.decode()
    assert "the/secret" in browser.post(page).content.decode()
    assert (browser.get(page).status_code, browser.post(page).status_code) == (410, 410)
    handed.link.refresh_from_db()
    assert handed.link.ended_why == "finished"
    # Both ways back say what happened to the secret, and how to get another key.
    handed.refresh_from_db()
    for answer in (browser.get(page), Client().get(f"/link/{word_of(handed.link.pk)}/")):
        shown_page = answer.content.decode()
        assert f"The secret of your new key {handed.new_key_id} was shown once" in shown_page
        assert "create another key" in shown_page


def test_begun_from_a_page_it_says_beforehand_what_will_happen(account: Account) -> None:
    user = factories.user(account, "kwame.boateng")
    member, person = signed_in(Role.MEMBER, name="Kwame Boateng", arns=(user.arn,))
    old = key(user, used=3)
    credentials = member.get(reverse("identities:person-credentials", args=[user.pk])).content.decode()
    address = reverse("keys:rotate", args=[old.pk])
    assert address in credentials
    before = member.get(address).content.decode()
    assert "AWS can’t restore a deleted key" in before
    plan = " ".join(before.partition('id="pl-h"')[2].partition("</ol>")[0].split())
    assert "Once the old key hasn’t been used for 7 days and the new one has." in plan
    assert "was not used" not in plan, "nothing of a plan has happened"
    wrong = member.post(address, {"quiet": "1", "keep": "7", "reason": "Old"})
    assert wrong.status_code == 422
    typed = {"quiet": "14", "keep": "7", "reason": "Old"}
    for name, bad in (("quiet", "1"), ("quiet", "soon"), ("keep", "0"), ("keep", ""), ("reason", " ")):
        page = member.post(address, typed | {name: bad}).content.decode()
        assert f'id="id_{name}-error"' in page, "an error is at its field"
        assert "The request was not submitted" not in page
        assert all(value in page for other, value in typed.items() if other != name)
    made = member.post(address, {"quiet": "14", "keep": "7", "how": "automatic", "reason": "Old"})
    rotation = Rotation.objects.get()
    assert made["Location"] == reverse("keys:rotation", args=[rotation.pk])
    assert (rotation.person, rotation.begun_by, rotation.quiet_days, rotation.stage) == (
        person,
        person,
        14,
        RotationStage.ASKED,
    )
    assert Entry.objects.filter(kind="rotation.begin").exists()
    assert rotation.change is not None
    assert "hasn’t been used for 14 days" in rotation.change.change_set.notes[0]


def test_many_are_begun_as_they_were_looked_at(account: Account) -> None:
    administrator, _ = signed_in(Role.ADMINISTRATOR)
    user = factories.user(account, "ada")
    factories.operator(Role.MEMBER, name="Ada", arns=(user.arn,))
    old = key(user)
    key(factories.user(account, "nobodys"))
    address = reverse("keys:rotate-many") + "?view=old"
    page = administrator.get(address).content.decode()
    assert old.aws_id in page
    assert "No person and no owning team" in page
    terms = {"quiet": "7", "keep": "7", "how": "automatic", "reason": "Old"}
    assert administrator.post(address, terms | {"count": "2"}).status_code == 422
    assert not Rotation.objects.exists()
    made = administrator.post(address, terms | {"count": "1"})
    assert "batch=" in made["Location"]
    assert administrator.get(made["Location"]).status_code == 200
    assert Rotation.objects.get().stage == RotationStage.WAITING


def test_keys_of_root_users_are_told(account: Account) -> None:
    auditor, _ = signed_in(Role.AUDITOR)
    AccountFact.objects.create(
        account=account,
        name="root_credentials",
        value={"mfa_active": True, "access_key_1_active": True},
        valid_from=factories.FIRST_READ,
        observed_at=factories.FIRST_READ,
    )
    page = auditor.get(reverse("keys:root-keys")).content.decode()
    assert "1 root user with an access key" in page


def test_a_deletion_by_hand_takes_the_last_signs_of_the_key(account: Account) -> None:
    user = factories.user(account, "kwame.boateng")
    member, person = signed_in(Role.MEMBER, name="Kwame Boateng", arns=(user.arn,))
    inactive = rotation(key(user, status="Inactive"), person, stage=RotationStage.INACTIVE)
    act = reverse("keys:rotation-act", args=[inactive.pk])
    refused = member.post(act, {"do": "delete", "typed": "nope"})
    assert refused.status_code == 422
    field = refused.content.decode().partition('id="typed"')[2].partition("</div>")[0]
    assert 'value="nope"' in field
    assert 'id="typed-error"' in field
    inactive.refresh_from_db()
    assert inactive.wanted == ""
    member.post(act, {"do": "delete", "typed": inactive.old.aws_id[-4:]})
    inactive.refresh_from_db()
    assert inactive.wanted == "delete"


@pytest.mark.parametrize("stage", [RotationStage.ASKED, RotationStage.DEACTIVATING, RotationStage.DELETING])
def test_a_step_that_waits_for_approval_is_not_shown_as_in_progress(
    account: Account, stage: RotationStage
) -> None:
    user = factories.user(account, "kwame.boateng")
    member, _ = signed_in(Role.MEMBER, name="Kwame Boateng", arns=(user.arn,))
    terms = {"quiet": "14", "keep": "7", "how": "automatic", "reason": "Old"}
    page = member.post(reverse("keys:rotate", args=[key(user).pk]), terms)["Location"]
    Rotation.objects.update(stage=stage)
    for state, waits in ((ChangeState.AWAITING, True), (ChangeState.APPLYING, False)):
        Change.objects.update(state=state)
        now = member.get(page).content.decode().partition('id="nw-h"')[2].partition("</p>")[0]
        assert ("waits for approval" in now) is waits
        assert (" being " in now) is not waits


def test_a_member_can_request_to_deactivate_a_key_of_their_own_and_no_other(account: Account) -> None:
    user, other = factories.user(account, "kwame.boateng"), factories.user(account, "maya.okafor")
    old, new = key(user, days=200), key(user, days=1)
    member, _ = signed_in(Role.MEMBER, name="Kwame Boateng", arns=(user.arn,))
    page = f"{reverse('changes:credential')}?do=access_key.deactivate&of="
    assert f"do=access_key.deactivate&amp;of={old.pk}" in member.get(reverse("keys:my-keys")).content.decode()
    # Two keys in use: the rotation can't be requested, and the way out is on the page.
    stuck = member.get(reverse("keys:rotate", args=[old.pk])).content.decode()
    assert f"of={old.pk}" in stuck
    assert f"of={new.pk}" in stuck
    assert member.get(f"{page}{old.pk}").status_code == 200
    sent = member.post(f"{page}{old.pk}", {"reason": "Replaced", "key": str(uuid4())})
    change = Change.objects.get()
    assert sent["Location"] == reverse("changes:change", args=[change.pk])
    assert change.change_set.cause_kind == OF_OWN_KEY
    assert member.get(f"{page}{key(other).pk}").status_code == 404
    create = f"{reverse('changes:credential')}?do=access_key.create&user={user.pk}"
    assert member.get(create).status_code == 404


def test_the_live_page_answers_nothing_where_nothing_is_new(account: Account) -> None:
    client, person = signed_in(Role.ADMINISTRATOR)
    running = rotation(key(factories.user(account, "ada")), person)
    address = reverse("keys:rotation", args=[running.pk])
    version = client.get(address).context["version"]
    fragment = {"HTTP_HX_REQUEST": "true"}
    assert client.get(f"{address}?seen={version}", **fragment).status_code == 204
    Rotation.objects.filter(pk=running.pk).update(trouble="AWS could not be asked")
    assert client.get(f"{address}?seen={version}", **fragment).status_code == 200


def _link(person: Person, user: Entity, rotation: Rotation) -> OneTimeLink:
    return make_link(LinkPurpose.ROTATION, person=person, user_arn=user.arn, actor=None, cause_id=rotation.pk)


def test_whoever_approves_reads_what_they_agree_to_on_the_page_of_the_change(account: Account) -> None:
    user = factories.user(account, "kwame.boateng")
    member, _ = signed_in(Role.MEMBER, name="Kwame Boateng", arns=(user.arn,))
    approver, _ = signed_in(Role.APPROVER, name="Hana Sato")
    member.post(reverse("keys:rotate", args=[key(user).pk]), {"quiet": "7", "keep": "7", "reason": "Old"})
    change = Rotation.objects.get().change
    assert change is not None
    for name in ("changes:change", "changes:request"):
        page = approver.get(reverse(name, args=[change.pk]), follow=True).content.decode()
        assert "7 days later deletes it permanently" in page


def test_the_form_for_many_keys_names_those_that_are_left_out(account: Account) -> None:
    client, _ = signed_in(Role.ADMINISTRATOR)
    robot = factories.user(account, "deploy-robot")
    active, inactive = key(robot), key(robot, status="Inactive")
    page = client.get(reverse("keys:rotate-many"), {"id": [active.pk, inactive.pk]}).content.decode()
    words = " ".join(page.split())
    assert "Of 1 active key in the list. 1 inactive key stays as it is." in words
    left = words.partition("Left out")[2]
    assert active.aws_id in left
    assert "deploy-robot" in left
