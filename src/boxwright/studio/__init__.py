"""The studio: label images in the browser while a detector trains beside it."""
