"""A team lead asks about their own people and groups, in plain words, and learns of nothing else."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core import mail
from django.urls import reverse

from iam.changes import services
from iam.changes.acts import ACTS, Subject
from iam.changes.models import Change
from iam.changes.notifications import tell_comment
from iam.changes.operations import ATTACH_POLICY, Attachment
from iam.changes.operations.principals import CreateRole
from iam.directory.models import Role, RuleKind, Team, TeamRule
from iam.guard import viewer_for
from iam.mirror.models import EdgeKind, Entity
from iam.notify.models import OutgoingMessage
from tests import factories
from tests.iam.changes.acts.cases import TRUSTS
from tests.iam.changes.acts.conftest import asking, seen_in, text
from tests.iam.changes.site import Site, page_of, signed_in

SECRET = ("Payroll", "payroll", "mergers", "vera.hidden")


@pytest.fixture
def lead(site: Site) -> Any:
    """Leads the people of the site's group, of which the site's user is one."""
    factories.edge(EdgeKind.MEMBER, site.user, site.group)
    team = Team.objects.create(slug="payments", name="Payments")
    TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value=site.group.name)
    return factories.operator(Role.TEAM_LEAD, name="Elif Kaya", team=team)


@pytest.fixture
def outside(site: Site) -> dict[str, Entity]:
    """What is none of the team's business."""
    secret = factories.policy(site.account, "PayrollMergers")
    other = factories.user(site.account, "vera.hidden")
    role = factories.role(site.account, "payroll-admin")
    factories.edge(EdgeKind.ATTACHED, role, secret)
    factories.edge(EdgeKind.ATTACHED, other, secret)
    return {"policy": secret, "user": other, "role": role}


def said(page: str) -> str:
    """What stands in the form and above it, but for its own keys."""
    return re.sub(r'value="[\w-]{36,64}"', "", page.partition("<main")[2])


def hides(page: str) -> None:
    """Nothing of it is told."""
    assert [word for word in SECRET if word in page] == []


def test_the_menu_of_a_lead_is_plain_and_that_of_others_is_not_there(
    site: Site, lead: Any, outside: dict[str, Entity]
) -> None:
    client = signed_in(lead)
    menu = text(client.get(f"/changes/acts/?on={site.user.pk}"))

    assert "Attach policy" in menu
    assert "Delete" in menu
    assert "boundary" not in menu
    assert "inline" not in menu
    for entity in outside.values():
        assert client.get(f"/changes/acts/?on={entity.pk}").status_code == 404
    assert client.get("/changes/acts/").status_code == 404
    assert client.get(f"/changes/acts/?account={site.account.account_id}").status_code == 404


def test_a_lead_comes_to_no_form_about_what_is_outside(
    site: Site, lead: Any, outside: dict[str, Entity]
) -> None:
    client = signed_in(lead)
    subjects: list[Subject] = [*outside.values(), Entity.objects.get(name="PaymentsDeploy"), site.account]

    open_acts = [
        (slug, subject)
        for slug, act in ACTS.items()
        for subject in subjects
        if act.is_about(subject) and asking(site, slug, subject, client=client).look({}).status_code != 404
    ]
    assert open_acts == []


def test_a_lead_is_offered_what_the_team_holds_and_cannot_probe_for_names(
    site: Site, lead: Any, outside: dict[str, Entity]
) -> None:
    client = signed_in(lead)
    form = asking(site, "attach", site.user, client=client)
    page = text(client.get(form.page))

    assert "PaymentsDeploy" in page, "the group has it"
    hides(page)
    secret = outside["policy"]
    for wanted in (secret.name, secret.arn):
        there = text(form.look({"policy": wanted}))
        nowhere = text(form.look({"policy": "No" + wanted}))
        assert f"{site.account.name} has no policy “{wanted}”, as of the last sync" in there
        assert said(there).replace(wanted, "") == said(nowhere).replace("No" + wanted, "")
    params = {"policy": "arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess"}
    assert form.ask(params, seen=seen_in(form.look(params))).status_code == 302


def test_who_only_looks_or_only_belongs_finds_no_page(site: Site) -> None:
    member = factories.operator(Role.MEMBER, name="Kwame Boateng", arns=(site.user.arn,))
    for operator in (member, factories.operator(Role.AUDITOR, name="Amara Diallo")):
        client = signed_in(operator)
        assert client.get(f"/changes/acts/?on={site.user.pk}").status_code == 404
        assert client.get(f"/changes/act/attach/?on={site.user.pk}").status_code == 404
        assert client.post(f"/changes/act/delete/?on={site.user.pk}", {}).status_code == 404


@pytest.fixture
def together(site: Site, lead: Any, outside: dict[str, Entity]) -> Change:
    """The part that a lead sees of a set that is mostly about others."""
    viewer = viewer_for(site.asks.person)
    deploy = Entity.objects.get(name="PaymentsDeploy")
    made = CreateRole.of(site.account, name="payroll-night", trust=TRUSTS)
    operations = [
        Attachment.of(ATTACH_POLICY, site.user, policy=deploy),
        Attachment.of(ATTACH_POLICY, outside["user"], policy=deploy),
        made,
    ]
    planned = services.plan_set(operations, viewer=viewer)
    asked = services.request_changes(
        planned, actor=viewer, reason="Quarter end", idempotency_key="set", title="Payroll for vera.hidden"
    )
    return asked[0]


def test_of_a_set_a_lead_sees_their_part_and_not_its_title_nor_whom_else_it_is_for(
    site: Site, lead: Any, together: Change
) -> None:
    client = signed_in(lead)
    pages = (
        page_of(together),
        reverse("changes:request", args=[together.pk]),
        reverse("changes:list"),
        reverse("changes:approvals"),
        reverse("identities:person", args=[site.user.pk]),
    )
    for page in pages:
        hides(text(client.get(page)))
    assert together.reference not in text(client.get(reverse("changes:approvals"), {"q": "vera.hidden"}))
    assert "Payroll for vera.hidden" in text(site.asker.get(page_of(together)))


def test_a_mail_to_a_lead_has_the_title_of_their_part(site: Site, lead: Any, together: Change) -> None:
    together.events.create(
        kind="commented",
        actor_id=lead.person_id,
        actor_label="Elif Kaya",
        note="When?",
        at=factories.FIRST_READ,
    )

    tell_comment(together, by=site.approves.person_id, name="Hana Sato", comment="Tonight", event=1)

    sent = {
        outgoing.recipient: outgoing.subject
        for outgoing in OutgoingMessage.objects.filter(key__endswith=":said:1")
    }
    assert "Payroll for vera.hidden" in sent[str(site.asks.person_id)]
    hides(sent[str(lead.person_id)])
    assert mail.outbox == []
