"""All of the migrations up to 0006_plain_apostrophes at once, for a database that is new."""

import django.db.models.deletion
import uuid
from django.db import migrations, models

from iam.model_creation import CreateTogether


class Migration(migrations.Migration):
    replaces = [
        ("audit_findings", "0001_initial"),
        ("audit_findings", "0002_stamp"),
        ("audit_findings", "0003_changes_since"),
        ("audit_findings", "0004_told_at"),
        ("audit_findings", "0005_writes"),
        ("audit_findings", "0006_plain_apostrophes"),
    ]

    initial = True

    dependencies = [
        ("mirror", "0015_account_images"),
    ]

    operations = [
        CreateTogether([
            migrations.CreateModel(
                name='FindingRun',
                fields=[
                    ('account', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='finding_run', serialize=False, to='mirror.account')),
                    ('inputs', models.CharField(blank=True, max_length=32)),
                    ('calculated_at', models.DateTimeField(null=True)),
                    ('seconds', models.FloatField(default=0)),
                    ('unread', models.JSONField(default=list)),
                    ('lease', models.CharField(blank=True, max_length=32)),
                    ('lease_until', models.DateTimeField(null=True)),
                    ('told_at', models.DateTimeField(null=True)),
                    ('writes', models.BigIntegerField(null=True)),
                ],
            ),
            migrations.CreateModel(
                name='AuditFinding',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('key', models.CharField(max_length=32, unique=True)),
                    ('kind', models.CharField(max_length=64)),
                    ('subject', models.CharField(max_length=2048)),
                    ('name', models.CharField(max_length=512)),
                    ('cause', models.CharField(blank=True, max_length=64)),
                    ('severity', models.PositiveSmallIntegerField(choices=[(0, 'Critical'), (1, 'High'), (2, 'Medium'), (3, 'Low')])),
                    ('certainty', models.CharField(choices=[('confirmed', 'Confirmed'), ('conditional', 'Conditional')], max_length=12)),
                    ('status', models.CharField(choices=[('open', 'Open'), ('accepted', 'Accepted'), ('fixed', 'Fixed')], default='open', max_length=8)),
                    ('reasons', models.JSONField(default=list)),
                    ('evidence', models.JSONField(default=dict)),
                    ('related', models.JSONField(default=list)),
                    ('affected', models.PositiveIntegerField(default=0)),
                    ('fix', models.JSONField(default=dict)),
                    ('search', models.TextField(blank=True, help_text='What it is found by, in lower case.')),
                    ('place', models.CharField(help_text='Its place in the list: severity, kind, name.', max_length=600)),
                    ('first_seen', models.DateTimeField()),
                    ('last_seen', models.DateTimeField()),
                    ('changed_at', models.DateTimeField()),
                    ('closed_at', models.DateTimeField(null=True)),
                    ('unread_since', models.DateTimeField(null=True)),
                    ('accepted_until', models.DateTimeField(null=True)),
                    ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='mirror.account')),
                    ('entity', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='mirror.entity')),
                    ('stamp', models.CharField(blank=True, help_text='A digest of what was calculated.', max_length=32)),
                ],
                options={
                    'indexes': [models.Index(fields=['status', 'place', 'id'], name='finding_list'), models.Index(fields=['account', 'status', 'place', 'id'], name='finding_list_account'), models.Index(fields=['status', 'changed_at', 'id'], name='finding_changed'), models.Index(fields=['entity'], name='finding_of_entity'), models.Index(condition=models.Q(('accepted_until__isnull', False)), fields=['accepted_until'], name='finding_accepted')],
                },
            ),
            migrations.CreateModel(
                name='FindingAcceptance',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('state', models.CharField(choices=[('requested', 'Waiting for approval'), ('approved', 'Approved'), ('declined', 'Declined')], default='requested', max_length=10)),
                    ('until', models.DateTimeField()),
                    ('reason', models.CharField(max_length=1000)),
                    ('requested_by', models.UUIDField()),
                    ('requested_name', models.CharField(max_length=200)),
                    ('requested_at', models.DateTimeField()),
                    ('decided_by', models.UUIDField(null=True)),
                    ('decided_name', models.CharField(blank=True, max_length=200)),
                    ('decided_at', models.DateTimeField(null=True)),
                    ('finding', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='acceptances', to='audit_findings.auditfinding')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'requested')), fields=('finding',), name='one_requested_acceptance')],
                },
            ),
            migrations.CreateModel(
                name='FindingEvent',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('at', models.DateTimeField()),
                    ('kind', models.CharField(choices=[('opened', 'Opened'), ('fixed', 'Fixed'), ('reopened', 'Opened again'), ('requested', 'Acceptance requested'), ('accepted', 'Accepted'), ('declined', 'Acceptance declined'), ('ended', 'Acceptance ended'), ('severity', 'Severity changed')], max_length=10)),
                    ('actor', models.CharField(blank=True, max_length=200)),
                    ('reason', models.CharField(blank=True, max_length=1000)),
                    ('until', models.DateTimeField(null=True)),
                    ('finding', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='events', to='audit_findings.auditfinding')),
                ],
                options={
                    'indexes': [models.Index(fields=['finding', 'at'], name='finding_history'), models.Index(fields=['at', 'kind'], name='finding_events')],
                },
            ),
            migrations.CreateModel(
                name='FindingVisit',
                fields=[
                    ('person_id', models.UUIDField(primary_key=True, serialize=False)),
                    ('at', models.DateTimeField()),
                    ('before', models.DateTimeField(null=True)),
                ],
            ),
        ]),
    ]
