"""A small account with some of everything that operations are about, and all that boto3 reads of it, but for
what AWS assigns.
"""

from __future__ import annotations

import json
from random import Random
from typing import Any

from iam.mirror.models import Entity, Kind
from iam.mirror.pull.sections import LOGIN_PROFILES, USER_MFA
from tests.iam.changes.operations import cases_account, cases_instances, cases_mfa_devices, cases_providers
from tests.iam.changes.operations.credential_sorts import CERTIFICATES, KEYS, SERVICES, SSH, see
from tests.iam.changes.operations.stage import Stage, shown_or_none
from tests.iam.changes.true_receipts import random_text

SORTS = (KEYS, SERVICES, SSH, CERTIFICATES)
PASSWORD = "harbour-Lantern-42!-lantern"
TAGS = [{"Key": "team", "Value": "web"}, {"Key": "Gone", "Value": ""}]
SERVICE = "autoscaling.amazonaws.com"
Shown = dict[str, Any]


class Land:
    """Users, groups, roles, policies and all the rest. `rng` decides what they hold."""

    def __init__(self, stage: Stage, rng: Random) -> None:
        self.stage, self.rng, self.iam = stage, rng, stage.iam
        self._not_ours = {stage.scene.user.pk, stage.scene.group.pk}
        self._seen: dict[str, set[str]] = {}
        self._whole: dict[str, Shown] = {}
        self._policies()
        self._holders()
        self._credentials()
        self._things()
        cases_account.pull(stage)
        self.read_anew()

    def _policies(self) -> None:
        for versions in (5, 2, 1, 1):
            policy = self.stage.policy(text=random_text(self.rng), Description="What it does", Tags=TAGS)
            for number in range(1, versions):
                text = random_text(self.rng)
                self.iam.create_policy_version(
                    PolicyArn=policy.arn, PolicyDocument=text, SetAsDefault=number == 2
                )

    def _holders(self) -> None:
        stage, bound = self.stage, self.all(Kind.POLICY)[0].arn
        stage.user(Path="/eng/", Tags=TAGS, PermissionsBoundary=bound)
        stage.role(Path="/app/", Tags=TAGS, PermissionsBoundary=bound, Description="Runs the shop")
        for make in (stage.user, stage.user, stage.role, stage.group, stage.group):
            make()
        for holder in (*self.all(Kind.USER), *self.all(Kind.GROUP), *self.all(Kind.ROLE)):
            self._furnish(holder)

    def _furnish(self, holder: Entity) -> None:
        rng, kind, who = self.rng, holder.kind, {f"{holder.kind.title()}Name": holder.name}
        for policy in rng.sample(self.all(Kind.POLICY)[:3], rng.randint(0, 2)):
            getattr(self.iam, f"attach_{kind}_policy")(**who, PolicyArn=policy.arn)
        for name in rng.sample("ab", rng.randint(0, 2)):
            getattr(self.iam, f"put_{kind}_policy")(**who, PolicyName=name, PolicyDocument=random_text(rng))
        for group in rng.sample(self.all(Kind.GROUP), rng.randint(0, 1)) if kind == "user" else ():
            self.iam.add_user_to_group(UserName=holder.name, GroupName=group.name)

    def _credentials(self) -> None:
        cases_mfa_devices.make_device(self.stage)
        cases_mfa_devices.make_device(self.stage, is_assigned=False)
        for sort in SORTS:
            sort.make(self.stage, status=self.rng.choice(["Active", "Inactive"]))
        self.iam.create_login_profile(UserName=self.all(Kind.USER)[0].name, Password=PASSWORD)
        self.stage.user(Tags=TAGS)
        for user in self.all(Kind.USER):
            self.know(user)

    def know(self, user: Entity) -> None:
        """Have the mirror read all credentials of a user."""
        for section in (*(sort.section for sort in SORTS), LOGIN_PROFILES, USER_MFA):
            see(self.stage, user, section)

    def _things(self) -> None:
        stage, role = self.stage, self.all(Kind.ROLE)[0]
        cases_instances.machine(stage, profile=stage.profile(Tags=TAGS))
        self._machine = stage.keep["instance"]
        stage.profile(role=role, Path="/app/")
        for make in (stage.role, stage.group, stage.profile):
            make(Path="/bare/")
        cases_providers.saml(stage)
        cases_providers.oidc(stage)
        cases_providers.uploaded(stage)
        made = self.iam.create_service_linked_role(
            AWSServiceName=SERVICE, CustomSuffix=stage.name("x").replace("-", "")
        )
        stage.read(Kind.ROLE, made["Role"]["RoleName"])
        for alias in self.iam.list_account_aliases()["AccountAliases"]:
            self.iam.delete_account_alias(AccountAlias=alias)
        if self.rng.random() < 0.5:
            self.iam.create_account_alias(AccountAlias="northline-old")
            self.iam.update_account_password_policy(**cases_account.OLD_RULES)

    def read_anew(self) -> None:
        """Have the mirror read all policies and principals."""
        for kind in (Kind.POLICY, Kind.GROUP, Kind.USER, Kind.ROLE):
            for entity in self.all(kind):
                self.stage.read(kind, entity.name, arn=entity.arn)

    def all(self, kind: Kind) -> list[Entity]:
        """What the mirror has of a kind by now, the oldest first."""
        living = Entity.objects.filter(account=self.stage.account, kind=kind, gone_at__isnull=True)
        return list(living.exclude(pk__in=self._not_ours).select_related("owner", "account").order_by("pk"))

    def one(self, kind: Kind) -> Entity:
        """Any of them. Raises IndexError when there is none."""
        return self.rng.choice(self.all(kind))

    def shown(self) -> Shown:
        """All that boto3 reads of whatever the mirror has known by these names, now or before."""
        for kind in Kind:
            rows = Entity.objects.filter(account=self.stage.account, kind=kind).exclude(pk__in=self._not_ours)
            self._seen.setdefault(kind, set()).update(rows.values_list("arn", flat=True))
        looks = {
            Kind.USER: self._user,
            Kind.GROUP: self._group,
            Kind.ROLE: self._role,
            Kind.POLICY: self._policy,
            Kind.INSTANCE_PROFILE: self._profile,
            Kind.SAML_PROVIDER: self._saml,
            Kind.OIDC_PROVIDER: self._oidc,
            Kind.SERVER_CERTIFICATE: self._certificate,
        }
        self._whole = self._details()
        shown_by_arn = {arn: look(arn) for kind, look in looks.items() for arn in sorted(self._seen[kind])}
        self.stage.keep["instance"] = self._machine
        return {
            arn: shown_entity for arn, shown_entity in shown_by_arn.items() if shown_entity is not None
        } | {
            "alias": cases_account.alias_shown(self.stage),
            "passwords": cases_account.rules_shown(self.stage),
            "instance": cases_instances.has(self.stage),
            "devices": self._devices(),
        }

    def _details(self) -> dict[str, Shown]:
        """By ARN, as GetAccountAuthorizationDetails has them."""
        kinds = {"Filter": ["User", "Role", "Group", "LocalManagedPolicy"]}
        pages = self.iam.get_paginator("get_account_authorization_details").paginate(**kinds)
        keys = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
        return {shape["Arn"]: shape for page in pages for key in keys for shape in page.get(key, ())}

    def _devices(self) -> Any:
        ours = self._seen[Kind.MFA_DEVICE]
        virtual_mfa_devices = self.iam.list_virtual_mfa_devices(MaxItems=1000)["VirtualMFADevices"]
        tags = self.iam.list_mfa_device_tags
        return {
            shape["SerialNumber"]: (
                shape.get("User", {}).get("UserName"),
                _tags(tags(SerialNumber=shape["SerialNumber"])),
            )
            for shape in virtual_mfa_devices
            if shape["SerialNumber"] in ours
        }

    def _user(self, arn: str) -> Shown | None:
        whole = self._whole.get(arn)
        if whole is None:
            return None
        name = self.stage.keep["user"] = whole["UserName"]
        profile = shown_or_none(self.iam.get_login_profile, UserName=name)
        return {
            **_held(whole, "User"),
            "groups": sorted(whole["GroupList"]),
            "password": profile and profile["LoginProfile"].get("PasswordResetRequired", False),
            "credentials": [sort.counts(self.stage) for sort in SORTS],
        }

    def _group(self, arn: str) -> Shown | None:
        whole = self._whole.get(arn)
        return None if whole is None else _held(whole, "Group")

    def _role(self, arn: str) -> Shown | None:
        whole = self._whole.get(arn)
        if whole is None:
            return None
        role = self.iam.get_role(RoleName=whole["RoleName"])["Role"]
        about = {key: role.get(key) for key in ("Description", "MaxSessionDuration")}
        return {**_held(whole, "Role"), **about, "trust": json.loads(role["AssumeRolePolicyDocument"])}

    def _policy(self, arn: str) -> Shown | None:
        whole = self._whole.get(arn)
        if whole is None:
            return None
        names_by_answer: dict[bool, list[str]] = {True: [], False: []}
        for version in whole["PolicyVersionList"]:
            names_by_answer[version["IsDefaultVersion"]].append(_text(version["Document"]))
        policy = self.iam.get_policy(PolicyArn=arn)["Policy"]
        return {**_about(policy), "says": names_by_answer[True], "said": sorted(names_by_answer[False])}

    def _profile(self, arn: str) -> Shown | None:
        name = arn.rpartition("/")[2]
        answer = shown_or_none(self.iam.get_instance_profile, InstanceProfileName=name)
        if answer is None:
            return None
        profile = answer["InstanceProfile"]
        return {**_about(profile), "roles": [role["RoleName"] for role in profile["Roles"]]}

    def _saml(self, arn: str) -> Any:
        self.stage.keep["arn"] = arn
        return cases_providers.saml_shown(self.stage)

    def _oidc(self, arn: str) -> Any:
        self.stage.keep["arn"] = arn
        return cases_providers.oidc_shown(self.stage)

    def _certificate(self, arn: str) -> Any:
        self.stage.keep.update(name=arn.rpartition("/")[2], new="")
        return cases_providers.certificate_shown(self.stage)


def _tags(shown: Shown) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in shown.get("Tags") or ()}


def _text(document: Any) -> str:
    return document if isinstance(document, str) else json.dumps(document)


def _about(shown: Shown) -> Shown:
    """What many have: path, description, boundary and tags."""
    bound = shown.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    return {"path": shown["Path"], "about": shown.get("Description"), "boundary": bound, "tags": _tags(shown)}


def _held(shown: Shown, word: str) -> Shown:
    inline = shown.get(f"{word}PolicyList", ())
    return {
        **_about(shown),
        "attached": sorted(
            attached_managed_policy["PolicyArn"]
            for attached_managed_policy in shown["AttachedManagedPolicies"]
        ),
        "inline": {policy["PolicyName"]: _text(policy["PolicyDocument"]) for policy in inline},
    }
