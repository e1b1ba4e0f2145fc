"""Who findings are for."""

from __future__ import annotations

from typing import Any

import pytest

from iam.audit.findings.calculation import calculate
from iam.audit.findings.models import AuditFinding
from iam.audit.findings.owners import owned_by, owners_of
from iam.directory.deactivation import deactivate
from iam.directory.models import Team
from iam.directory.owners import name_owner, set_owner
from iam.journal.services import GATEHOUSE
from iam.linking.key_owners import key_subject
from iam.linking.known_owners import identity_subject
from iam.mirror.models import Entity, TagSet
from tests import factories
from tests.console.rotation.rows import key

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]


def tag(entity: Entity, tags: dict[str, str]) -> None:
    moment = factories.FIRST_READ
    TagSet.objects.create(
        entity=entity, account=entity.account, tags=tags, valid_from=moment, observed_at=moment
    )


def of_entities(*entities: Entity) -> dict[int, str]:
    """The owner of a finding about each entity, by the entity, as far as it is known."""
    findings = [AuditFinding(pk=entity.pk, entity=entity) for entity in entities]
    return owners_of(findings)


def made(user: Entity, kind: str, evidence: dict[str, Any]) -> None:
    moments = dict.fromkeys(("first_seen", "last_seen", "changed_at"), factories.FIRST_READ)
    named = {"subject": user.arn, "name": user.name, "place": kind}
    AuditFinding.objects.create(
        key=kind,
        kind=kind,
        account=user.account,
        entity=user,
        severity=2,
        evidence=evidence,
        **named,
        **moments,
    )


def entities_owned_by(text: str) -> list[int]:
    rows = AuditFinding.objects.filter(owned_by(text), kind="password-without-mfa")
    return sorted(rows.values_list("entity", flat=True))


def test_a_person_a_tag_owner_and_a_tag_team_in_this_order() -> None:
    account = factories.account()
    user = factories.user(account, "tomas.lind")
    person = factories.person("Tomas Lind", arns=(user.arn,))
    tag(user, {"Owner": "someone else"})
    owned, teamed, bare = (factories.role(account, name) for name in ("a", "b", "c"))
    tag(owned, {"team": "payments", "Owner": "maya.okafor"})
    tag(teamed, {"Team": "payments", "owner": " "})
    tag(bare, {"Stage": "prod"})
    assert of_entities(user, owned, teamed, bare) == {
        user.pk: person.name,
        owned.pk: "maya.okafor",
        teamed.pk: "payments",
    }
    assert owners_of([]) == {}


def test_the_filter_by_owner_finds_what_shows_that_owner_and_nothing_else() -> None:
    """Every way to own something, and what comes before it: the filter and the page agree."""
    account = factories.account()
    factories.synced(account)
    linked = factories.user(account, "tomas.lind", credentials={"mfa": "none"})
    person = factories.person("Tomas Lind", email="tomas@example.com", arns=(linked.arn,))
    team = Team.objects.create(slug="payments", name="Payments")
    named, tagged, overruled, owned, bare = (
        factories.user(account, name, credentials={"mfa": "none"})
        for name in ("named", "tagged", "overruled", "owned", "bare")
    )
    tag(tagged, {"Owner": "Jürgen “J” \\ OʼWeiß"})
    tag(overruled, {"Owner": "Tomas Lind"})
    tag(bare, {"Stage": "Payments"})
    for entity, owner in ((named, person), (overruled, team)):
        name_owner(identity_subject(entity), owner, actor=GATEHOUSE)
    set_owner(team, account_id=account.account_id, aws_id=owned.aws_id, user_arn=owned.arn, actor=GATEHOUSE)
    calculate(account)
    shown = of_entities(linked, named, tagged, overruled, owned, bare)
    for name in set(shown.values()):
        assert entities_owned_by(name) == sorted(pk for pk, owner in shown.items() if owner == name), name
    assert entities_owned_by("tomas@example.com") == sorted([linked.pk, named.pk])
    assert entities_owned_by("Jürgen “J” \\ O’Weiß") == [tagged.pk]
    assert entities_owned_by("PAYMENTS") == sorted([overruled.pk, owned.pk])
    assert entities_owned_by("nobody") == []
    deactivate(person.pk, why="Left")
    assert named.pk not in entities_owned_by("Tomas Lind")


def test_a_finding_that_names_keys_is_for_their_owners_too() -> None:
    """A finding about the password is for the owner of the user, one about keys for the owner of each key,
    and one about both for both: the filter finds just those.
    """
    account = factories.account()
    factories.synced(account)
    user = factories.user(account, "tomas.lind", credentials={"mfa": "none", "active_keys": 2})
    person = factories.person("Tomas Lind", email="tomas@example.com", arns=(user.arn,))
    hana = factories.person("Hana Sato", email="hana@example.com")
    team = Team.objects.create(slug="payments", name="Payments")
    first, second = key(user), key(user)
    for each, owner in ((first, team), (second, hana)):
        name_owner(key_subject(each), owner, actor=GATEHOUSE)
    calculate(account)
    made(user, "one-key", {"keys": [{"key": second.aws_id}]})
    made(user, "sign-in", {"password": True, "keys": [{"key": first.aws_id}, {"key": "key 2"}]})

    def shown() -> dict[str, str]:
        rows = list(AuditFinding.objects.filter(entity=user))
        names = owners_of(rows)
        for text in ("Tomas Lind", "hana sato", "payments"):
            found = set(AuditFinding.objects.filter(owned_by(text)).values_list("kind", flat=True))
            about = {row.kind for row in rows if text.casefold() in names.get(row.pk, "").casefold()}
            assert found == about, text
        return {row.kind: names.get(row.pk, "") for row in rows}

    owners = shown()
    assert owners["password-without-mfa"] == "Tomas Lind"
    assert owners["two-active-keys"] == "Payments, Hana Sato"
    assert owners["one-key"] == "Hana Sato"
    assert owners["sign-in"] == "Tomas Lind, Payments"
    deactivate(hana.pk, why="Left")
    owners = shown()
    assert owners["two-active-keys"] == "Payments, Tomas Lind"
    assert owners["one-key"] == person.name
