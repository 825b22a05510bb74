"""Self-supervised training: a model that learns from images alone which of them resemble each other."""
