"""The simulated state, and how a request passes through it: faults, caller, moto with overlay, journal."""

from __future__ import annotations

import re
import secrets
import sys
import threading
import traceback
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from moto.core.request import Request
from moto.iam.models import AccessKeyLastUsed, iam_backends
from moto.moto_api._internal import mock_random
from werkzeug.exceptions import HTTPException

from console.demo.standin import callers, calls, clock, enforcement, signed_request, trail
from console.demo.standin.delivery import TrailDelivery
from console.demo.standin.ec2 import Ec2
from console.demo.standin.errors import StandinRefusedError, StandinReply, render
from console.demo.standin.faults import InjectedFaults
from console.demo.standin.iam import IamRequest
from console.demo.standin.journal import WriteEntry, WriteJournal, without_secrets
from console.demo.standin.organizations import OrganizationsRequest
from console.demo.standin.sts import StsRequest
from console.demo.standin.workloads import EksRequest, RolesAnywhere

SERVICES: dict[str, Any] = {
    "iam": IamRequest,
    "sts": StsRequest,
    "organizations": OrganizationsRequest,
    "ec2": Ec2,
    "cloudtrail": trail.CloudTrail,
    "rolesanywhere": RolesAnywhere,
    "eks": EksRequest,
}
DONE = frozenset({200, 201})
"""The HTTP statuses of successful calls. REST services answer a creation with 201."""
USE_NOTED_EVERY = timedelta(minutes=15)
REQUEST_ID = re.compile(r"(<[Rr]equestId>)[^<]*(</[Rr]equestId>)")


@dataclass(frozen=True)
class IncomingRequest:
    """An HTTP request as the server read it. Header names are in lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    source_ip: str = "127.0.0.1"


class StandinWorld:
    """All accounts of the organization. moto's state is global, so a process has only one world."""

    def __init__(self, *, hub: str, journal: WriteJournal | None, seed: Callable[[], None]) -> None:
        self.hub, self.journal, self.seed = hub, journal, seed
        self.faults = InjectedFaults()
        self.enforcing = False
        self.delivery: TrailDelivery | None = None
        self.lock = threading.RLock()

    def reset(self) -> None:
        """Serve the organization as first seeded: no writes, faults or enforcement."""
        with self.lock:
            self.faults.clear()
            self.enforcing = False
            if self.journal is not None:
                self.journal.forget()
            self.seed()

    def serve(self, incoming: IncomingRequest) -> StandinReply:
        """Answer an AWS request. Raises CutOffError if the connection must be closed instead."""
        asked = signed_request.read(
            incoming.headers, incoming.body, query=incoming.query, method=incoming.method, path=incoming.path
        )
        request_id = str(uuid.uuid4())
        try:
            self.faults.delay_or_fail(asked.service, asked.action)
            if asked.service not in SERVICES:
                raise StandinRefusedError(
                    "InvalidAction", f"The stand-in does not serve {asked.service or 'this'}", status=400
                )
            with self.lock:
                return self._serve(incoming, asked, request_id)
        except StandinRefusedError as refusal:
            return render(refusal, service=asked.service, request_id=request_id)

    def _serve(
        self, incoming: IncomingRequest, asked: signed_request.AwsRequest, request_id: str
    ) -> StandinReply:
        caller = callers.identify(asked.access_key_id, hub=self.hub)
        call = calls.StandinCall(
            service=asked.service,
            action=asked.action,
            account=caller.account,
            region=asked.region,
            caller=caller,
            parameters=asked.parameters,
            request_id=request_id,
            seed=secrets.token_hex(8),
            at=clock.utcnow(),
            source_ip=incoming.source_ip,
            user_agent=incoming.headers.get("user-agent", ""),
        )
        try:
            self._admit(call, incoming)
            # A replay sets the same time, so new entities have the same dates after a restart.
            with clock.recorded(call.at):
                reply = self._dispatch(call, incoming)
        except StandinRefusedError as refusal:
            reply = render(refusal, service=asked.service, request_id=request_id)
        event = trail.record(call, reply)
        if self.delivery is not None:
            self.delivery.add(event)
        if asked.is_write and reply.status in DONE and self.journal is not None:
            self.journal.append(without_secrets(_entry(call, incoming)))
        return reply

    def _admit(self, call: calls.StandinCall, incoming: IncomingRequest) -> None:
        """Raise StandinRefusedError for a call on the deny list or, with enforcement, a call that signature
        or policies don't permit.
        """
        if self.faults.is_denied(account=call.account, service=call.service, action=call.action):
            raise StandinRefusedError(
                "AccessDenied",
                f"User: {call.caller.arn} is not authorized to perform: {call.service}:{call.action} "
                "because no "
                "identity-based policy allows the action",
            )
        if self.enforcing:
            enforcement.check_signature(
                call,
                method=incoming.method,
                path=incoming.path,
                query=incoming.query,
                headers=incoming.headers,
                body=incoming.body,
            )
            enforcement.check_permission(call)
        _mark_use(call)

    def _dispatch(self, call: calls.StandinCall, incoming: IncomingRequest) -> StandinReply:
        mock_random.seed(call.seed)
        request = Request.from_primitives(
            incoming.method,
            f"http://standin{incoming.path}" + (f"?{incoming.query}" if incoming.query else ""),
            incoming.headers,
            incoming.body,
        )
        with calls.serving(call):
            try:
                status, headers, body = SERVICES[call.service].dispatch(request)
            except StandinRefusedError:
                raise
            except NotImplementedError:
                raise StandinRefusedError(
                    "InvalidAction", f"The stand-in does not answer {call.service}:{call.action}", status=400
                ) from None
            except HTTPException as error:
                raise StandinRefusedError(
                    "ValidationError", str(error.description), status=error.code or 400
                ) from None
            except Exception:  # noqa: BLE001 - a defect here must look like a failure of AWS, not end the server
                traceback.print_exc(file=sys.stderr)
                raise StandinRefusedError(
                    "InternalFailure", "The stand-in failed; see its log", status=500
                ) from None
        return _reply(status, headers, body, call.request_id)

    def replay(self) -> tuple[int, int]:
        """Replay the stored writes. Returns (repeated, refused). Refused writes are printed on stderr."""
        if self.journal is None:
            return 0, 0
        calls.use_local_key(self.journal.local_key())
        self.journal.compact(now=clock.utcnow())
        done = refused = 0
        for entry in self.journal.entries():
            if self._repeat(entry):
                done += 1
            else:
                refused += 1
                print((f"stand-in: stored {entry.service}:{entry.action} no longer applies"), file=sys.stderr)  # noqa: T201
        return done, refused

    def _repeat(self, entry: WriteEntry) -> bool:
        moment, caller = datetime.fromisoformat(entry.at), calls.StandinCaller(**entry.caller)
        headers = {
            "authorization": "AWS4-HMAC-SHA256 "
            f"Credential={caller.access_key_id}/{moment:%Y%m%d}/{entry.region}/{entry.service}"
            "/aws4_request, SignedHeaders=host, Signature=0",
            "content-type": "application/x-amz-json-1.1"
            if entry.target
            else "application/x-www-form-urlencoded",
        }
        if entry.target:
            headers["x-amz-target"] = entry.target
        if entry.service in signed_request.REST:
            headers["content-type"] = "application/json"
        incoming = IncomingRequest(entry.method, entry.path, "", headers, entry.body.encode())
        asked = signed_request.read(headers, incoming.body, method=entry.method, path=entry.path)
        with self.lock, clock.recorded(moment):
            call = calls.StandinCall(
                service=entry.service,
                action=entry.action,
                account=entry.account,
                region=entry.region,
                caller=caller,
                parameters=asked.parameters,
                request_id=entry.request_id,
                seed=entry.seed,
                at=moment,
                replayed=True,
            )
            try:
                reply = self._dispatch(call, incoming)
            except StandinRefusedError:
                return False
            trail.record(call, reply)
            return reply.status in DONE


