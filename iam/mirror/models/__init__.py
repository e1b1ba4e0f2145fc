"""The tables of the mirror."""

from iam.mirror.models.accounts import Account, Pull, PullSection, Section, SectionState
from iam.mirror.models.entities import KINDS_BY_ARN, Document, Entity, EntityState, Kind
from iam.mirror.models.facts import (
    NEVER,
    AccountFact,
    Edge,
    EdgeKind,
    InlinePolicy,
    PolicyVersion,
    TagSet,
    Usage,
    UserCredentials,
)
from iam.mirror.models.images import AccountImage
from iam.mirror.models.setup import ConnectionDraft, DoctorRun, JobState, SetupJob, SetupKind
from iam.mirror.models.temporal import Cause, TemporalRow, valid_at

__all__ = [
    "KINDS_BY_ARN",
    "NEVER",
    "Account",
    "AccountFact",
    "AccountImage",
    "Cause",
    "ConnectionDraft",
    "DoctorRun",
    "Document",
    "Edge",
    "EdgeKind",
    "Entity",
    "EntityState",
    "InlinePolicy",
    "JobState",
    "Kind",
    "PolicyVersion",
    "Pull",
    "PullSection",
    "Section",
    "SectionState",
    "SetupJob",
    "SetupKind",
    "TagSet",
    "TemporalRow",
    "Usage",
    "UserCredentials",
    "valid_at",
]
