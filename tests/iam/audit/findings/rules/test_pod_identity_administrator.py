"""Cases of `pod-identity-administrator`."""

from __future__ import annotations

from typing import Any

from iam.audit.findings.rules.pod_identity_administrator import PodIdentityAdministrator
from iam.mirror.models import Kind
from tests.iam.audit.findings.rules.site import (
    CONDITIONAL,
    FALSE,
    FULL,
    MFA,
    NUMBER,
    OUTSIDE,
    PREFIX,
    TRUE,
    UNREAD,
    Site,
    allow,
    answer_of,
    cases_of,
    trusts,
)

SERVICE = {"Service": "pods.eks.amazonaws.com"}
ACTIONS: Any = ["sts:AssumeRole", "sts:TagSession"]
CLUSTER = f"arn:aws:eks:eu-west-1:{NUMBER}:cluster/shop"
NAMESPACE = "aws:RequestTag/kubernetes-namespace"


def pods(**condition: Any) -> dict[str, Any]:
    """A trust in EKS Pod Identity."""
    return trusts(SERVICE, action=ACTIONS, **condition)


def role(site: Site, *trust: dict[str, Any], name: str = "deployer", holds: Any = FULL) -> int:
    number = site.role(name, *(trust or (pods(),)))
    site.policy(f"{name}-policy", holds, to=(number,))
    return number


def associated(site: Site, *, name: str = "deployer", limit: Any = None, **attrs: Any) -> int:
    """An association that gives a role."""
    shape = {
        "Region": "eu-west-1",
        "ClusterName": "shop",
        "Namespace": "ci",
        "ServiceAccount": "deployer",
        "RoleArn": f"{PREFIX}role/{name}",
        "TargetRoleArn": "",
        "ExternalId": "",
        "DisableSessionTags": False,
    }
    document = site.document(*limit) if limit else None
    return site.entity(Kind.POD_IDENTITY, "shop/ci/deployer", attrs=shape | attrs, document=document)


def given(*trust: dict[str, Any], holds: Any = FULL, **more: Any) -> Any:
    """An association with a role of this trust."""

    def build(site: Site) -> None:
        role(site, *trust, holds=holds)
        associated(site, **more)

    return build


def bounded(site: Site) -> None:
    number = role(site)
    site.bounds[number] = site.policy("Boundary", allow("s3:*"))
    associated(site)


def below_scp(site: Site) -> None:
    others = {"StringLike": {"aws:PrincipalArn": "*role/deployer"}}
    site.scp(FULL, {"Effect": "Deny", "Action": "iam:*", "Resource": "*", "Condition": others})
    role(site)
    associated(site)


def chained(site: Site, *, target_holds: Any = FULL, trust: Any = None, first_holds: Any = None) -> None:
    """A role that assumes a second one, whose credentials the pods get."""
    target = f"{PREFIX}role/target"
    first = first_holds or allow(ACTIONS, target)
    role(site, holds=first)
    principal = {"AWS": f"{PREFIX}role/deployer"}
    role(site, trust or trusts(principal, action=ACTIONS), name="target", holds=target_holds)
    associated(site, TargetRoleArn=target)


CASES = {
    "administrator": (given(), TRUE),
    "less": (given(holds=allow("s3:*")), FALSE),
    "an administrator role without an association": (role, FALSE),
    "an administrator under a condition": (given(holds={**FULL, "Condition": MFA}), CONDITIONAL),
    "a boundary takes it away": (bounded, FALSE),
    "an SCP takes it away": (below_scp, FALSE),
    "the pods' namespace": (given(pods(StringEquals={NAMESPACE: "ci"})), TRUE),
    "another namespace": (given(pods(StringEquals={NAMESPACE: "web"})), FALSE),
    "a namespace, and session tags are off": (
        given(pods(StringEquals={NAMESPACE: "ci"}), DisableSessionTags=True),
        FALSE,
    ),
    "the pods' cluster": (given(pods(ArnEquals={"aws:SourceArn": CLUSTER})), TRUE),
    "another account": (given(pods(StringEquals={"aws:SourceAccount": OUTSIDE})), FALSE),
    "a pod of some name": (
        given(pods(StringLike={"aws:RequestTag/kubernetes-pod-name": "deployer-*"})),
        CONDITIONAL,
    ),
    "a trust in another service": (given(trusts({"Service": "ec2.amazonaws.com"})), FALSE),
    "a role that doesn't exist": (associated, FALSE),
    "a session policy": (given(limit=[allow("s3:*")]), FALSE),
    "a session policy that leaves everything": (given(limit=[FULL]), TRUE),
    "a session policy that leaves IAM": (given(limit=[allow("iam:*")]), TRUE),
    "a session policy that denies IAM": (given(limit=[FULL, allow("iam:*") | {"Effect": "Deny"}]), FALSE),
    "a session policy with a condition": (
        given(limit=[{**FULL, "Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}]),
        CONDITIONAL,
    ),
    "an administrator as target role": (chained, TRUE),
    "a target role that has less than the first": (
        lambda site: chained(site, target_holds=allow("s3:*"), first_holds=FULL),
        FALSE,
    ),
    "a target role that doesn't trust the first": (
        lambda site: chained(site, trust=trusts({"Service": "ec2.amazonaws.com"})),
        FALSE,
    ),
    "a target role that the first can't assume": (
        lambda site: chained(site, first_holds=allow("s3:*"), trust=trusts({"AWS": f"{PREFIX}root"})),
        FALSE,
    ),
    "a target role of an account that isn't synced": (
        given(holds=allow("sts:AssumeRole"), TargetRoleArn=f"arn:aws:iam::{OUTSIDE}:role/x"),
        UNREAD,
    ),
    "not synced": (lambda site: site.unsynced.add("pod_identities"), UNREAD),
    "roles were not synced": (lambda site: site.unsynced.add("roles"), UNREAD),
}
test_cases = cases_of(PodIdentityAdministrator(), CASES)


def test_one_role_is_one_finding_with_all_its_associations() -> None:
    def build(site: Site) -> None:
        role(site)
        associated(site)
        associated(site, Namespace="web", ServiceAccount="shop")

    _, computed = answer_of(PodIdentityAdministrator(), build)
    (finding,) = computed.findings.values()
    places = finding.values["evidence"]["pods"]
    assert finding.values["affected"] == 2
    assert [(each["cluster"], each["namespace"], each["service_account"]) for each in places] == [
        ("shop", "ci", "deployer"),
        ("shop", "web", "shop"),
    ]
