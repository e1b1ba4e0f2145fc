"""Machine users: robots, probes and integrations with long-lived keys."""

from __future__ import annotations

from dataclasses import dataclass

from console.demo.organisation.specs import KeySpec, LoginSpec, UserCredentialSpec, UserSpec
from console.demo.standin.ids import digest


@dataclass(frozen=True)
class MachineUser:
    """A machine user: its owning team, its purpose, and its keys."""

    name: str
    team: str
    purpose: str
    groups: tuple[str, ...]
    keys: tuple[KeySpec, ...]
    policies: tuple[str, ...] = ()
    credentials: tuple[UserCredentialSpec, ...] = ()
    login: LoginSpec | None = None


DAY = 1 / 24
MACHINES: dict[str, tuple[MachineUser, ...]] = {
    "production": (
        MachineUser(
            "ci-release",
            "platform",
            "Legacy release pipeline",
            ("machine-deploy",),
            (KeySpec(204, 0.1 * DAY, service="lambda"),),
            ("ReleaseWrite",),
        ),
        MachineUser(
            "backup-agent",
            "platform",
            "Database backups to the vault",
            ("machine-storage",),
            (KeySpec(88, 0.2 * DAY),),
        ),
        MachineUser(
            "metrics-probe",
            "sre",
            "Metrics for the wall dashboard",
            ("machine-metrics",),
            (KeySpec(35, 0.1, service="monitoring"),),
        ),
        MachineUser(
            "ses-relay",
            "ticketing",
            "Mail relay of the old booking system",
            (),
            (KeySpec(61, 0.3, service="ses"),),
            ("ticket-mailer-runtime",),
        ),
        MachineUser(
            "cdn-purge",
            "web",
            "Purges the CDN after a release",
            ("machine-deploy",),
            (KeySpec(47, 2.1, service="cloudfront"), KeySpec(140, 41, active=False, service="cloudfront")),
        ),
        MachineUser(
            "sftp-sync",
            "ticketing",
            "Imports timetables from SFTP",
            ("machine-storage",),
            (KeySpec(72, 0.5),),
        ),
        MachineUser(
            "statuspage-poster",
            "sre",
            "Posts to the status page",
            ("machine-metrics",),
            (KeySpec(12, 0.2, service="monitoring"),),
        ),
        MachineUser(
            "pos-uplink",
            "payments",
            "On-board card terminals, through the depot gateway",
            (),
            (KeySpec(83, 0.1, service="sqs"),),
            ("pay-gateway-runtime",),
        ),
        MachineUser(
            "cert-renewer",
            "platform",
            "Certificate renewal for ferry gateways",
            (),
            (KeySpec(19, 6, service="acm"),),
            (),
            (UserCredentialSpec("signing", 700, expires_in=60),),
        ),
        MachineUser(
            "wallboard",
            "sre",
            "Operations room dashboard",
            ("machine-metrics",),
            (KeySpec(66, 0.1, service="monitoring"),),
        ),
        MachineUser(
            "ops-shared",
            "support",
            "Shared account of the night shift",
            ("support",),
            (),
            (),
            (),
            LoginSpec(900, 0.4, 70),
        ),
        MachineUser(
            "git-mirror",
            "platform",
            "Repository replication",
            (),
            (),
            (),
            (
                UserCredentialSpec("ssh", 400),
                UserCredentialSpec("service", 410, service="codecommit.amazonaws.com"),
            ),
        ),
    ),
    "data": (
        MachineUser(
            "airflow-legacy",
            "data-platform",
            "Legacy Airflow scheduler, being replaced",
            ("machine-pipelines",),
            (KeySpec(131, 0.3, service="glue"),),
            ("etl-nightly-runtime",),
        ),
        MachineUser(
            "tableau-extract",
            "analysts",
            "Dashboard data source",
            (),
            (KeySpec(58, 0.2, service="athena"),),
            ("AnalystRead",),
        ),
        MachineUser(
            "kafka-mirror",
            "data-platform",
            "Kafka topic replication",
            ("machine-pipelines",),
            (KeySpec(29, 0.1, service="kinesis"),),
        ),
        MachineUser(
            "dbt-cloud",
            "data-platform",
            "dbt models of the warehouse",
            (),
            (KeySpec(44, 0.4, service="redshift"),),
            ("WarehouseAdmin",),
        ),
        MachineUser(
            "partner-feed",
            "data-platform",
            "Reports for ferry operators",
            (),
            (KeySpec(75, 1.4),),
            ("ContractorRead",),
        ),
        MachineUser(
            "keyspaces-app",
            "machine-learning",
            "Serves features to the old model",
            (),
            (),
            ("feature-store-runtime",),
            (
                UserCredentialSpec("service", 200, service="cassandra.amazonaws.com"),
                UserCredentialSpec("service", 640, active=False, service="cassandra.amazonaws.com"),
            ),
        ),
        MachineUser(
            "geo-sync", "mobile", "Copies map tiles", (), (KeySpec(52, 3),), ("feature-store-runtime",)
        ),
    ),
    "staging": (
        MachineUser(
            "e2e-tests",
            "qa",
            "Runs the test suites every night",
            ("machine-tests",),
            (KeySpec(21, 0.3, service="lambda"),),
        ),
        MachineUser(
            "load-test",
            "qa",
            "Load tests before a release",
            ("machine-tests",),
            (KeySpec(67, 8, service="sqs"),),
        ),
        MachineUser(
            "terraform-staging",
            "platform",
            "Terraform for staging",
            ("platform",),
            (KeySpec(33, 0.6, service="ec2"), KeySpec(80, 33, service="ec2")),
        ),
        MachineUser(
            "preview-bot",
            "web",
            "Pull request previews",
            ("deployers",),
            (KeySpec(9, 0.1, service="lambda"),),
        ),
        MachineUser(
            "device-sync",
            "mobile",
            "Sends builds to the device farm",
            ("machine-tests",),
            (KeySpec(38, 1.1, service="devicefarm"),),
        ),
        MachineUser(
            "kestrel-scanner",
            "contractors",
            "The penetration testers' scanner",
            ("contractors",),
            (KeySpec(26, 4, service="ec2"),),
        ),
    ),
    "sandbox": (
        MachineUser(
            "bedrock-trial",
            "machine-learning",
            "Language model trial",
            ("machine-experiments",),
            (),
            (),
            (UserCredentialSpec("service", 20, service="bedrock.amazonaws.com", expires_in=70),),
        ),
        MachineUser(
            "hackathon-bot",
            "platform",
            "Left over from the spring hackathon",
            ("machine-experiments",),
            (KeySpec(212, 150, service="lambda"),),
        ),
        MachineUser(
            "iot-demo",
            "mobile",
            "IoT wave buoy",
            ("machine-experiments",),
            (KeySpec(58, 20, service="iot"),),
        ),
    ),
    "management": (
        MachineUser(
            "terraform-org",
            "iam",
            "Terraform for accounts and SCPs",
            ("organisation-admins",),
            (KeySpec(50, 5, service="organizations", region="us-east-1"),),
        ),
        MachineUser(
            "cost-export",
            "finance",
            "Billing export",
            ("billing-readers",),
            (KeySpec(77, 0.9, service="ce", region="us-east-1"),),
        ),
    ),
}


def users(account_name: str) -> tuple[UserSpec, ...]:
    """Return the machine users of an account."""
    return tuple(_user(machine, account_name) for machine in MACHINES.get(account_name, ()))


def _user(machine: MachineUser, account_name: str) -> UserSpec:
    number = int(digest("machine", machine.name, account_name)[:6], 16)
    ages = [
        200.0,
        *(key.age for key in machine.keys),
        *(credential.age for credential in machine.credentials),
    ]
    oldest = max([*ages, machine.login.age if machine.login else 0])
    return UserSpec(
        name=machine.name,
        path="/machines/",
        age=oldest + 30 + number % 600,
        tags={
            "Team": machine.team,
            "Owner": f"{machine.team}@northline.example",
            "Purpose": machine.purpose,
            "Kind": "machine",
        },
        groups=machine.groups,
        policies=machine.policies,
        login=machine.login,
        keys=machine.keys,
        credentials=machine.credentials,
    )
