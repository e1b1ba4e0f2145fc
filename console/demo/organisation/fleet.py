"""EC2 roles, instance profiles and instances."""

from __future__ import annotations

from dataclasses import dataclass

from console.demo.organisation.documents import allow, aws_managed, document, service_trust
from console.demo.organisation.specs import InstanceSpec, ProfileSpec, RoleSpec
from console.demo.standin.ids import digest


@dataclass(frozen=True)
class MachineKind:
    """A type of machine: its role's policies, number of instances, and instance type."""

    name: str
    team: str
    purpose: str
    policies: tuple[str, ...]
    count: int
    type: str = "m7g.large"
    tokens: str = "required"


PUBLIC = {("production", "sftp-drop-1"): "198.51.100.24"}
"""Public addresses of machines that are reachable from the internet."""
SSM = aws_managed("AmazonSSMManagedInstanceCore")
AGENT = aws_managed("CloudWatchAgentServerPolicy")
EKS = tuple(
    aws_managed(name)
    for name in ("AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryReadOnly", "AmazonEKS_CNI_Policy")
)
MACHINES = {
    "production": (
        MachineKind("eks-node", "platform", "Nodes of the production cluster", (*EKS, SSM), 6, "m7i.2xlarge"),
        MachineKind("vpn-gateway", "platform", "VPN for ferry operators", (SSM,), 2, "c7g.large"),
        MachineKind("log-shipper", "sre", "Sends logs to the archive", (SSM, AGENT), 2),
        MachineKind(
            "sftp-drop",
            "ticketing",
            "SFTP server for timetables from ferry operators",
            (SSM,),
            1,
            "t4g.medium",
        ),
        MachineKind("metrics-store", "sre", "Stores metrics", (SSM, AGENT), 3, "r7g.xlarge"),
    ),
    "data": (
        MachineKind("eks-node", "data-platform", "Nodes of the data cluster", (*EKS, SSM), 4, "r7i.2xlarge"),
        MachineKind(
            "etl-node", "data-platform", "Runs the nightly backup", (SSM, AGENT), 3, "r7g.2xlarge", "optional"
        ),
        MachineKind("notebook-host", "machine-learning", "Shared notebooks", (SSM,), 2, "g5.xlarge"),
        MachineKind("warehouse-proxy", "data-platform", "Proxy for the warehouse", (SSM,), 1),
    ),
    "staging": (
        MachineKind("eks-node", "platform", "Nodes of the staging cluster", (*EKS, SSM), 3, "m7i.xlarge"),
        MachineKind("test-runner", "qa", "Runs browsers for the test suites", (SSM,), 2, "c7i.xlarge"),
        MachineKind("load-generator", "qa", "Load generator", (SSM,), 1, "c7i.2xlarge"),
    ),
    "sandbox": (MachineKind("playground", "platform", "Developer sandbox", (SSM,), 2, "t4g.small"),),
}


def of_account(
    account_name: str,
) -> tuple[tuple[RoleSpec, ...], tuple[ProfileSpec, ...], tuple[InstanceSpec, ...]]:
    """Return the roles, profiles and instances of the account's machines."""
    machines = MACHINES.get(account_name, ())
    profiles = [_profile(machine, account_name) for machine in machines]
    instances: list[InstanceSpec] = []
    for machine in machines:
        instances.extend(_instance(machine, account_name, index) for index in range(machine.count))
    return tuple(_role(m, account_name) for m in machines), tuple(profiles), tuple(instances)


def _tags(machine: MachineKind, account_name: str) -> dict[str, str]:
    return {"Team": machine.team, "Environment": account_name, "Owner": f"{machine.team}@northline.example"}


def _number(*parts: str) -> int:
    return int(digest("fleet", *parts)[:6], 16)


def _role(machine: MachineKind, account_name: str) -> RoleSpec:
    describe = document(allow("OwnTags", ("ec2:DescribeTags", "ec2:DescribeInstances")))
    return RoleSpec(
        name=f"{machine.name}-instance",
        trust=service_trust("ec2"),
        path="/machines/",
        age=200 + _number(machine.name, account_name) % 900,
        used=0.01,
        policies=machine.policies,
        inline={"describe-itself": describe},
        tags=_tags(machine, account_name),
        description=machine.purpose,
    )


def _profile(machine: MachineKind, account_name: str) -> ProfileSpec:
    age = 200 + _number(machine.name, account_name) % 900
    return ProfileSpec(
        f"{machine.name}-instance",
        f"{machine.name}-instance",
        age,
        "/machines/",
        _tags(machine, account_name),
    )


def _instance(machine: MachineKind, account_name: str, index: int) -> InstanceSpec:
    number = _number(machine.name, account_name, str(index))
    hops = 2 if machine.name == "eks-node" else 1
    name = f"{machine.name}-{index + 1}"
    return InstanceSpec(
        name=name,
        type=machine.type,
        profile=f"{machine.name}-instance",
        age=3 + number % 180,
        tokens=machine.tokens,
        address=f"10.{20 + len(account_name)}.{number % 16}.{10 + index}",
        hops=hops,
        public_address=PUBLIC.get((account_name, name), ""),
        tags=_tags(machine, account_name),
    )
