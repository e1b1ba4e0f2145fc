"""The policies that Gatehouse asks for are enough: every read works with enforcement on, and so does the
first write.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from console.demo.organisation.gatehouse import EXTERNAL_ID, HUB_ACCOUNT, MEMBER_SECTIONS, READER_ROLE
from console.demo.organisation.people import ACCOUNT_IDS
from console.demo.standin.hub import HUB_ACCESS_KEY_ID, HUB_SECRET_ACCESS_KEY
from console.demo.standin.server import RunningStandin
from iam.aws.access import AccountAccess
from iam.aws.permissions import READ
from iam.aws.reads import (
    delegation,
    details,
    entities,
    instances,
    last_accessed,
    lists,
    organization,
    pod_identities,
    roles_anywhere,
    trail_events,
    trails,
)
from iam.aws.reads.authorization import stream_authorization
from iam.aws.reads.credential_report import read_credential_report
from iam.aws.session import Aws, connect
from tests.console.demo.clients import control

ACCOUNT = ACCOUNT_IDS["production"]
OIDC = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"


@pytest.fixture
def hub(fresh: RunningStandin, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningStandin]:
    monkeypatch.setenv("AWS_ENDPOINT_URL", fresh.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", HUB_ACCESS_KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", HUB_SECRET_ACCESS_KEY)
    control(fresh, "enforce", {"on": True})
    yield fresh
    control(fresh, "enforce", {"on": False})


def read_everything(aws: Aws) -> None:
    """Each read that the mirror makes of an account, once."""
    for read in (
        lists.list_users,
        lists.list_roles,
        lists.list_virtual_mfa_devices,
        lists.list_service_specific_credentials,
        lists.list_instance_profiles,
        lists.list_server_certificates,
        lists.list_saml_providers,
        lists.list_oidc_providers,
        lists.account_summary,
        lists.account_aliases,
        lists.password_policy,
    ):
        assert read(aws)
    assert list(stream_authorization(aws))
    assert read_credential_report(aws).rows
    assert instances.list_instances(aws, regions=instances.enabled_regions(aws))
    (trail,) = trails.list_trails(aws, regions=["eu-west-1"])
    assert trail.is_logging
    assert not delegation.outbound_federation(aws).is_enabled
    assert delegation.delegation_requests(aws)
    assert roles_anywhere.list_profiles(aws, regions=["eu-west-1"])
    assert roles_anywhere.list_trust_anchors(aws, regions=["eu-west-1"])
    assert pod_identities.list_pod_identity_associations(aws, regions=["eu-west-1"])
    hour = timedelta(hours=1)
    moments = {"start": datetime.now(UTC) - hour, "end": datetime.now(UTC) + hour}
    assert trail_events.lookup_page(aws, region="us-east-1", **moments).records
    assert list(trail_events.public_keys(aws, region="us-east-1", **moments)) == []
    user = "klara.lindqvist"
    job = last_accessed.begin_report(aws, arn=f"arn:aws:iam::{ACCOUNT}:role/{READER_ROLE}")
    # The stand-in makes the report while it is asked for, as AWS does.
    answers = [last_accessed.accessed_services(aws, job_id=job) for _ in range(3)]
    assert answers[-1]
    (key,) = details.access_keys(aws, user_name=user)
    assert details.access_key_last_used(aws, key_id=key.key_id)
    assert details.mfa_devices(aws, user_name=user)
    assert details.ssh_keys(aws, user_name=user)
    assert details.signing_certificates(aws, user_name="sigrid.halvorsen")
    assert details.login_profile(aws, user_name=user)
    assert details.policy_tags(aws, policy_arn=f"arn:aws:iam::{ACCOUNT}:policy/jobs/OncallRead")
    assert details.instance_profile_tags(aws, name="eks-node-instance")
    assert details.saml_provider_tags(aws, arn=f"arn:aws:iam::{ACCOUNT}:saml-provider/Okta")
    assert details.oidc_provider_tags(aws, arn=OIDC)
    assert details.mfa_device_tags(aws, serial_number=f"arn:aws:iam::{ACCOUNT}:mfa/jonas.berg") == {}
    assert details.server_certificate_tags(aws, name="depots.northline.example")
    assert entities.get_user(aws, name="kwame.boateng").inline
    assert entities.get_group(aws, name="everyone")
    assert entities.get_role(aws, name="eks-node-instance").inline
    assert entities.get_policy(aws, arn=f"arn:aws:iam::{ACCOUNT}:policy/jobs/OncallRead")


def test_the_reader_may_make_every_read_of_the_mirror(hub: RunningStandin) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/{READER_ROLE}"
    aws = connect(AccountAccess(ACCOUNT, mode="role", role_arn=role, external_id=EXTERNAL_ID))
    read_everything(aws)
    called = {action for action in aws.calls if not action.startswith("sts:")}
    allowed = {action for section in MEMBER_SECTIONS for action in READ[section]}
    assert called <= allowed
    unused = {"iam:GetGroupPolicy"}
    assert allowed - called <= unused, "an action that no read needs should not be asked for"


def test_the_hub_may_read_the_organisation(hub: RunningStandin) -> None:
    aws = connect(AccountAccess(HUB_ACCOUNT))
    assert len(organization.read_organization(aws).accounts) == 5
    assert len(organization.discover_accounts(aws)) == 5
    assert organization.root_access_features(aws) == ()
