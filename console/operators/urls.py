"""Sign-in, profile, operators and roles."""

from django.urls import include, path

urlpatterns = [
    path("sign-in/", include("allauth.urls")),
]
