"""Django settings, read from the environment; a missing or malformed variable stops the start with its
name.
"""

from __future__ import annotations

import gc
from importlib.util import find_spec
from pathlib import Path

from csp.constants import NONE, SELF

from console import env, logs, notices, plain_connections, secret_keys, siem, single_sign_on
from console.log_settings import configure_structlog, logging_settings
from console.operators import password_rules

# Imported modules stay in memory. Collecting them repeatedly takes a quarter of the start: see
# console.web.apps.
gc.disable()

BASE_DIR = Path(__file__).resolve().parent.parent

try:
    MODE = env.choice("GATEHOUSE_MODE", "embedded", ("embedded", "production"))
    EMBEDDED = MODE == "embedded"
    # In the embedded default the supervisor starts a simulated AWS with a sample organization.
    SAMPLE_DATA = EMBEDDED and env.flag("GATEHOUSE_SUPERVISED", default=False)
    VAR = Path(env.text("GATEHOUSE_VAR", str(BASE_DIR / "var")))
    DEBUG = env.flag("GATEHOUSE_DEBUG", default=False)
    # For development: the page of components, and the debug toolbar if it is installed.
    DEVELOPMENT = EMBEDDED and DEBUG
    DEBUG_TOOLBAR = DEVELOPMENT and find_spec("debug_toolbar") is not None
    BIND = env.text("GATEHOUSE_BIND", "127.0.0.1:8000")

    if EMBEDDED:
        VAR.mkdir(mode=0o700, parents=True, exist_ok=True)
    keys = secret_keys.read_keys(VAR, embedded=EMBEDDED)
    SECRET_KEY, SECRET_KEY_FALLBACKS = keys.secret, keys.fallbacks
    SEALED_KEYS, SIGNING_KEYS = keys.sealed, keys.signing

    # Where the journal's chain is anchored. The folder gives no protection from someone who can write to this
    # machine.
    JOURNAL_ANCHORS = env.word_list("GATEHOUSE_JOURNAL_ANCHORS", (f"file:{(VAR / 'anchors').absolute()}",))
    JOURNAL_DAYS, JOURNAL_EXPORTS, EVIDENCE_DAYS = env.retention(VAR)
    JOURNAL_ANCHOR_HOURS = env.number("GATEHOUSE_JOURNAL_ANCHOR_HOURS", 6, low=1, high=168)

    local_hosts = ("127.0.0.1", "localhost", "[::1]", "testserver") if EMBEDDED else None
    ALLOWED_HOSTS = env.word_list(
        "GATEHOUSE_ALLOWED_HOSTS",
        local_hosts,
        why="Write the host names under which people reach Gatehouse, separated by commas.",
    )
    local_url = f"http://{BIND}" if EMBEDDED else None
    BASE_URL = env.text(
        "GATEHOUSE_BASE_URL",
        local_url,
        why="Write the address that people type, such as https://gatehouse.example.com.",
    ).rstrip("/")
    if not EMBEDDED and not BASE_URL.startswith("https://"):
        raise env.ConfigurationError("GATEHOUSE_BASE_URL must start with https:// in production.")
    local_database = f"sqlite:///{VAR / 'gatehouse.sqlite3'}" if EMBEDDED else None
    DATABASES = {"default": env.database("DATABASE_URL", local_database)}
    local_redis = "redis://127.0.0.1:6379/0" if EMBEDDED else None
    BROKER_URL = env.redis_url("REDIS_URL", local_redis, or_folder=EMBEDDED)
    IDLE_MINUTES = env.number("GATEHOUSE_IDLE_MINUTES", 15, low=1, high=1440)
    TRAIL_FOLDER = env.text("GATEHOUSE_TRAIL_FOLDER", "")
    ACTIVITY_DAYS = env.number("GATEHOUSE_ACTIVITY_DAYS", 400, low=1, high=3660)
    ACTIVITY_KEEP_EVENTS = env.flag("GATEHOUSE_ACTIVITY_KEEP_EVENTS", default=True)
    ACTIVITY_HIDE_ADDRESSES = env.flag("GATEHOUSE_ACTIVITY_HIDE_ADDRESSES", default=False)
    IDLE_MINUTES_MEMBER = env.number("GATEHOUSE_IDLE_MINUTES_MEMBER", 60, low=1, high=1440)
    SESSION_HOURS = env.number("GATEHOUSE_SESSION_HOURS", 12, low=1, high=24)
    REAUTHENTICATE_MINUTES = env.number("GATEHOUSE_REAUTHENTICATE_MINUTES", 15, low=1, high=120)
    # PCI DSS 8.3.4: lock after at most 10 attempts, for at least 30 minutes.
    LOCK_FAILURES = env.number("GATEHOUSE_LOCK_FAILURES", 5, low=1, high=10)
    LOCK_MINUTES = env.number("GATEHOUSE_LOCK_MINUTES", 30, low=1, high=1440)
    PASSWORD_WORDS = env.word_list("GATEHOUSE_PASSWORD_WORDS")
    PASSWORD_LIST = env.file("GATEHOUSE_PASSWORD_LIST")
    REQUIRE_MFA = env.flag("GATEHOUSE_REQUIRE_MFA", default=not EMBEDDED)
    # Whether REQUIRE_MFA includes people who are only members.
    REQUIRE_MFA_MEMBERS = env.flag("GATEHOUSE_REQUIRE_MFA_MEMBERS", default=True)
    TRUST_SSO_MFA = env.flag("GATEHOUSE_TRUST_SSO_MFA", default=False)
    # Number of our own proxies that add to X-Forwarded-For before a request arrives.
    usual_proxies = 0 if EMBEDDED else 1
    TRUSTED_PROXIES = env.number("GATEHOUSE_TRUSTED_PROXIES", usual_proxies, low=0, high=10)
    # How many 30-second steps before and after the current one a code of an authenticator app is accepted.
    MFA_TOTP_TOLERANCE = env.number("GATEHOUSE_CODE_TOLERANCE", 1, low=0, high=1)
    SSO_RSA_BITS = single_sign_on.shortest_rsa_key()
    # Seconds for each complete answer of an identity provider.
    SSO_SECONDS = env.number("GATEHOUSE_SSO_SECONDS", 10, low=1, high=60)
    SOCIALACCOUNT_PROVIDERS = single_sign_on.providers(embedded=EMBEDDED)
    SIGN_IN_FORM_TARGETS = single_sign_on.form_targets(SOCIALACCOUNT_PROVIDERS)
    PACE = env.number("GATEHOUSE_PACE", 3000, low=0, high=1_000_000)
    QUESTION_SECONDS = env.number("GATEHOUSE_QUESTION_SECONDS", 20, low=0, high=600)
    PULL_MINUTES = env.number("GATEHOUSE_PULL_MINUTES", 15, low=1, high=1440)
    AWS_RATE = env.number("GATEHOUSE_AWS_RATE", 20, low=1, high=1000)
    AWS_READS_AT_ONCE = env.number("GATEHOUSE_AWS_READS_AT_ONCE", 4, low=1, high=4)
    CHANGE_LEASE = env.number("GATEHOUSE_CHANGE_LEASE", 90, low=10, high=3600)
    DETAIL_CALLS = env.number("GATEHOUSE_DETAIL_CALLS", 1000, low=0, high=1_000_000)
    NEWER_NAMES = env.word_list("GATEHOUSE_NEWER_NAMES")
    INSTANCE_REGIONS = env.word_list("GATEHOUSE_INSTANCE_REGIONS")
    LOSS_PERCENT = env.number("GATEHOUSE_LOSS_PERCENT", 20, low=1, high=100)
    UPLOAD_MEGABYTES = env.number("GATEHOUSE_UPLOAD_MEGABYTES", 64, low=1, high=512)
    SINGLE_OPERATOR = env.flag("GATEHOUSE_SINGLE_OPERATOR", default=False)
    # A secret under a suspicious key is removed from the journal; in development and tests it raises an
    # error.
    JOURNAL_REFUSES_SECRETS = env.flag("GATEHOUSE_JOURNAL_REFUSES_SECRETS", default=DEBUG)
    LOG_LEVEL = env.choice("GATEHOUSE_LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))
    EMAIL_HOST = env.text("GATEHOUSE_EMAIL_HOST", "")
    EMAIL_PORT = env.number("GATEHOUSE_EMAIL_PORT", 587, low=1, high=65_535)
    EMAIL_HOST_USER = env.text("GATEHOUSE_EMAIL_USER", "")
    EMAIL_HOST_PASSWORD = env.text("GATEHOUSE_EMAIL_PASSWORD", "")
    EMAIL_USE_TLS = env.flag("GATEHOUSE_EMAIL_TLS", default=True)
    DEFAULT_FROM_EMAIL = env.text("GATEHOUSE_EMAIL_FROM", "gatehouse@localhost")
    PLAIN_ALLOWED = EMBEDDED or env.flag(plain_connections.ALLOWED_BY, default=False)
    if not PLAIN_ALLOWED:
        plain_connections.refuse_plain(
            database=DATABASES["default"], broker=BROKER_URL, email_host=EMAIL_HOST, email_tls=EMAIL_USE_TLS
        )
    ROOMS = notices.notification_rooms()
    SLACK_WEBHOOK, WEBHOOK_URL, WEBHOOK_SECRET = ROOMS.slack, ROOMS.webhook, ROOMS.secret
    WEBHOOK_PRIVATE = ROOMS.private
    SIEM_URL, SIEM_TOKEN, SIEM_SYSLOG, SIEM_CA, SIEM_HISTORY = siem.siem_values(plain_allowed=PLAIN_ALLOWED)
    # Anyone may read a chat channel: without this setting messages say what happened, but not to whom.
    NOTIFY_DETAILS = env.flag("GATEHOUSE_NOTIFY_DETAILS", default=False)
    NOTIFY_LINK_DAYS = env.number("GATEHOUSE_NOTIFY_LINK_DAYS", 7, low=1, high=90)
except env.ConfigurationError as error:
    # Shows one sentence instead of a traceback, because people read the last lines when a start fails.
    raise SystemExit(f"Gatehouse does not start. {error}") from None

AUTH_USER_MODEL = "operators.Operator"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "console.urls"
WSGI_APPLICATION = "console.wsgi.application"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_htmx",
    "template_partials",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.socialaccount.providers.saml",
    "django_structlog",
    "iam.journal",
    "iam.notify",
    "iam.sealed",
    "iam.directory",
    "iam.mirror",
    "iam.linking",
    "iam.activity",
    "iam.activity.sources",
    "iam.changes",
    "iam.changes.drift",
    "iam.changes.restore",
    "iam.changes.approval",
    "iam.access.grants",
    "iam.access.templates",
    "iam.access.rollout",
    "iam.access.drafts",
    "iam.access.escalation_calculation",
    "iam.people.blueprints",
    "iam.people.onboarding",
    "iam.people.offboarding",
    "iam.people.moving",
    "iam.people.links",
    "iam.people.enrolment",
    "iam.people.fleet",
    "iam.people.campaigns",
    "iam.people.replacing",
    "iam.people.rotation",
    "iam.audit.assertions",
    "iam.audit.reviews",
    "iam.audit.findings",
    "iam.audit.frameworks",
    "iam.audit.posture",
    "iam.audit.evidence",
    "iam.audit.anchors",
    "iam.audit.siem",
    "iam.audit.source_requests",
    "console",
    "console.operators",
    "console.web",
]

