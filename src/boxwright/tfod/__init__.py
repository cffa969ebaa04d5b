"""Drop-in replacement for the Object Detection API: configs, checkpoints and commands."""
