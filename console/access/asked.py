"""Reads the address of a "Who can" question: what is asked, what is assumed, how the answer is narrowed; and
what is wrong with it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from django.http import Http404, QueryDict

from console.access.circumstances import ANY, REGION_KEY, Circumstances, circumstances_of
from console.web.access import ViewerRequest
from console.web.context import frame_of
from console.web.paging import Cursor, CursorError, decode, encode
from console.web.query import Query
from iam.access.actions import ActionsError, Meant, actions_meant
from iam.access.answers import ORDER, Narrowed, Place
from iam.access.certainty import Certainty
from iam.access.usual import Candidate, accounts_naming, likely_owner, region_of, usual_regions
from iam.access.visible_accounts import accounts_seen
from iam.access.who_can import Asked, Row
from iam.mirror.models import Account
from iam.mirror.queries.keyset import Place as Kept
from iam.policy.request import PrincipalKind, account_of

LONGEST: Final = 2048
ARN_FIELDS: Final = 6
ACCOUNT: Final = re.compile(r"[0-9]{12}")
SEPARATOR: Final = " "
EXAMPLE: Final = "arn:aws:s3:::my-bucket/*"
SHOWN: Final = 80
KINDS: Final = {"users": PrincipalKind.USER, "roles": PrincipalKind.ROLE}
KEY: Final = re.compile(r"[0-9a-f]{12}")
MFA_USUAL: Final = "yes"


@dataclass(slots=True)
class Address:
    """An address, read. `asked` is None where nothing can be asked; `query` is the same address in its plain
    form, with what is assumed and without the place; `errors` are sentences by field.

    `owner` is the account of the resource, "any" where each principal's own account is meant; `candidates`
    are the accounts whose policies name the resource, `is_owner_assumed` says that the most likely of them
    was taken. `regions` are the usual ones.
    """

    action: str
    level: str
    resource: str
    owner: str
    account: Account | None
    circumstances: Circumstances
    query: Query
    errors: dict[str, str] = field(default_factory=dict)
    asked: Asked | None = None
    after: Cursor | None = None
    before: Cursor | None = None
    problem: str = ""
    candidates: list[Candidate] = field(default_factory=list)
    is_owner_assumed: bool = False
    regions: list[str] = field(default_factory=list)
    narrowed: Narrowed = field(default_factory=Narrowed)
    view: str = ""

    @property
    def is_filtered(self) -> bool:
        """Whether the answer is narrowed by a text, a kind or a certainty."""
        return bool(self.narrowed.text or self.narrowed.kind or self.narrowed.certainty)

    @property
    def is_list(self) -> bool:
        """Whether the answer is one list with pages, not groups."""
        return self.view == "list" or bool(self.narrowed.way)

    @property
    def is_blank(self) -> bool:
        """Whether nothing is asked yet."""
        return not (self.action or self.level or self.resource)

    @property
    def is_wrong(self) -> bool:
        """Whether something that was asked cannot be answered."""
        return self.asked is None and not self.is_blank


def read(request: ViewerRequest) -> Address:
    """The address of the request; an account that the viewer doesn't see is 404."""
    get = request.GET.copy()
    account = frame_of(request).chosen
    if get.get("account") and account is None:
        raise Http404
    action, level, owner = (get.get(name, "").strip()[:LONGEST] for name in ("action", "level", "owner"))
    resource = get.get("resource", "").strip()[: LONGEST + 1]
    is_blank = not (action or level or resource)
    account_id = account.account_id if account else ""
    seen = accounts_seen(request.viewer, account=account_id)
    regions = [] if is_blank else usual_regions(seen)
    candidates = [] if is_blank else accounts_naming(resource, accounts_seen(request.viewer))
    is_owner_assumed = not owner and bool(likely := likely_owner(candidates))
    if is_owner_assumed:
        owner = likely
    if not is_blank:
        _assume(get, action=action, resource=resource, regions=regions)
    now = None if is_blank else request.at or datetime.now(tz=UTC)
    circumstances = circumstances_of(get, action=action, now=now)
    narrowed, view = _narrowed(get), "list" if get.get("view") == "list" else ""
    query = Query.of(
        [
            ("action", action),
            ("level", level),
            ("resource", resource),
            ("owner", owner),
            *circumstances.pairs,
            *_narrowing(get, narrowed, view),
            ("account", account.account_id if account else ""),
            ("as-of", get.get("as-of", "") if request.at else ""),
        ]
    )
    address = Address(action, level, resource, owner, account, circumstances, query)
    address.regions, address.candidates, address.is_owner_assumed = regions, candidates, is_owner_assumed
    address.narrowed, address.view = narrowed, view
    if not address.is_blank:
        _ask(address, request)
    return address


