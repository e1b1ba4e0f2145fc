"""Somebody changes AWS by hand: Gatehouse lists it; one difference is adopted, another undone by a change
like any other.
"""

from __future__ import annotations

import json
import re
from typing import Any

import boto3
import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Running, SignIn, open_when
from tests.journeys.test_first_write import approve, see_applied

pytestmark = pytest.mark.journey
CHANGE = re.compile(r"/changes/[0-9a-f-]{36}/$")
READS = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}


def by_hand(console: Running) -> Any:
    """IAM of the hub account, by the worker's own credentials and without Gatehouse."""
    variables = json.loads((console.var / "environment.json").read_text())
    return boto3.client(
        "iam",
        endpoint_url=variables["AWS_ENDPOINT_URL"],
        region_name=variables["AWS_DEFAULT_REGION"],
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
    )


def read_now(admin: Page) -> None:
    """Have the account read; the page follows until it is."""
    admin.goto("/accounts/")
    admin.get_by_role("link", name="northline-hub").first.click()
    admin.locator("form[action$='/pull/'] button").first.click()


def test_drift_is_adopted_or_undone(sign_in: SignIn, console: Running) -> None:
    iam = by_hand(console)
    iam.create_user(UserName="made.by.hand")
    group = iam.list_groups()["Groups"][0]["GroupName"]
    iam.put_group_policy(GroupName=group, PolicyName="emergency", PolicyDocument=json.dumps(READS))
    admin, hana, jonas = sign_in("ines.duarte"), sign_in("hana.sato"), sign_in("jonas.berg")
    read_now(admin)
    open_when(admin, "/changes/drift/", says=".*made.by.hand was created.*")

    admin.get_by_role("link", name=re.compile("made.by.hand was created")).first.click()
    # The stand-in writes a trail of what happens in it, and a worker reads it.
    open_when(admin, admin.url, says="iam:CreateUser")
    admin.get_by_label("Why is this right?").fill("Made for the audit, agreed by phone")
    admin.get_by_role("button", name="Accept").click()
    admin.goto("/changes/drift/?tab=adopted")
    expect(admin.get_by_text("Made for the audit, agreed by phone").first).to_be_visible()

    open_when(admin, "/changes/drift/", says=f"Group {group}.*")
    admin.get_by_role("link", name=re.compile(f"Group {group}")).first.click()
    admin.get_by_role("link", name="Undo").click()
    expect(admin.get_by_text("iam:DeleteGroupPolicy").first).to_be_visible()
    admin.get_by_label("Why undo it?").fill("Nobody asked for it")
    admin.get_by_role("button", name="Request undo").click()
    admin.wait_for_url(CHANGE)
    assert "emergency" in iam.list_group_policies(GroupName=group)["PolicyNames"]
    approve(admin.url, hana, jonas)
    see_applied(admin)
    assert "emergency" not in iam.list_group_policies(GroupName=group)["PolicyNames"]
    admin.goto("/changes/drift/?tab=undone")
    expect(admin.get_by_text(f"Group {group}").first).to_be_visible()
