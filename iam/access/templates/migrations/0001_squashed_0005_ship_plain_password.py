"""All of the migrations up to 0005_ship_plain_password at once, for a database that is new."""

from importlib import import_module

import django.db.models.deletion
from django.db import migrations, models

from iam.model_creation import CreateTogether
ship = import_module("iam.access.templates.migrations.0002_ship")
ship_plain_password = import_module("iam.access.templates.migrations.0005_ship_plain_password")


class Migration(migrations.Migration):

    replaces = [('access_templates', '0001_initial'), ('access_templates', '0002_ship'), ('access_templates', '0003_ship_own_password'), ('access_templates', '0004_ship_plain_words'), ('access_templates', '0005_ship_plain_password')]

    initial = True

    dependencies = [
    ]

    operations = [
        CreateTogether([
            migrations.CreateModel(
                name='Template',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('slug', models.SlugField(max_length=64, unique=True)),
                    ('origin', models.CharField(choices=[('shipped', 'Comes with Gatehouse'), ('own', 'Ours')], max_length=8)),
                    ('current', models.PositiveIntegerField(default=1)),
                    ('retired_at', models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    'ordering': ['slug'],
                },
            ),
            migrations.CreateModel(
                name='TemplateVersion',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('number', models.PositiveIntegerField()),
                    ('title', models.CharField(max_length=80)),
                    ('category', models.CharField(max_length=16)),
                    ('risk', models.CharField(max_length=8)),
                    ('content', models.JSONField()),
                    ('digest', models.CharField(max_length=32)),
                    ('origin', models.CharField(choices=[('shipped', 'Comes with Gatehouse'), ('own', 'Ours')], max_length=8)),
                    ('made_by', models.UUIDField(blank=True, null=True)),
                    ('made_label', models.CharField(blank=True, max_length=128)),
                    ('note', models.CharField(blank=True, max_length=500)),
                    ('made_at', models.DateTimeField()),
                    ('template', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='versions', to='access_templates.template')),
                ],
                options={
                    'ordering': ['template_id', '-number'],
                    'constraints': [models.UniqueConstraint(fields=('template', 'number'), name='template_version_number'), models.CheckConstraint(condition=models.Q(('number__gte', 1)), name='template_version_from_one')],
                },
            ),
        ]),
        migrations.RunPython(ship.protect, ship.expose),
        migrations.RunPython(ship_plain_password.take_in, migrations.RunPython.noop),
    ]
