"""Nobody gets rights by a link that they had not: not by a tag in AWS, not by linking themselves, not by
reaching for somebody who rules.
"""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from iam.changes.approval.people import owners_of
from iam.changes.models import Change
from iam.changes.services.own_device import owns
from iam.directory.models import Identity, Person, Role, RuleKind, Team, TeamRule
from iam.directory.rules import DirectoryRuleError
from iam.guard import Viewer, viewer_for
from iam.linking import acts
from iam.linking.pasted_people import match_list
from iam.linking.refresh import refresh_links
from iam.linking.rights import people_to_choose
from iam.linking.rules import ChosenMatchRules, save
from iam.mirror.models import Account, EdgeKind, Entity
from iam.mirror.queries.visibility import visible_entities
from iam.people.enrolment.invitation import person_of
from iam.people.offboarding.models import Leaver, OffboardedUser, OffboardingRun
from iam.people.offboarding.reconcile import _close_sign_in
from iam.people.offboarding.restored_sign_in import invite_back, password_of
from tests import factories
from tests.console.offboarding import left
from tests.iam.linking.test_ownership import tagged

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]


@pytest.fixture
def account() -> Account:
    return factories.account()


@pytest.fixture
def team() -> Team:
    made = Team.objects.create(slug="payments", name="Payments")
    TeamRule.objects.create(team=made, kind=RuleKind.GROUP, value="payments-dev")
    return made


def of_team(account: Account, name: str) -> Entity:
    user = factories.user(account, name)
    group = Entity.objects.filter(account=account, name="payments-dev").first()
    factories.edge(EdgeKind.MEMBER, user, group or factories.group(account, "payments-dev"))
    return user


def lead_of(team: Team) -> Viewer:
    elif_ = factories.person("Elif Kaya")
    factories.assign(elif_, Role.TEAM_LEAD, team=team)
    return viewer_for(elif_)


def with_role(name: str, role: Role) -> Person:
    person = factories.person(name)
    factories.assign(person, role)
    return person


def test_who_tags_a_user_with_their_own_address_gets_nothing_by_it(account: Account) -> None:
    mallory = with_role("Mallory Reed", Role.MEMBER)
    chief = tagged(factories.user(account, "chief"), email=mallory.email)
    refresh_links()
    viewer = viewer_for(mallory)
    assert not visible_entities(viewer).filter(pk=chief.pk).exists()
    assert not owns(mallory.pk, user_arn=chief.arn)
    assert person_of(chief) is None
    pasted = match_list(mallory.email, among=Entity.objects.all())
    assert pasted.chosen == []
    assert [match.is_sure for match in pasted.to_decide[0].matches] == [False], "shown, and never selected"
    # It works against them only: they cannot decide about the user.
    assert owners_of([chief.arn]) == {mallory.pk}
    run = OffboardingRun.objects.create(requested_by=mallory.pk, requested_label="x", reason="x")
    leaver = Leaver.objects.create(run=run, name="Chief", person_id=mallory.pk)
    OffboardedUser.objects.create(
        leaver=leaver, user=chief, account=account, user_arn=chief.arn, user_name="chief"
    )
    assert invite_back(leaver) is None


def test_who_comes_back_gets_no_password_of_a_user_that_only_a_tag_names(account: Account) -> None:
    mallory, ines = with_role("Mallory Reed", Role.MEMBER), with_role("Ines Duarte", Role.ADMINISTRATOR)
    chief = tagged(factories.user(account, "chief"), email=mallory.email)
    refresh_links()
    leaver = left(chief, ines)
    Leaver.objects.filter(pk=leaver.pk).update(person_id=mallory.pk)
    Change.objects.update(already_so=False)
    seat = leaver.seats.select_related("leaver", "user__account", "account").get()
    assert password_of(seat) is None
    Identity.objects.create(person=mallory, user_arn=chief.arn)
    create_login_profile = password_of(seat)
    assert create_login_profile is not None
    assert create_login_profile.inputs.recipient_id == str(mallory.pk)


