"""Pages to change someone's team: what they lose and gain with another blueprint, as a preview and in
progress.
"""
