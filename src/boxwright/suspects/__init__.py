"""Labels that detectors doubt which did not learn from them, and how well people agree."""
