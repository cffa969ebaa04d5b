"""Datasets: loading, checks, repair, near-duplicates, splits, merging and conversion."""
