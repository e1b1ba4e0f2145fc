"""Models are called by what they hold; their tables keep their names."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("notify", "0001_initial")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameModel("Outgoing", "OutgoingMessage"),
                migrations.AlterModelTable("outgoingmessage", "notify_outgoing"),
            ]
        )
    ]
