"""The few pages that people open from a mail or by typing the address: no scripts, no cookies."""
