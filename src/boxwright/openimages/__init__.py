"""Open Images by class: its lists as a small index, and the images that are chosen from it."""
