"""Users that are no people: robots, probes and integrations with long-lived keys."""

from __future__ import annotations

from dataclasses import dataclass

from console.demo.organisation.specs import Credential, Key, Login, User
from console.demo.standin.ids import digest


@dataclass(frozen=True)
class Machine:
    """A machine user: the team that answers for it, what it does, and its keys."""

    name: str
    team: str
    purpose: str
    groups: tuple[str, ...]
    keys: tuple[Key, ...]
    policies: tuple[str, ...] = ()
    credentials: tuple[Credential, ...] = ()
    login: Login | None = None


DAY = 1 / 24
MACHINES: dict[str, tuple[Machine, ...]] = {
    "production": (
        Machine(
            "ci-release",
            "platform",
            "Legacy release pipeline",
            ("machine-deploy",),
            (Key(204, 0.1 * DAY, service="lambda"),),
            ("ReleaseWrite",),
        ),
        Machine(
            "backup-agent",
            "platform",
            "Database backups to the vault",
            ("machine-storage",),
            (Key(88, 0.2 * DAY),),
        ),
        Machine(
            "metrics-probe",
            "sre",
            "Metrics for the wall dashboard",
            ("machine-metrics",),
            (Key(35, 0.1, service="monitoring"),),
        ),
        Machine(
            "ses-relay",
            "ticketing",
            "Mail relay of the old booking system",
            (),
            (Key(61, 0.3, service="ses"),),
            ("ticket-mailer-runtime",),
        ),
        Machine(
            "cdn-purge",
            "web",
            "Purges the CDN after a release",
            ("machine-deploy",),
            (Key(47, 2.1, service="cloudfront"), Key(140, 41, active=False, service="cloudfront")),
        ),
        Machine(
            "sftp-sync",
            "ticketing",
            "Imports timetables from SFTP",
            ("machine-storage",),
            (Key(72, 0.5),),
        ),
        Machine(
            "statuspage-poster",
            "sre",
            "Posts to the status page",
            ("machine-metrics",),
            (Key(12, 0.2, service="monitoring"),),
        ),
        Machine(
            "pos-uplink",
            "payments",
            "On-board card terminals, through the depot gateway",
            (),
            (Key(83, 0.1, service="sqs"),),
            ("pay-gateway-runtime",),
        ),
        Machine(
            "cert-renewer",
            "platform",
            "Certificate renewal for ferry gateways",
            (),
            (Key(19, 6, service="acm"),),
            (),
            (Credential("signing", 700, expires_in=60),),
        ),
        Machine(
            "wallboard",
            "sre",
            "Operations room dashboard",
            ("machine-metrics",),
            (Key(66, 0.1, service="monitoring"),),
        ),
        Machine(
            "ops-shared",
            "support",
            "Shared account of the night shift",
            ("support",),
            (),
            (),
            (),
            Login(900, 0.4, 70),
        ),
        Machine(
            "git-mirror",
            "platform",
            "Repository replication",
            (),
            (),
            (),
            (Credential("ssh", 400), Credential("service", 410, service="codecommit.amazonaws.com")),
        ),
    ),
    "data": (
        Machine(
            "airflow-legacy",
            "data-platform",
            "Legacy Airflow scheduler, being replaced",
            ("machine-pipelines",),
            (Key(131, 0.3, service="glue"),),
            ("etl-nightly-runtime",),
        ),
        Machine(
            "tableau-extract",
            "analysts",
            "Dashboard data source",
            (),
            (Key(58, 0.2, service="athena"),),
            ("AnalystRead",),
        ),
        Machine(
            "kafka-mirror",
            "data-platform",
            "Kafka topic replication",
            ("machine-pipelines",),
            (Key(29, 0.1, service="kinesis"),),
        ),
        Machine(
            "dbt-cloud",
            "data-platform",
            "dbt models of the warehouse",
            (),
            (Key(44, 0.4, service="redshift"),),
            ("WarehouseAdmin",),
        ),
        Machine(
            "partner-feed",
            "data-platform",
            "Reports for ferry operators",
            (),
            (Key(75, 1.4),),
            ("ContractorRead",),
        ),
        Machine(
            "keyspaces-app",
            "machine-learning",
            "Serves features to the old model",
            (),
            (),
            ("feature-store-runtime",),
            (
                Credential("service", 200, service="cassandra.amazonaws.com"),
                Credential("service", 640, active=False, service="cassandra.amazonaws.com"),
            ),
        ),
        Machine("geo-sync", "mobile", "Copies map tiles", (), (Key(52, 3),), ("feature-store-runtime",)),
    ),
    "staging": (
        Machine(
            "e2e-tests",
            "qa",
            "Runs the test suites every night",
            ("machine-tests",),
            (Key(21, 0.3, service="lambda"),),
        ),
        Machine(
            "load-test", "qa", "Load tests before a release", ("machine-tests",), (Key(67, 8, service="sqs"),)
        ),
        Machine(
            "terraform-staging",
            "platform",
            "Terraform for staging",
            ("platform",),
            (Key(33, 0.6, service="ec2"), Key(80, 33, service="ec2")),
        ),
        Machine(
            "preview-bot",
            "web",
            "Pull request previews",
            ("deployers",),
            (Key(9, 0.1, service="lambda"),),
        ),
        Machine(
            "device-sync",
            "mobile",
            "Sends builds to the device farm",
            ("machine-tests",),
            (Key(38, 1.1, service="devicefarm"),),
        ),
        Machine(
            "kestrel-scanner",
            "contractors",
            "The penetration testers' scanner",
            ("contractors",),
            (Key(26, 4, service="ec2"),),
        ),
    ),
    "sandbox": (
        Machine(
            "bedrock-trial",
            "machine-learning",
            "Language model trial",
            ("machine-experiments",),
            (),
            (),
            (Credential("service", 20, service="bedrock.amazonaws.com", expires_in=70),),
        ),
        Machine(
            "hackathon-bot",
            "platform",
            "Left over from the spring hackathon",
            ("machine-experiments",),
            (Key(212, 150, service="lambda"),),
        ),
        Machine(
            "iot-demo",
            "mobile",
            "IoT wave buoy",
            ("machine-experiments",),
            (Key(58, 20, service="iot"),),
        ),
    ),
    "management": (
        Machine(
            "terraform-org",
            "iam",
            "Terraform for accounts and SCPs",
            ("organisation-admins",),
            (Key(50, 5, service="organizations", region="us-east-1"),),
        ),
        Machine(
            "cost-export",
            "finance",
            "Billing export",
            ("billing-readers",),
            (Key(77, 0.9, service="ce", region="us-east-1"),),
        ),
    ),
}


def users(account_name: str) -> tuple[User, ...]:
    """The machine users of an account."""
    return tuple(_user(machine, account_name) for machine in MACHINES.get(account_name, ()))


def _user(machine: Machine, account_name: str) -> User:
    number = int(digest("machine", machine.name, account_name)[:6], 16)
    ages = [
        200.0,
        *(key.age for key in machine.keys),
        *(credential.age for credential in machine.credentials),
    ]
    oldest = max([*ages, machine.login.age if machine.login else 0])
    return User(
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