def _assume(get: QueryDict, *, action: str, resource: str, regions: list[str]) -> None:
    """MFA and the usual Region, where the address does not say anything else."""
    for name in ("mfa", "region"):
        if name in get and not str(get[name]).strip():
            get[name] = ANY
    keys = {setting.partition("=")[0].strip().lower() for setting in get.getlist("ctx")}
    if "mfa" not in get and "aws:multifactorauthpresent" not in keys:
        get["mfa"] = MFA_USUAL
    region = region_of(action, resource, regions)
    if region and "region" not in get and REGION_KEY.lower() not in keys:
        get["region"] = region


def _narrowed(get: QueryDict) -> Narrowed:
    certainty, way = get.get("certainty", ""), get.get("way", "")
    wanted_certainty = Certainty(certainty) if certainty in set(Certainty) else None
    way_key = way if KEY.fullmatch(way) else ""
    return Narrowed(
        text=" ".join(get.get("q", "").replace("\x00", "")[:200].split()),
        kind=KINDS.get(get.get("kind", "")),
        certainty=wanted_certainty,
        way=way_key,
    )


def _narrowing(get: QueryDict, narrowed: Narrowed, view: str) -> list[tuple[str, str]]:
    return [
        ("q", narrowed.text),
        ("kind", get.get("kind", "") if narrowed.kind else ""),
        ("certainty", str(narrowed.certainty or "")),
        ("way", narrowed.way),
        ("view", view),
    ]


def _ask(address: Address, request: ViewerRequest) -> None:
    resource = address.resource or "*"
    if problem := resource_problem(resource):
        address.errors["resource"] = problem
    if problem := owner_problem(address.owner, resource=resource):
        address.errors["owner"] = problem
    valid_resource = "*" if "resource" in address.errors else resource
    meaning = _meant(address, valid_resource)
    if meaning is None or address.errors or address.circumstances.errors:
        return
    viewer = request.viewer
    owner = "" if address.owner == ANY else address.owner
    place = owner or account_of(resource)
    account_id = address.account.account_id if address.account else ""
    address.asked = Asked(
        meaning,
        resource,
        context=address.circumstances.context,
        strict=address.circumstances.strict,
        is_any_time=address.circumstances.is_any_time,
        is_now=address.circumstances.assumed_now,
        owner=owner,
        accounts=accounts_seen(viewer, account=account_id),
        at=request.at,
        is_hidden=bool(place) and not viewer.scope.sees_account(place),
    )
    _read_place(address, request)


def _meant(address: Address, resource: str) -> Meant | None:
    try:
        return actions_meant(address.action, level=address.level, resource=resource)
    except ActionsError as error:
        address.errors["action"] = str(error)
        return None


def resource_problem(text: str) -> str:
    """Why a text isn't a resource that can be asked about; empty where it is one."""
    shown = f"“{text[:SHOWN]}{'…' if len(text) > SHOWN else ''}”"
    if len(text) > LONGEST:
        return f"{shown} is too long. An ARN has at most {LONGEST:,} characters."
    if not text.isprintable() or " " in text:
        return f"{shown} contains spaces or invisible characters. Enter an ARN such as {EXAMPLE}."
    if text.strip("*") == "":
        return ""
    parts = text.split(":", ARN_FIELDS - 1)
    if parts[0] != "arn" or len(parts) < ARN_FIELDS or not parts[-1]:
        return f"{shown} isn’t a valid ARN. Enter one such as {EXAMPLE}, or * for any resource."
    return ""


def owner_problem(text: str, *, resource: str) -> str:
    """Why a text cannot be the account of a resource; empty where it can, or where nothing is said."""
    if not text or text == ANY:
        return ""
    if ACCOUNT.fullmatch(text) is None:
        return f"“{text[:SHOWN]}” isn’t an account ID. An account ID has 12 digits."
    owner = account_of(resource)
    if owner != text and ACCOUNT.fullmatch(owner):
        return f"The ARN says that the resource is in account {owner}. Leave this empty, or change the ARN."
    return ""


def _read_place(address: Address, request: ViewerRequest) -> None:
    """The place after or before which the page begins, never both."""
    for name in ("after", "before"):
        if not (word := request.GET.get(name, "")):
            continue
        try:
            cursor = decode(word, kind=str)
            place_of(cursor)
        except CursorError:
            address.problem = "This page link doesn’t belong to this answer, so you see its first page."
            return
        setattr(address, name, cursor)
        return


def place_of(cursor: Cursor | None) -> Place | None:
    """The place that a cursor names. Raises CursorError where it cannot be one of an answer."""
    if cursor is None:
        return None
    rank, _, rest = str(cursor.place.value).partition(SEPARATOR)
    account, _, arn = rest.partition(SEPARATOR)
    if rank not in {str(place) for place in range(len(ORDER))}:
        raise CursorError
    return Place(int(rank), account, arn)


def cursor_of(row: Row, *, number: int) -> str:
    """The place of a row as a word of an address."""
    return encode(Cursor(Kept(SEPARATOR.join(map(str, row.place)), row.pk), number))
