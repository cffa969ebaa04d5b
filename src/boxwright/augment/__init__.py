"""Augmentation of training images: transforms as data, and what carries them out."""
