"""All of the migrations up to 0002_removed_files at once, for a database that is new."""

import uuid
from django.db import migrations, models



class Migration(migrations.Migration):
    replaces = [
        ("audit_evidence", "0001_initial"),
        ("audit_evidence", "0002_removed_files"),
    ]

    initial = True

    dependencies = [
    ]

    operations = [
            migrations.CreateModel(
                name='EvidencePack',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('kind', models.CharField(choices=[('period', 'Period'), ('framework', 'Framework'), ('review', 'Access review')], max_length=12)),
                    ('subject', models.CharField(blank=True, max_length=64)),
                    ('title', models.CharField(max_length=200)),
                    ('accounts', models.JSONField(default=list)),
                    ('since', models.DateTimeField()),
                    ('until', models.DateTimeField()),
                    ('seed', models.CharField(max_length=64)),
                    ('sample_size', models.PositiveSmallIntegerField()),
                    ('requested_by', models.UUIDField()),
                    ('requested_name', models.CharField(max_length=128)),
                    ('requested_at', models.DateTimeField()),
                    ('state', models.CharField(choices=[('waiting', 'Waiting for a worker'), ('building', 'Being built'), ('done', 'Ready'), ('failed', 'Failed')], default='waiting', max_length=12)),
                    ('lease_until', models.DateTimeField(null=True)),
                    ('as_of', models.DateTimeField(null=True)),
                    ('ended_at', models.DateTimeField(null=True)),
                    ('rows', models.PositiveIntegerField(default=0)),
                    ('counts', models.JSONField(default=dict)),
                    ('size', models.PositiveBigIntegerField(default=0)),
                    ('sha256', models.CharField(blank=True, max_length=64)),
                    ('key', models.CharField(blank=True, help_text='The public key that it is verified with.', max_length=256)),
                    ('error', models.CharField(blank=True, max_length=512)),
                    ('removed_at', models.DateTimeField(help_text='When the file was deleted.', null=True)),
                    ('removed_name', models.CharField(blank=True, max_length=128)),
                ],
                options={
                    'indexes': [models.Index(fields=['-requested_at', '-id'], name='pack_newest'), models.Index(fields=['requested_by', '-requested_at'], name='pack_by_requester')],
                },
            ),
    ]