MIDDLEWARE = [
    "console.web.middleware.IsolationHeaders",
    "console.web.middleware.KnownMethods",
    "console.web.middleware.OwnPaths",
    "console.web.health.HealthMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "console.web.compression.CompressedPages",
    "console.web.middleware.NotStored",
    "console.web.unavailable.LeaveAlone",
    "console.database_connections.RecentConnection",
    "console.operators.middleware.EndableSessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "console.web.middleware.NoNulls",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "console.web.middleware.VaryOnHtmx",
    "console.operators.middleware.SignedIn",
    "console.web.pace.PaceMiddleware",
    "console.web.middleware.ReaderZone",
    "console.web.middleware.AsOf",
    "console.web.question_limit.QuestionLimit",
    "console.web.post_only.BackToPage",
    "console.web.frame_reads.FrameReads",
]

if DEBUG_TOOLBAR:
    INSTALLED_APPS.append("debug_toolbar")
    after_compression = MIDDLEWARE.index("console.web.compression.CompressedPages") + 1
    MIDDLEWARE.insert(after_compression, "debug_toolbar.middleware.DebugToolbarMiddleware")
    INTERNAL_IPS = ["127.0.0.1", "::1"]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": [
                (
                    "template_partials.loader.Loader",
                    [
                        (
                            "django.template.loaders.cached.Loader",
                            [
                                "console.web.compact_loader.CompactLoader",
                                "django.template.loaders.app_directories.Loader",
                            ],
                        )
                    ],
                )
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "console.web.context.shell",
            ],
            "builtins": [
                "console.web.templatetags.ui",
                "console.web.templatetags.fields",
                "console.web.templatetags.policy_text",
                "console.web.templatetags.when",
                "console.web.templatetags.approval",
                "console.web.templatetags.terms",
            ],
        },
    }
]

