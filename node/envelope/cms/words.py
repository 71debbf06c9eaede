"""What the `cms` command says of a message: each quirk, reading, problem and caveat by name, in two languages.

Rule 1: a name is stable, for programs; the sentence is for people.  Rule 2: no sentence quotes the message.
"""

from __future__ import annotations

from node.model.sentence import Sentence

QUIRKS = {
    "indefinite-length": Sentence("使用了BER不定长编码，不是DER", "BER indefinite lengths: not DER"),
    "long-length": Sentence("长度字段不是最短形式，不是DER", "A length is not in its shortest form: not DER"),
    "long-integer": Sentence("整数不是最短形式，不是DER", "An integer is not in its shortest form: not DER"),
    "constructed-string": Sentence("字节串分段编码（BER），不是DER", "A string was written in pieces (BER): not DER"),
    "trailing-octets": Sentence("消息之后还有多余字节", "There are octets after the message"),
    "originator-info": Sentence("含originatorInfo，GB/T 35275没有此项", "originatorInfo is present; GB/T 35275 has none"),
}

READINGS = {
    "content": Sentence("标准：对 Z‖内容 签名，默认ID", "standard: signed over Z ‖ content, default ID"),
    "attributes": Sentence(
        "标准：对 Z‖认证属性（SET OF）签名，messageDigest为SM3(内容)",
        "standard: signed over Z ‖ attributes (SET OF), messageDigest is SM3(content)",
    ),
    "content-empty-id": Sentence("对 Z‖内容 签名，但ID为空", "signed over Z ‖ content, but with an empty ID"),
    "content-tls-id": Sentence("对 Z‖内容 签名，但用了RFC 8998的ID", "signed over Z ‖ content, but with the ID of RFC 8998"),
    "content-no-z": Sentence("e为SM3(内容)，没有Z（OpenSSL的做法）", "e is SM3(content) without Z, as OpenSSL does"),
    "digest-as-message": Sentence("把SM3(内容)当作消息签名", "SM3(content) was signed as if it were the message"),
    "element": Sentence("签名范围包含了内容的标签和长度", "the content was signed with its tag and length"),
    "content-info": Sentence(
        "e为SM3(整个ContentInfo)，没有Z（GmSSL的做法）", "e is SM3(the whole ContentInfo) without Z, as GmSSL does"
    ),
    "attributes-as-sent": Sentence("对未改标签的[0]属性签名", "signed over the attributes with their [0] tag"),
    "attributes-not-der": Sentence("对非DER次序或长度的属性签名", "signed over attributes whose order or lengths are not DER"),
    "attributes-empty-id": Sentence("对 Z‖属性 签名，但ID为空", "signed over Z ‖ attributes, but with an empty ID"),
    "attributes-no-z": Sentence("e为SM3(属性)，没有Z", "e is SM3(attributes) without Z"),
}
"""Every reading of a signature that is tried; the first two alone are the standard's."""

PROBLEMS = {
    "no-signer": Sentence("没有签名者（可能只是证书包）", "There is no signer; it may be a bag of certificates"),
    "no-content": Sentence("签名与内容分离，请用--content给出内容", "The content is detached; give it with --content"),
    "other-content": Sentence("--content与消息内附的内容不同", "--content differs from the content enclosed"),
    "no-certificate": Sentence("没有签名者的证书，请用--cert给出", "The signer's certificate is missing; give it with --cert"),
    "not-sm2": Sentence("签名者的证书不是可用的SM2证书", "The signer's certificate is no usable SM2 certificate"),
    "certificate-unused": Sentence("没有签名者使用--cert给出的证书", "No signer uses the certificate given with --cert"),
    "digest-algorithm": Sentence("摘要算法不是SM3", "The digest algorithm is not SM3"),
    "signature-form": Sentence("签名值不是SM2签名", "The signature value is no SM2 signature"),
    "message-digest": Sentence(
        "messageDigest属性缺失或与内容不符", "The messageDigest attribute is missing or not the content's"
    ),
    "content-type": Sentence("contentType属性与内容类型不符", "The contentType attribute is not the content's type"),
    "signature": Sentence("按任何已知读法都验证不了", "The signature verifies under no reading known here"),
    "attribute-content": Sentence(
        "内容本身是一组认证属性：签名可能取自另一条带属性的消息",
        "The content is a SET of attributes: the signature may be taken from another message that had them",
    ),
    "nonstandard": Sentence(
        "仅按非标准读法成立；确认对方做法后可用--reading指名接受",
        "It verifies under a nonstandard reading only; --reading accepts it by name once the peer has confirmed it",
    ),
    "not-trusted": Sentence("证书未通过--ca的验证", "The certificate does not pass --ca"),
    "needs-key": Sentence("内容已加密，须用open和--key", "The content is encrypted: use open with --key"),
    "not-enveloped": Sentence("消息没有加密，无可打开", "The message is not encrypted; there is nothing to open"),
    "needs-shared-key": Sentence(
        "encryptedData没有接收者，本工具不能打开", "encryptedData has no recipient; this tool cannot open it"
    ),
    "no-ciphertext": Sentence("消息中没有密文", "There is no ciphertext in the message"),
    "no-recipient": Sentence("给出的私钥解不开任何一个接收者的密钥", "The key given unwraps no recipient's key"),
    "cipher": Sentence("不支持的内容加密算法或参数", "The content encryption algorithm or its parameters are not supported"),
    "ciphertext": Sentence("密钥已解开，但密文或填充有误", "The key unwraps, but the ciphertext or its padding is wrong"),
    "not-signed": Sentence("消息没有签名", "The message is not signed"),
    "unknown-type": Sentence("不是本工具认识的消息类型", "The message is of a type this tool does not know"),
}

