"""A second engine, as plain as can be: loops and regular expressions over the JSON of a request, for real
requests only.

Written from the pages of AWS alone and sharing no code with the engine, so that both can be held against each
other. It takes policies that AWS would take, and every key that a request does not name for absent.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import Any

from tests.iam.policy.naive_matching import (
    action_fits,
    condition_met,
    listed,
    moment,
    resource_fits,
    small,
    text_of,
)

JSON = Any
RCP_SERVICES = {"s3", "sts", "kms", "sqs", "secretsmanager", "dynamodb", "ecr", "logs", "aoss", "cognito-idp"}
"""Enough of them for the requests of the tests."""
PROVIDERS = {"cognito-identity.amazonaws.com", "accounts.google.com", "graph.facebook.com", "www.amazon.com"}


class Caller:
    """Who asks, taken apart."""

    def __init__(self, principal_value: JSON) -> None:
        principal_value = {"arn": principal_value} if isinstance(principal_value, str) else principal_value
        self.arn: str = principal_value["arn"]
        self.tags: dict[str, str] = principal_value.get("tags") or {}
        self.linked: bool = (
            principal_value.get("service_linked", False) or ":role/aws-service-role/" in self.arn
        )
        self.manages: bool = principal_value.get("management_account", False)
        self.id: str = principal_value.get("unique_id", "")
        parts = self.arn.split(":")
        self.head = ":".join(parts[:2])
        self.account: str = principal_value.get("account") or (parts[4] if len(parts) > 5 else "")
        self.kind, self.name, self.role = "other", "", ""
        if self.arn == "*":
            self.kind = "anonymous"
        elif self.arn.endswith((".amazonaws.com", ".amazonaws.com.cn")) and self.arn not in PROVIDERS:
            self.kind = "service"
        elif match := re.fullmatch(r"arn:[a-z-]+:iam::\d+:(root|user|role)(?:/(?:.*/)?([^/]+))?", self.arn):
            self.kind, self.name = match[1], match[2] or ""
            self.role = self.arn if self.kind == "role" else ""
        elif match := re.fullmatch(r"arn:[a-z-]+:sts::\d+:assumed-role/([^/]+)/([^/]+)", self.arn):
            self.kind, self.name = "session", match[2]
            self.role = f"{self.head}:iam::{self.account}:role/{match[1]}"
        elif match := re.fullmatch(r"arn:[a-z-]+:sts::\d+:federated-user/(.+)", self.arn):
            self.kind, self.name = "federated", match[1]
        elif re.fullmatch(r"arn:[a-z-]+:iam::\d+:(saml|oidc)-provider/.+", self.arn) or self.arn in PROVIDERS:
            self.kind = "provider"


def context_of(line: JSON, who: Caller) -> dict[str, list[str]]:
    """All keys of the request, in lower case, with their values."""
    names_by_kind: dict[str, list[str]] = {}

    def put(key: str, value: str) -> None:
        names_by_kind[small(key)] = [value]

    types = {"root": "Account", "user": "User", "role": "AssumedRole", "session": "AssumedRole"}
    types |= {"federated": "FederatedUser", "anonymous": "Anonymous"}
    if who.kind in types:
        put("aws:PrincipalType", types[who.kind])
    if who.kind == "anonymous":
        put("aws:userid", "anonymous")
        put("aws:PrincipalAccount", "anonymous")
    elif who.kind == "service":
        put("aws:PrincipalIsAWSService", "true")
        put("aws:PrincipalServiceName", who.arn)
    elif found_saml := re.fullmatch(r"arn:[a-z-]+:iam::(\d+):saml-provider/(.+)", who.arn):
        put("saml:doc", f"{found_saml[1]}/{found_saml[2]}")
    elif who.kind == "provider":
        put("aws:FederatedProvider", who.arn)
    else:
        put("aws:PrincipalIsAWSService", "false")
        put("aws:PrincipalArn", who.role or who.arn)
        put("aws:PrincipalAccount", who.account)
        put("kms:CallerAccount", who.account)
        if who.kind == "user":
            put("aws:username", who.name)
        ids = {"root": who.account, "federated": f"{who.account}:{who.name}", "user": who.id}
        ids["session"] = who.id and f"{who.id}:{who.name}"
        if ids.get(who.kind):
            put("aws:userid", ids[who.kind])
        for key, value in who.tags.items():
            put(f"aws:PrincipalTag/{key}", value)
    put("aws:ResourceAccount", owner_of(line, who))
    put("s3:ResourceAccount", owner_of(line, who))
    for key, value in (line.get("context") or {}).items():
        texts = [] if value is None else [text_of(item) for item in listed(value)]
        names_by_kind[small(key)] = texts
    seconds = seconds_of(names_by_kind)
    if seconds is not None:
        names_by_kind.setdefault(
            "aws:currenttime", [f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"]
        )
        names_by_kind.setdefault("aws:epochtime", [str(int(seconds))])
    return {key: values for key, values in names_by_kind.items() if values}


def seconds_of(context: dict[str, list[str]]) -> float | None:
    """When the request is made: as its context says, else now; None for a time that is none."""
    for key in ("aws:epochtime", "aws:currenttime"):
        if key in context:
            try:
                (text,) = context[key]
                return float(moment(text))
            except ValueError:
                return None
    return time.time()


def owner_of(line: JSON, who: Caller) -> str:
    """The account that owns the resource."""
    parts = line["resource"].split(":")
    in_arn = parts[4] if len(parts) > 5 and parts[4].isdigit() else ""
    return line.get("resource_account") or in_arn or who.account


def identities(who: Caller) -> dict[str, set[str]]:
    """The names under which a caller of an account is known: of itself, of its role, of its account."""
    account = {who.account, f"{who.head}:iam::{who.account}:root"} if who.account else set()
    if who.kind == "root":
        return {"self": account, "role": set(), "account": set()}
    own = {who.arn}
    if who.kind == "role":
        return {"self": set(), "role": own | ({who.id} - {""}), "account": account}
    if who.kind == "session":
        return {"self": own, "role": {who.role} | ({who.id} - {""}), "account": account}
    return {"self": own | ({who.id} - {""}), "role": set(), "account": account}


def without_path(name: str) -> str:
    """Role names are unique, and a session's ARN does not tell the role's path."""
    return re.sub(r"^(arn:[a-z-]+:iam::\d+:role/)(?:.*/)?([^/]+)$", r"\1\2", name)


def named(element: JSON, who: Caller) -> set[str]:
    """By which of its identities the caller is named: "all", "self", "role", "account"."""
    element = {"AWS": "*"} if element == "*" else element
    names = {kind: listed(value) for kind, value in element.items()}
    named = {"all"} if "*" in names.get("AWS", []) else set()
    if who.kind in {"service", "provider", "anonymous"}:
        mine = names.get("Service", []) if ".amazonaws.com" in who.arn else []
        mine = mine + (names.get("Federated", []) if who.kind == "provider" else [])
        return named | ({"self"} if who.arn in mine else set())
    for kind, mine in identities(who).items():
        for name in names.get("AWS", []):
            if name in mine or (kind == "role" and who.kind == "session" and without_path(name) in mine):
                named.add(kind)
    return named


def means(statement: JSON, who: Caller, *, bounded: bool) -> set[str]:
    """As `named`; everybody where there is no such element."""
    if "Principal" in statement:
        return named(statement["Principal"], who)
    if "NotPrincipal" not in statement:
        return {"all"}
    if bounded:
        return {"all"}
    excepted = named(statement["NotPrincipal"], who)
    if "all" in excepted:
        return set()
    needed = {"user": {"self", "account"}, "federated": {"self", "account"}, "role": {"role", "account"}}
    needed["session"] = {"self", "role", "account"}
    return set() if needed.get(who.kind, {"self"}) <= excepted else {"all"}


def applies(statement: JSON, line: JSON, context: dict[str, list[str]], *, variables: bool) -> bool:
    """Action, resource and conditions."""
    action, resource = line["action"], line["resource"]
    if "Action" in statement:
        if not any(action_fits(action_name, action) for action_name in listed(statement["Action"])):
            return False
    elif any(action_fits(action_name, action) for action_name in listed(statement["NotAction"])):
        return False
    for element in ("Resource", "NotResource"):
        if element in statement:
            fits = any(
                resource_fits(item, resource, context, variables=variables)
                for item in listed(statement[element])
            )
            if fits != (element == "Resource"):
                return False
    return all(
        condition_met(operator, key, wanted, context, variables=variables)
        for operator, keys in statement.get("Condition", {}).items()
        for key, wanted in keys.items()
    )


class Verdict:
    """What policies that are weighed together say: whether one denies, and whom those that allow name."""

    def __init__(
        self,
        documents: JSON,
        line: JSON,
        who: Caller,
        context: dict[str, list[str]],
        *,
        bounded: bool = False,
    ) -> None:
        self.denies = False
        self.allows: set[str] = set()
        for document in documents:
            variables = document.get("Version") == "2012-10-17"
            for statement in listed(document["Statement"]):
                if applies(statement, line, context, variables=variables):
                    names = means(statement, who, bounded=bounded and statement["Effect"] == "Deny")
                    if statement["Effect"] == "Allow":
                        self.allows |= names
                    elif names:
                        self.denies = True


def rcps_of(level: JSON) -> list[JSON]:
    """The RCPs of a level, where RCPFullAWSAccess is too, whether a request names it or not."""
    effects = {statement["Effect"] for document in level for statement in listed(document["Statement"])}
    full = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    return list(level) if "Allow" in effects else [*level, {"Statement": full}]


OF_A_ROLE = (
    "(attach|detach|put|delete)rolepolicy|(create|delete|update)role|(put|delete)rolepermissionsboundary"
    "|updateassumerolepolicy"
)
OF_AWS = (
    (
        "iam:((create|delete|tag|untag)policy|(create|delete)policyversion|setdefaultpolicyversion)",
        ":iam::aws:policy/",
    ),
    (f"iam:({OF_A_ROLE})", ":role/aws-service-role/"),
    (f"iam:({OF_A_ROLE}|(un)?tagrole|updateroledescription)", ":role/aws-reserved/"),
    ("kms:(create|delete|update)alias", ":alias/aws/"),
)
"""Actions that change what is AWS's own, anyone who asks."""


