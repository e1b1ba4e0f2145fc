"""Searches find a name with any apostrophe, however it was typed and however it is kept."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from console.search.entities import linked_users
from iam.access.drafts import receivers
from iam.access.grants.who import WhoKind
from iam.access.principals import candidates
from iam.audit.findings.models import AuditFinding
from iam.audit.findings.queries import FindingFilter, findings
from iam.directory.models import Person
from iam.linking.pasted_people import match_list
from iam.mirror.display_names import tag_for_name
from iam.mirror.models import Entity, TagSet
from iam.mirror.pull.upsert_entities import search_text
from iam.mirror.queries.search import suggestions
from iam.people.offboarding.person_search import fold
from iam.search_words import APOSTROPHES, fold_kept, folded, matches, spellings, words_of
from tests import factories

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]
ROOT = Path(__file__).resolve().parents[2]
TYPED = [f"Dee O{sign}Hara" for sign in APOSTROPHES]
OWN_WAYS = (
    re.compile(r"\b(text|find)(\.strip\(\))?\.lower\(\)(\.strip\(\))?\.split\("),
    re.compile(r"\b(person(__|_)name|requested_label|actor_label)__i(contains|exact)\b"),
    re.compile(r"\bQ\(name__icontains=\w+(\.strip\(\))?\) \| Q\(email__"),
)
"""How a search would read its words, or the name of a person, without `iam.search_words`."""


def test_every_apostrophe_is_folded_and_spelled() -> None:
    for typed in TYPED:
        assert folded(typed) == "dee o'hara"
        assert words_of(f" {typed}  x ", most=2) == ["dee", "o'hara"]
        assert spellings(typed) == TYPED
        assert fold(typed) == "dee o'hara"
    assert spellings("Zoë") == ["Zoë"]


def test_no_search_reads_its_words_on_its_own() -> None:
    strangers = []
    for path in (*ROOT.glob("iam/**/*.py"), *ROOT.glob("console/**/*.py")):
        text = path.read_text()
        if "migrations" not in path.parts and any(way.search(text) for way in OWN_WAYS):
            strangers.append(str(path.relative_to(ROOT)))
    assert strangers == []


def test_each_search_finds_the_person_and_the_tag_with_any_apostrophe() -> None:
    account = factories.account(write_role_arn="arn:aws:iam::111111111111:role/gatehouse-writer")
    viewer = factories.viewer()
    linked = factories.user(account, "dee.one")
    factories.person("Dee O’Hara", email="dee@example.com", arns=(linked.arn,))
    tagged = factories.user(account, "dee.two")
    tags = {"DisplayName": tag_for_name("Dee O’Hara")}
    at = factories.FIRST_READ
    TagSet.objects.create(entity=tagged, account=account, tags=tags, valid_from=at, observed_at=at)
    Entity.objects.filter(pk=tagged.pk).update(search=search_text(tagged, tags))
    for typed in TYPED:
        assert [user.pk for user, _ in linked_users(viewer, typed)] == [linked.pk], typed
        assert [hit.pk for hit in suggestions(viewer, typed)] == [tagged.pk], typed
        found = receivers.search(viewer, WhoKind.USERS, text=typed).rows
        assert [receiver.arn for receiver in found] == [tagged.arn], typed
        numbers = {pk for pk, _, _ in candidates(typed, accounts=None, at=None)}
        assert numbers == {linked.pk, tagged.pk}, typed
        (line,) = match_list(typed, among=Entity.objects.all()).lines
        assert line.chosen == linked, typed


def test_what_was_kept_with_another_apostrophe_is_found_and_can_be_folded() -> None:
    account = factories.account()
    for number, name in enumerate(TYPED):
        Person.objects.create(name=name.upper(), email=f"{number}@example.com")
    user = factories.user(account, "dee")
    for typed in TYPED:
        assert Person.objects.filter(matches(typed, "name", "email")).count() == len(TYPED)
        assert Person.objects.filter(matches(typed, "name", by="iexact")).count() == len(TYPED)
        Entity.objects.filter(pk=user.pk).update(search=f"{typed} {typed}".lower())
        assert fold_kept(Entity.objects.all()) == (typed != TYPED[0])
        assert Entity.objects.get(pk=user.pk).search == "dee o'hara dee o'hara"


def test_a_finding_is_found_by_its_title_with_any_apostrophe() -> None:
    moments = dict.fromkeys(("first_seen", "last_seen", "changed_at"), factories.FIRST_READ)
    account, title = factories.account(), folded("Trail can’t deliver")
    AuditFinding.objects.create(
        key="x", kind="x", account=account, severity=2, search=title, place="x", **moments
    )
    viewer = factories.viewer()
    for sign in APOSTROPHES:
        assert findings(viewer, FindingFilter(text=f"Can{sign}t")).count() == 1, sign
