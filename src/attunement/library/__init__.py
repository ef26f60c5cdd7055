"""What to read, linked to the findings that it bears on."""
