"""From closed segments to an archive that lasts."""
