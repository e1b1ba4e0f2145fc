"""The WSGI entry point of the web server."""

import os
import signal

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
if os.environ.get("GATEHOUSE_SUPERVISED"):
    from console.demo.children import die_with_parent

    die_with_parent(signal.SIGTERM)
application = get_wsgi_application()
