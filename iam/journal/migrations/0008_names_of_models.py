"""Models are called by what they hold; their tables, and the triggers on them, keep their names."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("journal", "0007_frozen_records")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameModel("Block", "JournalBlock"),
                migrations.AlterModelTable("journalblock", "journal_block"),
                migrations.RenameModel("Link", "JournalLink"),
                migrations.AlterModelTable("journallink", "journal_link"),
                migrations.RenameModel("Verification", "JournalVerification"),
                migrations.AlterModelTable("journalverification", "journal_verification"),
            ]
        )
    ]
