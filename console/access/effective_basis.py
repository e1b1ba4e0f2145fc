"""Says from which policies effective access was computed."""

from __future__ import annotations

from iam.access.effective import EffectiveBasis
from iam.phrases import joined


def basis_words(basis: EffectiveBasis, *, plain: bool) -> str:
    """Return 'Computed from 6 policies, the boundary DeveloperBoundary and 2 SCPs.'"""
    if plain:
        return _plain_basis_words(basis)
    parts = [f"{basis.policies} polic{'y' if basis.policies == 1 else 'ies'}"]
    if basis.boundary:
        parts.append(f"the boundary {basis.boundary}")
    parts += [
        f"{count} {name}{'' if count == 1 else 's'}"
        for count, name in ((basis.scps, "SCP"), (basis.rcps, "RCP"))
        if count
    ]
    exempt = " No SCP restricts it." if basis.is_exempt else ""
    return f"Computed from {joined(parts)}.{exempt}"


def _plain_basis_words(basis: EffectiveBasis) -> str:
    """Return 'Computed from 6 lists of permissions and the limits of your organization.'"""
    parts = [f"{basis.policies} list{'' if basis.policies == 1 else 's'} of permissions"]
    if basis.boundary:
        parts.append(f"the limit {basis.boundary}")
    if basis.scps:
        parts.append("the limits of your organization")
    return f"Computed from {joined(parts)}."
