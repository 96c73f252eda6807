"""A certificate authority for the world, and a certificate for each domain, by openssl."""

import pathlib
import subprocess

from twodomains.names import in_a_labels


class Authority:
    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.certificate = self.directory / "ca.crt"
        self._key = self.directory / "ca.key"

    def start(self):
        self.directory.mkdir(mode=0o755)
        _openssl("req", "-x509", *_NEW_KEY, "-keyout", self._key, "-out", self.certificate,
                 "-days", "30", "-subj", "/CN=Two domains test CA")

    def issue(self, domain, address=None, days=30, names=None):
        """A key and a certificate that name the domain and, for its component, *.domain, or `names`; and perhaps an address."""
        domain = in_a_labels(domain)
        names = ",".join(f"DNS:{name}" for name in names or (domain, f"*.{domain}"))
        key, request, certificate = (self.directory / f"{domain}.{end}" for end in ("key", "csr", "crt"))
        _openssl("req", *_NEW_KEY, "-keyout", key, "-out", request, "-subj", f"/CN={domain}",
                 "-addext", f"subjectAltName={names}" + (f",IP:{address}" if address else ""))
        _openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._key,
                 "-days", str(days), "-copy_extensions", "copy", "-out", certificate)
        return key, certificate


_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc")


def _openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)
