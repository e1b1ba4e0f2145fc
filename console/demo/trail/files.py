"""The simulated trail as files, one per day and account, as CloudTrail delivers them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from typing import Any

from console.demo.organisation.specs import AccountSpec, OrganizationSpec
from console.demo.trail.routine import routine
from console.demo.trail.stories import stories


def trail_files(organisation: OrganizationSpec, until: datetime) -> Iterator[tuple[str, bytes]]:
    """Yield the name and content of each file, by account, the oldest day first.

    `until` is the time of the latest use in the organization, in UTC. The same time gives the same bytes.
    """
    for account in organisation.accounts:
        records = records_of_account(organisation, account, until)
        records.sort(key=lambda record: (record["eventTime"], record["eventID"]))
        for day, records_of_day in groupby(records, key=lambda record: record["eventTime"][:10]):
            yield _name(account, day), _content(list(records_of_day))


def records_of_account(
    organisation: OrganizationSpec, account: AccountSpec, until: datetime
) -> list[dict[str, Any]]:
    """Return all records of an account, in no particular order."""
    planted = stories(organisation, until)
    own = [record for record in planted if record["recipientAccountId"] == account.id]
    return [*routine(organisation, account, until), *own]


def _name(account: AccountSpec, day: str) -> str:
    folder = f"AWSLogs/{account.id}/CloudTrail/eu-west-1/{day.replace('-', '/')}"
    return f"{folder}/{account.id}_CloudTrail_eu-west-1_{day.replace('-', '')}T2359Z_sample.json.gz"


def _content(records: list[dict[str, Any]]) -> bytes:
    return gzip.compress(json.dumps({"Records": records}).encode(), mtime=0)
