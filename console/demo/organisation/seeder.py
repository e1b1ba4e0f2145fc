"""Seeds an organization into moto's memory, with IDs that depend only on names."""

from __future__ import annotations

import json
from datetime import UTC
from typing import Any

import moto.iam.models as models
from moto.iam.models import iam_backends

from console.demo.organisation import credential_seeds, material
from console.demo.organisation.specs import (
    AccountSpec,
    AnywhereSpec,
    CertificateSpec,
    DelegationSpec,
    Document,
    GroupSpec,
    InstanceSpec,
    KeySpec,
    OrganizationSpec,
    PolicySpec,
    ProfileSpec,
    ProviderSpec,
    RoleSpec,
    UserSpec,
)
from console.demo.organisation.times import OrganisationTimes, tag_list
from console.demo.organisation.tree_seeds import seed_tree
from console.demo.standin import ec2, ids, trail, workloads
from console.demo.standin.hub import HUB_ACCESS_KEY_ID, HUB_SECRET_ACCESS_KEY
from console.demo.standin.iam import last_accessed
from console.demo.standin.iam.delegation import TEMPLATES
from console.demo.standin.iam.extras import StoredDelegation, account_extras, user_extras
from console.demo.trail.last_uses import SampleUses

REGION = "eu-west-1"
HUB_USER = "gatehouse"


def text(document: Document) -> str:
    """Return an indented policy document, as a person would save it."""
    return json.dumps(document, indent=2)


def seed(organisation: OrganizationSpec, *, times: OrganisationTimes) -> None:
    """Fill moto's empty backends and the tables of the overlay with the whole organization."""
    ec2.INSTANCES.clear()
    trail.EVENTS.clear()
    trail.TRAILS.clear()
    workloads.forget()
    seed_tree(organisation, times=times)
    uses = last_accessed.take(organisation, until=times.usage.replace(tzinfo=UTC))
    for account in organisation.accounts:
        AccountSeeder(account, times, uses).run()


