"""The command line: `gateway` and its subcommands. Each module is one of them."""
