"""Exports of a trained run, each compared with the run before it is kept."""
