"""A campaign from its beginning to its end: whom it tells and how often, who is excused until when, and the
request when it is due.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from iam.access.enforcement.policy import PolicyVariant, document
from iam.changes.errors import RefusedError
from iam.changes.models import Change, ChangeState
from iam.directory.models import Identity, Person, Role, RuleKind, Team, TeamRule
from iam.guard import Viewer, viewer_for
from iam.journal.models import Entry
from iam.mirror.models import Account, EdgeKind, Entity, UserCredentials
from iam.notify.models import OutgoingMessage
from iam.people.campaigns import reconcile, services
from iam.people.campaigns.models import OF_CAMPAIGN, Campaign, CampaignEnding, CampaignState, Participant
from iam.people.campaigns.queries import own_due, progress
from iam.people.campaigns.services import CampaignTerms
from iam.people.links.models import OneTimeLink
from tests import factories
from tests.iam.people.campaigns.conftest import BEGIN, DUE

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def ines() -> Viewer:
    person = factories.person("Ines Duarte")
    factories.assign(person, Role.ADMINISTRATOR)
    return viewer_for(person)


def user(account: Account, name: str, *, is_linked: bool = True, **credentials: Any) -> Entity:
    made = factories.user(account, name, credentials={"mfa": "none"} | credentials)
    if is_linked:
        factories.person(name.title(), arns=(made.arn,))
    return made


def begun(viewer: Viewer, ending: CampaignEnding = CampaignEnding.NOTIFY, **terms: Any) -> Campaign:
    params = {"name": "Everyone", "due": DUE, "ending": ending, "reason": "PCI 8.4.2"} | terms
    return services.begin(viewer, CampaignTerms(**params))


def mails() -> dict[str, int]:
    mails: dict[str, int] = {}
    for outgoing in OutgoingMessage.objects.filter(event="mfa.enrol"):
        mails[outgoing.name] = mails.get(outgoing.name, 0) + 1
    return mails


def enrols(entity: Entity) -> None:
    UserCredentials.objects.filter(user=entity).update(mfa="virtual")


def test_everybody_with_a_password_takes_part_and_only_who_is_missing_is_told(
    ines: Viewer, account: Account
) -> None:
    user(account, "kwame")
    user(account, "maya", mfa="virtual")
    user(account, "unread", mfa="unread")
    user(account, "machine", has_password=False)
    user(account, "stranger", is_linked=False)
    campaign = begun(ines)
    for _ in range(3):
        reconcile.reconcile_campaigns()
    assert campaign.participants.count() == 4
    assert mails() == {"Kwame": 1}
    progress_now = progress(campaign)
    assert (progress_now.enrolled, progress_now.missing, progress_now.unread, progress_now.total) == (
        1,
        2,
        1,
        4,
    )
    assert Entry.objects.filter(kind="campaign.begin").count() == 1


def test_reminders_go_out_once_on_each_of_their_days_and_stop_with_the_device(
    ines: Viewer, account: Account, clock: time_machine.Traveller
) -> None:
    kwame, _ = user(account, "kwame"), user(account, "maya")
    begun(ines, remind=(7, 1))
    counted = []
    for day in range(34):
        clock.move_to(BEGIN + timedelta(days=day))
        for hour in (0, 1):
            clock.shift(timedelta(hours=hour))
            reconcile.reconcile_campaigns()
        if day == 30:
            enrols(kwame)
        counted.append(dict(mails()))
    assert counted[0] == {"Kwame": 1, "Maya": 1}
    assert counted[25] == {"Kwame": 1, "Maya": 1}
    assert counted[26] == {"Kwame": 2, "Maya": 2}
    assert counted[-1] == {"Kwame": 2, "Maya": 3}
    assert OneTimeLink.objects.filter(person__name="Maya", ended_at__isnull=True).count() == 1


def test_whoever_comes_later_takes_part_too(
    ines: Viewer, account: Account, clock: time_machine.Traveller
) -> None:
    user(account, "kwame")
    campaign = begun(ines)
    user(account, "new")
    reconcile.reconcile_campaigns()
    assert campaign.participants.count() == 1
    clock.shift(timedelta(hours=2))
    reconcile.reconcile_campaigns()
    assert mails() == {"Kwame": 1, "New": 1}


def test_a_person_is_reminded_by_hand_once_a_day(
    ines: Viewer, account: Account, clock: time_machine.Traveller
) -> None:
    user(account, "kwame")
    campaign = begun(ines)
    assert [services.remind(ines, campaign=campaign) for _ in range(2)] == [1, 0]
    clock.shift(timedelta(hours=21))
    assert services.remind(ines, campaign=campaign) == 1
    assert mails() == {"Kwame": 2}


def after_due(clock: time_machine.Traveller, days: int = 0) -> None:
    clock.move_to(datetime(2026, 12, 6, 1, tzinfo=UTC) + timedelta(days=days))


def test_when_it_is_due_its_author_is_told_who_is_left_and_aws_stays_as_it_is(
    ines: Viewer, account: Account, clock: time_machine.Traveller
) -> None:
    user(account, "kwame")
    campaign = begun(ines)
    after_due(clock)
    for _ in range(3):
        reconcile.reconcile_campaigns()
    outgoing = OutgoingMessage.objects.get(event="mfa.campaign")
    assert ("kwame" in outgoing.text, outgoing.name) == (True, "Ines Duarte")
    campaign.refresh_from_db()
    assert (campaign.state, Change.objects.count()) == (CampaignState.CLOSED, 0)


@pytest.mark.parametrize(
    ("ending", "operations"),
    [
        (CampaignEnding.DISABLE, ["login_profile.delete", "login_profile.delete"]),
        (CampaignEnding.RESTRICT, ["policy.create", "attachment.attach", "attachment.attach"]),
    ],
)
def test_when_it_is_due_one_set_is_asked_for_and_waits_for_approval(
    ines: Viewer,
    account: Account,
    clock: time_machine.Traveller,
    ending: CampaignEnding,
    operations: list[str],
) -> None:
    user(account, "kwame"), user(account, "maya")
    enrols(user(account, "enrolled"))
    campaign = begun(ines, ending)
    reconcile.reconcile_campaigns()
    assert not Change.objects.exists()
    after_due(clock)
    for _ in range(3):
        reconcile.reconcile_campaigns()
    changes = Change.objects.order_by("position")
    assert [change.operation for change in changes] == operations
    group = changes[0].change_set
    assert (group.cause_kind, group.cause_id) == (OF_CAMPAIGN, campaign.pk)
    assert {change.state for change in changes} == {ChangeState.AWAITING}
    assert changes[0].requested_by == ines.person_id
    assert set(campaign.participants.exclude(asked=None).values_list("user__name", flat=True)) == {
        "kwame",
        "maya",
    }
    campaign.refresh_from_db()
    assert (campaign.state, campaign.trouble) == (CampaignState.CLOSED, "")


def test_whoever_the_policy_would_lock_out_is_left_out_and_said(
    ines: Viewer, account: Account, clock: time_machine.Traveller
) -> None:
    user(account, "kwame")
    barred = user(account, "barred")
    deny = {"Effect": "Deny", "Action": "iam:EnableMFADevice", "Resource": "*"}
    factories.inline(barred, body={"Version": "2012-10-17", "Statement": [deny]})
    campaign = begun(ines, CampaignEnding.RESTRICT)
    after_due(clock)
    for _ in range(2):
        reconcile.reconcile_campaigns()
    attached = Change.objects.get(operation="attachment.attach")
    assert attached.params["holder_name"] == "kwame"
    campaign.refresh_from_db()
    assert campaign.state == CampaignState.DUE
    assert "1 would be locked out" in campaign.trouble
    assert OutgoingMessage.objects.filter(event="mfa.campaign").count() == 1


def test_an_exception_ends_with_its_day_and_then_the_end_comes_to_them_too(
    ines: Viewer, account: Account, clock: time_machine.Traveller
) -> None:
    user(account, "kwame"), user(account, "on-leave")
    campaign = begun(ines, CampaignEnding.DISABLE)
    excused = campaign.participants.get(user__name="on-leave")
    services.excuse(ines, excused, until=date(2026, 12, 20), why="On leave")
    reconcile.reconcile_campaigns()
    assert mails() == {"Kwame": 1}
    after_due(clock)
    reconcile.reconcile_campaigns()
    campaign.refresh_from_db()
    assert (campaign.state, Change.objects.count()) == (CampaignState.DUE, 1)
    after_due(clock, days=15)
    for _ in range(2):
        reconcile.reconcile_campaigns()
    campaign.refresh_from_db()
    assert (campaign.state, Change.objects.count()) == (CampaignState.CLOSED, 2)
    assert Entry.objects.get(kind="campaign.excuse").data["reason"] == "On leave"


def test_an_exception_has_an_end_and_a_reason(ines: Viewer, account: Account) -> None:
    user(account, "kwame")
    participant = begun(ines).participants.get()
    for until, why in ((date(2026, 12, 20), " "), (date(2026, 1, 1), "late"), (date(2029, 1, 1), "for ever")):
        with pytest.raises(RefusedError):
            services.excuse(ines, participant, until=until, why=why)
    assert Participant.objects.get().excused_until is None


def test_what_its_author_may_not_ask_for_any_more_is_said_and_not_asked(
    ines: Viewer, account: Account, clock: time_machine.Traveller
) -> None:
    user(account, "kwame")
    campaign = begun(ines, CampaignEnding.DISABLE)
    Person.objects.get(pk=ines.person_id).assignments.all().delete()
    after_due(clock)
    reconcile.reconcile_campaigns()
    campaign.refresh_from_db()
    assert (campaign.state, Change.objects.count()) == (CampaignState.DUE, 0)
    assert "production" in campaign.trouble


@pytest.fixture
def lead() -> Person:
    team = Team.objects.create(slug="payments", name="Payments")
    TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value="payments-dev")
    person = factories.person("Elif Kaya")
    factories.assign(person, Role.TEAM_LEAD, team=team)
    return person


def test_a_lead_begins_one_for_their_own_team_only_and_without_a_policy(
    lead: Person, ines: Viewer, account: Account
) -> None:
    factories.edge(EdgeKind.MEMBER, user(account, "mine"), factories.group(account, "payments-dev"))
    user(account, "other")
    viewer, team = viewer_for(lead), Team.objects.get()
    campaign = begun(viewer, team=team)
    assert [participant.user.name for participant in campaign.participants.all()] == ["mine"]
    for wrong in ({"account": account}, {"team": team, "ending": CampaignEnding.RESTRICT}, {}):
        with pytest.raises(RefusedError):
            begun(viewer, **wrong)
    other = begun(ines)
    with pytest.raises(RefusedError):
        services.close(viewer, other)


def test_somebody_reads_until_when_they_are_asked(ines: Viewer, account: Account) -> None:
    entity = user(account, "kwame")
    begun(ines)
    assert own_due(frozenset({entity.arn})) == DUE
    enrols(entity)
    assert own_due(frozenset({entity.arn})) is None


@pytest.fixture
def client_of_ines(ines: Viewer) -> Client:
    client = Client()
    client.force_login(factories.operator(Role.ADMINISTRATOR, name="Hana Sato"))
    return client


def test_the_pages_begin_show_excuse_remind_and_close(client_of_ines: Client, account: Account) -> None:
    user(account, "kwame")
    Identity.objects.all()
    form = {"name": "By December", "place": f"account:{account.account_id}", "due": "2026-12-05"}
    form |= {"ending": "disable", "reason": "PCI", "remind": "7, 1"}
    wrong = client_of_ines.post("/mfa/campaigns/new/", form | {"due": "tomorrow"})
    assert (wrong.status_code, Campaign.objects.count()) == (422, 0)
    review = client_of_ines.post("/mfa/campaigns/new/", form).content.decode()
    # Before anything is sent: whom it mails, and the very mail.
    assert Campaign.objects.count() == 0
    for words in (
        "Kwame",
        "kwame@example.com",
        "Get a mail",
        "Add MFA to kwame by 5 December",
        "Reason: PCI",
    ):
        assert words in review
    assert client_of_ines.post("/mfa/campaigns/new/", form | {"do": "start"}).status_code == 302
    campaign = Campaign.objects.get()
    page = f"/mfa/campaigns/{campaign.pk}/"
    shown = client_of_ines.get(page).content.decode()
    assert "0 of 1" in shown
    assert "Not started" in shown
    assert "By December" in client_of_ines.get("/mfa/campaigns/").content.decode()
    who = str(campaign.participants.get().pk)
    reminded = client_of_ines.post(f"{page}act/", {"do": "remind", "who": who}, follow=True)
    assert "Sending 1 reminder." in reminded.content.decode()
    again = client_of_ines.post(f"{page}act/", {"do": "remind", "who": who}, follow=True)
    assert [(message.level_tag, str(message)[:20]) for message in again.context["messages"]] == [
        ("info", "No reminder was sent")
    ]
    client_of_ines.post(f"{page}act/", {"do": "excuse", "who": who, "until": "2026-12-20", "why": "On leave"})
    assert "Until 20 Dec 2026: On leave (Hana Sato)" in client_of_ines.get(page).content.decode()
    _, _, closing = (
        client_of_ines.get(page).content.decode().partition('<details class="disclose card" id="close"')
    )
    assert "can’t be opened again" in closing.partition('value="close"')[0], "said before it is closed"
    closed = client_of_ines.post(f"{page}act/", {"do": "close"}, follow=True).content.decode()
    assert "Campaign closed." in closed
    assert 'value="close"' not in closed
    campaign.refresh_from_db()
    assert (mails(), campaign.state) == ({"Kwame": 1}, CampaignState.CLOSED)


def test_without_a_mail_server_nobody_is_counted_as_told(
    ines: Viewer, account: Account, client_of_ines: Client, settings: Any
) -> None:
    settings.MAIL_IS_CONFIGURED = False
    user(account, "kwame")
    campaign = begun(ines)
    reconcile.reconcile_campaigns()
    assert (campaign.participants.get().messages, OneTimeLink.objects.count()) == (0, 0)
    assert b"No mail server is set up" in client_of_ines.get(f"/mfa/campaigns/{campaign.pk}/").content


def test_the_page_of_a_campaign_costs_the_same_for_one_and_for_many(
    ines: Viewer, account: Account, client_of_ines: Client, clock: time_machine.Traveller
) -> None:
    costs = []
    for count in (1, 55):
        for number in range(count):
            user(account, f"user{count}-{number}")
        campaign = begun(ines, CampaignEnding.DISABLE)
        after_due(clock)
        reconcile.tend_one(campaign)
        clock.move_to(BEGIN)
        client_of_ines.get(f"/mfa/campaigns/{campaign.pk}/")
        with CaptureQueriesContext(connection) as captured:
            page = client_of_ines.get(f"/mfa/campaigns/{campaign.pk}/")
        costs.append(len(captured))
    assert b"CHG-" in page.content
    assert costs[0] == costs[1]
    assert costs[0] < 20


def test_one_whom_somebody_else_asks_about_already_stops_nobody(
    ines: Viewer, account: Account, clock: time_machine.Traveller
) -> None:
    user(account, "kwame"), user(account, "maya")
    first, second = begun(ines, CampaignEnding.DISABLE), begun(ines, CampaignEnding.DISABLE, name="Again")
    UserCredentials.objects.filter(user__name="maya").update(mfa="virtual")
    after_due(clock)
    reconcile.tend_one(first)
    UserCredentials.objects.filter(user__name="maya").update(mfa="none")
    second.refresh_from_db()
    reconcile.tend_one(second)
    assert Change.objects.count() == 2
    assert set(second.participants.values_list("user__name", "asked__changes__title")) == {
        ("kwame", "Delete console password of kwame"),
        ("maya", "Delete console password of maya"),
    }
    second.refresh_from_db()
    assert (second.state, second.trouble) == (CampaignState.CLOSED, "")


def test_whoever_has_the_policy_already_is_done_with(
    ines: Viewer, account: Account, clock: time_machine.Traveller
) -> None:
    entity = user(account, "kwame")
    text = document(PolicyVariant("aws", account.account_id, denies_keys=False))
    factories.edge(
        EdgeKind.ATTACHED, entity, factories.policy(account, "gatehouse-require-mfa-console", body=text)
    )
    campaign = begun(ines, CampaignEnding.RESTRICT)
    after_due(clock)
    reconcile.reconcile_campaigns()
    campaign.refresh_from_db()
    assert (campaign.state, campaign.trouble, Change.objects.count()) == (CampaignState.CLOSED, "", 0)
