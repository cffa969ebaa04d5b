"""The demo's images: a small renderer that draws building sites with hard hats."""
