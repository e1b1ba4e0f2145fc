"""Putting an organisation into moto's memory, in process and with ids that depend on names alone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import moto.iam.models as models
from moto.iam.models import iam_backends

from console.demo.organisation.specs import (
    Account,
    Document,
    Group,
    Key,
    Organisation,
    Policy,
    Profile,
    Role,
    Tags,
    User,
)
from console.demo.standin import ids
from console.demo.standin.iam.extras import user_extras

REGION = "eu-west-1"


@dataclass(frozen=True)
class Times:
    """When the organisation was first seeded (ages count from it), and when it is used (uses count from it)."""

    anchor: datetime
    usage: datetime

    def made(self, age: float, *parts: str) -> datetime:
        """A moment `age` days before the anchor, at a time of day that differs from thing to thing."""
        minutes = int(ids.digest("minute", *parts)[:6], 16) % 600
        day = self.anchor.replace(hour=0, minute=0, second=0) - timedelta(days=int(age))
        return day + timedelta(hours=7, minutes=minutes, seconds=minutes % 53)

    def used(self, days: float | None) -> datetime | None:
        """A moment `days` days before the last start, or None for never."""
        if days is None:
            return None
        return (self.usage - timedelta(days=days)).replace(second=0, microsecond=0)


def text(document: Document) -> str:
    """A policy document as somebody would have saved it: indented."""
    return json.dumps(document, indent=2)


def seed(organisation: Organisation, *, times: Times) -> None:
    """Fill moto's empty backends with all accounts of the organisation."""
    for account in organisation.accounts:
        AccountSeeder(account, times).run()


class AccountSeeder:
    """Seeds one account; the order matters, since principals name policies and profiles name roles."""

    def __init__(self, account: Account, times: Times) -> None:
        self.account, self.times = account, times
        self.backend: Any = iam_backends[account.id]["aws"]
        self.arns: dict[str, str] = {}

    def run(self) -> None:
        """Seed everything of the account."""
        self.backend.account_aliases = [self.account.alias]
        for policy in self.account.policies:
            self._policy(policy)
        for group in self.account.groups:
            self._group(group)
        for role in self.account.roles:
            self._role(role)
        for user in self.account.users:
            self._user(user)
        for profile in self.account.profiles:
            self._profile(profile)

    def _made(self, age: float, *parts: str) -> datetime:
        return self.times.made(age, self.account.id, *parts)

    def _id(self, prefix: str, *parts: str) -> str:
        return ids.stable(prefix, self.account.id, *parts)

    def _arn(self, name: str) -> str:
        return name if name.startswith("arn:") else self.arns[name]

    def _attach(self, entity: Any, names: tuple[str, ...]) -> None:
        for name in names:
            arn = self._arn(name)
            policy = self.backend.managed_policies.get(arn)
            if policy is None:
                raise KeyError(
                    f"{self.account.name}: {entity.name} names the policy {arn}, which is not there"
                )
            policy.attach_to(entity)

    def _policy(self, spec: Policy) -> None:
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
        policy.create_date = self._made(
            max(age for _, age in spec.versions) + (spec.first - 1) * 60, spec.name, "0"
        )
        policy.update_date = policy.versions[-1].create_date
        self.backend.managed_policies[policy.arn] = policy
        self.arns[spec.name] = policy.arn

    def _group(self, spec: Group) -> None:
        group = self.backend.create_group(spec.name, spec.path)
        group.id = self._id("AGPA", "group", spec.name)
        group.create_date = self._made(spec.age, "group", spec.name)
        self._attach(group, spec.policies)
        group.policies.update({name: text(document) for name, document in spec.inline.items()})

    def _role(self, spec: Role) -> None:
        role = models.Role(
            account_id=self.account.id,
            partition="aws",
            role_id=self._id("AROA", "role", spec.name),
            name=spec.name,
            assume_role_policy_document=text(spec.trust),
            path=spec.path,
            permissions_boundary=self._arn(spec.boundary) if spec.boundary else None,
            description=spec.description,
            tags=tag_list(spec.tags),
            max_session_duration=str(spec.longest_session),
            linked_service=spec.linked,
        )
        role.create_date = self._made(spec.age, "role", spec.name)
        role.last_used = self.times.used(spec.used)
        role.last_used_region = spec.region
        self.backend.roles[role.id] = role
        self._attach(role, spec.policies)
        role.policies.update({name: text(document) for name, document in spec.inline.items()})

    def _user(self, spec: User) -> None:
        user = self.backend.create_user(self.backend.region_name, spec.name, spec.path, tag_list(spec.tags))
        user.id = self._id("AIDA", "user", spec.name)
        user.create_date = self._made(spec.age, "user", spec.name)
        self._attach(user, spec.policies)
        user.policies.update({name: text(document) for name, document in spec.inline.items()})
        for name in spec.groups:
            self.backend.groups[name].users.append(user)
        extras = user_extras(user)
        extras.boundary = self._arn(spec.boundary) if spec.boundary else None
        if spec.login is not None:
            user.password = "seeded"  # noqa: S105 - nobody signs in with it; it only says that there is one
            user.password_reset_required = spec.login.must_reset
            user.password_last_used = self.times.used(spec.login.used)
            extras.login_created = self._made(spec.login.age, "login", spec.name)
            changed = spec.login.age if spec.login.changed is None else spec.login.changed
            extras.password_changed = self._made(changed, "login", spec.name)
        for index, key in enumerate(spec.keys):
            self._key(user, key, index)

    def _key(self, user: Any, spec: Key, index: int) -> None:
        key = user.create_access_key(prefix="AKIA", status="Active" if spec.active else "Inactive")
        key.access_key_id = ids.stable_key("AKIA", self.account.id, user.name, str(index))
        key.create_date = self._made(spec.age, "key", user.name, str(index))
        used = self.times.used(spec.used)
        if used is not None:
            key.last_used = models.AccessKeyLastUsed(used, spec.service, spec.region)
        self.backend.access_keys[key.access_key_id] = key

    def _profile(self, spec: Profile) -> None:
        profile = self.backend.create_instance_profile(
            spec.name, spec.path, role_names=[], tags=tag_list(spec.tags)
        )
        profile.id = self._id("AIPA", "profile", spec.name)
        profile.create_date = self._made(spec.age, "profile", spec.name)
        if spec.role is not None:
            profile.roles.append(self.backend.get_role(spec.role))


def tag_list(tags: Tags) -> list[dict[str, str]]:
    """Tags as AWS lists them, sorted by key."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
