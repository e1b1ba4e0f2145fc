"""Workloads that get roles: profiles and trust anchors of IAM Roles Anywhere, and pod identity associations.

Both are REST services that moto lacks, entirely or in this part.
https://docs.aws.amazon.com/rolesanywhere/latest/APIReference/Welcome.html
https://docs.aws.amazon.com/eks/latest/APIReference/API_PodIdentityAssociation.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.core.responses import ActionResult, BaseResponse

from console.demo.standin import clock, ids
from console.demo.standin.errors import AnswerError
from console.demo.standin.overlay import ResponseOverlay, read_marker, write_marker

Place = tuple[str, str]
"""Account and Region."""
Shape = dict[str, Any]

PROFILES: dict[Place, dict[str, Shape]] = {}
ANCHORS: dict[Place, dict[str, Shape]] = {}
CLUSTERS: dict[Place, list[str]] = {}
ASSOCIATIONS: dict[Place, dict[str, Shape]] = {}
PAGE = 100
SESSION_SECONDS = 3600
PROFILE_FIELDS = (
    "name", "roleArns", "managedPolicyArns", "sessionPolicy", "durationSeconds", "acceptRoleSessionName",
    "requireInstanceProperties",
)  # fmt: skip
ASSOCIATION_FIELDS = (
    "roleArn", "targetRoleArn", "disableSessionTags", "policy",
)  # fmt: skip


def forget() -> None:
    """Remove everything, before the organization is seeded."""
    for table in (PROFILES, ANCHORS, CLUSTERS, ASSOCIATIONS):
        table.clear()


def profile(place: Place, key: str, *, at: Any, **values: Any) -> Shape:
    """Store a profile under its ID. It is enabled unless `values` say otherwise."""
    account, region = place
    shape = {
        "profileId": key,
        "profileArn": f"arn:aws:rolesanywhere:{region}:{account}:profile/{key}",
        "enabled": True,
        "durationSeconds": SESSION_SECONDS,
        "acceptRoleSessionName": False,
        "requireInstanceProperties": False,
        "createdAt": at,
        "updatedAt": at,
        **values,
    }
    return PROFILES.setdefault(place, {}).setdefault(key, shape)


def anchor(place: Place, key: str, *, at: Any, **values: Any) -> Shape:
    """Store a trust anchor under its ID. It is enabled unless `values` say otherwise."""
    account, region = place
    shape = {
        "trustAnchorId": key,
        "trustAnchorArn": f"arn:aws:rolesanywhere:{region}:{account}:trust-anchor/{key}",
        "enabled": True,
        "createdAt": at,
        "updatedAt": at,
        **values,
    }
    return ANCHORS.setdefault(place, {}).setdefault(key, shape)


def association(place: Place, key: str, *, at: Any, clusterName: str, **values: Any) -> Shape:  # noqa: N803
    """Store a pod identity association under its ID, and its cluster."""
    account, region = place
    clusters = CLUSTERS.setdefault(place, [])
    if clusterName not in clusters:
        clusters.append(clusterName)
    arn = f"arn:aws:eks:{region}:{account}:podidentityassociation/{clusterName}/{key}"
    shape = {
        "associationId": key,
        "associationArn": arn,
        "clusterName": clusterName,
        "disableSessionTags": False,
        "createdAt": at,
        "modifiedAt": at,
        **values,
    }
    return ASSOCIATIONS.setdefault(place, {}).setdefault(key, shape)


class _Regional(ResponseOverlay, BaseResponse):  # type: ignore[misc]
    """The base of both services: tables by account and Region, and pages by nextToken."""

    @property
    def _place(self) -> Place:
        return self.current_account, self.region

    def _given(self, names: tuple[str, ...]) -> Shape:
        values = {name: self._get_param(name) for name in names}
        return {name: value for name, value in values.items() if value is not None}

    def _answer(self, key: str, table: Mapping[str, Shape], *, size: str) -> ActionResult:
        """Return one page of a table, in the order of its keys."""
        after = read_marker(self._get_param("nextToken")) or ""
        rest = [name for name in sorted(table) if name > after]
        length = int(self._get_param(size) or PAGE)
        answer: Shape = {key: [table[name] for name in rest[:length]]}
        if len(rest) > length:
            answer["nextToken"] = write_marker(rest[length - 1])
        return ActionResult(answer)

    def _named(self, table: Mapping[str, Shape], key: str) -> Shape:
        if key not in table:
            raise AnswerError("ResourceNotFoundException", f"There is no {key}.")
        return table[key]


class RolesAnywhere(_Regional):
    """A request to IAM Roles Anywhere."""

    def __init__(self) -> None:
        super().__init__(service_name="rolesanywhere")
        self.automated_parameter_parsing = True

    @property
    def _profiles(self) -> dict[str, Shape]:
        return PROFILES.setdefault(self._place, {})

    @property
    def _anchors(self) -> dict[str, Shape]:
        return ANCHORS.setdefault(self._place, {})

    def list_profiles(self) -> ActionResult:
        """List the profiles of the Region, with their policies."""
        return self._answer("profiles", self._profiles, size="pageSize")

    def list_trust_anchors(self) -> ActionResult:
        """List the trust anchors of the Region."""
        return self._answer("trustAnchors", self._anchors, size="pageSize")

    def create_profile(self) -> ActionResult:
        """Create a profile. As in AWS, it is disabled unless the request enables it."""
        key = ids.as_uuid("profile", ids.fresh("", self.current_account, length=17))
        enabled = bool(self._get_param("enabled"))
        made = profile(self._place, key, at=clock.utcnow(), enabled=enabled, **self._given(PROFILE_FIELDS))
        return ActionResult({"profile": made})

    def update_profile(self) -> ActionResult:
        """Change the roles, policies or session duration of a profile."""
        known = self._named(self._profiles, self._get_param("profileId"))
        known.update(self._given(PROFILE_FIELDS), updatedAt=clock.utcnow())
        return ActionResult({"profile": known})

    def enable_profile(self) -> ActionResult:
        """Enable a profile, so that certificates can use it."""
        return self._switch_profile(is_on=True)

    def disable_profile(self) -> ActionResult:
        """Disable a profile, so that no certificate can use it."""
        return self._switch_profile(is_on=False)

    def _switch_profile(self, *, is_on: bool) -> ActionResult:
        known = self._named(self._profiles, self._get_param("profileId"))
        known["enabled"] = is_on
        return ActionResult({"profile": known})

    def delete_profile(self) -> ActionResult:
        """Delete a profile."""
        known = self._named(self._profiles, self._get_param("profileId"))
        return ActionResult({"profile": self._profiles.pop(known["profileId"])})

    def create_trust_anchor(self) -> ActionResult:
        """Create a trust anchor. As in AWS, it is disabled unless the request enables it."""
        key = ids.as_uuid("anchor", ids.fresh("", self.current_account, length=17))
        enabled = bool(self._get_param("enabled"))
        values = self._given(("name", "source"))
        made = anchor(self._place, key, at=clock.utcnow(), enabled=enabled, **values)
        return ActionResult({"trustAnchor": made})

    def disable_trust_anchor(self) -> ActionResult:
        """Disable a trust anchor, so that its certificate authority is no longer trusted."""
        known = self._named(self._anchors, self._get_param("trustAnchorId"))
        known["enabled"] = False
        return ActionResult({"trustAnchor": known})


class EksRequest(_Regional):
    """A request to EKS."""

    def __init__(self) -> None:
        super().__init__(service_name="eks")
        self.automated_parameter_parsing = True

    @property
    def _cluster(self) -> str:
        name = str(self._get_param("clusterName"))
        if name not in CLUSTERS.get(self._place, ()):
            raise AnswerError("ResourceNotFoundException", f"No cluster found for name: {name}.")
        return name

    @property
    def _of_cluster(self) -> dict[str, Shape]:
        cluster = self._cluster
        known = ASSOCIATIONS.setdefault(self._place, {})
        return {key: shape for key, shape in known.items() if shape["clusterName"] == cluster}

    def list_clusters(self) -> ActionResult:
        """List the names of the clusters in the Region."""
        return ActionResult({"clusters": sorted(CLUSTERS.get(self._place, ()))})

    def list_pod_identity_associations(self) -> ActionResult:
        """List the associations of a cluster. The roles are returned here too; AWS returns them only in
        descriptions.
        """
        return self._answer("associations", self._of_cluster, size="maxResults")

    def describe_pod_identity_association(self) -> ActionResult:
        """Return an association with its roles."""
        known = self._named(self._of_cluster, self._get_param("associationId"))
        return ActionResult({"association": known})

    def create_pod_identity_association(self) -> ActionResult:
        """Create an association, which gives a role to a service account of a cluster."""
        key = f"a-{ids.fresh('', self.current_account, length=17).lower()}"
        values = self._given(("namespace", "serviceAccount", "tags", *ASSOCIATION_FIELDS))
        made = association(self._place, key, at=clock.utcnow(), clusterName=self._cluster, **values)
        return ActionResult({"association": made})

    def update_pod_identity_association(self) -> ActionResult:
        """Change the role or session policy of an association."""
        known = self._named(self._of_cluster, self._get_param("associationId"))
        known.update(self._given(ASSOCIATION_FIELDS), modifiedAt=clock.utcnow())
        return ActionResult({"association": known})

    def delete_pod_identity_association(self) -> ActionResult:
        """Delete an association, which removes the role from the service account."""
        known = self._named(self._of_cluster, self._get_param("associationId"))
        return ActionResult({"association": ASSOCIATIONS[self._place].pop(known["associationId"])})