def changes_what_aws_owns(action: str, resource: str) -> bool:
    """The pages on AWS managed policies, service-linked roles, Identity Center's roles and AWS managed
    keys.
    """
    return resource.startswith("arn:") and any(
        re.fullmatch(pattern, action) and part in resource for pattern, part in OF_AWS
    )


def decide(line: JSON) -> str:
    """allowed, explicitly_denied or implicitly_denied."""
    who = Caller(line["principal"])
    context = context_of(line, who)
    action = small(line["action"])
    if action in {"sts:getcalleridentity", "sts:getsessiontoken"}:
        return "allowed"
    if changes_what_aws_owns(action, line["resource"]):
        return "implicitly_denied"
    policies = line.get("policies") or {}
    owner = owner_of(line, who)
    cross = bool(who.account) and owner != who.account
    bounded = bool(policies.get("boundary"))

    def ask(documents: JSON) -> Verdict:
        return Verdict(documents, line, who, context, bounded=bounded)

    assumes = action.startswith("sts:assumerole") or action in {"sts:tagsession", "sts:setsourceidentity"}
    levels: list[Verdict] = []
    if who.kind in {"root", "user", "role", "session", "federated"} and not who.linked and not who.manages:
        levels += [ask(level) for level in policies.get("scps") or []]
    protected = action.split(":")[0] in RCP_SERVICES and action != "kms:retiregrant" and not who.linked
    if assumes and ":role/aws-service-role/" in line["resource"]:
        protected = False
    if protected and not (who.manages and not cross):
        levels += [ask(rcps_of(level)) for level in policies.get("rcps") or []]
    identity = ask(policies.get("identity") or [])
    boundary = ask(policies["boundary"]) if bounded else None
    session = ask(policies["session"]) if policies.get("session") else None
    resource = ask([policies["resource"]] if policies.get("resource") else [])
    endpoint = ask(policies["endpoint"]) if policies.get("endpoint") else None
    if who.kind == "root" and not cross and re.fullmatch("s3:(get|put|delete)bucketpolicy", action):
        resource.denies = False
    everything = [identity, boundary, session, resource, endpoint, *levels]
    if any(verdict is not None and verdict.denies for verdict in everything):
        return "explicitly_denied"
    if not all(verdict.allows for verdict in levels) or (endpoint is not None and not endpoint.allows):
        return "implicitly_denied"
    limits = [verdict is None or bool(verdict.allows) for verdict in (boundary, session)]
    if who.kind == "federated" and session is None:
        limits.append(False)
    if assumes:
        needed = re.match("arn:[^:]*:[^:]*:[^:]*:[^:]*:(user|federated-user)/", line["resource"]) is None
    else:
        needed = re.match("arn:[^:]*:kms:[^:]*:[^:]*:key/", line["resource"]) is not None
    if who.kind in {"service", "provider", "anonymous"}:
        allowed = bool(resource.allows)
    elif who.kind == "root":
        allowed = action != "sts:assumerole" and (not (cross or needed) or bool(resource.allows))
    else:
        own = bool(identity.allows) and all(limits)
        if cross or needed:
            own = own and bool(resource.allows)
        direct = bool(resource.allows & {"self", "all"}) or ("role" in resource.allows and all(limits))
        allowed = own or (direct and not cross)
    return "allowed" if allowed else "implicitly_denied"
