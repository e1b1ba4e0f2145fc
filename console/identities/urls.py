"""URLs of lists and detail pages."""

from django.urls import URLPattern, path

from console.identities.details import urls as details
from console.identities.lists import urls as lists
from console.search.views import search

app_name = "identities"
urlpatterns: list[URLPattern] = [
    *lists.urlpatterns,
    path("search/", search, name="search"),
    *details.urlpatterns,
]
