"""The verbs: read columns, compute with a kernel, write the result in one step, record the run, return it."""
