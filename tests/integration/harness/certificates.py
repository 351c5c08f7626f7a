"""Certificates and CRLs that are wrong in exactly one way each.

pki.py makes what every test needs; here every extension, key and signature
can be chosen."""

import datetime
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature, encode_dss_signature)

from .clients import run
from .pki import CLIENT_AUTH, SERVER_AUTH, name, pem, san
from .programs import need

DAY = datetime.timedelta(days=1)
SHA1_EXTENSIONS = b"""\
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""
P256_ORDER = int("ffffffff00000000ffffffffffffffff"
                 "bce6faada7179e84f3b9cac2fc632551", 16)
ECDSA_WITH_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")


def der(tag, content):
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content

# proxyCertInfo with the policy id-ppl-inheritAll.
PROXY_CERT_INFO = x509.UnrecognizedExtension(
    x509.ObjectIdentifier("1.3.6.1.5.5.7.1.14"),
    der(0x30, der(0x30, bytes.fromhex("06082b06010505071501"))))


def utc_now():
    return datetime.datetime.now(datetime.timezone.utc)


@dataclass
class Made:
    """A certificate with its key; a Holder as pki.py has them, in short."""

    cert: Path  # PEM: the leaf, then its chain without the root
    key: Path
    certificate: x509.Certificate
    private_key: object
    chain: list = field(default_factory=list)

    @property
    def der(self):
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def serial(self):
        text = f"{self.certificate.serial_number:x}"
        return text.zfill(len(text) + len(text) % 2)


def private_key(kind):
    """"ec", "secp384r1" and the like, or "rsa2048" and the like."""
    if kind == "ec":
        kind = "secp256r1"
    if kind.startswith("secp"):
        return ec.generate_private_key(getattr(ec, kind.upper())())
    return rsa.generate_private_key(65537, int(kind[len("rsa"):]))


def usage(sign_certificates, sign_data):
    return x509.KeyUsage(
        digital_signature=sign_data, content_commitment=False,
        key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=sign_certificates,
        crl_sign=sign_certificates, encipher_only=False,
        decipher_only=False)


class Maker:
    def __init__(self, directory):
        self.directory = Path(directory)
        self.count = 0

    def path(self, stem, suffix):
        self.count += 1
        return self.directory / f"{self.count:03}-{stem}.{suffix}"

    def write(self, stem, suffix, content, mode=0o644):
        path = self.path(stem, suffix)
        path.touch(mode=0o600)
        path.chmod(mode)
        path.write_bytes(content)
        return path

    def write_key(self, stem, key):
        return self.write(stem, "key", key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()), 0o600)

    def ca(self, common_name, issuer=None, **changes):
        return self.make(common_name, issuer, ca=True, **changes)

    def make(self, common_name, issuer=None, *, ca=False, key="ec",
             eku=(CLIENT_AUTH,), names=None,
             days=(-1, 30), until=None, path_length=None, constraints=None,
             critical_basic=True, basic_says_ca=None, key_usage=True,
             may_sign=None, key_ids=True, crl_uri=None,
             send_chain=True):
        """ISSUER: a Made or a Holder; nobody: it signs itself. UNTIL: the
        end of validity to the second, instead of that of DAYS."""
        own_key = private_key(key)
        subject = name(common_name)
        signer = issuer.private_key if issuer else own_key
        now = utc_now()
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.certificate.subject if issuer else subject)
            .public_key(own_key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + days[0] * DAY)
            .not_valid_after(until or now + days[1] * DAY))
        if basic_says_ca is None:
            basic_says_ca = ca
        builder = builder.add_extension(
            x509.BasicConstraints(basic_says_ca, path_length),
            critical=critical_basic)
        if key_ids:
            builder = builder.add_extension(
                x509.SubjectKeyIdentifier.from_public_key(
                    own_key.public_key()), critical=False)
            builder = builder.add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(
                    signer.public_key()), critical=False)
        if key_usage:
            sign = ca if may_sign is None else may_sign
            builder = builder.add_extension(usage(sign, not sign),
                                            critical=True)
        if eku and not ca:
            builder = builder.add_extension(x509.ExtendedKeyUsage(list(eku)),
                                            critical=False)
        if names:
            builder = builder.add_extension(san(*names), critical=False)
        if crl_uri:
            builder = builder.add_extension(crl_at(crl_uri), critical=False)
        if constraints:
            builder = builder.add_extension(constraints, critical=True)
        certificate = builder.sign(signer, hashes.SHA256())

        chain = []
        if issuer and \
                issuer.certificate.subject != issuer.certificate.issuer:
            chain = [issuer.certificate, *issuer.chain]
        text = pem(certificate)
        if send_chain:
            text += b"".join(pem(above) for above in chain)
        stem = common_name.split()[0][:20]
        return Made(
            cert=self.write(stem, "pem", text),
            key=self.write_key(stem, own_key),
            certificate=certificate, private_key=own_key, chain=chain)

    def signed_with_sha1(self, common_name, issuer):
        """A client's certificate by `openssl x509`: python3-cryptography
        gives SHA-1 up."""
        key = private_key("ec")
        request = x509.CertificateSigningRequestBuilder().subject_name(
            name(common_name)).sign(key, hashes.SHA256())
        cert = self.path("sha1", "pem")
        done = run([
            need("openssl", "openssl"), "x509", "-req", "-sha1", "-days",
            "30", "-in", str(self.write("sha1", "csr", pem(request))),
            "-CA", str(issuer.cert), "-CAkey", str(issuer.key), "-extfile",
            str(self.write("sha1", "cnf", SHA1_EXTENSIONS)), "-out",
            str(cert)])
        assert done.returncode == 0, done.stderr.decode()
        return Made(
            cert=cert, key=self.write_key("sha1", key),
            certificate=x509.load_pem_x509_certificate(cert.read_bytes()),
            private_key=key)

    def twin(self, holder):
        """What HOLDER can make of its own certificate, which a P-256 key has
        signed: as good, with the other of two signatures."""
        old = holder.certificate
        r, s = decode_dss_signature(old.signature)
        signature = encode_dss_signature(r, P256_ORDER - s)
        certificate = x509.load_der_x509_certificate(der(
            0x30, old.tbs_certificate_bytes + ECDSA_WITH_SHA256 +
            der(0x03, b"\0" + signature)))
        return Made(cert=self.write("twin", "pem", pem(certificate)),
                    key=holder.key, certificate=certificate,
                    private_key=holder.private_key)

    def proxy(self, holder, common_name):
        """A proxy certificate (RFC 3820) as HOLDER makes one for itself:
        its own name and COMMON_NAME."""
        above = holder.certificate
        key = private_key("ec")
        now = utc_now()
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([*above.subject,
                                     *name(common_name)]))
            .issuer_name(above.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - DAY / 2)
            .not_valid_after(now + DAY)
            .add_extension(usage(False, True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([CLIENT_AUTH]),
                           critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(
                key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(
                above.public_key()), critical=False)
            .add_extension(PROXY_CERT_INFO, critical=True)
            .sign(holder.private_key, hashes.SHA256()))
        return Made(cert=self.write("proxy", "pem",
                                    pem(certificate) + pem(above)),
                    key=self.write_key("proxy", key), certificate=certificate,
                    private_key=key, chain=[above])

    def server(self, issuer, **changes):
        """One for localhost."""
        return self.make("localhost", issuer, eku=[SERVER_AUTH],
                         names=("localhost", "127.0.0.1"), **changes)

    def crl(self, issuer, revoked=(), days=(-1, 30)):
        """Path of a CRL of ISSUER's that lists the REVOKED."""
        now = utc_now()
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(issuer.certificate.subject)
            .last_update(now + days[0] * DAY)
            .next_update(now + days[1] * DAY)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(
                    issuer.private_key.public_key()), critical=False)
            .add_extension(x509.CRLNumber(self.count + 1), critical=False))
        for one in revoked:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder()
                .serial_number(one.certificate.serial_number)
                .revocation_date(now - DAY).build())
        made = builder.sign(issuer.private_key, hashes.SHA256())
        return self.write("crl", "pem",
                          made.public_bytes(serialization.Encoding.PEM))

    def together(self, *paths):
        """One PEM file out of several."""
        return self.write("together", "pem", b"".join(
            Path(path).read_bytes() for path in paths))


def crl_at(uri):
    return x509.CRLDistributionPoints([x509.DistributionPoint(
        [x509.UniformResourceIdentifier(uri)], None, None, None)])


def dns_only(*suffixes):
    return x509.NameConstraints([x509.DNSName(one) for one in suffixes],
                                None)
