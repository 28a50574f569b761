"""From the web to closed segments on local disk."""
