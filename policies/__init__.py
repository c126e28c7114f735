"""Who may see what. Pure: no I/O, and the clock is passed in. Imports only `schema`."""
