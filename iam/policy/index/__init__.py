"""The policies of an organization, compiled to answer questions about all principals: who can do something,
what each can do, and what a change would alter.
"""
