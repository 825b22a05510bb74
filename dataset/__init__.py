"""What is known: the persistent model of datasets, samples and labels."""
