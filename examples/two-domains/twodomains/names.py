"""How a domain is written: U-labels in JIDs, A-labels in the DNS, in certificates, and mostly in mail."""


def in_a_labels(domain):
    return domain.encode("idna").decode()


def spellings(domain):
    """Those that differ: a mail server that converts nothing has to know each."""
    return list(dict.fromkeys([domain, in_a_labels(domain)]))