def test_who_tags_a_user_with_an_administrators_address_shuts_nobody_out(
    account: Account, team: Team
) -> None:
    ines = with_role("Ines Duarte", Role.ADMINISTRATOR)
    with_role("Hana Sato", Role.ADMINISTRATOR)
    lead = lead_of(team)
    user = tagged(of_team(account, "temp"), email=ines.email)
    refresh_links()
    run = OffboardingRun.objects.create(requested_by=lead.person_id, requested_label="x", reason="x")
    leaver = Leaver.objects.create(run=run, name="Ines", person_id=ines.pk)
    OffboardedUser.objects.create(
        leaver=leaver, user=user, account=account, user_arn=user.arn, user_name="temp"
    )
    _close_sign_in(leaver)
    ines.refresh_from_db()
    assert ines.is_active
    with pytest.raises(DirectoryRuleError, match="Ask an administrator"):
        acts.link(lead, user=user, person=ines)


def test_nobody_links_a_user_to_themselves(account: Account, team: Team) -> None:
    for name in ("Hana Sato", "Jonas Berg"):
        with_role(name, Role.APPROVER)
    ines, lead = with_role("Ines Duarte", Role.ADMINISTRATOR), lead_of(team)
    chief, user = factories.user(account, "chief"), of_team(account, "temp")
    with pytest.raises(DirectoryRuleError, match="Ask another administrator"):
        acts.link(viewer_for(ines), user=chief, person=ines)
    with pytest.raises(DirectoryRuleError, match="Ask another administrator"):
        acts.link(lead, user=user, person=Person.objects.get(pk=lead.person_id))
    assert not Identity.objects.exists()
    assert ines not in people_to_choose(viewer_for(ines))


def test_a_lead_says_it_of_their_team_and_of_people_without_a_role_over_others(
    account: Account, team: Team
) -> None:
    lead = lead_of(team)
    user, second, outside = of_team(account, "one"), of_team(account, "two"), factories.user(account, "out")
    maya, other = factories.person("Maya Okafor"), factories.person("Noor Haddad")
    Identity.objects.create(person=maya, user_arn=user.arn)
    assert acts.link(lead, user=second, person=maya)
    assert acts.undo(lead, user=second) == maya
    for target, person in ((outside, maya), (second, other)):
        with pytest.raises(DirectoryRuleError):
            acts.link(lead, user=target, person=person)
    # Whom a tag names, and who has no user yet, a lead may confirm.
    third = tagged(of_team(account, "three"), email=other.email)
    refresh_links()
    assert acts.link(lead, user=third, person=other)
    # But nobody who has a user elsewhere, where the lead leads nobody.
    noor = factories.person("Noor Berg", arns=(factories.user(account, "noor").arn,))
    fourth = tagged(of_team(account, "four"), email=noor.email)
    refresh_links(whole=True)
    with pytest.raises(DirectoryRuleError, match="Ask an administrator"):
        acts.link(lead, user=fourth, person=noor)
    assert set(people_to_choose(lead)) == {maya, other}
    # Nor can a lead take a user from somebody who decides.
    factories.assign(maya, Role.APPROVER)
    with pytest.raises(DirectoryRuleError, match="Ask an administrator"):
        acts.undo(lead, user=user)
    with pytest.raises(DirectoryRuleError, match="Ask an administrator"):
        acts.set_apart(lead, user=user, person=maya)
    assert set(people_to_choose(lead)) == {other}


def test_in_the_first_run_an_administrator_links_themselves_and_a_lead_does_not(
    account: Account, team: Team
) -> None:
    ines, lead = with_role("Ines Duarte", Role.ADMINISTRATOR), lead_of(team)
    assert acts.link(viewer_for(ines), user=factories.user(account, "chief"), person=ines)
    with pytest.raises(DirectoryRuleError, match="Ask another administrator"):
        acts.link(lead, user=of_team(account, "temp"), person=Person.objects.get(pk=lead.person_id))


