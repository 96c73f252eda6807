"""Two (or more) mail domains with real servers, in a private corner of this machine."""
