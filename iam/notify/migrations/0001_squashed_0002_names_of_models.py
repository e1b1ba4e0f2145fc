"""All of the migrations up to 0002_names_of_models at once, for a database that is new."""

import uuid
from django.db import migrations, models

from iam.model_creation import CreateTogether


class Migration(migrations.Migration):
    replaces = [
        ("notify", "0001_initial"),
        ("notify", "0002_names_of_models"),
    ]

    initial = True

    dependencies = [
    ]

    operations = [
        CreateTogether([
            migrations.CreateModel(
                name='SlackMember',
                fields=[
                    ('person_id', models.UUIDField(primary_key=True, serialize=False)),
                    ('member_id', models.CharField(max_length=32)),
                ],
            ),
            migrations.CreateModel(
                name='OutgoingMessage',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('event', models.CharField(max_length=32)),
                    ('channel', models.CharField(choices=[('email', 'E-mail'), ('slack', 'Slack'), ('webhook', 'Webhook')], max_length=8)),
                    ('key', models.CharField(max_length=160)),
                    ('recipient', models.CharField(blank=True, max_length=36)),
                    ('name', models.CharField(blank=True, max_length=128)),
                    ('address', models.CharField(blank=True, max_length=254)),
                    ('subject', models.CharField(max_length=300)),
                    ('text', models.TextField(blank=True)),
                    ('path', models.CharField(default='/', max_length=512)),
                    ('reference', models.CharField(blank=True, max_length=64)),
                    ('mentions', models.JSONField(default=list, help_text="Slack's ids of the people whom a room's message names.")),
                    ('state', models.CharField(choices=[('waiting', 'Waiting'), ('sending', 'Being sent'), ('sent', 'Sent'), ('given_up', 'Given up')], default='waiting', max_length=8)),
                    ('due_at', models.DateTimeField(null=True)),
                    ('lease_until', models.DateTimeField(null=True)),
                    ('attempts', models.PositiveSmallIntegerField(default=0)),
                    ('error', models.CharField(blank=True, max_length=512)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('ended_at', models.DateTimeField(null=True)),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('state', 'waiting')), fields=['due_at'], name='outgoing_due'), models.Index(condition=models.Q(('state', 'sending')), fields=['lease_until'], name='outgoing_leased'), models.Index(fields=['-created_at', '-id'], name='outgoing_newest'), models.Index(fields=['state', '-created_at', '-id'], name='outgoing_by_state'), models.Index(condition=models.Q(('state', 'sent')), fields=['ended_at'], name='outgoing_over')],
                    'constraints': [models.UniqueConstraint(fields=('key', 'channel', 'recipient'), name='told_once')],
                    'db_table': 'notify_outgoing',
                },
            ),
            migrations.CreateModel(
                name='Preference',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('person_id', models.UUIDField()),
                    ('event', models.CharField(max_length=32)),
                    ('channel', models.CharField(choices=[('email', 'E-mail'), ('slack', 'Slack'), ('webhook', 'Webhook')], max_length=8)),
                    ('is_wanted', models.BooleanField()),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('person_id', 'event', 'channel'), name='one_preference')],
                },
            ),
        ]),
    ]
