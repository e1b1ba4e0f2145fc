"""Production as the guide describes it: every command is taken from `docs/operate.md`, every service is real,
AWS is a stand-in.
"""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pyotp
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from redis import Redis

from console.demo.broker import free_port
from console.demo.organisation.gatehouse import EXTERNAL_ID
from console.demo.organisation.people import ACCOUNT_IDS
from console.demo.standin.hub import HUB_SECRET_ACCESS_KEY
from tests.journeys.production import HOST, IDLE_SECONDS, Installation, done, running_stand_in
from tests.services import browser as chromium
from tests.services import postgres, redis
from tests.services.tls import running_proxy

pytestmark = pytest.mark.journey

HUB, SANDBOX = ACCOUNT_IDS["management"], ACCOUNT_IDS["sandbox"]
ADMIN, APPROVER = "you@example.com", "ana@example.com"
PASSWORD = "quiet-harbour-lamp-51"
MAX_REQUESTS = 10
PULLS = (
    "SELECT a.account_id, p.trigger, p.state FROM mirror_pull p JOIN mirror_account a ON a.id = p.account_id"
)
READ = {(HUB, "schedule", "complete"), (SANDBOX, "schedule", "complete")}
PROCESSES = ["console.server", "worker", "beat", "migrate"]
# What any number of beats would ask for at one moment, from a process that knows nothing of AWS.
MANY_BEATS = """
import django; django.setup()
from console.celery import app
for _ in range(12): app.send_task("iam.mirror.tasks.pull_due_accounts")
"""


def wait_for(condition: Callable[[], object], *, what: str) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + chromium.TIMEOUT_MS / 1000
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


