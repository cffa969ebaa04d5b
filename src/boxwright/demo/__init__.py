"""The demo: drawn building sites, and the whole road on them."""
