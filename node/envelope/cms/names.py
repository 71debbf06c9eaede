"""The object identifiers of GB/T 35275 and GM/T 0006, and those others write in their place (STANDARDS §3.1)."""

from __future__ import annotations

from node.envelope.cms import der

GM = "1.2.156.10197.6.1.4.2"
PKCS7 = "1.2.840.113549.1.7"

DATA, SIGNED, ENVELOPED, SIGNED_ENVELOPED = (f"{GM}.{n}" for n in (1, 2, 3, 4))
ENCRYPTED, KEY_AGREEMENT = f"{GM}.5", f"{GM}.6"

SM3 = "1.2.156.10197.1.401"
SM2_SIGN, SM2_EXCHANGE, SM2_ENCRYPT = (f"1.2.156.10197.1.301.{n}" for n in (1, 2, 3))
SM2_WITH_SM3 = "1.2.156.10197.1.501"
SM4 = "1.2.156.10197.1.104"
SM4_ECB, SM4_CBC, SM4_OFB, SM4_CFB, SM4_CTR, SM4_GCM, SM4_CCM = (f"{SM4}.{n}" for n in (1, 2, 3, 4, 7, 8, 9))

NAMES = {
    DATA: "data", SIGNED: "signedData", ENVELOPED: "envelopedData", SIGNED_ENVELOPED: "signedAndEnvelopedData",
    ENCRYPTED: "encryptedData", KEY_AGREEMENT: "keyAgreementInfo",
    f"{PKCS7}.1": "pkcs7-data", f"{PKCS7}.2": "pkcs7-signedData", f"{PKCS7}.3": "pkcs7-envelopedData",
    f"{PKCS7}.4": "pkcs7-signedAndEnvelopedData",
    f"{PKCS7}.5": "pkcs7-digestedData", f"{PKCS7}.6": "pkcs7-encryptedData",
    SM3: "SM3", SM2_SIGN: "SM2 signature", SM2_EXCHANGE: "SM2 key exchange", SM2_ENCRYPT: "SM2 encryption",
    "1.2.156.10197.1.301": "SM2", SM2_WITH_SM3: "SM2 with SM3", "1.2.156.10197.1.504": "RSA with SM3",
    "1.2.840.10045.2.1": "id-ecPublicKey", "1.2.840.10045.4.3.2": "ECDSA with SHA-256",
    SM4: "SM4", SM4_ECB: "SM4-ECB", SM4_CBC: "SM4-CBC", SM4_OFB: "SM4-OFB", SM4_CFB: "SM4-CFB", SM4_CTR: "SM4-CTR",
    SM4_GCM: "SM4-GCM", SM4_CCM: "SM4-CCM", f"{SM4}.10": "SM4-XTS",
    "1.2.840.113549.1.9.3": "contentType", "1.2.840.113549.1.9.4": "messageDigest",
    "1.2.840.113549.1.9.5": "signingTime", "1.2.840.113549.1.9.6": "countersignature",
    "1.2.840.113549.1.9.15": "smimeCapabilities", "1.2.840.113549.1.9.52": "cmsAlgorithmProtect",
    "1.2.840.113549.1.1.1": "RSA", "1.2.840.113549.1.1.11": "RSA with SHA-256",
    "2.16.840.1.101.3.4.2.1": "SHA-256", "1.3.14.3.2.26": "SHA-1",
    "2.16.840.1.101.3.4.1.2": "AES-128-CBC", "2.16.840.1.101.3.4.1.42": "AES-256-CBC",
}
"""What a reader of a report calls each identifier; one that is not here is shown in dotted form alone."""

# The algorithm identifiers the profile writes, and the only octets it accepts (WIRE §1).
SM3_ALGORITHM = der.sequence(der.identifier(SM3), der.NULL)
SIGN_ALGORITHM = der.sequence(der.identifier(SM2_SIGN), der.NULL)
WRAP_ALGORITHM = der.sequence(der.identifier(SM2_ENCRYPT), der.NULL)
SIGNED_TYPE, ENVELOPED_TYPE, DATA_TYPE = (der.identifier(dotted) for dotted in (SIGNED, ENVELOPED, DATA))
CBC_TYPE = der.identifier(SM4_CBC)


def called(dotted: str) -> str:
    """Return the name of an identifier, or its dotted form."""
    return NAMES.get(dotted, dotted)