Outcomes = dict[str, subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation of which nothing but the services is there."""
    for name, reason in (("PostgreSQL", postgres.why_missing()), ("Redis", redis.why_missing())):
        if reason:
            pytest.skip(f"{name} ({reason})")
    folder = tmp_path_factory.mktemp("production")
    with ExitStack() as stack:
        cluster = postgres.Cluster.start()
        stack.callback(cluster.stop)
        url = stack.enter_context(redis.running_server())
        log = stack.enter_context((folder / "aws.log").open("wb"))
        port = stack.enter_context(running_stand_in(log))
        made = Installation(folder, cluster.url, url, port)
        stack.callback(made.stop)
        yield made


@pytest.fixture(scope="module")
def outcomes(services: Installation) -> Outcomes:
    """The guide is followed from the folder to the connected account; what each of its steps answered."""
    steps: Outcomes = {"mkdir": services.run("mkdir")}
    collecting = services.begin("collectstatic")
    steps["migrate"] = services.run("migrate")
    for number in ("1", "2"):
        services.start(
            f"beat{number}", "beat", **{"/var/lib/gatehouse/beat": f"/var/lib/gatehouse/beat{number}"}
        )
        services.start(f"worker{number}", "worker", aws=True)
    steps["collectstatic"] = done(collecting)
    services.start("web", "console.server")
    hub = {"111122223333": HUB}
    role = {"111122223333": SANDBOX, "…": EXTERNAL_ID}
    at_once = {
        "check": services.begin("check", "--deploy"),
        "bootstrap": services.begin("bootstrap"),
        "connect": services.begin("connect", "--from-environment", aws=True, **hub),
        "connect by role": services.begin("connect", "--role", aws=True, **role),
    }
    steps |= {name: done(process) for name, process in at_once.items()}
    return steps


@pytest.fixture(scope="module")
def installed(services: Installation, outcomes: Outcomes) -> Installation:
    """The running installation."""
    wait_for(lambda: services.is_serving(), what=services.log("web").read_text())
    return services


def crowd(installed: Installation) -> set[int]:
    """What many visitors at once are answered."""
    with ThreadPoolExecutor(40) as visitors:
        return set(visitors.map(lambda _: installed.ask("/readyz").status, range(80)))


@pytest.fixture(scope="module")
def busy(installed: Installation) -> float:
    """When an hour of many visitors was over."""
    assert crowd(installed) == {200}
    return time.monotonic()


def test_no_step_of_the_guide_complains(outcomes: Outcomes) -> None:
    check = outcomes["check"]
    unknown_lines = [line for line in check.stderr.splitlines() if line.startswith("?:")]
    # Tests run from a clone, with everything that it has.
    assert (check.returncode, len(unknown_lines), "gatehouse.W001" in check.stderr) == (1, 1, True), (
        check.stderr
    )
    for name, step in outcomes.items():
        if step is check:
            continue
        assert (step.returncode, step.stderr) == (0, ""), f"{name}: {step.stdout}{step.stderr}"
        # A migration may be about warnings.
        lines = [line for line in step.stdout.lower().splitlines() if not line.startswith("  applying ")]
        assert "warning" not in "\n".join(lines), f"{name}: {step.stdout}"
    assert "static files copied" in outcomes["collectstatic"].stdout


def test_the_server_is_alive_and_ready_for_a_probe_from_inside(installed: Installation, busy: float) -> None:
    probe = {"Host": "10.1.2.3", "X-Forwarded-Proto": "http"}
    assert installed.ask("/healthz", **probe).body == b'{"ok": true}'
    ready = installed.ask("/readyz", **probe)
    assert (ready.status, b'"ready": true' in ready.body) == (200, True), ready.body


def test_plain_http_leads_to_https_and_only_the_own_name_is_served(installed: Installation) -> None:
    moved = installed.ask("/people/?q=a", secure=False)
    assert (moved.status, moved.headers["Location"]) == (301, f"https://{HOST}/people/?q=a")
    assert installed.ask("/sign-in/", Host="elsewhere.example.com").status == 400


def test_answers_carry_the_headers_of_a_site_that_is_https_for_good(installed: Installation) -> None:
    page = installed.ask("/sign-in/")
    assert page.status == 200
    assert page.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    (cookie,) = page.headers.get_all("Set-Cookie") or []
    assert cookie.strip().startswith("__Host-gatehouse_csrf=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    assert "domain" not in cookie.lower()


def test_static_files_are_hashed_compressed_and_kept_for_good(installed: Installation) -> None:
    names = re.findall(r"/static/[^\"#]+", installed.ask("/sign-in/").body.decode())
    assert len(names) >= 5
    assert [name for name in names if not re.fullmatch(r"/static/[\w./-]+\.[0-9a-f]{12}\.\w+", name)] == []
    styles = next(name for name in names if "/css/" in name)
    packed = installed.ask(styles, Accept_Encoding="gzip")
    assert (packed.status, packed.headers["Content-Encoding"]) == (200, "gzip")
    assert packed.headers["Cache-Control"] == "max-age=315360000, public, immutable"
    assert gzip.decompress(packed.body) == installed.ask(styles).body


# A browser


@pytest.fixture(scope="module")
def https(browser: Browser, installed: Installation) -> Iterator[Browser]:
    """A browser for which the installation's name leads to a proxy with TLS in front of it."""
    with running_proxy(HOST, behind=installed.port, folder=installed.folder) as port:
        leads = f"--host-resolver-rules=MAP {HOST} 127.0.0.1:{port}"
        started = chromium.launched(browser.browser_type, flags=(leads,))
        yield started
        started.close()


NewPage = Callable[[], Page]


@pytest.fixture(scope="module")
def new_page(https: Browser) -> Iterator[NewPage]:
    """Opens a page of a fresh browser profile; scripts that fail, and what the policy holds up, fail the last
    test.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_page() -> Page:
        context = https.new_context(base_url=f"https://{HOST}", ignore_https_errors=True)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda m: complaints.append(m.text) if m.type in {"error", "warning"} else None)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def link_of(email: str, printed: str) -> str:
    """The link that bootstrap printed for somebody."""
    match = re.search(
        rf"^{re.escape(email)}: .*\n  choose a password at (https://\S+)$", printed, re.MULTILINE
    )
    assert match, printed
    return match[1]


def choose_password(page: Page, link: str) -> None:
    """Follow the link."""
    page.goto(link)
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_label("Repeat the new password").fill(PASSWORD)
    page.get_by_role("button", name="Save password").click()
    page.wait_for_url(lambda url: "/done/" in url)


def sign_in(page: Page, email: str) -> None:
    """With the password."""
    page.goto("/sign-in/")
    page.get_by_label("Email or user name").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(lambda url: not url.endswith("/sign-in/"))


def enrol(page: Page) -> pyotp.TOTP:
    """Add the app for codes that is demanded."""
    page.get_by_role("link", name="Add", exact=True).first.click()
    codes = pyotp.TOTP(page.locator("#seed").inner_text())
    page.get_by_label("Code of six digits").fill(codes.now())
    page.get_by_role("button", name="Add this app").click()
    page.get_by_role("link", name="I have kept them").click()
    return codes


@pytest.fixture(scope="module")
def approver(new_page: NewPage, outcomes: Outcomes) -> tuple[Page, pyotp.TOTP]:
    """The first approver, who came in by the link and has a second factor."""
    page = new_page()
    choose_password(page, link_of(APPROVER, outcomes["bootstrap"].stdout))
    sign_in(page, APPROVER)
    return page, enrol(page)


def test_whoever_has_a_second_factor_is_asked_for_it(
    new_page: NewPage, approver: tuple[Page, pyotp.TOTP]
) -> None:
    page, codes = new_page(), approver[1]
    once = codes.at(int(time.time()) + 30)
    sign_in(page, APPROVER)
    page.get_by_label("Code").fill(once)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/sign-in/" not in url)
    session = next(c for c in page.context.cookies() if c["name"] == "__Host-gatehouse_session")
    assert (session["secure"], session["httpOnly"], session["sameSite"]) == (True, True, "Lax")
    page.get_by_role("button", name="Switch between light and dark").click()
    names = {cookie["name"] for cookie in page.context.cookies()}
    assert {"__Host-theme", "__Host-zone"} <= names
    assert not [name for name in names if not name.startswith("__Host-")]
    assert all(cookie["secure"] and cookie["path"] == "/" for cookie in page.context.cookies())
    theme = page.locator("html").get_attribute("data-theme")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", str(theme))
    page.context.clear_cookies()
    sign_in(page, APPROVER)
    page.get_by_label("Code").fill(once)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Wrong code.")).to_be_visible()


def test_a_first_visit_asks_for_few_things_and_its_page_is_compressed(
    new_page: NewPage, approver: tuple[Page, pyotp.TOTP]
) -> None:
    cookies = approver[0].context.cookies()
    for path in ("/sign-in/", "/", "/people/", "/grants/"):
        page, asked = new_page(), list[str]()
        if path != "/sign-in/":
            page.context.add_cookies(cookies)  # type: ignore[arg-type]
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        answer = page.goto(path, wait_until="networkidle")
        assert answer
        assert answer.headers["content-encoding"] == "gzip"
        assert len(asked) <= MAX_REQUESTS, asked


def test_the_first_people_come_in_by_link_and_second_factor_and_change_aws(
    new_page: NewPage, approver: tuple[Page, pyotp.TOTP], installed: Installation, outcomes: Outcomes
) -> None:
    admin = new_page()
    choose_password(admin, link_of(ADMIN, outcomes["bootstrap"].stdout))
    sign_in(admin, ADMIN)
    expect(admin.get_by_text("You have none yet")).to_be_visible()
    admin.goto("/people/")
    expect(admin.get_by_role("heading", name="Second factors")).to_be_visible()
    enrol(admin)

    wait_for(lambda: set(installed.rows(PULLS)) >= READ, what=installed.logs())
    admin.goto("/people/")
    row = admin.get_by_role("row", name=re.compile("Maya Okafor"))
    expect(row).to_contain_text("builders")

    row.get_by_role("link", name="Maya Okafor").first.click()
    admin.get_by_role("link", name="Add to group").first.click()
    admin.get_by_role("link", name=re.compile("machine-experiments")).first.click()
    admin.get_by_label("Why is this needed?").fill("Tries the new machines")
    admin.get_by_role("button", name="Submit request").click()
    admin.wait_for_url(re.compile(r"/changes/[0-9a-f-]{36}/$"))
    approver[0].goto(admin.url)
    approver[0].get_by_role("button", name="Approve").click()
    expect(admin.locator(".page-head").get_by_text("Done", exact=True)).to_be_visible()


def test_the_schedule_has_each_account_read_once_whatever_the_number_of_beats(
    installed: Installation,
) -> None:
    wait_for(lambda: set(installed.rows(PULLS)) == READ, what=installed.logs())
    assert len(installed.rows(PULLS)) == 2, "two beats and two workers read each account once"
    installed.rows("UPDATE mirror_account SET next_pull_at = now()")
    sent = done(
        installed.start_any([sys.executable, "-c", MANY_BEATS], DJANGO_SETTINGS_MODULE="console.settings")
    )
    assert sent.returncode == 0, sent.stderr
    with Redis.from_url(installed.redis_url) as broker:
        wait_for(lambda: not broker.llen("gatehouse") and not broker.hlen("unacked"), what="queue")
    pulls = installed.rows(PULLS)
    assert sorted(pulls) == sorted([*READ, *READ]), "one more each, of twelve that asked"
    journal = done(installed.start_any([sys.executable, "manage.py", "verify_journal"]))
    assert (journal.returncode, "The chain holds" in journal.stdout) == (0, True), journal.stdout


def test_busy_and_idle_hours_do_not_use_up_the_connections_of_the_database(
    installed: Installation, busy: float
) -> None:
    time.sleep(max(0.0, busy + IDLE_SECONDS + 1 - time.monotonic()))
    assert crowd(installed) == {200}
    used = len(installed.rows("SELECT pid FROM pg_stat_activity WHERE application_name = 'web'"))
    assert 2 <= used <= 20, "the guide promises 10 for each of the two workers"


# What must not start


def test_a_web_server_with_aws_credentials_does_not_start(installed: Installation) -> None:
    refused = done(installed.begin("console.server", aws=True, **{"8000": str(free_port())}))
    assert refused.returncode == 1
    sentence = (
        "The web server must hold no AWS credentials, but finds AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY."
    )
    assert f"Gatehouse does not start. {sentence}" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert HUB_SECRET_ACCESS_KEY not in refused.stdout + refused.stderr


@pytest.mark.parametrize(
    ("name", "value", "sentence", "words"),
    [
        ("GATEHOUSE_SECRET_KEY", "", "is not set. Write 50 or more random characters.", PROCESSES),
        (
            "GATEHOUSE_SEALED_KEY",
            "",
            "is not set. Write 50 or more random characters, others than those of GATEHOUSE_SECRET_KEY.",
            ["worker"],
        ),
        ("GATEHOUSE_PULL_MINUTES", "soon", "is 'soon': write a whole number.", ["worker"]),
    ],
)
def test_a_setting_that_is_missing_or_wrong_stops_every_process_by_its_name(
    services: Installation, name: str, value: str, sentence: str, words: list[str]
) -> None:
    commands = [services.command(word) for word in words]
    for stopped in [
        done(popen) for popen in [services.start_any(command, **{name: value}) for command in commands]
    ]:
        assert stopped.returncode == 1, stopped
        assert f"Gatehouse does not start. {name} {sentence}" in stopped.stderr
        assert "Traceback" not in stopped.stderr


def test_a_signal_ends_every_process_in_order_and_no_log_holds_a_secret(
    installed: Installation, outcomes: Outcomes
) -> None:
    codes = installed.stop()
    assert set(codes) == {"web", "worker1", "worker2", "beat1", "beat2"}
    logs = "".join(installed.log(name).read_text() for name in codes)
    stuck = [installed.log(name).read_text()[-6000:] for name, code in codes.items() if code]
    assert set(codes.values()) == {0}, f"{codes}\n{stuck}"
    assert '"request": "GET /sign-in/' in logs
    tokens = re.findall(r"/key/\d+-(\S+)/", outcomes["bootstrap"].stdout)
    assert len(tokens) == 3
    keys = [installed.environment[name] for name in ("GATEHOUSE_SECRET_KEY", "GATEHOUSE_SEALED_KEY")]
    for secret in (*tokens, PASSWORD, *keys, HUB_SECRET_ACCESS_KEY, EXTERNAL_ID):
        assert secret not in logs
