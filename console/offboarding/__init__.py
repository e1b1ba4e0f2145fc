"""The pages of offboarding: who it is, what ends in which account, how it stands, and the proof."""
