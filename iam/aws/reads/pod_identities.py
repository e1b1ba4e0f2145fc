"""Pod identity associations of EKS clusters in some Regions: the IAM role of each service account."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from iam.aws.calls import build_all, invoke, part
from iam.aws.errors import AwsError, ErrorKind
from iam.aws.parallel_reads import parallel_reads
from iam.aws.reads.pages import token_pages
from iam.aws.reads.regional import read_regions
from iam.aws.session import Aws


@dataclass(frozen=True, slots=True)
class PodIdentityAssociation:
    """A pod identity association. `target_role_arn` is the role, possibly of another account, that EKS
    assumes with `role_arn`; the pods get its credentials. It is "" if there is none. `policy` is the text of
    the policy that limits the sessions, "" if there is none.
    """

    association_id: str
    arn: str
    region: str
    cluster: str
    namespace: str
    service_account: str
    role_arn: str
    target_role_arn: str
    external_id: str
    policy: str
    has_session_tags: bool
    created_at: datetime | None
    tags: dict[str, str]


def list_pod_identity_associations(aws: Aws, *, regions: Iterable[str]) -> tuple[PodIdentityAssociation, ...]:
    """Return all associations of the Regions, with parallel calls for each Region, cluster and association.
    Objects deleted meanwhile are left out. AwsError if something can't be read.
    https://docs.aws.amazon.com/eks/latest/APIReference/API_DescribePodIdentityAssociation.html
    """
    by_region = read_regions(aws, "eks", regions=regions, read=_clusters_of)
    rows: list[tuple[str, Mapping[str, Any]]] = []
    with parallel_reads(aws) as ask:
        listings = []
        for region, clusters in by_region:
            client = aws.client("eks", region=region, may_retry=region in aws.offered_regions("eks"))
            for cluster in clusters:
                listings.append((region, client, ask(partial(_associations_of, client, cluster))))
        described = []
        for region, client, listed in listings:
            for row in listed():
                described.append((region, ask(partial(_described, client, row))))
        for region, answer in described:
            association = answer()
            if association is not None:
                rows.append((region, association))
    action = "eks:DescribePodIdentityAssociation"
    return build_all(rows, lambda pair: _record(pair[1], pair[0]), action=action)


def _clusters_of(client: Any) -> list[str]:
    return list(token_pages(client, "ListClusters", key="clusters", paged_by="nextToken"))


def _associations_of(client: Any, cluster: str) -> list[Mapping[str, Any]]:
    """Return the associations of a cluster; none if it was deleted after the listing."""
    try:
        pages = token_pages(
            client,
            "ListPodIdentityAssociations",
            key="associations",
            paged_by="nextToken",
            clusterName=cluster,
        )
        return list(pages)
    except AwsError as error:
        if error.kind is ErrorKind.NOT_FOUND:
            return []
        raise


def _described(client: Any, row: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return an association with its roles, or None if it was deleted after the listing."""
    operation = "DescribePodIdentityAssociation"
    parameters = {"clusterName": row.get("clusterName"), "associationId": row.get("associationId")}
    try:
        answer = invoke(client, operation, parameters)
    except AwsError as error:
        if error.kind is ErrorKind.NOT_FOUND:
            return None
        raise
    association: Mapping[str, Any] = part(answer, "association", action=f"eks:{operation}")
    return association


def _record(row: Mapping[str, Any], region: str) -> PodIdentityAssociation:
    return PodIdentityAssociation(
        association_id=row["associationId"],
        arn=row["associationArn"],
        region=region,
        cluster=row["clusterName"],
        namespace=row["namespace"],
        service_account=row["serviceAccount"],
        role_arn=row["roleArn"],
        target_role_arn=str(row.get("targetRoleArn") or ""),
        external_id=str(row.get("externalId") or ""),
        policy=str(row.get("policy") or ""),
        has_session_tags=not row.get("disableSessionTags"),
        created_at=row.get("createdAt"),
        tags=dict(row.get("tags") or {}),
    )
