"""Users, groups, roles and managed policies: streamed from GetAccountAuthorizationDetails, and decoded only
if their bytes have changed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from iam.aws.reads.authorization import AuthorizationItem, AuthorizationPage, stream_authorization
from iam.aws.records import LastUsed
from iam.mirror.models import Kind
from iam.mirror.pull.entity_cache import EntityRow
from iam.mirror.pull.facts import FoundEntity, SectionPart
from iam.mirror.pull.job import LiveJob, PullJob, SectionReading
from iam.mirror.pull.sections import GROUPS, POLICIES, ROLES, USERS
from iam.mirror.pull.transform.credentials import VIRTUAL
from iam.mirror.pull.transform.principals import Intern, found_of

PAGE_SIZE = 1000
"""AWS's maximum page size."""
SECTION_OF = {
    Kind.USER.value: USERS,
    Kind.GROUP.value: GROUPS,
    Kind.ROLE.value: ROLES,
    Kind.POLICY.value: POLICIES,
}


Digest = Callable[[str, str], bytes | None]


@dataclass
class BulkAuthorization:
    """The parsed bulk response: changed and unchanged entities, and the last use of each role by
    unique ID.
    """

    found: dict[str, list[FoundEntity]] = field(default_factory=lambda: {kind: [] for kind in SECTION_OF})
    unchanged: dict[str, list[tuple[str, str]]] = field(
        default_factory=lambda: {kind: [] for kind in SECTION_OF}
    )
    last_used: dict[str, LastUsed | None] = field(default_factory=dict)

    def add(self, item: AuthorizationItem, *, account_id: str, intern: Intern, known: Digest) -> None:
        """Add one entity; `known` returns the digest that the mirror has of it."""
        if item.kind == Kind.ROLE:
            self.last_used[item.aws_id] = item.last_used
        if item.record is None or item.digest == known(item.kind, item.aws_id):
            self.unchanged[item.kind].append((item.kind, item.aws_id))
        else:
            self.found[item.kind].append(
                found_of(item.record, account_id=account_id, digest=item.digest, intern=intern)
            )


def read_authorization(job: LiveJob) -> SectionReading[BulkAuthorization]:
    """Read all pages. Documents are stored page by page, so that only their digests stay in memory."""
    pages = 0

    def get() -> BulkAuthorization:
        nonlocal pages
        bulk = BulkAuthorization()
        for page in stream_authorization(job.aws, page_size=PAGE_SIZE, known=job.census.digest):
            pages = page.number
            _take_page(job, bulk, page)
        return bulk

    reading = job.read(USERS, get)
    reading.is_partial = reading.error is not None and pages > 0
    return reading


def _take_page(job: LiveJob, bulk: BulkAuthorization, page: AuthorizationPage) -> None:
    for item in page.items:
        bulk.add(
            item, account_id=job.account.account_id, intern=job.documents.intern, known=job.census.digest
        )
    job.documents.flush()
    job.progress.check()


def parts_of(job: PullJob, reading: SectionReading[BulkAuthorization]) -> list[SectionPart]:
    """The four sections of a complete response; empty if there is none."""
    if reading.value is None:
        return []
    return [
        SectionPart(
            section=section,
            seen=job.observation(section, at=reading.began_at),
            found=reading.value.found[kind],
            unchanged=reading.value.unchanged[kind],
            covers=is_of_kind(kind),
        )
        for kind, section in SECTION_OF.items()
    ]


def is_of_kind(*kinds: str) -> Callable[[EntityRow], bool]:
    """Return a test for entities of these kinds."""
    wanted = frozenset(kinds)
    return lambda known: known.kind in wanted


def is_virtual_device(known: EntityRow) -> bool:
    """True if the entity is a virtual MFA device, which the account-wide list includes."""
    return known.kind == Kind.MFA_DEVICE and VIRTUAL in known.aws_id
