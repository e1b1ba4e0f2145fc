"""Who findings are for."""

from __future__ import annotations

import pytest

from iam.audit.findings.calculation import calculate
from iam.audit.findings.owners import entities_owned_by, owners_of
from iam.directory.deactivation import deactivate
from iam.directory.models import Team
from iam.directory.owners import name_owner, set_owner
from iam.journal.services import GATEHOUSE
from iam.linking.known_owners import identity_subject
from iam.mirror.models import Entity, TagSet
from tests import factories

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]


def tag(entity: Entity, tags: dict[str, str]) -> None:
    moment = factories.FIRST_READ
    TagSet.objects.create(
        entity=entity, account=entity.account, tags=tags, valid_from=moment, observed_at=moment
    )


def test_a_person_a_tag_owner_and_a_tag_team_in_this_order() -> None:
    account = factories.account()
    user = factories.user(account, "tomas.lind")
    person = factories.person("Tomas Lind", arns=(user.arn,))
    tag(user, {"Owner": "someone else"})
    owned, teamed, bare = (factories.role(account, name) for name in ("a", "b", "c"))
    tag(owned, {"team": "payments", "Owner": "maya.okafor"})
    tag(teamed, {"Team": "payments", "owner": " "})
    tag(bare, {"Stage": "prod"})
    assert owners_of(row.pk for row in (user, owned, teamed, bare)) == {
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
    tag(tagged, {"Owner": "Jürgen “J” \\ Weiß"})
    tag(overruled, {"Owner": "Tomas Lind"})
    tag(bare, {"Stage": "Payments"})
    for entity, owner in ((named, person), (overruled, team)):
        name_owner(identity_subject(entity), owner, actor=GATEHOUSE)
    set_owner(team, account_id=account.account_id, aws_id=owned.aws_id, user_arn=owned.arn, actor=GATEHOUSE)
    calculate(account)
    shown = owners_of(row.pk for row in (linked, named, tagged, overruled, owned, bare))
    for name in set(shown.values()):
        assert entities_owned_by(name) == sorted(pk for pk, owner in shown.items() if owner == name), name
    assert entities_owned_by("tomas@example.com") == sorted([linked.pk, named.pk])
    assert entities_owned_by("PAYMENTS") == sorted([overruled.pk, owned.pk])
    assert entities_owned_by("nobody") == []
    deactivate(person.pk, why="Left")
    assert named.pk not in entities_owned_by("Tomas Lind")
