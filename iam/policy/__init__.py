"""The meaning of policy documents, as pure functions that use no Django, no AWS calls and no clock."""
