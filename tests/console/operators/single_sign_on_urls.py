"""The console's addresses with single sign-on configured: the real ones are chosen once, when the process
starts.
"""

from django.urls import include, path

from console.operators.single_sign_on_urls import oidc_patterns, saml_patterns
from console.urls import urlpatterns as console_urls

urlpatterns = [
    path("sign-in/", include(oidc_patterns)),
    path("sign-in/", include(saml_patterns)),
    *console_urls,
]
