"""The command line: one file a command. Only this room knows of typer, exit codes and streams."""
