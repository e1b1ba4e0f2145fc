"""The pages of leaving: who goes, what ends in which account, how it stands, and the proof."""
