"""Label Studio: tasks, each with one or several images."""
