"""A throw-away PKI: certificate authorities, a server, and clients of every
sort that a gateway meets. Needs python3-cryptography."""

import datetime
import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CLIENT_AUTH = ExtendedKeyUsageOID.CLIENT_AUTH
SERVER_AUTH = ExtendedKeyUsageOID.SERVER_AUTH
DAY = datetime.timedelta(days=1)
PASSWORD = "correct horse battery staple"


def name(common_name, organisation=None):
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if organisation:
        parts.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME,
                                        organisation))
    return x509.Name(parts)


@dataclass
class Holder:
    """Somebody with a certificate and a key, in files."""

    cert: Path  # PEM: the leaf, then its chain without the root
    key: Path
    certificate: x509.Certificate
    private_key: ec.EllipticCurvePrivateKey
    chain: list = field(default_factory=list)

    @property
    def serial(self):
        text = f"{self.certificate.serial_number:x}"
        return text.zfill(len(text) + len(text) % 2)

    @property
    def der(self):
        return self.certificate.public_bytes(serialization.Encoding.DER)


def key_usage(ca):
    return x509.KeyUsage(
        digital_signature=not ca, content_commitment=False,
        key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=ca, crl_sign=ca,
        encipher_only=False, decipher_only=False)


def san(*entries):
    """san("a.example", "127.0.0.1", "spiffe://x/y")"""
    names = []
    for entry in entries:
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(entry)))
        except ValueError:
            kind = (x509.UniformResourceIdentifier if "://" in entry
                    else x509.DNSName)
            names.append(kind(entry))
    return x509.SubjectAlternativeName(names)


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


class Pki:
    def __init__(self, directory):
        self.directory = Path(directory)
        self.count = 0
        self._authorities()
        self._servers()
        self._clients()

    def _authorities(self):
        self.ca = self.authority("Test CA")
        self.other_ca = self.authority("Other CA")
        self.impostor_ca = self.authority("Test CA")
        self.sloppy_ca = self.authority("Tutorial CA", with_key_usage=False)
        self.intermediate_ca = self.authority("Intermediate CA",
                                              issuer=self.ca)

    def _servers(self):
        names = san("localhost", "127.0.0.1", "::1")
        here = {"eku": [SERVER_AUTH], "names": names}
        self.server = self.issue("localhost", **here)
        self.server_expired = self.issue("localhost", days=(-30, -1), **here)
        self.server_future = self.issue("localhost", days=(1, 30), **here)
        self.server_for_clients = self.issue("localhost", eku=[CLIENT_AUTH],
                                             names=names)
        self.server_behind = self.issue(
            "localhost", issuer=self.intermediate_ca, **here)

    def _clients(self):
        self.good = self.issue(
            "good", organisation="Corp",
            names=san("a.example", "spiffe://corp.example/good"))
        self.behind = self.issue("behind", issuer=self.intermediate_ca)
        self.behind_without_chain = self.issue(
            "lonely", issuer=self.intermediate_ca, send_chain=False)
        self.stranger = self.issue("stranger", issuer=self.other_ca)
        self.impostor = self.issue("impostor", issuer=self.impostor_ca)
        self.expired = self.issue("expired", days=(-30, -1))
        self.future = self.issue("future", days=(1, 30))
        self.self_signed = self.issue("self-signed", issuer="self")
        self.without_eku = self.issue("no-eku", eku=None)
        self.server_only = self.issue("server-only", eku=[SERVER_AUTH])

    def write(self, filename, content, mode=0o600):
        path = self.directory / filename
        path.touch(mode=0o600)
        path.chmod(mode)
        path.write_bytes(content)
        return path

    def authority(self, common_name, issuer="self", with_key_usage=True):
        return self.issue(common_name, issuer=issuer, ca=True, eku=None,
                          with_key_usage=with_key_usage)

    def issue(self, common_name, *, issuer=None, organisation=None,
              subject=None, eku=(CLIENT_AUTH,), names=None, days=(-1, 30),
              ca=False, with_key_usage=True, send_chain=True):
        """Makes a Holder. ISSUER: a Holder, "self", or nobody for the CA."""
        self.count += 1
        stem = f"{self.count:02}-{common_name.split()[0][:20]}"
        private_key = ec.generate_private_key(ec.SECP256R1())
        subject = subject or name(common_name, organisation)
        issuer = self.ca if issuer is None else issuer
        now = datetime.datetime.now(datetime.timezone.utc)
        signer = private_key if issuer == "self" else issuer.private_key
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if issuer == "self"
                         else issuer.certificate.subject)
            .public_key(private_key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + days[0] * DAY)
            .not_valid_after(now + days[1] * DAY)
            .add_extension(x509.BasicConstraints(ca, None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(
                private_key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(
                    signer.public_key()), critical=False))
        if with_key_usage:
            builder = builder.add_extension(key_usage(ca), critical=True)
        if eku is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage(list(eku)),
                                            critical=False)
        if names is not None:
            builder = builder.add_extension(names, critical=False)
        certificate = builder.sign(signer, hashes.SHA256())

        chain = []
        if issuer != "self" and \
                issuer.certificate.subject != issuer.certificate.issuer:
            chain = [issuer.certificate, *issuer.chain]
        text = pem(certificate)
        if send_chain:
            text += b"".join(pem(above) for above in chain)
        return Holder(
            cert=self.write(f"{stem}.pem", text, 0o644),
            key=self.write(f"{stem}.key", private_key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption())),
            certificate=certificate, private_key=private_key, chain=chain)

    def encrypted_key(self, holder, traditional=False):
        """HOLDER's key under PASSWORD, in the form of `openssl pkcs8` or in
        the old one of `openssl ec -aes256`."""
        form = (serialization.PrivateFormat.TraditionalOpenSSL if traditional
                else serialization.PrivateFormat.PKCS8)
        self.count += 1
        return self.write(
            f"{self.count:02}-encrypted.key",
            holder.private_key.private_bytes(
                serialization.Encoding.PEM, form,
                serialization.BestAvailableEncryption(PASSWORD.encode())))

    def password_file(self, password=PASSWORD):
        self.count += 1
        return self.write(f"{self.count:02}-password",
                          password.encode() + b"\n")
