"""The drop-in for the Object Detection API: its configs, checkpoints and commands."""
