"""The MFA devices of everybody: who has what, who lacks one, where only hardware will do, and the root users
of all accounts.
"""
