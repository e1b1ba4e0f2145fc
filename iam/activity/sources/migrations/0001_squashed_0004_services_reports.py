"""All of the migrations up to 0004_services_reports at once, for a database that is new."""

import django.db.models.deletion
import uuid
from django.db import migrations, models

from iam.model_creation import CreateTogether


class Migration(migrations.Migration):
    replaces = [
        ("trail_sources", "0001_initial"),
        ("trail_sources", "0002_digest_times"),
        ("trail_sources", "0003_uploads"),
        ("trail_sources", "0004_services_reports"),
    ]

    initial = True

    dependencies = [
        ("mirror", "0016_trails"),
    ]

    operations = [
        CreateTogether([
            migrations.CreateModel(
                name='ReadSpan',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('account_id', models.CharField(max_length=12)),
                    ('region', models.CharField(max_length=32)),
                    ('basis', models.CharField(choices=[('digest', 'Verified with digest files'), ('listing', 'All files of the bucket'), ('history', 'CloudTrail event history')], max_length=16)),
                    ('start', models.DateTimeField()),
                    ('end', models.DateTimeField()),
                ],
                options={
                    'db_table': 'activity_span',
                    'indexes': [models.Index(fields=['account_id', 'region', 'basis', 'start'], name='span_by_place')],
                },
            ),
            migrations.CreateModel(
                name='TrailSource',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('kind', models.CharField(choices=[('bucket', 'S3 bucket of a trail'), ('history', 'CloudTrail event history')], max_length=16)),
                    ('bucket', models.CharField(blank=True, max_length=63)),
                    ('prefix', models.CharField(blank=True, max_length=200)),
                    ('region', models.CharField(blank=True, max_length=32)),
                    ('queue_url', models.CharField(blank=True, max_length=512)),
                    ('since', models.DateField()),
                    ('is_paused', models.BooleanField(default=False)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('created_by', models.CharField(max_length=256)),
                    ('removed_at', models.DateTimeField(null=True)),
                    ('lease_until', models.DateTimeField(null=True)),
                    ('next_run_at', models.DateTimeField(null=True)),
                    ('found_at', models.DateTimeField(help_text='When the accounts and Regions were last listed.', null=True)),
                    ('ended_at', models.DateTimeField(help_text='When the last run ended.', null=True)),
                    ('succeeded_at', models.DateTimeField(null=True)),
                    ('failures', models.PositiveIntegerField(default=0, help_text='Runs that failed one after the other.')),
                    ('error', models.CharField(blank=True, max_length=500)),
                    ('error_field', models.CharField(blank=True, max_length=16)),
                    ('check_requested_at', models.DateTimeField(null=True)),
                    ('checked_at', models.DateTimeField(null=True)),
                    ('check_result', models.JSONField(default=dict)),
                    ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='trail_sources', to='mirror.account')),
                ],
                options={
                    'db_table': 'activity_source',
                    'constraints': [models.UniqueConstraint(condition=models.Q(('removed_at__isnull', True)), fields=('kind', 'account', 'bucket', 'prefix'), name='one_source_per_bucket')],
                },
            ),
            migrations.CreateModel(
                name='SourcePlace',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('account_id', models.CharField(max_length=12)),
                    ('region', models.CharField(max_length=32)),
                    ('folder', models.CharField(blank=True, max_length=400)),
                    ('after', models.CharField(blank=True, max_length=1024)),
                    ('digest_after', models.CharField(blank=True, max_length=1024)),
                    ('late_at', models.DateTimeField(null=True)),
                    ('read_from', models.DateTimeField(null=True)),
                    ('read_until', models.DateTimeField(null=True)),
                    ('slice_seconds', models.PositiveIntegerField(default=3600)),
                    ('visited_at', models.DateTimeField(null=True)),
                    ('source', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='places', to='trail_sources.trailsource')),
                    ('digest_at', models.DateTimeField(help_text='When digest files were last looked for.', null=True)),
                ],
                options={
                    'db_table': 'activity_source_place',
                    'constraints': [models.UniqueConstraint(fields=('source', 'account_id', 'region', 'folder'), name='one_place_per_folder')],
                },
            ),
            migrations.CreateModel(
                name='SourceFile',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('key_digest', models.CharField(help_text='BLAKE2b-128 of the key.', max_length=32)),
                    ('key', models.CharField(max_length=1024)),
                    ('account_id', models.CharField(max_length=12)),
                    ('region', models.CharField(max_length=32)),
                    ('at', models.DateTimeField(help_text='The time in its name.')),
                    ('sha256', models.CharField(blank=True, max_length=64)),
                    ('problem', models.CharField(blank=True, max_length=256)),
                    ('read_at', models.DateTimeField()),
                    ('source', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='files', to='trail_sources.trailsource')),
                ],
                options={
                    'db_table': 'activity_source_file',
                    'indexes': [models.Index(condition=models.Q(('problem', ''), _negated=True), fields=['account_id', 'region', 'at'], name='source_file_problems')],
                    'constraints': [models.UniqueConstraint(fields=('source', 'key_digest'), name='one_row_per_source_file')],
                },
            ),
            migrations.CreateModel(
                name='DigestFile',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('key_digest', models.CharField(help_text='BLAKE2b-128 of the key.', max_length=32)),
                    ('key', models.CharField(max_length=1024)),
                    ('account_id', models.CharField(max_length=12)),
                    ('region', models.CharField(max_length=32)),
                    ('start_at', models.DateTimeField()),
                    ('end_at', models.DateTimeField()),
                    ('sha256', models.CharField(blank=True, max_length=64)),
                    ('signature', models.TextField(blank=True)),
                    ('log_files', models.PositiveIntegerField(default=0)),
                    ('problem', models.CharField(blank=True, max_length=500)),
                    ('checked_at', models.DateTimeField()),
                    ('source', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='digests', to='trail_sources.trailsource')),
                ],
                options={
                    'db_table': 'activity_digest',
                    'indexes': [models.Index(fields=['account_id', 'region', 'end_at'], name='digest_by_time')],
                    'constraints': [models.UniqueConstraint(fields=('source', 'key_digest'), name='one_row_per_digest')],
                },
            ),
            migrations.CreateModel(
                name='TrailUpload',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('created_by', models.CharField(max_length=256)),
                    ('state', models.CharField(choices=[('queued', 'Waiting for a worker'), ('reading', 'Reading'), ('done', 'Done')], default='queued', max_length=16)),
                    ('names', models.JSONField(default=list)),
                    ('done', models.PositiveIntegerField(default=0, help_text='Files that were read.')),
                    ('stored', models.PositiveIntegerField(default=0, help_text='Events that were new.')),
                    ('repeated', models.PositiveIntegerField(default=0, help_text='Events that were stored before.')),
                    ('quarantined', models.JSONField(default=list)),
                    ('lease_until', models.DateTimeField(null=True)),
                    ('ended_at', models.DateTimeField(null=True)),
                ],
                options={
                    'db_table': 'activity_upload',
                },
            ),
            migrations.CreateModel(
                name='ServicesReport',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('state', models.CharField(choices=[('waiting', 'Waiting for a worker'), ('reading', 'IAM makes the report'), ('done', 'Read'), ('failed', 'Failed')], default='waiting', max_length=16)),
                    ('requested_at', models.DateTimeField()),
                    ('requested_by', models.CharField(blank=True, max_length=256)),
                    ('job_id', models.CharField(blank=True, max_length=64)),
                    ('lease_until', models.DateTimeField(null=True)),
                    ('attempts', models.PositiveSmallIntegerField(default=0)),
                    ('read_at', models.DateTimeField(null=True)),
                    ('services', models.JSONField(default=list)),
                    ('error', models.CharField(blank=True, max_length=500)),
                    ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='mirror.account')),
                    ('entity', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='services_report', to='mirror.entity')),
                ],
                options={
                    'db_table': 'activity_services_report',
                    'indexes': [models.Index(fields=['account', 'read_at'], name='services_report_by_account'), models.Index(condition=models.Q(('state__in', ['waiting', 'reading'])), fields=['requested_at'], name='services_report_due')],
                },
            ),
        ]),
    ]
