"""Workloads outside EC2 that get roles: machines in depots by certificates (IAM Roles Anywhere), and pods of
clusters (EKS Pod Identity).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from console.demo.organisation.documents import allow, arn, document, trusts
from console.demo.organisation.specs import (
    AnchorSpec,
    AnywhereSpec,
    Document,
    PodIdentitySpec,
    RoleSpec,
)
from console.demo.standin.ids import as_uuid

ANYWHERE = "rolesanywhere.amazonaws.com"
PODS = "pods.eks.amazonaws.com"
DEPOT_CA = "depot-ca"
TICKETING = {"Team": "ticketing", "Owner": "ticketing@northline.example"}
BACKUP = {"Team": "data-platform", "Owner": "data-platform@northline.example"}


class OutsideWorkloads(NamedTuple):
    """The workloads of an account."""

    roles: tuple[RoleSpec, ...] = ()
    anchors: tuple[AnchorSpec, ...] = ()
    profiles: tuple[AnywhereSpec, ...] = ()
    pods: tuple[PodIdentitySpec, ...] = ()


def anywhere_trust(**condition: Any) -> Document:
    """Return a trust policy for Roles Anywhere, which needs all three actions."""
    return _service_trust(ANYWHERE, ("sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"), condition)


def pod_identity_trust(**condition: Any) -> Document:
    """Return a trust policy for EKS Pod Identity."""
    return _service_trust(PODS, ("sts:AssumeRole", "sts:TagSession"), condition)


def _service_trust(service: str, actions: tuple[str, ...], condition: dict[str, Any]) -> Document:
    trust = trusts({"Service": service}, **condition)
    trust["Statement"][0]["Action"] = list(actions)
    return trust


def of_account(name: str, number: str) -> OutsideWorkloads:
    """Return the correctly configured workloads of an account."""
    if name == "production":
        return _production(number)
    if name == "data":
        return _data(number)
    return OutsideWorkloads()


def _production(number: str) -> OutsideWorkloads:
    """Return a profile for the certificates of the depots' scanners, and a service account of the cluster."""
    anchor = arn("rolesanywhere", number, f"trust-anchor/{as_uuid('trust-anchor', number, DEPOT_CA)}")
    scanners = anywhere_trust(
        StringEquals={"aws:PrincipalTag/x509Subject/OU": "scanners"}, ArnEquals={"aws:SourceArn": anchor}
    )
    queue = arn("sqs", number, "ticket-scans")
    timetables = arn("sqs", number, "timetable-updates")
    return OutsideWorkloads(
        roles=(
            RoleSpec(
                "depot-scanner",
                scanners,
                330,
                "/workloads/",
                0.1,
                inline={"send": document(allow("SendScans", "sqs:SendMessage", queue))},
                tags=TICKETING,
                description="Ticket scanners in ferry depots",
            ),
            RoleSpec(
                "pod-timetable-sync",
                pod_identity_trust(StringEquals={"aws:RequestTag/kubernetes-namespace": "ticketing"}),
                240,
                "/pods/",
                0.1,
                inline={"send": document(allow("SendUpdates", "sqs:SendMessage", timetables))},
                tags=TICKETING,
                description="Timetable updates from ferry operators",
            ),
        ),
        anchors=(AnchorSpec(DEPOT_CA, 340),),
        profiles=(AnywhereSpec("depot-scanners", ("depot-scanner",), 330),),
        pods=(
            PodIdentitySpec(
                "production", "ticketing", "timetable-sync", "pod-timetable-sync", 240, tags=TICKETING
            ),
        ),
    )


def _data(number: str) -> OutsideWorkloads:
    """Return a role for any certificate, limited to one bucket by a session policy. Audits must not report
    it.
    """
    backups = "arn:aws:s3:::depot-backups/*"
    return OutsideWorkloads(
        roles=(
            RoleSpec(
                "depot-backup",
                anywhere_trust(),
                300,
                "/workloads/",
                0.4,
                inline={"store": document(allow("Store", ("s3:GetObject", "s3:PutObject"), backups))},
                tags=BACKUP,
                description="Backups of the servers in ferry depots",
            ),
        ),
        anchors=(AnchorSpec(DEPOT_CA, 300),),
        profiles=(
            AnywhereSpec(
                "depot-backups",
                ("depot-backup",),
                300,
                policy=document(allow("StoreOnly", "s3:PutObject", backups)),
            ),
        ),
    )
