"""Embedding models: what turns an image into a vector, and the pass over the files that feeds them."""
