"""All of the migrations up to 0006_names_of_models at once, for a database that is new."""

import django.db.models.deletion
import uuid
from django.db import migrations, models

from iam.model_creation import CreateTogether


class Migration(migrations.Migration):
    replaces = [
        ("leaving", "0001_first"),
        ("leaving", "0002_passwords_of_those_who_come_back"),
        ("leaving", "0003_suspension"),
        ("leaving", "0004_link_due"),
        ("leaving", "0005_run_engine"),
        ("leaving", "0006_names_of_models"),
    ]

    initial = True

    dependencies = [
        ("changes", "0006_notes_of_a_set"),
        ("grants", "0008_large_grants_are_prepared"),
        ("mirror", "0009_revisions"),
    ]

    operations = [
        CreateTogether([
            migrations.CreateModel(
                name='OffboardingRun',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('state', models.CharField(choices=[('draft', 'Draft'), ('asking', 'Submitting'), ('asked', 'Requested'), ('waiting', 'Waiting for approval'), ('running', 'In progress'), ('done', 'Done'), ('partly', 'Done in part'), ('closed', 'Cancelled')], default='draft', max_length=8)),
                    ('source', models.CharField(blank=True, max_length=128)),
                    ('reason', models.CharField(blank=True, max_length=1024)),
                    ('leaves_at', models.DateTimeField(null=True)),
                    ('grace_days', models.PositiveSmallIntegerField(default=30)),
                    ('roles', models.JSONField(default=list)),
                    ('sessions', models.JSONField(default=list)),
                    ('requested_by', models.UUIDField()),
                    ('requested_label', models.CharField(max_length=128)),
                    ('trouble', models.CharField(blank=True, max_length=1024)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('asked_at', models.DateTimeField(null=True)),
                    ('is_suspension', models.BooleanField(default=False)),
                ],
                options={
                    'indexes': [models.Index(fields=['-created_at', '-id'], name='leaving_newest'), models.Index(fields=['state', 'asked_at'], name='leaving_by_state')],
                    'db_table': 'leaving_run',
                },
            ),
            migrations.CreateModel(
                name='Leaver',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('position', models.PositiveIntegerField(default=0)),
                    ('line', models.PositiveIntegerField(default=0)),
                    ('typed', models.CharField(blank=True, max_length=256)),
                    ('name', models.CharField(blank=True, max_length=256)),
                    ('email', models.CharField(blank=True, max_length=256)),
                    ('person_id', models.UUIDField(null=True)),
                    ('teams', models.JSONField(default=list)),
                    ('standing', models.CharField(choices=[('ready', 'Ready'), ('bad', 'Needs fixing'), ('existing', 'Has a user already')], default='ready', max_length=8)),
                    ('problems', models.JSONField(default=list)),
                    ('stage', models.CharField(choices=[('draft', 'Draft'), ('waiting', 'Waiting for approval'), ('planned', 'Scheduled'), ('closing', 'Removing access'), ('open', 'Access not fully removed'), ('gone', 'Access removed'), ('returning', 'Restore requested'), ('returned', 'Access restored'), ('partly', 'Partly restored'), ('deleting', 'Deletion requested'), ('deleted', 'Users deleted'), ('called-off', 'Cancelled'), ('suspending', 'Suspending'), ('suspended', 'Suspended, waiting for confirmation'), ('confirmed', 'Suspended'), ('followed', 'Offboarded since')], default='draft', max_length=12)),
                    ('began_at', models.DateTimeField(null=True)),
                    ('closed_at', models.DateTimeField(null=True)),
                    ('proved_at', models.DateTimeField(null=True)),
                    ('delete_after', models.DateTimeField(null=True)),
                    ('returned_at', models.DateTimeField(null=True)),
                    ('deleted_at', models.DateTimeField(null=True)),
                    ('trials', models.PositiveSmallIntegerField(default=0)),
                    ('unseen', models.PositiveSmallIntegerField(default=0)),
                    ('trouble', models.CharField(blank=True, max_length=1024)),
                    ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='people', to='leaving.offboardingrun')),
                    ('followed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='follows', to='leaving.leaver')),
                    ('link_due_at', models.DateTimeField(null=True)),
                ],
                options={
                    'ordering': ['position'],
                    'indexes': [models.Index(fields=['stage', 'delete_after'], name='leaver_by_stage'), models.Index(fields=['person_id'], name='leaver_by_person'), models.Index(condition=models.Q(('link_due_at__isnull', False)), fields=['link_due_at'], name='leaver_without_link')],
                    'constraints': [models.UniqueConstraint(fields=('run', 'position'), name='leaver_once')],
                },
            ),
            migrations.CreateModel(
                name='OffboardedUser',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('user_arn', models.CharField(max_length=2048)),
                    ('user_name', models.CharField(max_length=64)),
                    ('lane', models.PositiveSmallIntegerField(default=0)),
                    ('trials', models.PositiveSmallIntegerField(default=0)),
                    ('proof', models.JSONField(default=list)),
                    ('read_at', models.DateTimeField(null=True)),
                    ('proved_at', models.DateTimeField(null=True)),
                    ('trouble', models.CharField(blank=True, max_length=1024)),
                    ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mirror.account')),
                    ('change_set', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='changes.changeset')),
                    ('leaver', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='seats', to='leaving.leaver')),
                    ('user', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mirror.entity')),
                    ('password_seal', models.UUIDField(null=True)),
                ],
                options={
                    'indexes': [models.Index(fields=['user'], name='seat_by_user'), models.Index(condition=models.Q(('proved_at__isnull', True)), fields=['change_set'], name='seat_unproved')],
                    'constraints': [models.UniqueConstraint(fields=('leaver', 'user'), name='one_seat_of_user')],
                    'db_table': 'leaving_seat',
                },
            ),
            migrations.CreateModel(
                name='EndedGrant',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('is_whole', models.BooleanField()),
                    ('grant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='grants.grant')),
                    ('seat', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='grants', to='leaving.offboardeduser')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('seat', 'grant'), name='one_end_of_grant')],
                },
            ),
            migrations.CreateModel(
                name='OffboardingCertificate',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('kind', models.CharField(choices=[('ended', 'Access ended'), ('deleted', 'Users deleted')], max_length=8)),
                    ('text', models.TextField()),
                    ('digest', models.CharField(max_length=64)),
                    ('entry_id', models.BigIntegerField()),
                    ('made_at', models.DateTimeField()),
                    ('leaver', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='certificates', to='leaving.leaver')),
                ],
                options={
                    'ordering': ['made_at'],
                    'constraints': [models.UniqueConstraint(fields=('leaver', 'kind'), name='one_certificate_of_kind')],
                    'db_table': 'leaving_certificate',
                },
            ),
        ]),
    ]
