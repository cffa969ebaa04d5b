"""Objects of a video get identities, and are counted."""
