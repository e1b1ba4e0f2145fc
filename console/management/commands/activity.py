"""`manage.py activity PRINCIPAL`: what a user, role, key or account did in AWS, as CloudTrail recorded it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet

from iam.activity.models import TrailCaller, TrailEvent
from iam.activity.queries import (
    ActionCalls,
    ActivityFilter,
    AddressCalls,
    ServiceCalls,
    actions_in,
    actions_used,
    addresses_in,
    addresses_of,
    by_service,
    callers_named,
    events_of,
    events_of_key,
    events_page,
    extent,
    shown_address,
)

EVENTS_SHOWN: Final = 100
KEY: Final = re.compile(r"A[KS]IA[A-Z0-9]{12,}")


class Command(BaseCommand):
    """Prints the activity of the principals with a name, ARN, unique ID or access key."""

    help = (
        "Show what a user, role, access key or root user did in AWS: services, actions, and the newest calls."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the principal, the start, and --json."""
        parser.add_argument(
            "principal", metavar="PRINCIPAL", help="an ARN, a name, a unique ID, or an access key"
        )
        parser.add_argument("--since", metavar="T", help="from this day or time on, such as 2026-11-01")
        parser.add_argument("--json", action="store_true", help="print the activity as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the activity. Raises CommandError for a principal without any event."""
        wanted = ActivityFilter(since=_moment(options["since"]))
        name = options["principal"]
        made = _of_key(name, wanted) if KEY.fullmatch(name) else _of_principal(name, wanted)
        if options["json"]:
            self.stdout.write(json.dumps(made, indent=2))
        else:
            self._print(made)

    def _print(self, made: dict[str, Any]) -> None:
        for principal in made["principals"]:
            name = principal["arn"] or principal["name"]
            self.stdout.write(f"{principal['kind']} {name}")
        self.stdout.write(f"{made['calls']:,} calls, {made['denied']:,} denied")
        for service in made["services"]:
            self.stdout.write(f"  {service['service']:<24} {service['calls']:>9,}  last {service['last']}")
        for event in made["events"]:
            error = f"  {event['error']}" if event["error"] else ""
            self.stdout.write(f"{event['time']}  {event['action']:<40} {event['resource']}{error}")


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(
            f"“{text}” isn’t a date. Write it like 2026-11-01 or 2026-11-01T08:00:00Z."
        ) from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _of_principal(name: str, wanted: ActivityFilter) -> dict[str, Any]:
    """Return the activity of the users and roles with a name, ARN or unique ID."""
    callers = callers_named(name)
    if not callers:
        raise _unknown(name)
    pks = [caller.pk for caller in callers]
    events = events_of(pks, wanted)
    used, addresses = actions_used(pks), addresses_of(pks)
    if wanted.since is not None:
        used, addresses = actions_in(events), addresses_in(events)
    made = _activity(used, events, callers)
    shown = [_address(row) for row in addresses]
    return {"principals": [_caller(caller) for caller in callers], **made, "addresses": shown}


def _of_key(access_key: str, wanted: ActivityFilter) -> dict[str, Any]:
    """Return the activity of an access key; `principals` are those who used it."""
    every = events_of_key(access_key, ActivityFilter())
    callers = TrailCaller.objects.filter(pk__in=every.values("caller_id").distinct())
    if not callers:
        raise _unknown(access_key)
    events = events_of_key(access_key, wanted)
    made = _activity(actions_in(events), events, callers)
    return {"principals": [_caller(caller) for caller in callers], **made}


def _unknown(name: str) -> CommandError:
    known = extent()
    if known is None:
        return CommandError("Gatehouse knows no events. Read some with manage.py ingest_trail.")
    period = f"{known.first_at:%Y-%m-%d} to {known.last_at:%Y-%m-%d}"
    return CommandError(f"No known call was made by {name}. Gatehouse knows events from {period}.")


def _activity(
    actions: list[ActionCalls], events: QuerySet[TrailEvent], callers: Iterable[TrailCaller]
) -> dict[str, Any]:
    """Return the part of the output that principals and keys share."""
    services = by_service(actions)
    return {
        "known": _known({caller.account_id for caller in callers}),
        "calls": sum(service.calls for service in services),
        "errors": sum(service.errors for service in services),
        "denied": sum(service.denied for service in services),
        "services": [_service(service, actions) for service in services],
        "events": [_event(event) for event in events_page(events, size=EVENTS_SHOWN).rows],
    }


def _known(accounts: set[str]) -> dict[str, str] | None:
    """Return the period for which events of these principals' accounts are known; None for an AWS service."""
    spans = [span for account in accounts if (span := extent(account or None))]
    if not spans:
        return None
    first, last = min(span.first_at for span in spans), max(span.last_at for span in spans)
    return {"from": first.isoformat(), "to": last.isoformat()}


def _caller(caller: TrailCaller) -> dict[str, Any]:
    return {
        "kind": caller.kind,
        "account": caller.account_id,
        "arn": caller.arn,
        "unique_id": caller.unique_id,
        "name": caller.name,
    }


def _address(row: AddressCalls) -> dict[str, Any]:
    return {
        "address": row.address,
        "calls": row.calls,
        "first": row.first_at.isoformat(),
        "last": row.last_at.isoformat(),
    }


def _service(service: ServiceCalls, actions: list[ActionCalls]) -> dict[str, Any]:
    return {
        "service": service.service,
        "calls": service.calls,
        "errors": service.errors,
        "denied": service.denied,
        "first": service.first_at.isoformat(),
        "last": service.last_at.isoformat(),
        "actions": [_action(action) for action in actions if action.service == service.service],
    }


def _action(action: ActionCalls) -> dict[str, Any]:
    return {
        "action": action.action,
        "calls": action.calls,
        "errors": action.errors,
        "denied": action.denied,
        "last": action.last_at.isoformat(),
    }


def _event(event: TrailEvent) -> dict[str, Any]:
    return {
        "id": str(event.event_id),
        "time": event.at.isoformat(),
        "account": event.account_id,
        "region": event.region,
        "action": f"{event.service}:{event.action}",
        "resource": event.resource,
        "error": event.error_code,
        "denied": event.is_denied,
        "address": shown_address(event),
        "tool": event.tool,
        "access_key": event.access_key,
        "session": event.session_name,
        "source_identity": event.source_identity,
        "person": event.person,
        "mfa": event.mfa,
    }
