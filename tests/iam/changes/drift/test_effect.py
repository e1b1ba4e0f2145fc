"""What a drift comes to: who can do more since, how risky that is, and that the riskiest comes first."""

from __future__ import annotations

from datetime import datetime
from importlib import import_module

import pytest
from django.apps import apps
from django.urls import reverse

from iam.changes.drift.detection import find
from iam.changes.drift.models import Drift, DriftWatch
from iam.changes.drift.queries import DriftPosition, drift_page
from iam.mirror.models import Account, Cause, EdgeKind, Entity, Kind
from tests import factories
from tests.iam.changes.drift.test_pages import text
from tests.iam.changes.site import Site

pytestmark = [pytest.mark.on_postgresql, pytest.mark.django_db]
LATER = factories.FIRST_READ + factories.BETWEEN_READINGS
KEY = "AKIAOUTOFBAND000001"
EVERYTHING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}
READS = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::pay-ledger/*"}],
}


def administrators(account: Account) -> Entity:
    """A group whose members can do everything."""
    group = factories.group(account, "administrators")
    policy = factories.policy(
        account, "AdministratorAccess", body=EVERYTHING, arn="arn:aws:iam::aws:policy/AdministratorAccess"
    )
    factories.edge(EdgeKind.ATTACHED, group, policy)
    return group


def appears(account: Account, group: Entity) -> Entity:
    """A user whom somebody created by hand, with an access key, in a group."""
    user = factories.user(account, "backdoor", since=LATER)
    factories.seen_after(user.states.get())
    factories.seen_after(user.credential_states.get())
    key = factories.entity(account, Kind.ACCESS_KEY, KEY, since=LATER, category="Active")
    factories.seen_after(key.states.get())
    Entity.objects.filter(pk=key.pk).update(owner=user)
    factories.seen_after(factories.edge(EdgeKind.MEMBER, user, group, since=LATER))
    return user


def look(account: Account) -> None:
    """Find what was written."""
    DriftWatch.objects.get_or_create(account=account, defaults={"since": factories.FIRST_READ})
    Account.objects.filter(pk=account.pk).update(revision=1)
    Entity.objects.filter(account=account).update(revision=1)
    account.refresh_from_db()
    find(account)


def test_an_administrator_with_a_key_who_appears_out_of_band_comes_first_and_is_critical(site: Site) -> None:
    group = administrators(site.account)
    readers = factories.group(site.account, "readers")
    factories.edge(EdgeKind.ATTACHED, readers, factories.policy(site.account, "LedgerRead", body=READS))
    appears(site.account, group)
    newer = LATER + factories.BETWEEN_READINGS
    factories.seen_after(factories.edge(EdgeKind.MEMBER, site.user, readers, since=newer))
    look(site.account)

    first, second = Drift.objects.order_by("-weight", "-seen_at")
    assert [(drift.name, drift.impact["risk"]) for drift in (first, second)] == [
        ("backdoor", "critical"),
        (site.user.name, "normal"),
    ]
    assert first.seen_at < second.seen_at
    assert "administrator" in first.impact["risks"]
    assert second.impact["totals"] == {"gained": 1}
    [action] = second.impact["gains"][0]["actions"]
    assert [
        (witness["resource"], witness["before"], witness["after"]) for witness in action["witnesses"]
    ] == [("arn:aws:s3:::pay-ledger/x", "denied", "allowed")]

    listed = text(site.approver.get(reverse("changes:drift")))
    assert listed.index("backdoor") < listed.index(first.reference) < listed.index(second.reference)
    assert "Critical" in listed
    assert KEY in listed
    page = text(site.approver.get(reverse("changes:drift-detail", args=[first.pk])))
    assert "Makes someone an administrator" in page
    assert KEY in page
    assert "What this changes" in page
    assert "iam:" in page


def opened_role(account: Account, name: str, since: datetime) -> Entity:
    """A role without permissions that another account may assume, created by hand."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::999999999999:root"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    role = factories.role(account, name, trust=trust, since=since)
    factories.seen_after(role.states.get())
    return role


def test_among_critical_drift_what_gives_most_comes_first(site: Site) -> None:
    """Each is newer than the one that comes before it in the list."""
    account = site.account
    group = administrators(account)
    escalates = {
        **READS,
        "Statement": [{"Effect": "Allow", "Action": "iam:AttachUserPolicy", "Resource": "*"}],
    }
    raising = factories.policy(account, "Raise", body=escalates)
    holder = factories.user(account, "holder")
    key = factories.entity(account, Kind.ACCESS_KEY, "AKIAHOLDER000000001", category="Active")
    Entity.objects.filter(pk=key.pk).update(owner=holder)
    retired = factories.user(account, "retired")
    key = factories.entity(account, Kind.ACCESS_KEY, "AKIARETIRED00000001", category="Inactive")
    Entity.objects.filter(pk=key.pk).update(owner=retired)
    keyless = factories.user(account, "keyless")
    climber = factories.user(account, "climber")
    appears(account, group)
    step = factories.BETWEEN_READINGS
    for place, (user, target, kind) in enumerate(
        (
            (holder, group, EdgeKind.MEMBER),
            (retired, group, EdgeKind.MEMBER),
            (keyless, group, EdgeKind.MEMBER),
            (climber, raising, EdgeKind.ATTACHED),
        ),
        start=1,
    ):
        factories.seen_after(factories.edge(kind, user, target, since=LATER + step * place))
    opened_role(account, "partner", LATER + step * 5)
    readers = factories.group(account, "readers")
    factories.edge(EdgeKind.ATTACHED, readers, factories.policy(account, "LedgerRead", body=READS))
    factories.seen_after(factories.edge(EdgeKind.MEMBER, site.user, readers, since=LATER + step * 6))
    look(account)

    order = ["holder", "backdoor", "keyless", "retired", "climber", "partner", site.user.name]
    viewer = factories.viewer(name="Amara Diallo")
    rows = drift_page(viewer).rows
    assert [drift.name for drift, _ in rows] == order
    assert [drift.weight for drift, _ in rows] == [5, 5, 4, 4, 3, 2, 0]
    assert {drift.impact["risk"] for drift, _ in rows[:6]} == {"critical"}
    listed = text(site.approver.get(reverse("changes:drift")))
    places = [listed.index(drift.reference) for drift, _ in rows]
    assert places == sorted(places)
    for place, (drift, _) in enumerate(rows):
        position = DriftPosition(drift.weight, drift.seen_at, drift.pk)
        assert DriftPosition.parse(str(position)) == position
        after = drift_page(viewer, after=position).rows
        assert [row.name for row, _ in after] == order[place + 1 :]
    assert "6 critical." in text(site.approver.get("/"))


def test_what_was_found_before_gets_its_finer_place(site: Site) -> None:
    group = administrators(site.account)
    appears(site.account, group)
    opened_role(site.account, "partner", LATER + factories.BETWEEN_READINGS)
    look(site.account)
    weights = dict(Drift.objects.values_list("pk", "weight"))
    assert sorted(weights.values()) == [2, 5]
    Drift.objects.update(weight=2)
    import_module("iam.changes.drift.migrations.0005_order_of_critical").place(apps, None)
    assert dict(Drift.objects.values_list("pk", "weight")) == weights


def test_a_new_key_of_somebody_who_was_there_is_sensitive(site: Site) -> None:
    key = factories.entity(site.account, Kind.ACCESS_KEY, KEY, since=LATER, category="Active")
    factories.seen_after(key.states.get())
    Entity.objects.filter(pk=key.pk).update(owner=site.user)
    look(site.account)

    drift = Drift.objects.get()
    assert (drift.name, drift.impact["risk"], drift.impact["affected"]) == (site.user.name, "sensitive", 0)


def test_a_policy_of_aws_that_becomes_visible_is_no_drift(site: Site) -> None:
    """The mirror holds a policy of AWS from the moment on at which somebody has it."""
    policy = factories.policy(
        site.account, "ReadOnlyAccess", body=READS, arn="arn:aws:iam::aws:policy/ReadOnlyAccess", since=LATER
    )
    factories.seen_after(policy.states.get())
    factories.seen_after(policy.versions.get())
    factories.seen_after(factories.edge(EdgeKind.ATTACHED, site.user, policy, since=LATER))
    look(site.account)

    drift = Drift.objects.get()
    assert drift.entity_id == site.user.pk
    assert drift.impact["totals"] == {"gained": 1}


def test_who_has_it_all_already_gains_nothing_and_is_told_so(site: Site) -> None:
    group = administrators(site.account)
    factories.edge(EdgeKind.MEMBER, site.user, group)
    readers = factories.group(site.account, "readers")
    factories.edge(EdgeKind.ATTACHED, readers, factories.policy(site.account, "LedgerRead", body=READS))
    factories.seen_after(factories.edge(EdgeKind.MEMBER, site.user, readers, since=LATER))
    look(site.account)

    drift = Drift.objects.get()
    assert drift.impact["affected"] == 0
    [unchanged] = drift.impact["unchanged"]
    assert unchanged["already"] == [
        {"actions": 1, "of": 1, "through": ["AdministratorAccess of group administrators"], "people": 1}
    ]
    page = text(site.approver.get(reverse("changes:drift-detail", args=[drift.pk])))
    assert "Already has the action, through AdministratorAccess of group administrators" in page


def test_what_gatehouse_did_to_the_same_people_in_between_is_no_effect_of_a_drift(site: Site) -> None:
    """A group was last seen as it was, then Gatehouse denied one member everything and added another, and
    then somebody gave the group a policy by hand.
    """
    readers = factories.group(site.account, "readers")
    writes = {**READS, "Statement": [{**READS["Statement"][0], "Action": "s3:PutObject"}]}
    factories.edge(EdgeKind.ATTACHED, readers, factories.policy(site.account, "LedgerRead", body=READS))
    gone, joined = factories.user(site.account, "gone"), factories.user(site.account, "joined")
    factories.edge(EdgeKind.MEMBER, gone, readers)
    between = factories.FIRST_READ + factories.BETWEEN_READINGS / 2
    denies = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
    for row in (
        factories.inline(gone, "GatehouseLeft", body=denies, since=between),
        factories.edge(EdgeKind.MEMBER, joined, readers, since=between),
    ):
        factories.seen_after(row)
        type(row).objects.filter(pk=row.pk).update(cause_kind=Cause.CHANGE)
    by_hand = factories.inline(readers, "emergency", body=writes, since=LATER)
    factories.seen_after(by_hand)
    look(site.account)

    drift = Drift.objects.get()
    assert drift.entity_id == readers.pk
    assert drift.impact["totals"] == {"gained": 1}
    assert drift.impact["affected"] == 1
    assert "GetObject" not in str(drift.impact["gains"])
