"""The templates that come with Gatehouse: clean, tight, and deciding as the table says that was written by
hand.
"""

from __future__ import annotations

import json

import pytest

from iam.access.templates.body import TemplateBody
from iam.access.templates.shipped_files import shipped
from iam.access.templates.template_lint import findings_of
from iam.policy.catalogue import catalogue
from iam.policy.lines import answer
from tests.iam.access.templates.decisions import HERE, KEY_POLICY, TABLE_OF_DECISIONS, Row

SHIPPED = shipped()
USER = {"arn": f"arn:aws:iam::{HERE}:user/ana", "user_id": "AIDAEXAMPLE"}


def _decides(body: TemplateBody, row: Row) -> str:
    line = {
        "id": "1",
        "action": row.action,
        "resource": row.resource,
        "resource_account": HERE,
        "principal": USER["arn"],
        "context": {"aws:userid": USER["user_id"], **row.context},
        "policies": {
            "identity": [body.render(body.samples, account_id=HERE)],
            **({"resource": KEY_POLICY} if row.action.startswith("kms:") else {}),
        },
    }
    return str(answer(json.dumps(line), strict=True).get("decision"))


def test_there_are_fifteen_and_more_and_each_has_rows() -> None:
    assert len(SHIPPED) >= 15
    assert set(TABLE_OF_DECISIONS) == set(SHIPPED)
    assert all(sum(not row.allowed for row in rows) >= 2 for rows in TABLE_OF_DECISIONS.values())


@pytest.mark.parametrize("slug", SHIPPED)
def test_the_lint_finds_nothing(slug: str) -> None:
    assert [(finding.code, finding.message) for finding in findings_of(SHIPPED[slug])] == []


@pytest.mark.parametrize("slug", TABLE_OF_DECISIONS)
def test_the_engine_decides_as_the_table_says(slug: str) -> None:
    wrong = [
        (row.action, row.resource, row.context, decides)
        for row in TABLE_OF_DECISIONS[slug]
        if ((decides := _decides(SHIPPED[slug], row)) == "allowed") is not row.allowed
    ]
    assert wrong == []


@pytest.mark.parametrize("slug", SHIPPED)
def test_actions_are_named_and_none_changes_permissions(slug: str) -> None:
    """Patterns only read; what manages permissions is only how somebody signs in to a database."""
    for statement in SHIPPED[slug].render(SHIPPED[slug].samples)["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        levels = {catalogue().level(name) for action in actions for name in catalogue().expand(action)}
        assert None not in levels
        assert "Permissions management" not in levels - {catalogue().level("iam:PassRole")} or actions == [
            "rds-db:connect"
        ]
        assert all("*" not in action or levels <= {"List", "Read"} for action in actions)


@pytest.mark.parametrize("slug", SHIPPED)
def test_the_body_survives_json(slug: str) -> None:
    body = SHIPPED[slug]
    again = TemplateBody.from_json(json.loads(json.dumps(body.json)))
    assert (again, again.digest) == (body, body.digest)
