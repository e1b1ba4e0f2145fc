"""Reads the address of a question about who can: what is asked, about whom and when; and says what in it made no sense."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from django.http import Http404

from console.access.circumstances import Circumstances, circumstances_of
from console.web.access import ViewerRequest
from console.web.context import frame_of
from console.web.paging import Cursor, CursorError, decode, encode
from console.web.query import Query
from iam.access.actions import ActionsError, Meant, actions_meant
from iam.access.sight import accounts_seen
from iam.access.who_can import ORDER, Asked, Place, Row
from iam.mirror.models import Account
from iam.mirror.queries.keyset import Place as Kept
from iam.policy.request import account_of

LONGEST: Final = 2048
ARN_FIELDS: Final = 6
ACCOUNT: Final = re.compile(r"[0-9]{12}")
SEPARATOR: Final = " "
EXAMPLE: Final = "arn:aws:s3:::bucket/*"


@dataclass(slots=True)
class Address:
    """An address, read. `asked` is None where nothing can be asked; `query` is the same address in its plain form, without the
    place; `errors` are sentences by field."""

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

    @property
    def is_blank(self) -> bool:
        """Whether nothing is asked yet."""
        return not (self.action or self.level or self.resource)

    @property
    def is_wrong(self) -> bool:
        """Whether something that was asked cannot be answered."""
        return self.asked is None and not self.is_blank


def read(request: ViewerRequest) -> Address:
    """The address of the request; an account that the viewer does not see is 404."""
    get = request.GET
    account = frame_of(request).chosen
    if get.get("account") and account is None:
        raise Http404
    action, level, owner = (get.get(name, "").strip()[:LONGEST] for name in ("action", "level", "owner"))
    resource = get.get("resource", "").strip()[: LONGEST + 1]
    circumstances = circumstances_of(get, action=action)
    query = Query.of(
        [
            ("action", action),
            ("level", level),
            ("resource", resource),
            ("owner", owner),
            *circumstances.pairs,
            ("account", account.account_id if account else ""),
            ("as-of", get.get("as-of", "") if request.at else ""),
        ]
    )
    found = Address(action, level, resource, owner, account, circumstances, query)
    if not found.is_blank:
        _ask(found, request)
    return found


def _ask(found: Address, request: ViewerRequest) -> None:
    resource = found.resource or "*"
    if problem := resource_problem(resource):
        found.errors["resource"] = problem
    if problem := owner_problem(found.owner, resource=resource):
        found.errors["owner"] = problem
    meant = _meant(found, "*" if "resource" in found.errors else resource)
    if meant is None or found.errors or found.circumstances.errors:
        return
    viewer = request.viewer
    place = found.owner or account_of(resource)
    found.asked = Asked(
        meant,
        resource,
        context=found.circumstances.context,
        strict=found.circumstances.strict,
        owner=found.owner,
        accounts=accounts_seen(viewer, account=found.account.account_id if found.account else ""),
        at=request.at,
        is_hidden=bool(place) and not viewer.scope.sees_account(place),
    )
    _read_place(found, request)


def _meant(found: Address, resource: str) -> Meant | None:
    try:
        return actions_meant(found.action, level=found.level, resource=resource)
    except ActionsError as error:
        found.errors["action"] = str(error)
        return None


def resource_problem(text: str) -> str:
    """Why a text is no resource that can be asked about; empty where it is one."""
    if len(text) > LONGEST:
        return f"A resource has at most {LONGEST} characters."
    if not text.isprintable() or " " in text:
        return "A resource has no spaces and no signs that cannot be seen."
    if text.strip("*") == "":
        return ""
    parts = text.split(":", ARN_FIELDS - 1)
    if parts[0] != "arn" or len(parts) < ARN_FIELDS or not parts[-1]:
        return f"This is no ARN. Write one such as {EXAMPLE}, or * for any resource."
    return ""


def owner_problem(text: str, *, resource: str) -> str:
    """Why a text cannot be the account of a resource; empty where it can, or nothing is said."""
    if text and ACCOUNT.fullmatch(text) is None:
        return "An account number has twelve digits."
    told = account_of(resource)
    if text and told != text and ACCOUNT.fullmatch(told):
        return f"The ARN says that the resource is in {told}. Leave this empty, or change the ARN."
    return ""


def _read_place(found: Address, request: ViewerRequest) -> None:
    """The place after or before which the page begins, never both."""
    for name in ("after", "before"):
        if not (word := request.GET.get(name, "")):
            continue
        try:
            cursor = decode(word, kind=str)
            place_of(cursor)
        except CursorError:
            found.problem = "The address names a place that is not in this answer: this is its beginning."
            return
        setattr(found, name, cursor)
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
