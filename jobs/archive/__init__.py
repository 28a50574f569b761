"""What an archive is in its store: identity, each source's log of commits, their packs and rows, leases (FORMAT.md)."""
