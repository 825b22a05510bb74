"""How a person sees and drives it: the command line."""
