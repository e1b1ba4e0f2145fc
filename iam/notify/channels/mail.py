"""Sends messages by mail, as plain text and HTML, with the reader's own link."""

from __future__ import annotations

from smtplib import SMTPException, SMTPRecipientsRefused
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.mail import BadHeaderError, EmailMultiAlternatives

from iam.notify.channels.errors import DeliveryError
from iam.notify.channels.mail_html import CHOICES, footer_of, html_of
from iam.notify.links import link_for, opens_alone
from iam.notify.models import OutgoingMessage
from iam.notify.pages import MessagePage, path_of

PERMANENT = 500


def send_mail(message: OutgoingMessage) -> None:
    """Send the message. Raises DeliveryError."""
    if not settings.MAIL_IS_CONFIGURED:
        raise DeliveryError("No mail server is configured (GATEHOUSE_EMAIL_HOST).", is_final=True)
    reader = UUID(message.recipient)
    link = link_for(reader, path=message.path)
    choices = (
        link_for(reader, path=path_of(MessagePage.NOTIFICATIONS)) if _reaches_choices(reader, message) else ""
    )
    mail = EmailMultiAlternatives(
        subject=f"{settings.ACCOUNT_EMAIL_SUBJECT_PREFIX}{message.subject}",
        body=body_of(message, link=link, choices=choices),
        to=[message.address],
        headers={"Message-ID": f"<{message.pk}@gatehouse>", "Auto-Submitted": "auto-generated"},
    )
    mail.attach_alternative(html_of(message, link=link, choices=choices), "text/html")
    try:
        mail.send()
    except SMTPRecipientsRefused as refused:
        # A server that asks to retry later (greylisting) answers with a code below 500.
        codes = [code for code, _ in refused.recipients.values()]
        is_final = all(code >= PERMANENT for code in codes)
        raise DeliveryError("The mail server refused the address.", is_final=is_final) from None
    except (BadHeaderError, UnicodeError) as error:
        raise DeliveryError(
            f"The address or the subject can’t be sent ({type(error).__name__}).", is_final=True
        ) from None
    except (SMTPException, OSError) as error:
        raise DeliveryError(f"The mail server didn’t accept it ({type(error).__name__}).") from error


def _reaches_choices(reader: UUID, message: OutgoingMessage) -> bool:
    """Return False for an invited person without a sign-in, for whom the link to the settings would end at
    the sign-in page.
    """
    if not opens_alone(message.path):
        return True
    return get_user_model()._default_manager.filter(person=reader, is_active=True).exists()


def body_of(message: OutgoingMessage, *, link: str, choices: str) -> str:
    """Return the text of a mail. `choices` is empty for people who can’t sign in."""
    parts = [
        f"Hello {message.name}," if message.name else "Hello,",
        message.subject,
        message.text,
        link,
        f"{footer_of(message)} {CHOICES}:" if choices else footer_of(message),
        choices,
    ]
    return "\n\n".join(part for part in parts if part) + "\n"
