"""Every act: about what, the answers that make it, the operations that come of them, and answers that it does
not take.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from iam.changes.acts import Subject
from tests.iam.changes.acts.sign_in_rows import SIGN_IN
from tests.iam.changes.acts.subjects import (
    READS,
    account,
    device,
    full_profile,
    held_instance,
    instance,
    new_user,
    oidc,
    policy,
    profile,
    role,
    saml,
    server_certificate,
    user,
)
from tests.iam.changes.operations.cases_providers import metadata
from tests.iam.changes.operations.key_pairs import certificate
from tests.iam.changes.site import Site

TRUSTS = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
ODD = 'it\'s "$(id)" <b> \\ ; Überteam'
"""What a shell, a page or a document might take for something else."""
TAMED = ODD.translate({ord(sign): None for sign in ";\"\\'"}).replace("<b>", "").replace("$(id)", "")
"""The same as AWS takes it as the value of a tag."""


@dataclass(frozen=True, slots=True)
class Case:
    """`bad` are answers in place of the good ones, each with words of the refusal."""

    slug: str
    about: Callable[[Site], Subject]
    good: dict[str, str]
    makes: tuple[str, ...]
    bad: tuple[tuple[dict[str, str], str], ...] = ()


NAMELESS = ({"name": ""}, "Name: this field is required")
NO_JSON = ({"document": "{"}, "this isn’t valid JSON")
NO_OBJECT = ({"document": "[]"}, "a policy must be a JSON object")
UNKNOWN_POLICY = ({"policy": "Nowhere"}, "has no policy “Nowhere”")
BAD_TAGS = ({"tags": "no sign"}, "line 1 isn’t “key = value”")
RULES = {"minimum_length": "16", "maximum_age": "0", "reuse_prevention": "5", "allows_change": "1"}
CASES = (
    Case(
        "attach",
        user,
        {"policy": "Reports"},
        ("attachment.attach",),
        (
            UNKNOWN_POLICY,
            ({"policy": ""}, "this field is required"),
            ({"policy": "PaymentsDeploy"}, "already"),
        ),
    ),
    Case(
        "detach",
        user,
        {"policy": ("arn:aws:iam::111111111111:policy/PaymentsDeploy")},
        ("attachment.detach",),
        (({"policy": "x"}, "this option is no longer available"),),
    ),
    Case(
        "put-inline",
        user,
        {"name": "read", "document": READS},
        ("inline_policy.put",),
        (
            NO_JSON,
            NO_OBJECT,
            ({"name": ""}, "this field is required"),
            ({"name": ODD}, ("AWS would refuse this call")),
            ({"document": "{" + " " * 140_000 + "}"}, "characters is too long"),
            ({"document": ('{"Statement": [{"Effect": "Maybe"}]}')}, "AWS would refuse this text"),
        ),
    ),
    Case(
        "delete-inline",
        user,
        {"name": "extra"},
        ("inline_policy.delete",),
        (({"name": "gone"}, ("this option is no longer available")),),
    ),
    Case(
        "reduce",
        user,
        {"document": READS},
        ("inline_policy.put", "attachment.detach", "inline_policy.delete"),
        (NO_JSON, NO_OBJECT),
    ),
    Case("put-boundary", user, {"policy": "Reports"}, ("user.put_boundary",), (UNKNOWN_POLICY,)),
    Case("delete-boundary", user, {}, ("user.delete_boundary",)),
    Case(
        "tag",
        user,
        {"tags": (f"team = payments\nwhy = {TAMED}")},
        ("user.set_tags",),
        (
            BAD_TAGS,
            ({"tags": "a = 1\na = 2"}, "is used twice"),
            ({"tags": "old = 1"}, "already has these tags"),
            ({"tags": f"why = {ODD}"}, ("AWS would refuse this call")),
        ),
    ),
    Case(
        "rename",
        user,
        {"name": "kwame.b", "path": "/pay/"},
        ("user.update",),
        (
            NAMELESS,
            ({"name": "kwame.boateng", "path": "/"}, "already"),
            ({"path": "pay"}, ("AWS would refuse this call")),
        ),
    ),
    Case(
        "trust",
        role,
        {"document": TRUSTS},
        ("trust_policy.replace",),
        (NO_JSON, ({"document": READS}, ("AWS would refuse this text"))),
    ),
    Case(
        "settings",
        role,
        {"description": "Runs the app", "hours": "4"},
        ("role.update",),
        (
            ({"hours": "13"}, ("a whole number from 1 to 12")),
            ({"hours": "two"}, "“two” isn’t a whole number from 1 to 12"),
        ),
    ),
    *(Case(*row) for row in SIGN_IN),
    Case(
        "revoke-sessions",
        role,
        {"whose": "session-name", "value": "kwame", "since": "2026-01-02T03:04:05Z"},
        ("role_sessions.revoke",),
        (
            ({"value": ""}, ("Enter the source identity")),
            ({"whose": "mine"}, "this option is no longer available"),
        ),
    ),
    Case("delete", new_user, {}, ("user.delete",)),
    Case(
        "set-default",
        policy,
        {"version": "v2"},
        (("policy.set_default_version"),),
        (({"version": "v1"}, "this option is no longer available"),),
    ),
    Case(
        "delete-version",
        policy,
        {"version": "v2"},
        ("policy.delete_version",),
        (({"version": "v9"}, ("this option is no longer available")),),
    ),
    Case("tag-it", policy, {"tags": "team = payments"}, ("policy.set_tags",), (BAD_TAGS,)),
    Case(
        "add-role",
        profile,
        {"role": "app"},
        (("instance_profile.add_role"),),
        (({"role": "nobody"}, "has no role “nobody”"),),
    ),
    Case(
        "remove-role",
        full_profile,
        {"role": "app"},
        (("instance_profile.remove_role"),),
        (({"role": "x"}, "this option is no longer available"),),
    ),
    Case(
        "give-profile",
        instance,
        {"profile": "web"},
        (("instance.associate_profile"),),
        (({"profile": "x"}, "has no instance profile “x”"),),
    ),
    Case("take-profile", held_instance, {}, ("instance.disassociate_profile",)),
    Case(
        "metadata",
        saml,
        {"metadata": metadata(1)},
        ("saml_provider.update",),
        (
            ({"metadata": "<x/>"}, ("AWS would refuse this call")),
            ({"metadata": ""}, "this field is required"),
        ),
    ),
    Case(
        "clients",
        oidc,
        {"clients": "new\nother"},
        (("oidc_provider.add_client_id"), "oidc_provider.add_client_id", ("oidc_provider.remove_client_id")),
        (({"clients": "old"}, "Nothing would change"),),
    ),
    Case(
        "thumbprints",
        oidc,
        {"thumbprints": "b" * 40},
        (("oidc_provider.set_thumbprints"),),
        (({"thumbprints": "short"}, "AWS would refuse this call"),),
    ),
    Case("delete-provider", oidc, {}, ("oidc_provider.delete",)),
    Case(
        "rename-certificate",
        server_certificate,
        {"name": "shop-2", "path": "/"},
        (("server_certificate.update"),),
        (NAMELESS,),
    ),
    Case("delete-certificate", server_certificate, {}, ("server_certificate.delete",)),
    Case("delete-device", device, {}, ("mfa_device.delete_spare",)),
    Case(
        "create-user",
        account,
        {"name": "ada.l", "path": "/", "boundary": "", "tags": "team = x"},
        ("user.create",),
        (
            NAMELESS,
            ({"name": "a b"}, "AWS would refuse this call"),
            ({"boundary": "Nowhere"}, ("has no policy “Nowhere”")),
            ({"name": "kwame.boateng"}, "already"),
        ),
    ),
    Case(
        "create-group",
        account,
        {"name": "auditors", "path": "/"},
        ("group.create",),
        (NAMELESS, ({"name": "deployers"}, "already")),
    ),
    Case(
        "create-role",
        account,
        {
            "name": "jobs",
            "path": "/",
            "document": TRUSTS,
            "description": "",
            "hours": "1",
            "boundary": "PaymentsDeploy",
            "tags": "",
        },
        ("role.create",),
        (NO_JSON, ({"hours": "0"}, "from 1 to 12"), ({"document": READS}, ("AWS would refuse this text"))),
    ),
    Case(
        "create-policy",
        account,
        {"name": "Reports", "path": "/", "document": READS, "description": "", "tags": ""},
        ("policy.create",),
        (NO_JSON, NAMELESS),
    ),
    Case("create-profile", account, {"name": "web", "path": "/"}, ("instance_profile.create",), (NAMELESS,)),
    Case(
        "create-linked-role",
        account,
        {"service": ("autoscaling.amazonaws.com"), "suffix": "", "description": ""},
        (("service_linked_role.create"),),
        (
            ({"service": ""}, ("Service: this field is required")),
            ({"service": "no service"}, "AWS would refuse this call"),
        ),
    ),
    Case(
        "create-saml",
        account,
        {"name": "corp", "metadata": metadata(1), "tags": ""},
        ("saml_provider.create",),
        (NAMELESS, ({"metadata": "hello"}, "AWS would refuse this call")),
    ),
    Case(
        "create-oidc",
        account,
        {"url": "https://token.example", "clients": "sts.amazonaws.com", "thumbprints": "", "tags": ""},
        ("oidc_provider.create",),
        (({"url": "http://token.example"}, "AWS would refuse this call"),),
    ),
    Case(
        "set-alias",
        account,
        {"alias": "northline-new"},
        ("account_alias.create",),
        (({"alias": "Not--Good"}, "AWS would refuse this call"),),
    ),
    Case("delete-alias", account, {}, ("account_alias.delete",)),
    Case(
        "password-rules",
        account,
        RULES,
        ("password_policy.update",),
        (({"minimum_length": "5"}, "from 6 to 128"), ({"reuse_prevention": "99"}, "from 0 to 24")),
    ),
    Case("delete-password-rules", account, {}, ("password_policy.delete",)),
    Case(
        "upload-certificate",
        account,
        {"name": "shop", "path": "/", "body": certificate(1), "chain": "", "tags": ""},
        (("server_certificate.upload"),),
        (({"body": "hello"}, "isn’t valid PEM"), NAMELESS),
    ),
)
