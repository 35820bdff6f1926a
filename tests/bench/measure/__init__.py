"""The parts of the benchmark: the world it runs in, what is measured, and the report."""
