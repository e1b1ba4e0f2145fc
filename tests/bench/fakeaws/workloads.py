"""IAM Roles Anywhere and EKS Pod Identity, which are REST services: empty until a test fills them."""

from __future__ import annotations

from typing import Any, NamedTuple


class RestAnswer(NamedTuple):
    """The action of a request, and what it is answered."""

    action: str
    body: dict[str, Any]


class Workloads:
    """Profiles, trust anchors and pod identity associations of every account, in us-east-1."""

    def __init__(self) -> None:
        self.profiles: list[dict[str, Any]] = []
        self.anchors: list[dict[str, Any]] = []
        self.associations: list[dict[str, Any]] = []

    def answer(self, service: str, place: str, *, region: str) -> RestAnswer | None:
        """What a path of one of the two services gives; None for any other."""
        is_here = region == "us-east-1"
        if service == "rolesanywhere" and place == "/profiles":
            return RestAnswer("rolesanywhere:ListProfiles", {"profiles": self.profiles if is_here else []})
        if service == "rolesanywhere" and place == "/trustanchors":
            return RestAnswer(
                "rolesanywhere:ListTrustAnchors", {"trustAnchors": self.anchors if is_here else []}
            )
        if service != "eks":
            return None
        parts = place.strip("/").split("/")
        if parts == ["clusters"]:
            clusters = sorted({row["clusterName"] for row in self.associations if is_here})
            return RestAnswer("eks:ListClusters", {"clusters": clusters})
        of_cluster = [row for row in self.associations if row["clusterName"] == parts[1]]
        if len(parts) == 3:
            return RestAnswer("eks:ListPodIdentityAssociations", {"associations": of_cluster})
        (row,) = [row for row in of_cluster if row["associationId"] == parts[3]]
        return RestAnswer("eks:DescribePodIdentityAssociation", {"association": row})
