"""Messages by mail: plain text, with the reader's own link."""

from __future__ import annotations

from smtplib import SMTPException, SMTPRecipientsRefused
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage

from iam.notify.channels.errors import DeliveryError
from iam.notify.links import link_for
from iam.notify.models import Outgoing

_FOOTER = (
    "The link opens the page after you have signed in; nothing is decided by following it. "
    "What you are told of, and how, is chosen on your profile."
)


def send_mail(message: Outgoing) -> None:
    """Send it. Raises DeliveryError."""
    if not settings.MAIL_IS_CONFIGURED:
        raise DeliveryError("No mail server is set up (GATEHOUSE_EMAIL_HOST).", is_final=True)
    mail = EmailMessage(
        subject=f"{settings.ACCOUNT_EMAIL_SUBJECT_PREFIX}{message.subject}",
        body=body_of(message, link=link_for(UUID(message.recipient), path=message.path)),
        to=[message.address],
        headers={"Message-ID": f"<{message.pk}@gatehouse>", "Auto-Submitted": "auto-generated"},
    )
    try:
        mail.send()
    except SMTPRecipientsRefused:
        raise DeliveryError("The mail server refused the address.", is_final=True) from None
    except (SMTPException, OSError) as error:
        raise DeliveryError(f"The mail server did not take it ({type(error).__name__}).") from error


def body_of(message: Outgoing, *, link: str) -> str:
    """The text of a mail."""
    parts = [
        f"Hello {message.name}," if message.name else "Hello,",
        message.subject,
        message.text,
        link,
        _FOOTER,
    ]
    return "\n\n".join(part for part in parts if part) + "\n"
