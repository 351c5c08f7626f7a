"""Keys and certificates of a run, made anew each time."""

import datetime
import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = datetime.timedelta(days=1)


def name_of(number):
    """The server name that bench/load asks for."""
    return f"n{number}.bench.example"


def _write(path, content):
    path.touch(mode=0o600)
    path.write_bytes(content)
    return path


def _pem(thing):
    return thing.public_bytes(serialization.Encoding.PEM)


def _key_pem(key):
    return key.private_bytes(serialization.Encoding.PEM,
                             serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption())


class Identity:
    """A certificate and its key: apart, and both in one file as some want."""

    def __init__(self, directory, stem, certificate, key):
        self.certificate = certificate
        self.cert = _write(directory / f"{stem}.crt", _pem(certificate))
        self.key = _write(directory / f"{stem}.key", _key_pem(key))
        self.both = _write(directory / f"{stem}.pem",
                           _pem(certificate) + _key_pem(key))

    @property
    def der(self):
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def replace_with(self, other):
        """What a renewal does: new contents under the same names."""
        for mine, its in ((self.cert, other.cert), (self.key, other.key),
                          (self.both, other.both)):
            fresh = mine.with_suffix(".new")
            _write(fresh, its.read_bytes())
            os.replace(fresh, mine)
        self.certificate = other.certificate


class Keys:
    def __init__(self, directory):
        self.directory = Path(directory)
        self.ca_key = ec.generate_private_key(ec.SECP256R1())
        self.ca = self._certificate("Bench CA", self.ca_key.public_key(),
                                    ca=True)
        self.ca_file = _write(self.directory / "ca.pem", _pem(self.ca))
        self.ecdsa = self.server("ecdsa")
        self.rsa = self.server("rsa", rsa.generate_private_key(65537, 2048))
        client_key = ec.generate_private_key(ec.SECP256R1())
        self.client = Identity(
            self.directory, "client",
            self._certificate("client", client_key.public_key(),
                              ExtendedKeyUsageOID.CLIENT_AUTH), client_key)
        self._named = []

    def server(self, stem, key=None, name="localhost"):
        key = key or ec.generate_private_key(ec.SECP256R1())
        return Identity(
            self.directory, stem,
            self._certificate(name, key.public_key(),
                              ExtendedKeyUsageOID.SERVER_AUTH), key)

    def named(self, n):
        """N servers, each with a certificate for a name of its own. They are
        kept for the next who asks."""
        while len(self._named) < n:
            name = name_of(len(self._named))
            self._named.append(self.server(name, name=name))
        return self._named[:n]

    def _certificate(self, common_name, public_key, usage=None, ca=False):
        now = datetime.datetime.now(datetime.timezone.utc)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME,
                                                common_name)])
        issuer = subject if ca else self.ca.subject
        builder = (
            x509.CertificateBuilder().subject_name(subject)
            .issuer_name(issuer).public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - DAY).not_valid_after(now + 30 * DAY)
            .add_extension(x509.BasicConstraints(ca, None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(
                public_key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(
                self.ca_key.public_key()), critical=False)
            .add_extension(x509.KeyUsage(
                digital_signature=not ca, content_commitment=False,
                key_encipherment=False, data_encipherment=False,
                key_agreement=False, key_cert_sign=ca, crl_sign=ca,
                encipher_only=False, decipher_only=False), critical=True))
        if usage is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]),
                                            critical=False)
            builder = builder.add_extension(
                x509.SubjectAlternativeName([x509.DNSName(common_name)]),
                critical=False)
        return builder.sign(self.ca_key, hashes.SHA256())
