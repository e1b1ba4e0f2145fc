"""Evidence packs: what an auditor takes along, signed, and verified without Gatehouse."""
