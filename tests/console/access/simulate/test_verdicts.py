"""What AWS would answer to one request, and every reason for it. The expected answers follow from "Policy
evaluation logic".
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from iam.access.principals import PrincipalError, find_principal
from iam.access.simulate import SimulationInquiry, SimulationResult, simulate
from iam.access.verdict import BranchVoice, VerdictBranch
from iam.mirror.models import EdgeKind, Entity, Kind
from iam.mirror.refresh import reread_tags
from iam.mirror.snapshot import forget, snapshot
from iam.policy.evaluate import EvaluationDecision
from iam.policy.logic import NO
from tests import factories as make
from tests.console.access.simulate.conftest import HUB, LEDGER, MEMBER, MFA, Organization, say, trust

pytestmark = pytest.mark.django_db
ROLE = f"arn:aws:iam::{MEMBER}:role/app/pay-settle"
SESSION = f"arn:aws:sts::{MEMBER}:assumed-role/pay-settle/run-7"
QUEUE = f"arn:aws:sqs:eu-west-1:{MEMBER}:jobs"
KEY = f"arn:aws:kms:eu-west-1:{MEMBER}:key/1"
LATER = make.FIRST_READ + timedelta(days=10)


def ask(principal: str, action: str, resource: str = "*", **more: Any) -> SimulationResult:
    forget()  # rows that a test adds by hand have no revision
    who = find_principal(principal, accounts=None, at=more.get("at"))
    verdict = simulate(SimulationInquiry(who, action, resource, **more))
    assert verdict is not None
    return verdict


def branch(verdict: SimulationResult, kind: str) -> VerdictBranch:
    return next(branch for branch in verdict.branches if branch.kind == kind)


def test_the_kinds_of_policies_come_in_the_order_of_evaluation(org: Organization) -> None:
    verdict = ask("maya.okafor", "s3:GetObject", LEDGER)
    order = ["deny", "rcp", "scp", "endpoint", "resource", "identity", "boundary", "session"]
    assert [branch.kind for branch in verdict.branches] == order


def test_an_open_condition_makes_it_depend_and_is_named(org: Organization) -> None:
    verdict = ask("maya.okafor", "s3:GetObject", LEDGER)
    assert verdict.decision is EvaluationDecision.CONDITIONAL
    assert verdict.open_conditions == ("if MFA is present",)
    assert verdict.summary == "Allowed if MFA is present."
    (group,) = [branch for branch in branch(verdict, "identity").parts if branch.title == "Group readers"]
    (leaf,) = group.leaves
    assert [(check.element, check.found) for check in leaf.checks] == [
        ("Resource", LEDGER),
        ("Condition", "not said"),
    ]
    assert leaf.held is not None
    assert leaf.held.policy.pk == org.of["ReadLedger"].pk


def test_with_the_condition_met_it_is_allowed_by_the_group(org: Organization) -> None:
    verdict = ask("maya.okafor", "s3:GetObject", LEDGER, context={"aws:MultiFactorAuthPresent": "true"})
    assert verdict.decision is EvaluationDecision.ALLOWED
    assert verdict.summary == "Allowed by ReadLedger of group readers, statement 1, and nothing denies it."
    assert (verdict.missing, verdict.open_conditions) == ((), ())
    assert [(part.title, part.voice) for part in branch(verdict, "scp").parts] == [
        ("Root", BranchVoice.ALLOWS),
        ("Workloads", BranchVoice.ALLOWS),
        ("the account itself", BranchVoice.ALLOWS),
    ]


@pytest.mark.parametrize("more", [{"strict": True}, {"context": {"aws:MultiFactorAuthPresent": "false"}}])
def test_a_condition_that_fails_is_shown_with_what_the_request_has(
    org: Organization, more: dict[str, Any]
) -> None:
    verdict = ask("maya.okafor", "s3:GetObject", LEDGER, **more)
    assert verdict.decision is EvaluationDecision.IMPLICITLY_DENIED
    assert verdict.summary == "Nothing allows it."
    assert verdict.missing == ("No identity policy allows it.",)
    leaf = next(leaf for leaf in branch(verdict, "identity").every_leaf if leaf.checks)
    (failing,) = (check for check in leaf.checks if check.mark == NO)
    assert failing.found == ("absent" if "strict" in more else "false")


def test_what_an_scp_leaves_out_is_said_by_the_name_of_its_unit(org: Organization) -> None:
    verdict = ask("maya.okafor", "sqs:SendMessage", QUEUE)
    assert verdict.decision is EvaluationDecision.IMPLICITLY_DENIED
    assert verdict.summary == "Allowed by own, statement 1, but the SCPs of Workloads don’t allow it."
    assert verdict.missing == ("The SCPs of Workloads don’t allow it.",)
    assert branch(verdict, "scp").voice is BranchVoice.SILENT


def test_what_the_boundary_leaves_out_is_said(org: Organization) -> None:
    verdict = ask("maya.okafor", "ec2:RunInstances", f"arn:aws:ec2:eu-west-1:{MEMBER}:instance/*")
    assert verdict.summary == "Allowed by own, statement 1, but the permissions boundary doesn’t allow it."


def test_a_deny_beats_what_allows(org: Organization) -> None:
    make.inline(org.of["maya"], "stop", body=say("Deny", "s3:*", "arn:aws:s3:::pay-ledger/*"))
    verdict = ask("maya.okafor", "s3:GetObject", LEDGER, context={"aws:MultiFactorAuthPresent": "true"})
    assert verdict.decision is EvaluationDecision.EXPLICITLY_DENIED
    assert (
        verdict.summary
        == "Allowed by ReadLedger of group readers, statement 1, but stop, statement 1 denies it."
    )
    assert [leaf.policy for leaf in verdict.branches[0].leaves] == ["inline policy stop"]


def test_a_deny_under_an_open_condition_is_an_unless(org: Organization) -> None:
    make.inline(
        org.of["pay-settle"],
        "office",
        body=say("Deny", "*", Condition={"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}),
    )
    verdict = ask(ROLE, "s3:GetObject", LEDGER)
    assert verdict.open_conditions == ("unless the source IP is not in 203.0.113.0/24",)
    assert verdict.summary == (
        "Allowed by settle, statement 1, unless the source IP is not in 203.0.113.0/24."
    )
    inside = ask(ROLE, "s3:GetObject", LEDGER, context={"aws:SourceIp": "203.0.113.9"})
    outside = ask(ROLE, "s3:GetObject", LEDGER, context={"aws:SourceIp": "198.51.100.9"})
    assert (inside.decision, outside.decision) == (
        EvaluationDecision.ALLOWED,
        EvaluationDecision.EXPLICITLY_DENIED,
    )


def test_a_condition_that_another_statement_makes_needless_is_not_among_what_it_depends_on(
    org: Organization,
) -> None:
    make.inline(org.of["maya"], "free", body=say("Allow", "s3:GetObject"))
    deny = {"Bool": {"aws:SecureTransport": "false"}}
    make.inline(org.of["maya"], "tls", body=say("Deny", "s3:*", Condition=deny))
    assert ask("maya.okafor", "s3:GetObject", LEDGER).open_conditions == (
        "unless the connection is not encrypted",
    )


def test_a_resource_policy_that_names_the_caller_is_enough_in_its_account(org: Organization) -> None:
    policy = say("Allow", "s3:PutObject", LEDGER, Principal={"AWS": org.of["maya"].arn})
    verdict = ask("maya.okafor", "s3:PutObject", LEDGER, resource_policy=json.dumps(policy))
    assert verdict.decision is EvaluationDecision.ALLOWED
    assert verdict.summary == "Allowed by resource policy, statement 1, and nothing denies it."
    assert branch(verdict, "resource").is_enough


def test_a_text_that_somebody_gives_leaves_no_trace_in_the_index(org: Organization) -> None:
    ask(ROLE, "s3:PutObject", LEDGER)
    with snapshot(accounts=[MEMBER]) as index:
        before = len(index.documents.space.actions)
    policy = json.dumps(say("Allow", ["s3:MadeUp", "s3:PutObject"], Principal="*"))
    texts = {"resource_policy": policy, "endpoint_policy": policy, "session_policy": policy}
    ask(ROLE, "s3:PutObject", LEDGER, **texts)
    with snapshot(accounts=[MEMBER]) as index:
        assert len(index.documents.space.actions) == before


def test_a_pattern_of_resources_is_allowed_where_all_of_it_is(org: Organization) -> None:
    part_of_bucket = json.dumps(say("Allow", "s3:*", "arn:aws:s3:::pay-ledger/2026*"))
    inside, across = "arn:aws:s3:::pay-ledger/2026/*", "arn:aws:s3:::pay-ledger/*"
    assert (
        ask(ROLE, "s3:PutObject", inside, session_policy=part_of_bucket).decision
        is EvaluationDecision.ALLOWED
    )
    assert (
        ask(ROLE, "s3:PutObject", across, session_policy=part_of_bucket).decision
        is EvaluationDecision.CONDITIONAL
    )


def test_where_the_boundary_closes_the_own_way_the_resource_policy_is_named(org: Organization) -> None:
    policy = say("Allow", "ec2:RunInstances", Principal={"AWS": org.of["maya"].arn})
    instance = f"arn:aws:ec2:eu-west-1:{MEMBER}:instance/*"
    verdict = ask("maya.okafor", "ec2:RunInstances", instance, resource_policy=json.dumps(policy))
    assert verdict.decision is EvaluationDecision.ALLOWED
    assert verdict.summary == "Allowed by resource policy, statement 1, and nothing denies it."
    open_one = say("Allow", "ec2:RunInstances", Principal={"AWS": org.of["maya"].arn}, Condition=MFA)
    maybe = ask("maya.okafor", "ec2:RunInstances", instance, resource_policy=json.dumps(open_one))
    assert maybe.summary == "Allowed if MFA is present."


def test_in_another_account_both_sides_must_allow(org: Organization) -> None:
    policy = say("Allow", "s3:PutObject", LEDGER, Principal={"AWS": org.of["maya"].arn})
    text = json.dumps(policy)
    verdict = ask("maya.okafor", "s3:PutObject", LEDGER, owner=HUB, resource_policy=text)
    assert verdict.decision is EvaluationDecision.IMPLICITLY_DENIED
    assert verdict.summary == "Allowed by resource policy, statement 1, but no identity policy allows it."
    both = ask(
        ROLE, "s3:PutObject", LEDGER, owner=HUB, resource_policy=text.replace(org.of["maya"].arn, ROLE)
    )
    assert both.decision is EvaluationDecision.ALLOWED


def test_the_policy_of_a_resource_of_another_account_is_not_guessed(org: Organization) -> None:
    verdict = ask(ROLE, "s3:PutObject", LEDGER, owner=HUB)
    assert verdict.decision is EvaluationDecision.CONDITIONAL
    assert verdict.open_conditions == ("if the resource-based policy allows the caller",)
    assert branch(verdict, "resource").text == "Not synced. It must allow the caller."


def test_a_key_policy_that_is_not_known_leaves_it_open(org: Organization) -> None:
    verdict = ask("maya.okafor", "kms:Decrypt", KEY)
    assert verdict.decision is EvaluationDecision.CONDITIONAL
    assert "if the resource-based policy allows the caller" in verdict.open_conditions
    assert verdict.summary == "Allowed by own, statement 1, if the resource-based policy allows the caller."
    assert any("KMS grants aren’t synced" in text for text in verdict.limits)
    assert not any("KMS grants" in text for text in ask("maya.okafor", "kms:PutKeyPolicy", KEY).limits)
    make.inline(
        org.of["maya"],
        "office",
        body=say("Deny", "kms:*", Condition={"Bool": {"aws:ViaAWSService": "false"}}),
    )
    more = ask("maya.okafor", "kms:Decrypt", KEY)
    assert more.summary == (
        "Allowed by own, statement 1, but it depends on 2 things that the question doesn’t specify."
    )


def test_a_gateway_endpoint_that_names_an_account_is_said_to_be_open(org: Organization) -> None:
    policy = say("Allow", "s3:*", Principal={"AWS": MEMBER})
    verdict = ask(ROLE, "s3:PutObject", LEDGER, endpoint_policy=json.dumps(policy))
    assert verdict.decision is EvaluationDecision.CONDITIONAL
    assert verdict.summary == "Allowed by settle, statement 1, if the VPC endpoint isn’t a gateway endpoint."
    assert branch(verdict, "endpoint").voice is BranchVoice.DEPENDS


def test_nothing_is_told_of_an_account_that_one_does_not_see(org: Organization) -> None:
    role = make.role(org.hub, "reader", trust=trust({"AWS": ROLE}))
    make.inline(org.of["pay-settle"], "assume", body=say("Allow", "sts:AssumeRole"))
    assert ask(ROLE, "sts:AssumeRole", role.arn).decision is EvaluationDecision.ALLOWED
    hidden = ask(ROLE, "sts:AssumeRole", role.arn, is_hidden=True)
    assert hidden.decision is EvaluationDecision.CONDITIONAL
    assert not branch(hidden, "resource").leaves
    assert any("you can’t see it" in text for text in hidden.limits)


def test_the_trust_policy_of_a_role_in_the_mirror_has_its_say(org: Organization) -> None:
    make.inline(org.of["maya"], "assume", body=say("Allow", "sts:AssumeRole"))
    verdict = ask("maya.okafor", "sts:AssumeRole", ROLE)
    assert verdict.decision is EvaluationDecision.ALLOWED
    other = make.role(org.member, "other")
    closed = ask("maya.okafor", "sts:AssumeRole", other.arn)
    assert closed.summary == (
        "Allowed by assume, statement 1, but the resource-based policy doesn’t allow the caller."
    )


def test_a_session_policy_limits_the_session(org: Organization) -> None:
    verdict = ask(SESSION, "s3:PutObject", LEDGER, session_policy=json.dumps(say("Allow", "s3:Get*")))
    assert verdict.summary == "Allowed by settle, statement 1, but the session policy doesn’t allow it."
    assert ask(SESSION, "s3:PutObject", LEDGER).decision is EvaluationDecision.ALLOWED


def test_a_session_has_the_user_id_of_its_role_and_name(org: Organization) -> None:
    role_id = org.of["pay-settle"].aws_id
    mine = {"StringEquals": {"aws:userid": f"{role_id}:run-7"}}
    make.inline(org.of["pay-settle"], "mine", body=say("Deny", "s3:PutObject", Condition=mine))
    assert ask(SESSION, "s3:PutObject", LEDGER).decision is EvaluationDecision.EXPLICITLY_DENIED
    assert (
        ask(SESSION.replace("run-7", "run-8"), "s3:PutObject", LEDGER).decision is EvaluationDecision.ALLOWED
    )


def test_an_endpoint_policy_must_let_it_through(org: Organization) -> None:
    policy = say("Allow", "s3:GetObject", Principal="*")
    verdict = ask(ROLE, "s3:PutObject", LEDGER, endpoint_policy=json.dumps(policy))
    assert verdict.summary == (
        "Allowed by settle, statement 1, but the VPC endpoint policy doesn’t allow it."
    )
    assert (
        ask(ROLE, "s3:GetObject", LEDGER, endpoint_policy=json.dumps(policy)).decision
        is EvaluationDecision.ALLOWED
    )


def test_the_root_user_of_a_member_account_is_bound_by_scps_only(org: Organization) -> None:
    root = f"arn:aws:iam::{MEMBER}:root"
    assert ask(root, "s3:GetObject", LEDGER).decision is EvaluationDecision.ALLOWED
    verdict = ask(root, "sqs:SendMessage", QUEUE)
    assert verdict.decision is EvaluationDecision.IMPLICITLY_DENIED
    assert verdict.missing == ("The SCPs of Workloads don’t allow it.",)


def test_a_root_user_cannot_assume_roles_whatever_they_trust(org: Organization) -> None:
    role = make.role(org.member, "open", trust=trust({"AWS": "*"}))
    verdict = ask(f"arn:aws:iam::{MEMBER}:root", "sts:AssumeRole", role.arn)
    assert verdict.decision is EvaluationDecision.IMPLICITLY_DENIED
    assert verdict.missing == ("A root user can’t assume roles.",)
    assert verdict.summary == "Allowed by resource policy, statement 1, but a root user can’t assume roles."


def test_the_management_account_is_not_restricted(org: Organization) -> None:
    make.inline(make.user(org.hub, "ines"), "all", body=say("Allow", "*"))
    verdict = ask("ines", "sqs:SendMessage", f"arn:aws:sqs:eu-west-1:{HUB}:jobs")
    assert verdict.decision is EvaluationDecision.ALLOWED
    assert branch(verdict, "scp").text == "They don’t restrict the management account."


def test_a_service_linked_role_is_not_restricted(org: Organization) -> None:
    path = "/aws-service-role/sqs.amazonaws.com/"
    make.inline(make.role(org.member, "linked", path=path), "all", body=say("Allow", "*"))
    for principal in (
        f"arn:aws:iam::{MEMBER}:role{path}linked",
        f"arn:aws:sts::{MEMBER}:assumed-role/linked/x1",
    ):
        verdict = ask(principal, "sqs:SendMessage", QUEUE)
        assert verdict.decision is EvaluationDecision.ALLOWED
        assert branch(verdict, "scp").text == "They don’t restrict service-linked roles."


def test_what_needs_no_permission_is_said_to_need_none(org: Organization) -> None:
    verdict = ask("maya.okafor", "sts:GetCallerIdentity")
    assert verdict.decision is EvaluationDecision.ALLOWED
    assert verdict.summary == "sts:GetCallerIdentity needs no permission, and no policy can deny it."


def test_as_of_a_past_moment_the_policies_of_then_count(org: Organization) -> None:
    make.ends(org.tie, at=LATER)
    full = Entity.objects.get(kind=Kind.SCP, name="FullAWSAccess")
    make.edge(EdgeKind.TARGET, full, org.of["unit"], since=LATER)
    then = ask("maya.okafor", "sqs:SendMessage", QUEUE, at=LATER - timedelta(days=1))
    now = ask("maya.okafor", "sqs:SendMessage", QUEUE)
    assert (then.decision, now.decision) == (EvaluationDecision.IMPLICITLY_DENIED, EvaluationDecision.ALLOWED)


def test_a_policy_that_cannot_be_read_is_told_of_and_the_rest_answers(org: Organization) -> None:
    make.inline(org.of["maya"], "broken", body=('{"Version": "2012-10-17", "Statement"'))  # type: ignore[arg-type]
    verdict = ask("maya.okafor", "s3:GetObject", LEDGER, context={"aws:MultiFactorAuthPresent": "true"})
    assert verdict.decision is EvaluationDecision.ALLOWED
    (part,) = [branch for branch in branch(verdict, "identity").parts if branch.title == "Not readable"]
    assert part.problems[0].startswith("inline policy broken: This isn’t valid JSON")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Enter a principal."),
        ("nobody", "“nobody” matches no user or role."),
        (f"arn:aws:iam::{MEMBER}:user/maya.okafor", "Check the account, the path and the date."),
        (f"arn:aws:iam::{MEMBER}:group/readers", "isn’t the ARN of a user, role, session or root user."),
        ("arn:aws:iam::999999999999:root", "Account 999999999999 isn’t connected."),
        (f"arn:aws:sts::{MEMBER}:assumed-role/pay-settle", (
            "The ARN of a session ends with the role name and the session name"
        )),
        (f"arn:aws:sts::{MEMBER}:assumed-role/none/run-7", f"Account {MEMBER} has no role none."),
        ("a\nb", "isn’t a principal."),
        ("arn:aws:iam::" + "9" * 3000, "isn’t a principal."),
    ],
)  # fmt: skip
def test_who_is_not_there_is_said(org: Organization, text: str, sentence: str) -> None:
    with pytest.raises(PrincipalError, match=sentence):
        find_principal(text, accounts=None, at=None)


def test_a_name_of_several_asks_for_an_arn(org: Organization) -> None:
    make.user(org.hub, "maya.okafor")
    with pytest.raises(PrincipalError, match=f"“maya.okafor” matches several: arn:aws:iam::{HUB}"):
        find_principal("maya.okafor", accounts=None, at=None)
    assert find_principal("maya.okafor", accounts={MEMBER}, at=None).number == org.of["maya"].pk


def test_nobody_outside_the_accounts_is_found(org: Organization) -> None:
    for text in ("maya.okafor", org.of["maya"].arn, f"arn:aws:iam::{MEMBER}:root", SESSION):
        with pytest.raises(PrincipalError):
            find_principal(text, accounts={HUB}, at=None)


@pytest.mark.parametrize(
    "text",
    [
        "maya.okafor",
        "Maya.Okafor",
        "Maya Adaeze Okafor",
        "maya adaeze okafor",
        "m.okafor@northline.example",
        "M.Okafor@Northline.example",
        "maya@work.example",
        "Maya of the directory",
    ],
)
def test_a_principal_is_found_by_each_name_that_the_error_offers(org: Organization, text: str) -> None:
    maya = org.of["maya"]
    tags = {"DisplayName": "Maya Adaeze Okafor", "email": "m.okafor@northline.example"}
    reread_tags(maya.account, maya, tags=tags, at=datetime.now(tz=UTC), cause_id=None)
    make.person("Maya of the directory", email="maya@work.example", arns=(maya.arn,))
    make.user(org.member, "maya.okafor.admin")
    assert find_principal(text, accounts=None, at=None).number == maya.pk
    with pytest.raises(PrincipalError):
        find_principal(text, accounts={HUB}, at=None)


def test_a_part_of_a_name_finds_nobody(org: Organization) -> None:
    for text in ("maya", "okafor", "northline.example"):
        with pytest.raises(PrincipalError, match="matches no user or role"):
            find_principal(text, accounts=None, at=None)


def test_an_address_of_several_users_asks_for_an_arn(org: Organization) -> None:
    other = make.user(org.hub, "maya.admin")
    make.person("Maya Okafor", email="maya@work.example", arns=(org.of["maya"].arn, other.arn))
    with pytest.raises(PrincipalError, match="matches several"):
        find_principal("maya@work.example", accounts=None, at=None)
    assert find_principal("maya@work.example", accounts={HUB}, at=None).number == other.pk
