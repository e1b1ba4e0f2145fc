"""What of a document bears on a change."""

from __future__ import annotations

import json
from typing import Any

import pytest

from iam.policy.index.documents import IndexedDocument, SharedDocuments
from iam.policy.index.relevance import lone_kind, masks_of, stands_alone

STORE = SharedDocuments()
OWN = "arn:aws:s3:::work-7/*"


def doc(resource: str | list[str], *, action: str = "s3:GetObject", **more: Any) -> IndexedDocument:
    """A document of one statement."""
    statement = {"Effect": "Allow", "Action": action, "Resource": resource, **more}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return STORE.add(text, text)


@pytest.mark.parametrize(
    ("other", "is_alone"),
    [
        ("*", True),
        ("arn:aws:s3:::homes/*", True),
        ("arn:aws:s3:::homes/${aws:username}/*", True),
        ("arn:aws:s3:::work-7/public/*", False),
        ("arn:aws:s3:::work-*", False),
        ("arn:aws:s3:::${aws:PrincipalTag/team}-*", False),
        ("arn:aws:s3", False),
        ("arn:aws:*:::x", False),
    ],
)
def test_a_document_stands_alone_where_no_other_pattern_can_meet_it(other: str, is_alone: bool) -> None:
    assert stands_alone(doc(OWN), [(doc(other), None)]) is is_alone


@pytest.mark.parametrize(
    ("team", "is_alone"), [(("red",), True), (("work",), False), ((), True), (None, False)]
)
def test_a_tag_in_a_pattern_counts_with_what_the_principal_has(team: Any, is_alone: bool) -> None:
    other = doc("arn:aws:s3:::${aws:PrincipalTag/team}-*")
    assert stands_alone(doc(OWN), [(other, (team,))]) is is_alone


def test_documents_that_differ_only_in_a_name_are_of_one_kind() -> None:
    assert lone_kind(doc(OWN)) is not None
    assert lone_kind(doc(OWN)) == lone_kind(doc("arn:aws:s3:::work-8.b/*"))
    for other in (
        doc("arn:aws:s3:::work-8"),
        doc("arn:aws:s3:::work-8/*", action="s3:PutObject"),
        doc("arn:aws:s3:::work-8/*", Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}),
        doc("arn:aws:s3:::accesspoint-8/*"),
        doc("arn:aws:s3:::${aws:username}/*"),
        doc("arn:aws:s3:eu-west-1:111111111111:work/*"),
        doc("arn:aws:s3:::work-8/*", Effect="Deny"),
        doc("*"),
    ):
        assert lone_kind(doc(OWN)) != lone_kind(other), other.digest


def test_only_what_is_allowed_in_any_case_is_plain() -> None:
    assert masks_of(doc("*"), STORE.space).plain == masks_of(doc("*"), STORE.space).any != 0
    mfa = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    for other in (doc(OWN), doc("*", Condition=mfa), doc("*", Effect="Deny")):
        assert masks_of(other, STORE.space).plain == 0