def test_a_lead_says_nothing_of_what_they_only_see(account: Account, team: Team) -> None:
    own, far = factories.user(account, "own"), factories.user(account, "far")
    elif_ = factories.person("Elif Kaya", arns=(own.arn,))
    factories.assign(elif_, Role.TEAM_LEAD, team=team)
    factories.assign(elif_, Role.AUDITOR)
    lead, maya = viewer_for(elif_), factories.person("Maya Okafor", arns=(of_team(account, "one").arn,))
    assert set(visible_entities(lead)) >= {own, far}
    for user in (own, far):
        with pytest.raises(DirectoryRuleError, match="only where you administer"):
            acts.link(lead, user=user, person=maya)


def test_what_was_said_once_is_not_undone_or_repeated_by_a_late_click(account: Account, team: Team) -> None:
    ines, lead = viewer_for(with_role("Ines Duarte", Role.ADMINISTRATOR)), lead_of(team)
    gone, user = factories.user(account, "gone"), tagged(of_team(account, "one"), email="new@example.com")
    maya = factories.person("Maya Okafor", email="maya@example.com")
    Entity.objects.filter(pk=gone.pk).update(gone_at=factories.FIRST_READ)
    gone.refresh_from_db()
    with pytest.raises(DirectoryRuleError, match="was deleted in AWS"):
        acts.link(ines, user=gone, person=maya)
    mark = acts.set_apart(ines, user=user, person=maya)
    with pytest.raises(DirectoryRuleError, match="Ask an administrator"):
        acts.forget(lead, mark)
    refresh_links()
    assert acts.add_and_link(ines, user=user, name="Noor Haddad").person.email == "new@example.com"
    with pytest.raises(DirectoryRuleError, match="an email address that is new"):
        acts.add_and_link(ines, user=user, name="Somebody Else")


def test_an_administrator_of_one_account_says_nothing_of_another_and_chooses_no_ways(
    account: Account,
) -> None:
    other = factories.account("222222222222", name="data")
    person = factories.person("Ines Duarte")
    factories.assign(person, Role.ADMINISTRATOR, account_id=account.account_id)
    ines, maya = viewer_for(person), factories.person("Maya Okafor")
    assert acts.link(ines, user=factories.user(account, "one"), person=maya)
    with pytest.raises(DirectoryRuleError, match="only where you administer"):
        acts.link(ines, user=factories.user(other, "two"), person=maya)
    with pytest.raises(DirectoryRuleError, match="administrator of all accounts"):
        save(ines, ChosenMatchRules(("email",), False, ()))


@pytest.mark.parametrize("role", [Role.MEMBER, Role.AUDITOR, Role.APPROVER])
def test_who_rules_over_nobody_finds_no_door(role: Role, account: Account) -> None:
    user, maya = factories.user(account, "one"), factories.person("Maya Okafor")
    client = Client()
    client.force_login(factories.operator(role, name="Amara Diallo"))
    answers = [
        client.post(reverse(f"linking:{name}", args=[user.pk]), {"person": str(maya.pk)}).status_code
        for name in ("link", "undo", "mark-not-theirs")
    ]
    answers.append(client.post(reverse("linking:confirm"), {"all": "1"}).status_code)
    answers.append(client.get(reverse("linking:links")).status_code)
    assert set(answers) == {404}
    assert not Identity.objects.exists()


def test_a_lead_learns_by_no_proposal_who_and_what_is_elsewhere(account: Account, team: Team) -> None:
    data = factories.account("222222222222", name="data")
    user = of_team(account, "twin")
    noor = factories.person("Noor Haddad", arns=(factories.user(data, "twin").arn,))
    strange = tagged(of_team(account, "jonas@example.com"), email=noor.email)
    factories.person("Jonas Berg", email="jonas@example.com")
    refresh_links()
    client = Client()
    client.force_login(factories.operator(Role.TEAM_LEAD, name="Elif Kaya", team=team))
    pages = [reverse("linking:person", args=[entity.pk]) for entity in (user, strange)]
    pages += [f"{reverse('linking:links')}?view={view}" for view in ("doubtful", "unlinked")]
    texts = [client.get(address).content.decode() for address in pages]
    assert not [name for name in ("Noor", "Jonas Berg") for text in texts if name in text]
    # On the page of the user the lead sees its tags, in the list none.
    assert "noor.haddad" not in texts[2] + texts[3]
    assert "Someone outside your scope" in texts[2]
