"""What a person may change: settings and sources. The lowest layer; imports nothing of ours."""
