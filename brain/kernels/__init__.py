"""The arithmetic of Saccade: arrays in, arrays out.

A kernel knows no dataset, no database and no progress bar. It raises ValueError, with the shapes it met.
"""
