"""Keep sessions under a digest of their key, sealed, and in one row with what their operator reads of them. Those that last go on."""

import django.db.models.deletion
from django.conf import settings
from django.core import signing
from django.db import migrations, models
from django.utils import timezone

from console.operators.session_store import ADDRESS, USER_AGENT, columns, digest, seal

SALT = "django.contrib.sessions.SessionStore"
OLD_LIST = "usersessions_usersession"


def move(apps, schema_editor):
    """Hash the keys of the sessions that last, seal their data, and remove every key that the database held."""
    old = apps.get_model("sessions", "Session")
    new = apps.get_model("operators", "OperatorSession")
    operators = set(apps.get_model("operators", "Operator").objects.values_list("pk", flat=True))
    places = places_of(schema_editor.connection)
    for session in old.objects.filter(expire_date__gt=timezone.now()).iterator():
        data = readable(session.session_data)
        if session.session_key in places:
            data[ADDRESS], data[USER_AGENT] = places[session.session_key]
        row = columns(data)
        if row["operator_id"] not in operators:
            continue  # Nobody has signed in with it.
        packed = signing.dumps(data, salt=SALT, compress=True)
        new.objects.create(
            session_key=digest(session.session_key),
            session_data=seal(session.session_key, packed),
            expire_date=session.expire_date,
            **row,
        )
    old.objects.all().delete()


def readable(session_data):
    """What a session held; nothing where the secret key has changed."""
    try:
        return signing.loads(session_data, salt=SALT)
    except (signing.BadSignature, ValueError):
        return {}


def places_of(connection):
    """Address and browser of each session, by its key, as the former list of sessions has them."""
    with connection.cursor() as cursor:
        if OLD_LIST not in connection.introspection.table_names(cursor):
            return {}
        cursor.execute(f"SELECT session_key, ip, user_agent FROM {OLD_LIST}")
        return {key: (str(ip), user_agent) for key, ip, user_agent in cursor.fetchall()}


class Migration(migrations.Migration):
    dependencies = [
        ("operators", "0003_totp_steps_and_bindings_by_issuer"),
        ("sessions", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="OperatorSession",
            fields=[
                ("session_data", models.TextField(verbose_name="session data")),
                ("expire_date", models.DateTimeField(db_index=True, verbose_name="expire date")),
                ("session_key", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("began_at", models.DateTimeField(null=True)),
                ("seen_at", models.DateTimeField(null=True)),
                ("address", models.GenericIPAddressField(null=True)),
                ("user_agent", models.CharField(blank=True, default="", max_length=200)),
                (
                    "operator",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "session",
                "verbose_name_plural": "sessions",
                "abstract": False,
            },
        ),
        migrations.RunPython(move, migrations.RunPython.noop),
        # The former list held the keys as well.
        migrations.RunSQL(f"DROP TABLE IF EXISTS {OLD_LIST}", migrations.RunSQL.noop),
    ]
