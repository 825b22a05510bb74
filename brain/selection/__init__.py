"""What is asked of a selection, as values. Arrays are `brain.kernels`; samples are `brain.operations.select`."""
