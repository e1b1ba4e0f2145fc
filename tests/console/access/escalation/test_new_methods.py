"""Pages about principals that someone creates, denies that someone removes, and what AWS owns."""

from __future__ import annotations

import re
from html import unescape

from django.test import Client

from console.access.escalation_steps import PathPageContext, mark_of, stages_of
from console.web.query import QueryPairs
from iam.access.escalation_calculation.kept_paths import path_of
from iam.access.escalation_calculation.path_records import from_json, to_json
from tests import factories as make
from tests.console.access.escalation.conftest import ONE, World, allow, body
from tests.iam.policy.escalation import builders as policy_builders

BOUNDARY = f"arn:aws:iam::{ONE}:policy/Boundary"


def read(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    parts = response.streaming_content if response.streaming else [response.content]
    return unescape(b"".join(parts).decode())


def test_a_path_by_a_new_role_is_listed_grouped_and_explained(world: World, auditor: Client) -> None:
    maker = make.user(world.production, "role.maker")
    apps = f"arn:aws:iam::{ONE}:role/app-*"
    make.inline(maker, "roles", body=body(allow("Make", ["iam:CreateRole", "iam:AttachRolePolicy"], apps)))
    words = "Creates a role, for example app-x, and attaches AdministratorAccess to it, then assumes app-x"
    assert words in read(auditor, "/escalation/?view=principals&q=role.maker")
    page = read(auditor, f"/escalation/{maker.pk}/")
    assert words in page
    assert "roles, statement 1 (Make)" in page
    assert "role.maker" in read(auditor, "/escalation/")
    assert words in read(auditor, "/escalation/export.csv")


def test_a_new_role_with_a_required_boundary_has_no_page_to_link_to(world: World, auditor: Client) -> None:
    make.policy(world.production, "Boundary", body=body(allow("Take", "sts:AssumeRole")))
    maker = make.user(world.production, "role.maker")
    required = {"iam:PermissionsBoundary": BOUNDARY}
    actions = ["iam:CreateRole", "iam:PutRolePolicy"]
    make.inline(maker, "roles", body=body(allow("Make", actions, StringEquals=required)))
    page = read(auditor, f"/escalation/{maker.pk}/")
    assert "Creates a role, for example" in page
    assert "Assumes role pay-admin" in page
    numbers = {int(number) for number in re.findall(r'href="/roles/(\d+)', page)}
    assert numbers <= {entity.pk for entity in world.of.values()}
    for number in numbers:
        assert auditor.get(f"/roles/{number}/").status_code == 200


def test_who_can_change_a_policy_of_aws_is_no_one_and_the_page_says_why(
    world: World, auditor: Client
) -> None:
    arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    page = read(auditor, f"/access/who-can/?action=iam:CreatePolicyVersion&resource={arn}")
    assert "No one can use iam:CreatePolicyVersion" in page
    assert "AWS owns this policy" in page


def test_who_creates_an_administrator_becomes_anyone_of_the_account(world: World, auditor: Client) -> None:
    maker = make.user(world.production, "role.maker")
    apps = f"arn:aws:iam::{ONE}:role/app-*"
    make.inline(maker, "roles", body=body(allow("Make", ["iam:CreateRole", "iam:AttachRolePolicy"], apps)))
    page = read(auditor, "/escalation/?to=dana.wirth")
    assert "role.maker" in page
    assert "Administers the account, so can become dana.wirth" in page
    assert "Administers the account, so can become dana.wirth" in read(
        auditor, "/escalation/?from=role.maker&to=dana.wirth"
    )


def test_a_path_that_takes_scps_away_says_so_and_what_it_depends_on() -> None:
    organization = policy_builders.World()
    organization.user("dev", policy_builders.allow(["iam:*", "organizations:LeaveOrganization"]))
    organization.stand(policy_builders.deny("iam:*"))
    path = organization.path("dev")
    assert path is not None
    kept = from_json(to_json(path_of(path)))
    frame = PathPageContext(sees=lambda _: True, query=QueryPairs(), policies={})
    stages = stages_of(kept, frame, mark_of(kept))
    step = next(stage for stage in stages if "Leaves the organization" in stage.text)
    assert step.notes == ("dev is then limited by no SCP",)
    assert mark_of(kept)[0] == "Conditional"
    assert any("standalone account" in condition for condition in stages[-1].notes)
    assert any("organizations:LeaveOrganization" in stage.text for stage in stages)