CAVEATS = {
    "pkcs7-type": Sentence("使用PKCS#7的标识符而非GB/T 35275的", "It bears the identifiers of PKCS #7, not of GB/T 35275"),
    "version": Sentence("版本号不是1", "A version is not 1"),
    "no-ca": Sentence("未给出--ca，没有检查证书链与吊销", "Without --ca neither chain nor revocation was checked"),
    "usage": Sentence("签名者证书的密钥用法不含签名", "The signer's certificate is not for signing"),
    "signature-algorithm": Sentence("签名算法标识不是301.1或501", "The signature algorithm is neither 301.1 nor 501"),
    "signature-not-der": Sentence("签名值的编码不规范，已按数值理解", "The signature value is not DER; it was read by its numbers"),
    "unsigned-attributes": Sentence("含未认证属性，未作验证", "There are unauthenticated attributes; nothing vouches for them"),
    "bare-cbc": Sentence("算法为104且带IV，按CBC读", "The algorithm is bare 104 with an IV: read as CBC"),
    "bare-ecb": Sentence("算法为104且无参数，按ECB读", "The algorithm is bare 104 without parameters: read as ECB"),
    "unpadded": Sentence("密文解开后没有填充，按原样给出", "What was decrypted has no padding and is given as it is"),
    "no-integrity": Sentence("密文没有完整性保护：打开不证明来源", "The ciphertext has no integrity: opening proves no origin"),
    "key-algorithm": Sentence("密钥加密算法标识不是301.3或301.2", "The key encryption algorithm is neither 301.3 nor 301.2"),
    "wrapped-not-der": Sentence(
        "加密的密钥不是规范的SM2Cipher，已按数值理解", "The wrapped key is no strict SM2Cipher; read by its numbers"
    ),
    "wrapped-raw": Sentence("加密的密钥是裸的C1C3C2或C1C2C3", "The wrapped key is raw C1C3C2 or C1C2C3"),
    "key-id": Sentence("以主体密钥标识符指明证书，而非颁发者和序列号", "A certificate is named by key identifier, not issuer and serial"),
    "no-issuer": Sentence("颁发者为空，仅凭序列号对应证书", "The issuer is empty; certificates are matched by serial alone"),
    "other-recipients": Sentence("含非密钥传输类的接收者", "There are recipients of other kinds than key transport"),
    "shared-info": Sentence("含sharedInfo，未使用", "sharedInfo is present and was not used"),
    "nested": Sentence("打开的内容本身又是CMS消息", "What was opened is itself a CMS message"),
    "profile": Sentence("完全符合本系统的写法", "Exactly in this system's profile"),
    "not-profile": Sentence("不在本系统的写法之内，线上不会接受", "Outside this system's profile: not accepted on the wire"),
}

VERDICTS = {
    "described": Sentence("已列出结构", "described"),
    "verified": Sentence("签名有效", "the signature is good"),
    "opened": Sentence("已打开", "opened"),
    "opened-verified": Sentence("已打开，签名有效", "opened, and the signature is good"),
    "failed": Sentence("未通过", "failed"),
}

_SAID = {**QUIRKS, **READINGS, **PROBLEMS, **CAVEATS, **VERDICTS}


def said(name: str) -> Sentence:
    """Return the sentence of any name above."""
    return _SAID[name]