class AccountSeeder:
    """Seeds one account. The order matters, because principals refer to policies, and instance profiles to
    roles.
    """

    def __init__(self, account: AccountSpec, times: OrganisationTimes, uses: SampleUses) -> None:
        self.account, self.times, self.uses = account, times, uses
        self.backend: Any = iam_backends[account.id]["aws"]
        self.arns: dict[str, str] = {}

    def run(self) -> None:
        """Seed everything in the account."""
        account = self.account
        self.backend.account_aliases = [account.alias]
        credential_seeds.root_user(self.backend, account.root, age=account.age, times=self.times)
        if account.password_policy is not None:
            self.backend.update_account_password_policy(**account.password_policy)
        for policy in account.policies:
            self._policy(policy)
        for provider in account.providers:
            self._provider(provider)
        for group in account.groups:
            self._group(group)
        for role in account.roles:
            self._role(role)
        for user in account.users:
            self._user(user)
        for profile in account.profiles:
            self._profile(profile)
        for instance in account.instances:
            self._instance(instance)
        for certificate in account.certificates:
            self._certificate(certificate)
        trail.TRAILS[account.id] = account.trails
        account_extras(self.backend).issues_tokens = account.issues_tokens
        for delegation in account.delegations:
            self._delegation(delegation)
        self._workloads()

    def _made(self, age: float, *parts: str) -> Any:
        return self.times.made(age, self.account.id, *parts)

    def _id(self, prefix: str, *parts: str) -> str:
        return ids.stable(prefix, self.account.id, *parts)

    def _arn(self, name: str) -> str:
        return name if name.startswith("arn:") else self.arns[name]

    def _attach(self, entity: Any, names: tuple[str, ...]) -> None:
        for name in names:
            policy = self.backend.managed_policies.get(self._arn(name))
            if policy is None:
                raise KeyError(f"{self.account.name}: {entity.name} names {name}, which is not there")
            policy.attach_to(entity)

    def _policy(self, spec: PolicySpec) -> None:
        policy = models.ManagedPolicy(
            spec.name,
            account_id=self.account.id,
            region=self.backend.region_name,
            description=spec.description,
            document=text(spec.versions[0][0]),
            path=spec.path,
            tags={key.lower(): {"Key": key, "Value": value} for key, value in spec.tags.items()},
        )
        policy.id = self._id("ANPA", "policy", spec.path + spec.name)
        policy.versions = [
            models.PolicyVersion(
                policy.arn,
                text(document),
                False,
                f"v{spec.first + index}",
                self._made(age, spec.name, str(index)),
            )
            for index, (document, age) in enumerate(spec.versions)
        ]
        default = f"v{spec.default or spec.first + len(spec.versions) - 1}"
        for version in policy.versions:
            version.is_default = version.version_id == default
        policy.default_version_id = default
        policy.next_version_num = spec.first + len(spec.versions)
        oldest = max(age for _, age in spec.versions)
        policy.create_date = self._made(oldest + (spec.first - 1) * 60, spec.name, "0")
        policy.update_date = policy.versions[-1].create_date
        self.backend.managed_policies[policy.arn] = policy
        self.arns[spec.name] = policy.arn

    def _provider(self, spec: ProviderSpec) -> None:
        made = self._made(spec.age, spec.kind, spec.name)
        if spec.kind == "saml":
            ends = self.times.made(-spec.expires_in, self.account.id, spec.name)
            metadata = material.saml_metadata(
                f"{spec.name.lower()}.northline.example", begins=made, ends=ends
            )
            saml = self.backend.create_saml_provider(spec.name, metadata)
            saml.create_date, saml.gatehouse_tags = made, tag_list(spec.tags)
            saml.gatehouse_id = self._id("ASAM", spec.name)
            return
        thumbprints = list(spec.thumbprints) or [ids.digest("thumbprint", spec.name)[:40]]
        oidc = models.OpenIDConnectProvider(
            account_id=self.account.id,
            region_name=self.backend.region_name,
            url=f"https://{spec.name}",
            thumbprint_list=thumbprints,
            client_id_list=list(spec.audiences),
            tags={key.lower(): {"Key": key, "Value": value} for key, value in spec.tags.items()},
        )
        oidc.create_date = made
        self.backend.open_id_providers[oidc.arn] = oidc

    def _group(self, spec: GroupSpec) -> None:
        group = self.backend.create_group(spec.name, spec.path)
        group.id = self._id("AGPA", "group", spec.name)
        group.create_date = self._made(spec.age, "group", spec.name)
        self._attach(group, spec.policies)
        for name, document in spec.inline.items():
            group.policies[name] = text(document)

    def _role(self, spec: RoleSpec) -> None:
        boundary_arn = self._arn(spec.boundary) if spec.boundary else None
        role = models.Role(
            account_id=self.account.id,
            partition="aws",
            role_id=self._id("AROA", "role", spec.name),
            name=spec.name,
            assume_role_policy_document=text(spec.trust),
            path=spec.path,
            permissions_boundary=boundary_arn,
            description=spec.description,
            tags=tag_list(spec.tags),
            max_session_duration=str(spec.longest_session),
            linked_service=spec.linked,
        )
        role.create_date = self._made(spec.age, "role", spec.name)
        role.last_used, role.last_used_region = self.times.used(spec.used), spec.region
        role.gatehouse_max_sign_in = spec.longest_sign_in
        self.backend.roles[role.id] = role
        self._attach(role, spec.policies)
        role.policies.update({name: text(document) for name, document in spec.inline.items()})

    def _user(self, spec: UserSpec) -> None:
        user = self.backend.create_user(self.backend.region_name, spec.name, spec.path, tag_list(spec.tags))
        user.id = self._id("AIDA", "user", spec.name)
        user.create_date = self._made(spec.age, "user", spec.name)
        self._attach(user, spec.policies)
        for name, document in spec.inline.items():
            user.policies[name] = text(document)
        for name in spec.groups:
            self.backend.groups[name].users.append(user)
        user_extras(user).boundary = self._arn(spec.boundary) if spec.boundary else None
        self._login(user, spec)
        for index, key in enumerate(spec.keys):
            self._key(user, key, index)
            used = self.uses.of_key(self.account.id, spec, index)
            if used is not None:
                at = used.at.replace(tzinfo=None)
                last_used = models.AccessKeyLastUsed(at, used.service, used.region)
                user.access_keys[-1].last_used = last_used
        for device in spec.devices:
            credential_seeds.device(self.backend, user, device, times=self.times)
        for index, credential in enumerate(spec.credentials):
            credential_seeds.credential(self.backend, user, credential, index, times=self.times)

    def _login(self, user: Any, spec: UserSpec) -> None:
        login = spec.login
        if login is None:
            return
        user.password = "seeded"  # noqa: S105 - no one signs in with it; it marks a password
        user.password_reset_required = login.must_reset
        user.password_last_used = self.times.used(login.used)
        changed = login.age if login.changed is None else login.changed
        extras = user_extras(user)
        extras.login_created = self._made(login.age, "login", spec.name)
        extras.password_changed = self._made(changed, "login", spec.name)
        extras.max_sign_in = login.longest

    def _key(self, user: Any, spec: KeySpec, index: int) -> None:
        status = "Active" if spec.active else "Inactive"
        key = user.create_access_key(prefix="AKIA", status=status)
        key.access_key_id = ids.stable_key("AKIA", self.account.id, user.name, str(index))
        if user.name == HUB_USER:
            key.access_key_id, key.secret_access_key = HUB_ACCESS_KEY_ID, HUB_SECRET_ACCESS_KEY
        key.create_date = self._made(spec.age, "key", user.name, str(index))
        self.backend.access_keys[key.access_key_id] = key

    def _profile(self, spec: ProfileSpec) -> None:
        profile = self.backend.create_instance_profile(
            spec.name, spec.path, role_names=[], tags=tag_list(spec.tags)
        )
        profile.id = self._id("AIPA", "profile", spec.name)
        profile.create_date = self._made(spec.age, "profile", spec.name)
        if spec.role is not None:
            profile.roles.append(self.backend.get_role(spec.role))

    def _instance(self, spec: InstanceSpec) -> None:
        instance_id = ids.instance_id(self.account.id, spec.name)
        launched = self._made(spec.age, "instance", spec.name)
        instance = ec2.StandinInstance(
            id=instance_id,
            type=spec.type,
            state=spec.state,
            launched=launched,
            address=spec.address,
            tokens=spec.tokens,
            hops=spec.hops,
            tags={"Name": spec.name, **spec.tags},
            account=self.account.id,
            public_address=spec.public_address,
        )
        if spec.profile is not None:
            profile = self.backend.get_instance_profile(spec.profile)
            instance.association = ec2.InstanceAssociation(
                f"iip-assoc-{instance_id[2:]}", profile.arn, launched
            )
        ec2.INSTANCES.setdefault((self.account.id, REGION), {})[instance.id] = instance

    def _certificate(self, spec: CertificateSpec) -> None:
        begins = self._made(spec.age, "certificate", spec.name)
        ends = self.times.made(-spec.expires_in, self.account.id, spec.name)
        body = material.certificate(spec.name, begins=begins, ends=ends)
        certificate = self.backend.upload_server_certificate(spec.name, body, "", path=spec.path)
        certificate.gatehouse_id = self._id("ASCA", spec.name)
        certificate.gatehouse_uploaded = begins
        certificate.gatehouse_tags = tag_list(spec.tags)

    def _workloads(self) -> None:
        place = self.account.id, REGION
        for anchor in self.account.anchors:
            key = ids.as_uuid("trust-anchor", self.account.id, anchor.name)
            made = self._made(anchor.age, "trust-anchor", anchor.name)
            source = {"sourceType": "CERTIFICATE_BUNDLE"}
            workloads.anchor(place, key, at=made, name=anchor.name, enabled=anchor.enabled, source=source)
        for spec in self.account.anywhere:
            self._anywhere_profile(spec)
        for pod in self.account.pods:
            names = (pod.cluster, pod.namespace, pod.service_account)
            key = f"a-{ids.digest('pod', self.account.id, *names)[:17]}"
            limits: dict[str, Any] = {"policy": text(pod.policy)} if pod.policy else {}
            workloads.association(
                place,
                key,
                at=self._made(pod.age, "pod", pod.cluster, pod.service_account),
                clusterName=pod.cluster,
                namespace=pod.namespace,
                serviceAccount=pod.service_account,
                roleArn=self.backend.get_role(pod.role).arn,
                tags=dict(pod.tags),
                **limits,
            )

    def _anywhere_profile(self, spec: AnywhereSpec) -> None:
        limits: dict[str, Any] = {"sessionPolicy": text(spec.policy)} if spec.policy else {}
        workloads.profile(
            (self.account.id, REGION),
            ids.as_uuid("anywhere-profile", self.account.id, spec.name),
            at=self._made(spec.age, "anywhere-profile", spec.name),
            name=spec.name,
            roleArns=[self.backend.get_role(role).arn for role in spec.roles],
            durationSeconds=spec.duration,
            acceptRoleSessionName=spec.accepts_session_name,
            enabled=spec.enabled,
            **limits,
        )

    def _delegation(self, spec: DelegationSpec) -> None:
        filed, changed = self.times.used(spec.filed), self.times.used(spec.changed)
        assert filed is not None
        assert changed is not None
        delegation = StoredDelegation(
            id=ids.as_uuid("delegation", self.account.id, spec.requestor, spec.description),
            requestor=spec.requestor,
            requestor_name=spec.requestor_name,
            description=spec.description,
            template=f"{TEMPLATES}{ids.digest('template', spec.requestor)[:20]}",
            policy=text(spec.policy),
            created=filed,
            updated=changed,
            duration=spec.duration,
            state=spec.state,
            owner=spec.owner,
            approver=spec.approver,
            boundaries=spec.boundaries,
        )
        account_extras(self.backend).delegations[delegation.id] = delegation
