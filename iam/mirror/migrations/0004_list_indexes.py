from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('mirror', '0003_pull_progress'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='entitystate',
            index=models.Index(condition=models.Q(('valid_to__isnull', True)), fields=['kind', 'created_at', 'entity'], name='state_created_all_now'),
        ),
        migrations.AddIndex(
            model_name='entitystate',
            index=models.Index(fields=['kind', 'sort_name', 'entity', 'valid_from'], name='state_list_all_then'),
        ),
        migrations.AddIndex(
            model_name='usage',
            index=models.Index(fields=['kind', 'last_used_at', 'entity'], name='usage_all_by_date'),
        ),
        migrations.AddIndex(
            model_name='usercredentials',
            index=models.Index(condition=models.Q(('valid_to__isnull', True)), fields=['oldest_key_at', 'user'], name='credentials_all_by_key_now'),
        ),
        migrations.AddIndex(
            model_name='usercredentials',
            index=models.Index(condition=models.Q(('valid_to__isnull', True)), fields=['mfa', 'user'], name='credentials_all_by_mfa_now'),
        ),
    ]
