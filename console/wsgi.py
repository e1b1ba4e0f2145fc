"""The WSGI entry point of the web server."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
if os.environ.get("GATEHOUSE_SUPERVISED"):
    from console.demo.children import follow_leader

    # Before the application is loaded, which takes the longest part of the start.
    follow_leader()
application = get_wsgi_application()

from console.web.startup import before_serving  # noqa: E402

before_serving()
