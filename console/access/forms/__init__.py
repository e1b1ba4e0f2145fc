"""The forms of the pages about access: each reads an address, which can be sent to a colleague."""
