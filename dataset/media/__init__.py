"""Media: where files come from, and what is in them. Nothing here knows samples, datasets or the store."""
