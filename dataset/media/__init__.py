"""Media: what is read from image and video files, one decode for everything asked of a file."""
