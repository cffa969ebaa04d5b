"""What the studio and `boxwright serve` share: HTTP in one process."""
