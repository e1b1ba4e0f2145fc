"""The Django application of one-time links."""

from django.apps import AppConfig


class LinksConfig(AppConfig):
    """Registers the table of links."""

    name = "iam.people.links"
    label = "people_links"
