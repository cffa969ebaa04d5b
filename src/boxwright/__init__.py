"""Boxwright: a folder of labelled photos becomes an object detector."""