def _entry(call: calls.StandinCall, incoming: IncomingRequest) -> WriteEntry:
    method, path = "POST", "/"
    if call.service in signed_request.REST:
        method, path = incoming.method, incoming.path
    return WriteEntry(
        at=call.at.isoformat(),
        service=call.service,
        action=call.action,
        account=call.account,
        region=call.region,
        caller=asdict(call.caller),
        request_id=call.request_id,
        seed=call.seed,
        target=incoming.headers.get("x-amz-target", ""),
        body=incoming.body.decode(),
        method=method,
        path=path,
    )


def _mark_use(call: calls.StandinCall) -> None:
    """Record the use of the caller's key or role, at most once in fifteen minutes, as AWS does."""
    backend = iam_backends[call.account]["aws"]
    key = backend.access_keys.get(call.caller.access_key_id)
    if key is not None and (key.last_used is None or call.at - key.last_used.timestamp >= USE_NOTED_EVERY):
        key.last_used = AccessKeyLastUsed(call.at, call.service, call.region)
    if not call.caller.role_arn:
        return
    for role in backend.roles.values():
        if role.arn != call.caller.role_arn:
            continue
        if role.last_used is None or call.at - role.last_used >= USE_NOTED_EVERY:
            role.last_used = call.at
            role.last_used_region = call.region


def _reply(status: Any, headers: dict[str, str], body: Any, request_id: str) -> StandinReply:
    text = body.decode() if isinstance(body, bytes) else str(body)
    # The request ID is near the end of a response of any length.
    tail_begin = max(0, len(text) - 400)
    tail = REQUEST_ID.sub(rf"\g<1>{request_id}\g<2>", text[tail_begin:])
    answered = f"{text[:tail_begin]}{tail}"
    reply_headers = {name: value for name, value in headers.items() if name.lower() == "content-type"}
    reply_headers["x-amzn-RequestId"] = request_id
    return StandinReply(int(status), reply_headers, answered.encode())
