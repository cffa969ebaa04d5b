"""Checks of a dataset: one small function per problem, which changes nothing."""
