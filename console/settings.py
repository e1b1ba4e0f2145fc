"""Every setting of Gatehouse, read from the environment; a missing or malformed one stops the start by name."""

from __future__ import annotations

import secrets
from pathlib import Path

import structlog
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from console import env

BASE_DIR = Path(__file__).resolve().parent.parent

try:
    MODE = env.choice("GATEHOUSE_MODE", "embedded", ("embedded", "production"))
    EMBEDDED = MODE == "embedded"
    VAR = Path(env.text("GATEHOUSE_VAR", str(BASE_DIR / "var")))
    DEBUG = env.flag("GATEHOUSE_DEBUG", default=False)
    BIND = env.text("GATEHOUSE_BIND", "127.0.0.1:8000")

    if EMBEDDED:
        VAR.mkdir(parents=True, exist_ok=True)
        key_file = VAR / "secret_key"
        if not key_file.exists():
            key_file.write_text(secrets.token_urlsafe(64), encoding="utf-8")
            key_file.chmod(0o600)
        SECRET_KEY = env.text("GATEHOUSE_SECRET_KEY", key_file.read_text(encoding="utf-8"))
    else:
        SECRET_KEY = env.text("GATEHOUSE_SECRET_KEY", why="Write 50 or more random characters.")
        if len(SECRET_KEY) < 50:
            raise env.ConfigurationError(
                "GATEHOUSE_SECRET_KEY is too short: write 50 or more random characters."
            )

    ALLOWED_HOSTS = env.words(
        "GATEHOUSE_ALLOWED_HOSTS",
        ("127.0.0.1", "localhost", "[::1]", "testserver") if EMBEDDED else None,
        why="Write the host names under which people reach Gatehouse, separated by commas.",
    )
    BASE_URL = env.text(
        "GATEHOUSE_BASE_URL",
        f"http://{BIND}" if EMBEDDED else None,
        why="Write the address that people type, such as https://gatehouse.example.com.",
    ).rstrip("/")
    if not EMBEDDED and not BASE_URL.startswith("https://"):
        raise env.ConfigurationError("GATEHOUSE_BASE_URL must start with https:// in production.")
    DATABASES = {
        "default": env.database(
            "DATABASE_URL", f"sqlite:///{VAR / 'gatehouse.sqlite3'}" if EMBEDDED else None
        )
    }
    BROKER_URL = env.redis_url("REDIS_URL", "redis://127.0.0.1:6379/0" if EMBEDDED else None)
    IDLE_MINUTES = env.number("GATEHOUSE_IDLE_MINUTES", 15, low=1, high=1440)
    IDLE_MINUTES_MEMBER = env.number("GATEHOUSE_IDLE_MINUTES_MEMBER", 60, low=1, high=1440)
    PULL_MINUTES = env.number("GATEHOUSE_PULL_MINUTES", 15, low=1, high=1440)
    AWS_RATE = env.number("GATEHOUSE_AWS_RATE", 20, low=1, high=1000)
    LOSS_PERCENT = env.number("GATEHOUSE_LOSS_PERCENT", 20, low=1, high=100)
    UPLOAD_MEGABYTES = env.number("GATEHOUSE_UPLOAD_MEGABYTES", 64, low=1, high=512)
    SINGLE_OPERATOR = env.flag("GATEHOUSE_SINGLE_OPERATOR", default=False)
    # A secret under a tell-tale name is withheld from the journal; development and tests stop instead.
    JOURNAL_REFUSES_SECRETS = env.flag("GATEHOUSE_JOURNAL_REFUSES_SECRETS", default=DEBUG)
    LOG_LEVEL = env.choice("GATEHOUSE_LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))
    EMAIL_URL = env.text("GATEHOUSE_EMAIL_HOST", "")
except env.ConfigurationError as error:
    raise ImproperlyConfigured(str(error)) from error

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
    "iam.directory",
    "iam.mirror",
    "iam.changes",
    "console",
    "console.operators",
    "console.web",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "console.web.middleware.VaryOnHtmx",
    "console.operators.middleware.SignedIn",
    "console.web.middleware.AsOf",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "console.web.context.shell",
            ],
            "builtins": ["console.web.templatetags.ui", "console.web.templatetags.policy_text"],
        },
    }
]

# Sign-in: see console.operators.
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"

LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
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
SESSION_COOKIE_NAME = "gatehouse_session"
CSRF_COOKIE_NAME = "gatehouse_csrf"
CSRF_COOKIE_HTTPONLY = True
SESSION_ENGINE = "django.contrib.sessions.backends.db"
if not EMBEDDED:
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = env.flag("GATEHOUSE_SSL_REDIRECT", default=True)
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    CSRF_TRUSTED_ORIGINS = [BASE_URL]

DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]

CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
if not EMBEDDED:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": BROKER_URL}}

structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.filter_by_level,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processor": structlog.processors.JSONRenderer(),
            "foreign_pre_chain": [
                structlog.processors.TimeStamper(fmt="iso"),
                structlog.stdlib.add_logger_name,
                structlog.stdlib.add_log_level,
            ],
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL if not EMBEDDED else "WARNING"},
}
