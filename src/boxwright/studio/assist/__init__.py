"""Trains while images are labeled, and proposes boxes."""
