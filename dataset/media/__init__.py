"""Media: the files behind the samples, in folders and buckets, and what can be found out by reading them.

Nothing here knows datasets or the database.
"""