# Sign-in: see console.operators.
AUTHENTICATION_BACKENDS = ["console.operators.backends.OperatorBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = password_rules.validators(
    words=PASSWORD_WORDS, base_url=BASE_URL, breached=PASSWORD_LIST
)
PASSWORD_RESET_TIMEOUT = 3 * 24 * 3600
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES
ACCOUNT_ADAPTER = "console.operators.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email", "username"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "username*", "password1*", "password2*"]
ACCOUNT_FORMS = {
    "login": "console.operators.forms.LoginForm",
    "change_password": "console.operators.forms.ChangePasswordForm",
    "set_password": "console.operators.forms.SetPasswordForm",
    "reset_password_from_key": "console.operators.forms.ResetPasswordForm",
}
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[Gatehouse] "
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "http" if EMBEDDED else "https"
ACCOUNT_REAUTHENTICATION_TIMEOUT = REAUTHENTICATE_MINUTES * 60
# A first, coarse limit in the cache; the real lock (console.operators.locks) is in the database.
ACCOUNT_RATE_LIMITS = {"login": "60/m/ip", "login_failed": "60/m/ip,30/5m/key"}
MFA_ADAPTER = "console.operators.adapters.MfaAdapter"
MFA_FORMS = {
    "activate_totp": "console.operators.forms.ActivateTotpForm",
    "authenticate": "console.operators.forms.CodeForm",
    "reauthenticate": "console.operators.forms.ReauthenticateCodeForm",
    "add_webauthn": "console.operators.passkey_forms.AddKeyForm",
    "edit_webauthn": "console.operators.passkey_forms.RenameKeyForm",
    "authenticate_webauthn": "console.operators.passkey_forms.KeyAsSecondStepForm",
    "login_webauthn": "console.operators.passkey_forms.KeyAloneForm",
    "reauthenticate_webauthn": "console.operators.passkey_forms.KeyAgainForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Gatehouse"
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_ALLOW_UNVERIFIED_EMAIL = True
# Browsers allow passkeys without TLS only on localhost.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = EMBEDDED
SOCIALACCOUNT_ADAPTER = "console.operators.adapters.SingleSignOnAdapter"
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_AUTO_SIGNUP = False
MAIL_IS_CONFIGURED = bool(EMAIL_HOST) or EMBEDDED
MAIL_IN_BACKGROUND = not EMBEDDED
EMAIL_TIMEOUT = 20
if EMBEDDED and not EMAIL_HOST:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = VAR / "mail"
elif not EMAIL_HOST:
    EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
# We check the client address ourselves, because anyone can send X-Forwarded-For.
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False

LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "console.web.joined_files.JoinedFiles",
]
STATIC_ROOT = VAR / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if not EMBEDDED
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = EMBEDDED
WHITENOISE_AUTOREFRESH = DEBUG

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
    }
}

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
COOKIE_PREFIX = "" if EMBEDDED else "__Host-"
SESSION_COOKIE_NAME = f"{COOKIE_PREFIX}gatehouse_session"
CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}gatehouse_csrf"
CSRF_COOKIE_HTTPONLY = True
SESSION_ENGINE = "console.operators.session_store"
SESSION_COOKIE_AGE = SESSION_HOURS * 3600
if not EMBEDDED:
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = env.flag("GATEHOUSE_SSL_REDIRECT", default=True)
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    if TRUSTED_PROXIES:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    CSRF_TRUSTED_ORIGINS = [BASE_URL]

DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_HANDLERS = ["console.web.uploads.NoFiles"]

CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
if not EMBEDDED:
    CACHES = {"default": {"BACKEND": "console.web.cache.SharedCache", "LOCATION": env.cache_url(BROKER_URL)}}
configure_structlog()
effective_log_level = LOG_LEVEL if not EMBEDDED else "WARNING"
LOGGING = logging_settings(
    [
        SECRET_KEY,
        *SECRET_KEY_FALLBACKS,
        *SEALED_KEYS,
        *SIGNING_KEYS,
        EMAIL_HOST_PASSWORD,
        WEBHOOK_SECRET,
        SLACK_WEBHOOK,
        *(SIEM_TOKEN, SIEM_URL),
        env.text("GATEHOUSE_OIDC_CLIENT_SECRET", ""),
        str(DATABASES["default"].get("PASSWORD", "")),
        *logs.secrets_in_addresses(BROKER_URL),
        *logs.secrets_in_environment(),
    ],
    level=effective_log_level,
)
