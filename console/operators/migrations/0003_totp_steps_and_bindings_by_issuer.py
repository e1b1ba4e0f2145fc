"""Keep the last accepted time step of each authenticator app, and key bindings of single sign-on by their provider."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def key_by_provider(apps, schema_editor):
    """Name the provider of each binding if it is certain. Other bindings remain, match no one, and must be
    removed by an administrator.

    OpenID Connect: the issuer named in the stored ID token, if its subject is the bound one. SAML: the
    configured identity provider, which is the only one whose assertions these bindings could match.
    """
    account = apps.get_model("socialaccount", "SocialAccount")
    for binding in account.objects.filter(provider="company").iterator():
        issuer = proven_issuer(binding)
        is_free = issuer and not account.objects.filter(provider=issuer, uid=binding.uid).exists()
        if is_free:
            binding.provider = issuer
            binding.save(update_fields=["provider"])
    for app in settings.SOCIALACCOUNT_PROVIDERS.get("saml", {}).get("APPS", []):
        account.objects.filter(provider="company-saml").update(provider=app["settings"]["idp"]["entity_id"])


def proven_issuer(binding):
    """Return the issuer of the last sign-in's ID token; "" if there is none, or if it has another subject."""
    data = binding.extra_data if isinstance(binding.extra_data, dict) else {}
    claims = data.get("id_token")
    claims = claims if isinstance(claims, dict) else {}
    issuer, subject = claims.get("iss"), claims.get("sub")
    if not isinstance(issuer, str) or not isinstance(subject, str) or not subject.strip():
        return ""
    return issuer.rstrip("/") if subject == binding.uid and len(issuer) <= 200 else ""


def forget_provider(apps, schema_editor):
    """Restore the constants."""
    account = apps.get_model("socialaccount", "SocialAccount")
    for name, key in (("openid_connect", "company"), ("saml", "company-saml")):
        for app in settings.SOCIALACCOUNT_PROVIDERS.get(name, {}).get("APPS", []):
            values = app["settings"]
            known = values["server_url"] if name == "openid_connect" else values["idp"]["entity_id"]
            account.objects.filter(provider=known).update(provider=key)


class Migration(migrations.Migration):
    dependencies = [
        ("operators", "0002_time_zone_of_operator"),
        ("mfa", "0003_authenticator_type_uniq"),
        ("socialaccount", "0006_alter_socialaccount_extra_data"),
    ]

    operations = [
        migrations.CreateModel(
            name="TotpStep",
            fields=[
                (
                    "authenticator",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="totp_step",
                        serialize=False,
                        to="mfa.authenticator",
                    ),
                ),
                ("step", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.RunPython(key_by_provider, forget_provider),
    ]
