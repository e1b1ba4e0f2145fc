"""moto's IAM with what it lacks or answers untruly laid over it."""

from __future__ import annotations

from typing import Any

from moto.iam.responses import IamResponse

from console.demo.standin.iam.details import AuthorizationDetails
from console.demo.standin.iam.gets import Gets
from console.demo.standin.iam.lists import Lists


class Iam(Gets, Lists, AuthorizationDetails, IamResponse):  # type: ignore[misc]
    """One IAM request; each mixin answers the calls of one concern, moto the rest."""

    # The shapes are complete and encoded already; moto's corrections would encode them again.
    RESPONSE_KEY_PATH_TO_TRANSFORMER: dict[str, Any] = {}
