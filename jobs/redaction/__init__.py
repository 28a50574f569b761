"""What was captured of an article, taken out of an archive on request: FORMAT.md § 5, *Redacted captures*, and § 12."""
