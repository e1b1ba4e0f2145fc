"""The Django application of one-time links."""

from django.apps import AppConfig


class LinksConfig(AppConfig):
    """Registers the table of links and the function that builds their addresses when a mail is sent."""

    name = "iam.people.links"
    label = "people_links"

    def ready(self) -> None:
        from iam.notify.links import make_links_of
        from iam.notify.pages import MessagePage
        from iam.people.links.signed_ids import address_on

        make_links_of(MessagePage.LINK, address_on)
