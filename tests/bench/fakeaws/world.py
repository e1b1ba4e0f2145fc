"""One organisation in memory: finds the account and the action of a request, and answers it or fails it."""

from __future__ import annotations

import asyncio
import collections
import json
import re
import time
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from tests.bench.fakeaws.account import Account
from tests.bench.fakeaws.account_actions import Iam
from tests.bench.fakeaws.accounts import localise, number_of
from tests.bench.fakeaws.bulk import ApiError
from tests.bench.fakeaws.faults import Faults
from tests.bench.fakeaws.managed import load
from tests.bench.fakeaws.other_services import Ec2, Organizations, Sts
from tests.bench.fakeaws.workloads import Workloads

NAMESPACES = {
    "iam": "https://iam.amazonaws.com/doc/2010-05-08/",
    "sts": "https://sts.amazonaws.com/doc/2011-06-15/",
}
REQUEST_ID = "00000000-0000-0000-0000-000000000000"
# Answers that depend on more than the parameters, that are large and different for every account, or that
# tests set.
_NEVER_CACHED = frozenset(
    {
        "GenerateCredentialReport",
        "GetCredentialReport",
        "GetOutboundWebIdentityFederationInfo",
        "ListDelegationRequests",
    }
)
# Empty lists that crawlers insist on, of services that are not served here.
_EMPTY_XML = {
    "DescribeStacks": "<Stacks/>",
    "DescribeLaunchConfigurations": "<LaunchConfigurations/>",
    "ListTopics": "<Topics/>",
}
_EMPTY_JSON: dict[str, list[Any]] = {
    "Functions": [],
    "projects": [],
    "Keys": [],
    "SecretList": [],
    "NotebookInstances": [],
    "TrainingJobSummaries": [],
    "ProcessingJobSummaries": [],
    "analyzers": [],
    "Policies": [],
    "QueueUrls": [],
    "Events": [],
    "PublicKeyList": [],
}
_SCOPE = re.compile(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/")
JSON_TYPE, REST_TYPE, XML_TYPE = "application/x-amz-json-1.1", "application/json", "text/xml"


@dataclass(frozen=True)
class Options:
    """The size of the world, and what is switched on from the start."""

    users: int = 5000
    groups: int = 300
    roles: int = 2000
    policies: int = 1000
    accounts: int = 1
    seed: int = 1
    aws_managed: str | None = None
    managed_scope: str = "attached"
    latency_ms: float = 0
    fault_rate: float = 0
    fault_kinds: str = "throttling,500,reset"
    fault_seed: int = 1
    rate: float = 0
    burst: float = 100


class Reply(NamedTuple):
    """What goes over the wire; `cut` says how the body is to be mistreated ("", "reset", "short")."""

    action: str | None
    status: int
    body: bytes
    content_type: str
    cut: str = ""


class World:
    """State shared by all connections."""

    def __init__(self, options: Options) -> None:
        o = options
        self.account = Account(
            users=o.users,
            groups=o.groups,
            roles=o.roles,
            policies=o.policies,
            seed=o.seed,
            managed=load(o.aws_managed),
            managed_scope=o.managed_scope,
        )
        self.iam, self.sts, self.ec2 = Iam(self.account), Sts(), Ec2(self.account)
        self.organizations = Organizations(o.accounts)
        self.trails: list[dict[str, Any]] = []
        self.workloads = Workloads()
        self.count, self.latency = o.accounts, o.latency_ms / 1000
        self.faults = Faults(
            rate_of_faults=o.fault_rate,
            kinds=tuple(o.fault_kinds.split(",")),
            per_second=o.rate,
            burst=o.burst,
            seed=o.fault_seed,
        )
        self.requests: collections.Counter[str] = collections.Counter()
        self.sent: collections.Counter[str] = collections.Counter()
        self.since = time.time()
        self.connections: set[asyncio.Transport] = set()
        self.warm()

    def warm(self) -> None:
        """Render the pages that everybody asks for, so that a measurement does not pay for it."""
        marker: dict[str, str] = {}
        while True:
            parameters = {"Action": "GetAccountAuthorizationDetails", "MaxItems": "1000", **marker}
            body = self._query("iam", parameters, account=0, region="").body
            match = re.search(rb"<Marker>([^<]+)</Marker>", body[:400])
            if not match:
                return
            marker = {"Marker": match[1].decode()}

    def size(self) -> int:
        """Bytes of authorization details of one account."""
        return sum(len(fragment) for fragments in self.iam.fragments.values() for fragment in fragments)

    def reset(self) -> None:
        """Zero the counters."""
        self.requests.clear()
        self.sent.clear()
        self.faults.reset()
        self.since = time.time()

    def stats(self) -> dict[str, Any]:
        """Requests and bytes by action, faults by kind, since the last reset."""
        return {
            "since_s": round(time.time() - self.since, 3),
            "requests": sum(self.requests.values()),
            "bytes": sum(self.sent.values()),
            "by_action": dict(self.requests.most_common()),
            "bytes_by_action": dict(self.sent.most_common()),
            "faults": dict(self.faults.seen),
        }

    def control(self, name: str, query: dict[str, str]) -> dict[str, Any] | None:
        """Carry out a control request; None when there is none of that name."""
        n, seed = int(query.get("n", 50)), int(query.get("seed", 1))
        if name == "/_reset":
            self.reset()
        elif name == "/_config":
            self._configure(query)
        elif name == "/_touch":
            return self.touch(n, seed=seed)
        elif name == "/_mutate":
            return self.mutate(n, seed=seed)
        elif name == "/_report":
            self.iam.report.age(float(query.get("age_hours", 0)))
        elif name != "/_stats":
            return None
        return self.stats()

    def touch(self, n: int, *, seed: int = 1) -> dict[str, Any]:
        """Change only when things were last used; a new credential report says so too."""
        users, roles = self.account.touch(n, seed=seed)
        self._changed(roles)
        return {"users": [e["arn"] for e in users], "roles": [e["arn"] for e in roles]}

    def mutate(self, n: int, *, seed: int = 1) -> dict[str, Any]:
        """Change a tag of n users and roles and the default version of n policies."""
        principals, policies = self.account.mutate(n, seed=seed)
        self._changed(principals + policies)
        return {"principals": [e["arn"] for e in principals], "policies": [p["arn"] for p in policies]}

    def _changed(self, entities: list[dict[str, Any]]) -> None:
        self.iam.rerender(entities)
        self.iam.report.forget()
        self.warm()

    def _configure(self, query: dict[str, str]) -> None:
        self.latency = float(query.get("latency_ms", self.latency * 1000)) / 1000
        self.iam.report.steps = int(query.get("report_steps", self.iam.report.steps))
        self.organizations.exists = query.get("organization", str(int(self.organizations.exists))) != "0"
        self.faults.configure(query)

    def answer(self, method: str, path: str, headers: dict[bytes, bytes], body: bytes) -> Reply:
        """The reply to one HTTP request."""
        place, _, query = path.partition("?")
        if place.startswith("/_"):
            control = self.control(place, dict(parse_qsl(query, keep_blank_values=True)))
            return Reply(
                None,
                404 if control is None else 200,
                json.dumps(control, indent=1).encode(),
                "application/json",
            )
        authorization = headers.get(b"authorization", b"")
        scope = _SCOPE.search(authorization.decode("latin1"))
        region, service = (scope[1], scope[2]) if scope else ("us-east-1", "iam")
        account = number_of(authorization, count=self.count)
        target = headers.get(b"x-amz-target")
        if target:
            return self._json(service, target.decode().split(".")[-1], body, account=account)
        parameters = dict(parse_qsl(body.decode("latin1") if body else query, keep_blank_values=True))
        parameters.pop("Version", None)
        rest = self.workloads.answer(service, place, region=region)
        if rest is not None:
            fault = self.faults.of(service, rest.action.partition(":")[2], account=account)
            reply = Reply(rest.action, 200, json.dumps(rest.body).encode(), REST_TYPE)
            return self._spoiled(reply, fault, service) if fault else reply
        if "Action" not in parameters:
            return self._foreign(service, f"{method} {place}")
        fault = self.faults.of(service, parameters["Action"], account=account)
        reply = self._query(service, parameters, account=account, region=region)
        return self._spoiled(reply, fault, service) if fault else reply

    def _query(self, service: str, parameters: dict[str, str], *, account: int, region: str) -> Reply:
        action = parameters["Action"]
        holder = {"iam": self.iam, "sts": self.sts, "ec2": self.ec2}.get(service)
        if holder is None or not hasattr(holder, action):
            inner = _EMPTY_XML.get(action, "")
            body = f"<{action}Response><{action}Result>{inner}</{action}Result></{action}Response>"
            return Reply(f"other:{service}:{action}", 200, body.encode(), XML_TYPE)
        name = action if service == "iam" else f"{service}:{action}"
        key = (service, region if service == "ec2" else "", tuple(sorted(parameters.items())))
        body_bytes = self.iam.cache.get(key)
        if body_bytes is None:
            try:
                inner = getattr(holder, action)({**parameters, "_acct": account, "_region": region})
            except ApiError as error:
                return Reply(name, *_xml_error(error, service))
            except KeyError as error:
                return Reply(name, *_xml_error(ApiError(400, "ValidationError", f"missing {error}"), service))
            body_bytes = _wrapped(service, action, inner)
            if action not in _NEVER_CACHED and service != "sts":
                self.iam.cache[key] = body_bytes
        return Reply(name, 200, localise(body_bytes, account), XML_TYPE)

    def _json(self, service: str, action: str, body: bytes, *, account: int) -> Reply:
        if action == "DescribeTrails":
            answer = json.dumps({"trailList": self.trails}).encode()
            return Reply("cloudtrail:DescribeTrails", 200, answer, JSON_TYPE)
        if service != "organizations" or not hasattr(self.organizations, action):
            return self._foreign(service, action)
        name = f"organizations:{action}"
        fault = self.faults.of(service, action, account=account)
        try:
            answer = self.organizations.call(action, json.loads(body or b"{}"))
        except ApiError as error:
            return Reply(name, *_json_error(error))
        reply = Reply(name, 200, json.dumps(answer).encode(), JSON_TYPE)
        return self._spoiled(reply, fault, service) if fault else reply

    @staticmethod
    def _foreign(service: str, action: str) -> Reply:
        if service == "s3":
            body = b"<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>"
            return Reply(f"other:{service}:{action}", 200, body, XML_TYPE)
        return Reply(f"other:{service}:{action}", 200, json.dumps(_EMPTY_JSON).encode(), "application/json")

    @staticmethod
    def _spoiled(reply: Reply, fault: str, service: str) -> Reply:
        if fault in ("reset", "short"):
            return reply._replace(cut=fault)
        if fault == "malformed":
            return reply._replace(body=reply.body[: len(reply.body) // 2])
        make = _xml_error if reply.content_type == XML_TYPE else _json_error
        action = f"{service}:{(reply.action or '').rpartition(':')[2]}"
        return Reply(reply.action, *make(_fault_error(fault, action), service))


def _fault_error(fault: str, action: str) -> ApiError:
    if fault == "denied":
        message = (
            f"User: arn:aws:iam::111111111111:user/user-00000 is not authorized to perform: {action} "
            f"on resource: * because no identity-based policy allows the {action} action"
        )
        return ApiError(403, "AccessDenied", message)
    if fault == "missing":
        return ApiError(400, "ParentNotFoundException", "You can't find a root or OU with the ParentId.")
    if fault == "500":
        return ApiError(500, "ServiceFailure", "The request processing has failed.")
    return ApiError(400, "Throttling", "Rate exceeded")


def _wrapped(service: str, action: str, inner: str | bytes) -> bytes:
    tag, inside = action.encode(), inner.encode() if isinstance(inner, str) else inner
    if service == "ec2":
        return b"<%sResponse><requestId>%s</requestId>%s</%sResponse>" % (
            tag,
            REQUEST_ID.encode(),
            inside,
            tag,
        )
    metadata = b"<ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata>" % REQUEST_ID.encode()
    head = b'<%sResponse xmlns="%s"><%sResult>' % (tag, NAMESPACES[service].encode(), tag)
    return b"".join((head, inside, b"</%sResult>" % tag, metadata, b"</%sResponse>" % tag))


def _xml_error(error: ApiError, service: str) -> tuple[int, bytes, str]:
    kind = "Sender" if error.status < 500 else "Receiver"
    if service == "ec2":
        inner = f"<Code>{error.code}</Code><Message>{escape(str(error))}</Message>"
        body = (
            f"<Response><Errors><Error>{inner}</Error></Errors><RequestID>{REQUEST_ID}</RequestID></Response>"
        )
        return error.status, body.encode(), XML_TYPE
    inner = f"<Type>{kind}</Type><Code>{error.code}</Code><Message>{escape(str(error))}</Message>"
    namespace = NAMESPACES.get(service, NAMESPACES["iam"])
    body = (
        "<ErrorResponse "
        f'xmlns="{namespace}"><Error>{inner}</Error><RequestId>{REQUEST_ID}</RequestId></ErrorResponse>'
    )
    return error.status, body.encode(), XML_TYPE


def _json_error(error: ApiError, service: str = "organizations") -> tuple[int, bytes, str]:
    codes = {"AccessDenied": "AccessDeniedException", "Throttling": "TooManyRequestsException"}
    body = {"__type": codes.get(error.code, error.code), "Message": str(error)}
    return 400 if error.status < 500 else 500, json.dumps(body).encode(), JSON_TYPE
