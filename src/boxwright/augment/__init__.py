"""Augmentation of training images: transforms as data, and one function that applies them."""
