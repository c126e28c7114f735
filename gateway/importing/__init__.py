"""Members from files of other systems: reading, mapping, checking row by row, and the run itself."""
