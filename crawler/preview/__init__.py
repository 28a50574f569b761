"""What a run of a source would fetch and make of it, as a program of a visit: links judged, some pages read."""
