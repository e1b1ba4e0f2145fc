"""The WSGI entry point of the web server."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
if os.environ.get("GATEHOUSE_SUPERVISED"):
    from console.demo.children import follow_leader

    # Set before the application is loaded, which takes most of the start.
    follow_leader()
application = get_wsgi_application()

from django.core.exceptions import ImproperlyConfigured  # noqa: E402
from django.db import connections  # noqa: E402

from console.web.startup import before_serving, keep_connections  # noqa: E402
from iam.journal.checks import JournalUnprotectedError  # noqa: E402

keep_connections()
try:
    before_serving()
except (ImproperlyConfigured, JournalUnprotectedError) as error:
    raise SystemExit(f"Gatehouse does not start. {error}") from None
# This thread serves no requests.
connections.close_all()
