"""Templates and headers of user and role pages by kind, also for tabs of other areas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from console.identities.details.people import person_head
from console.identities.details.roles import role_head
from iam.mirror.models import Kind

PRINCIPAL_PAGES: Final = {
    Kind.USER.value: "identities/person.html",
    Kind.ROLE.value: "identities/role.html",
}
PRINCIPAL_HEADS: Final[dict[str, Callable[..., dict[str, Any]]]] = {
    Kind.USER.value: person_head,
    Kind.ROLE.value: role_head,
}
