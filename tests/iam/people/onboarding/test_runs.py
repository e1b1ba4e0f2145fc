"""A run from the file to AWS: who is made, with what, once, and what is told of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from iam.access.grants.models import Grant, GrantPart, LedgerEntry
from iam.access.grants.services import settle
from iam.aws import writes
from iam.aws.errors import AwsError, ErrorKind
from iam.changes import handlers
from iam.changes.errors import RefusedError
from iam.changes.models import Change
from iam.changes.services import reject
from iam.directory.models import Identity, Person, Role, RuleKind
from iam.guard import viewer_for
from iam.journal.models import Entry
from iam.mirror.models import Account, Edge, Entity, Kind, UserCredentials
from iam.mirror.queries.visibility import visible_entities
from iam.notify.models import OutgoingMessage
from iam.people.onboarding import reconcile, services, tasks
from iam.people.onboarding.checklist import checklists
from iam.people.onboarding.invitation import invitations
from iam.people.onboarding.models import ProvisionedUser
from iam.people.onboarding.queries import sets_of
from iam.people.runs.models import RunState
from iam.sealed.models import Secret
from tests import factories
from tests.iam.activity.events import happened, identity_of
from tests.iam.changes.conftest import make_group, wait_over
from tests.iam.people.onboarding.conftest import Squad, template
from tests.queue import catch

pytestmark = pytest.mark.django_db


class LostError(Exception):
    """The process that did it is gone."""

    @classmethod
    def now(cls, *_: object, **__: object) -> None:
        """Whatever is called."""
        raise cls


def test_people_are_made_with_all_that_the_blueprint_gives_and_are_known(squad: Squad) -> None:
    last = (datetime.now(tz=UTC) + timedelta(days=30)).date()
    version = squad.blueprint(templates=(template(),), stay=90)
    two = squad.two.replace("@example.com,,\n", f"@example.com,,{last}\n")
    run = squad.work(squad.approve(squad.asked(two, version=version)))

    assert run.state == RunState.DONE, [(c.title, c.state, c.error_message) for c in squad.changes(run)]
    user = squad.aws("GetUser", UserName=squad.yuki)["User"]
    tags = {tag["Key"]: tag["Value"] for tag in user["Tags"]}
    email = f"yuki-{squad.mark}@example.com"
    assert user["Path"] == squad.path
    assert tags == {"Team": "payments", "DisplayName": f"Yuki Tanaka{squad.mark}", "Email": email}
    groups = squad.aws("ListGroupsForUser", UserName=squad.bo)["Groups"]
    assert [group["GroupName"] for group in groups] == [squad.group.name]
    assert squad.aws("GetLoginProfile", UserName=squad.yuki)["LoginProfile"]["PasswordResetRequired"]
    name = squad.aws("ListUserPolicies", UserName=squad.yuki)["PolicyNames"][0]
    document = str(squad.aws("GetUserPolicy", UserName=squad.yuki, PolicyName=name)["PolicyDocument"])
    end = last + timedelta(days=1)
    assert f"{end}T00:00:00Z" in document

    person = Person.objects.get(email=email)
    assert Identity.objects.get(person=person).user_arn == user["Arn"]
    reasons = LedgerEntry.objects.filter(holder_arn=user["Arn"], since__isnull=False, until__isnull=True)
    assert sorted(reasons.values_list("sort", flat=True)) == ["inline", "member"]
    grants = [reason.part.grant for reason in reasons]
    assert {(grant.state, grant.ends_at.date() if grant.ends_at else None) for grant in grants} == {
        ("active", end)
    }
    assert run.reference in grants[0].terms["why"]

    sent = invitations(list(run.people.all()))
    assert sorted(link.person.email for link in sent.values()) == [f"bo-{squad.mark}@example.com", email]
    assert OutgoingMessage.objects.filter(event="onboarding.invited").count() == 2

    newcomer = run.people.get(email=email)
    secret = Secret.objects.get(pk=newcomer.places.get().password_seal)
    assert (secret.person_id, secret.state) == (newcomer.person_id, "sealed") == (person.pk, "sealed")


def test_a_grant_of_an_onboarding_is_written_as_following_its_changes_would_leave_it(squad: Squad) -> None:
    squad.work(squad.approve(squad.asked(squad.two, version=squad.blueprint(templates=(template(),)))))
    tables = (Grant, GrantPart, LedgerEntry, Entry)
    before = [list(table.objects.order_by("pk").values()) for table in tables]
    assert [len(rows) for rows in before[:3]] == [4, 4, 4]
    assert all(row["entity_id"] and row["since"] for row in before[2])
    states = [entry.data for entry in Entry.objects.filter(kind="grant.state")]
    assert [(state["from"], state["to"]) for state in states] == [("waiting", "active")] * 4

    for grant in Grant.objects.all():
        settle(grant)
    assert [list(table.objects.order_by("pk").values()) for table in tables] == before


def test_one_who_fails_stops_nobody_and_is_tried_again_alone(squad: Squad) -> None:
    run = squad.approve(squad.asked(squad.two))
    squad.aws("CreateUser", UserName=squad.yuki, Path="/by-hand/")
    run = squad.work(run)

    assert run.state == RunState.PARTLY
    assert squad.aws("GetLoginProfile", UserName=squad.bo)
    squad.aws("DeleteUser", UserName=squad.yuki)
    Entity.objects.filter(name=squad.yuki).update(gone_at=datetime.now(tz=UTC))
    services.retry_failed(squad.lead, run=run)
    run = squad.work(run)

    assert run.state == RunState.DONE, [(c.title, c.state, c.error_message) for c in Change.objects.all()]
    assert squad.aws("GetLoginProfile", UserName=squad.yuki)
    assert {grant.state for grant in Grant.objects.all()} == {"active"}
    with pytest.raises(RefusedError, match="No approved change has failed"):
        services.retry_failed(squad.lead, run=run)


def test_no_step_is_said_to_have_happened_before_it_did(squad: Squad) -> None:
    run = squad.asked(squad.two)
    newcomer = run.people.get(user_name=squad.yuki)
    steps = [step.what for step in checklists([newcomer], body=run.version.body)[0].items]
    assert steps[0] == f"Create IAM user {squad.yuki}"
    assert {"Add to 1 group", "Set a first password", "Open the invitation"} <= set(steps)
    run = squad.work(squad.approve(run))
    by_name = {step.what: step.standing for step in checklists([newcomer], body=run.version.body)[0].items}
    assert by_name[f"IAM user {squad.yuki} created"] == "done"
    assert (by_name["Added to 1 group"], by_name["Open the invitation"]) == ("done", "person")


def test_what_failed_beside_the_user_is_tried_again_on_the_user_who_is_there(squad: Squad) -> None:
    run = squad.approve(squad.asked(squad.two))
    squad.scene.standin.control("faults", {"deny": {"*": ["iam:AddUserToGroup"]}})
    run = squad.work(run)
    assert run.state == RunState.PARTLY

    squad.scene.standin.control("faults/clear", {})
    services.retry_failed(squad.lead, run=run)
    assert squad.work(run).state == RunState.DONE
    assert len(squad.aws("GetGroup", GroupName=squad.group.name)["Users"]) == 2


def test_where_nobody_knows_whether_a_user_was_made_all_of_it_is_tried_again(squad: Squad) -> None:
    run = squad.approve(squad.asked(squad.two))
    doubtful = Change.objects.get(operation="user.create", params__name=squad.yuki)
    Change.objects.filter(pk=doubtful.pk).update(state="unknown", ended_at=datetime.now(tz=UTC), due_at=None)
    run = squad.work(run)
    assert run.state == RunState.RUNNING
    assert Change.objects.filter(lane=doubtful.lane, state="queued").count() == 2

    assert services.retry_failed(squad.lead, run=run) == 3
    run = squad.work(run)
    assert run.state == RunState.DONE, [(c.title, c.state, c.error_message) for c in Change.objects.all()]
    assert squad.aws("GetLoginProfile", UserName=squad.yuki)
    assert len(squad.aws("GetGroup", GroupName=squad.group.name)["Users"]) == 2


def test_a_password_of_which_nobody_knows_whether_it_was_set_is_set_anew(squad: Squad) -> None:
    run = squad.work(squad.approve(squad.asked(squad.two)))
    doubtful = Change.objects.get(operation="login_profile.create", params__user_name=squad.yuki)
    Change.objects.filter(pk=doubtful.pk).update(state="unknown")
    reconcile.reconcile(run.pk)

    assert services.retry_failed(squad.lead, run=run) == 1
    run = squad.work(run)
    assert run.state == RunState.DONE, [(c.title, c.state, c.error_message) for c in Change.objects.all()]
    newcomer = run.people.get(user_name=squad.yuki)
    secret = Secret.objects.get(pk=newcomer.places.get().password_seal)
    assert (secret.state, str(secret.pk)) != ("sealed", doubtful.params["sealed_id"])
    assert secret.state == "sealed"
    (shown,) = checklists([newcomer], body=run.version.body)
    assert "First password set" in {step.what for step in shown.items if step.standing == "done"}


def test_a_password_that_was_found_set_when_it_was_tried_again_is_set_anew_all_the_same(squad: Squad) -> None:
    run = squad.work(squad.approve(squad.asked(squad.two)))
    doubtful = Change.objects.get(operation="login_profile.create", params__user_name=squad.yuki)
    Change.objects.filter(pk=doubtful.pk).update(state="unknown")
    reconcile.reconcile(run.pk)
    user = Entity.objects.get(arn=doubtful.params["user_arn"])
    # The mirror has not read the password yet when it is tried again.
    UserCredentials.objects.filter(user=user).update(has_password=False)
    assert services.retry_failed(squad.lead, run=run) == 1
    run = squad.work(run)
    assert run.state != RunState.DONE
    UserCredentials.objects.filter(user=user).update(has_password=True)

    run.refresh_from_db()
    assert services.retry_failed(squad.lead, run=run) == 1
    assert squad.work(run).state == RunState.DONE


def test_a_password_of_which_the_answer_was_lost_is_set_anew_at_the_first_trial(
    squad: Squad, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(writes, "call", losing_the_answer(writes.call, "CreateLoginProfile"))
        run = squad.work(squad.approve(squad.asked(squad.two)))
    for doubtful in Change.objects.filter(operation="login_profile.create", state="queued"):
        wait_over(doubtful)
    run = squad.work(run)
    unknown = Change.objects.filter(operation="login_profile.create", state="unknown")
    assert [step.error_kind for step in unknown] == ["drift", "drift"]

    assert services.retry_failed(squad.lead, run=run) == 2
    assert squad.work(run).state == RunState.DONE


def losing_the_answer(function: Callable[..., Any], operation: str) -> Callable[..., Any]:
    """The function, which carries this one out as the others, and tells nobody."""

    def call(aws: Any, service: str, name: str, *args: Any, **kwargs: Any) -> Any:
        result = function(aws, service, name, *args, **kwargs)
        if name == operation:
            raise AwsError("No answer", kind=ErrorKind.TIMEOUT, action=f"{service}:{name}")
        return result

    return call


def test_nobody_is_asked_for_twice_nor_while_a_row_is_bad(squad: Squad) -> None:
    bad = squad.two + "Nobody,not an address,,\n"
    run = squad.staged(bad)
    with pytest.raises(RefusedError, match="1 of 3 rows"):
        services.request_run(squad.lead, run=run, reason="They begin on Monday")
    assert not ProvisionedUser.objects.exists()

    services.request_run(squad.lead, run=run, reason="They begin on Monday", skip=True)
    with pytest.raises(RefusedError, match="already requested"):
        services.request_run(squad.lead, run=run, reason="Once more", skip=True)
    assert ProvisionedUser.objects.count() == 2

    twin = squad.staged(squad.two)
    assert [person.user_name for person in twin.people.all()] == [f"{squad.yuki}2", f"{squad.bo}2"]

    with squad.committing(execute=True):
        reject(squad.changes(run)[0], actor=squad.scene.approver, comment="Not now")
    run.refresh_from_db()
    assert run.state == RunState.CLOSED
    assert not Person.objects.filter(email=f"yuki-{squad.mark}@example.com").exists()


def test_many_people_are_asked_for_by_a_worker_once_and_also_when_one_is_lost(
    squad: Squad, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[object] = []
    monkeypatch.setattr(services, "MAX_PLANNED_AT_ONCE", 1)
    monkeypatch.setattr(services, "MAX_BY_WORKER", 3)
    catch(monkeypatch, services.REQUEST_RUN, lambda _, pk: sent.append(pk))
    run = squad.asked(squad.two)
    assert (run.state, sent, ProvisionedUser.objects.count()) == (RunState.SUBMITTING, [run.pk], 0)

    with monkeypatch.context() as lost:
        lost.setattr(ProvisionedUser.objects, "bulk_create", LostError.now)
        with pytest.raises(LostError):
            tasks.request_run(str(run.pk))
    assert services.ONBOARDING.resume() == 0
    assert services.ONBOARDING.resume(older_than=timedelta(0)) == 1
    tasks.request_run(str(run.pk))
    run.refresh_from_db()
    assert (run.state, len(sets_of(run)), ProvisionedUser.objects.count()) == (RunState.WAITING, 2, 2)
    assert Change.objects.count() == 6


def test_what_a_rule_is_against_is_a_draft_again_with_the_reason(squad: Squad) -> None:
    run = squad.staged(squad.two)
    Account.objects.update(write_role_arn="", source="role")
    with pytest.raises(RefusedError, match="read-only"):
        services.request_run(squad.lead, run=run, reason="They begin on Monday")
    run.refresh_from_db()
    assert run.state == RunState.DRAFT
    outsider = factories.viewer(Role.AUDITOR, name="Otto Audit")
    with pytest.raises(RefusedError, match="own teams"):
        services.request_run(outsider, run=run, reason="They begin on Monday")


def test_a_lead_whose_team_has_no_path_makes_people_by_its_group(squad: Squad) -> None:
    squad.team.rules.filter(kind=RuleKind.PATH).delete()
    version = squad.blueprint(path="/")
    run = squad.work(squad.approve(squad.asked(squad.two, version=version)))
    assert run.state == RunState.DONE, [(c.title, c.state, c.error_message) for c in squad.changes(run)]
    seen = visible_entities(squad.lead).filter(kind=Kind.USER)
    assert {squad.yuki, squad.bo} <= set(seen.values_list("name", flat=True))

    other = squad.staged(squad.two.replace("yuki-", "kai-").replace("bo-", "ben-"), version=version)
    squad.team.rules.all().delete()
    with pytest.raises(RefusedError, match="no group"):
        services.request_run(viewer_for(Person.objects.get(pk=squad.lead.person_id)), run=other, reason="x")


def test_who_has_a_user_already_is_taken_in_without_a_password_or_a_second_user(squad: Squad) -> None:
    squad.work(squad.approve(squad.asked(squad.two)))
    on_call = make_group(squad.scene.aws, squad.scene.account, f"on-call-{squad.mark}")
    version = squad.blueprint(
        actor=squad.scene.requester,
        name="On call",
        groups=(squad.group.name, on_call.name),
        templates=(template(),),
    )
    mixed = squad.two.replace("bo-", "kim-").replace("Bo O'Brien", "Kim Park")
    run = squad.staged(mixed, version=version, actor=squad.scene.requester)
    assert [person.standing for person in run.people.all()] == ["existing", "ready"]
    with pytest.raises(RefusedError, match="1 of 2 rows"):
        services.request_run(squad.scene.requester, run=run, reason="The rota")

    services.request_run(squad.scene.requester, run=run, reason="The rota", adopt=True)
    run.refresh_from_db()
    run = squad.work(squad.approve(run))
    assert run.state == RunState.DONE, [(c.title, c.state, c.error_message) for c in squad.changes(run)]
    of_yuki = [change.operation for change in squad.changes(run) if change.subject_arn.endswith(squad.yuki)]
    assert of_yuki == ["group_membership.add", "inline_policy.put"]
    groups = {group["GroupName"] for group in squad.aws("ListGroupsForUser", UserName=squad.yuki)["Groups"]}
    assert groups == {squad.group.name, on_call.name}
    arn = squad.aws("GetUser", UserName=squad.yuki)["User"]["Arn"]
    reasons = LedgerEntry.objects.filter(holder_arn=arn, until__isnull=True, since__isnull=False)
    assert {reason.part.grant.terms["why"].count(run.reference) for reason in reasons} == {0, 1}
    yuki, kim = run.people.all()
    assert (yuki.pk in invitations([yuki, kim]), kim.pk in invitations([yuki, kim])) == (False, True)
    lists = checklists([yuki, kim], body=version.body)
    assert {step.standing for step in lists[0].items} == {"done"}

    again = squad.staged(squad.two, version=version, actor=squad.scene.requester)
    again.people.filter(user_name=squad.bo).delete()
    with pytest.raises(RefusedError, match="already have everything"):
        services.request_run(squad.scene.requester, run=again, reason="Once more", adopt=True)


def test_a_lead_takes_in_nobody_of_another_team(squad: Squad) -> None:
    squad.work(squad.approve(squad.asked(squad.two)))
    squad.team.rules.filter(kind=RuleKind.PATH).delete()
    Edge.objects.filter(source__name=squad.yuki).delete()
    lead = viewer_for(Person.objects.get(pk=squad.lead.person_id))
    run = squad.staged(squad.two, version=squad.blueprint(actor=lead, name="Again"), actor=lead)
    assert [(person.standing, bool(person.users)) for person in run.people.all()] == [
        ("existing", False),
        ("existing", True),
    ]


def test_ends_that_nobody_was_told_of_are_found(squad: Squad, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handlers, "_on_end", [])
    run = squad.work(squad.approve(squad.asked(squad.two)))
    assert run.state == RunState.WAITING

    reconcile.reconcile_open(older_than=timedelta(0))
    run.refresh_from_db()
    assert run.state == RunState.DONE
    assert Person.objects.filter(email=f"yuki-{squad.mark}@example.com").exists()
    assert reconcile.reconcile_open(older_than=timedelta(0)) == 0


def test_the_first_call_is_a_step_where_events_of_the_account_are_known(squad: Squad) -> None:
    version = squad.blueprint()
    run = squad.work(squad.approve(squad.asked(squad.two, version=version)))

    def lines() -> set[str]:
        lists = checklists(list(run.people.all()), body=version.body)
        return {item.what for each in lists for item in each.items if item.what.startswith("First call")}

    assert lines() == set()
    user = Entity.objects.get(name=squad.yuki)
    happened(identity_of(user, principalId="AIDASOMEBODYELSE"))
    assert lines() == {"First call"}
    happened(identity_of(user))
    assert lines() == {"First call", "First call: s3:GetObject"}
