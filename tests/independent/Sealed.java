import java.math.BigInteger;
import java.security.SecureRandom;
import javax.crypto.Cipher;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.bouncycastle.asn1.ASN1EncodableVector;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.ASN1Sequence;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.DERSet;
import org.bouncycastle.asn1.DERTaggedObject;
import org.bouncycastle.asn1.cms.ContentInfo;
import org.bouncycastle.asn1.cms.EncryptedContentInfo;
import org.bouncycastle.asn1.cms.EnvelopedData;
import org.bouncycastle.asn1.cms.IssuerAndSerialNumber;
import org.bouncycastle.asn1.cms.KeyTransRecipientInfo;
import org.bouncycastle.asn1.cms.RecipientInfo;
import org.bouncycastle.asn1.gm.GMNamedCurves;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x9.X9ECParameters;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.crypto.engines.SM2Engine;
import org.bouncycastle.crypto.digests.SM3Digest;
import org.bouncycastle.crypto.params.ECDomainParameters;
import org.bouncycastle.crypto.params.ECPrivateKeyParameters;
import org.bouncycastle.crypto.params.ECPublicKeyParameters;
import org.bouncycastle.crypto.params.ParametersWithRandom;
import org.bouncycastle.util.Arrays;
import org.bouncycastle.util.BigIntegers;

/** GB/T 35275 EnvelopedData: SM2 (C1 C3 C2, GM/T 0009's SM2Cipher) wraps a key of SM4-CBC. */
final class Sealed {
    private static final X9ECParameters CURVE = GMNamedCurves.getByName("sm2p256v1");
    private static final ECDomainParameters DOMAIN =
        new ECDomainParameters(CURVE.getCurve(), CURVE.getG(), CURVE.getN(), CURVE.getH());
    private static final ASN1ObjectIdentifier CBC = new ASN1ObjectIdentifier("1.2.156.10197.1.104.2");

    final byte[] key;
    private final byte[] iv;
    private final byte[] secret;

    private Sealed(byte[] key, byte[] iv, byte[] secret) {
        this.key = key;
        this.iv = iv;
        this.secret = secret;
    }

    /** Unwraps the content key; nothing is decrypted with it yet. */
    static Sealed open(byte[] octets, byte[] certificate, BigInteger d) throws Exception {
        Signed.canonical(octets);
        EnvelopedData envelope = EnvelopedData.getInstance(ContentInfo.getInstance(octets).getContent());
        IssuerAndSerialNumber own =
            new IssuerAndSerialNumber(new X509CertificateHolder(certificate).toASN1Structure());
        for (int at = 0; at < envelope.getRecipientInfos().size(); at++) {
            RecipientInfo told = RecipientInfo.getInstance(envelope.getRecipientInfos().getObjectAt(at));
            KeyTransRecipientInfo info = KeyTransRecipientInfo.getInstance(told.getInfo());
            if (own.equals(info.getRecipientIdentifier().getId())) {
                EncryptedContentInfo content = envelope.getEncryptedContentInfo();
                AlgorithmIdentifier method = content.getContentEncryptionAlgorithm();
                Signed.demand(method.getAlgorithm().equals(CBC), "cipher");
                byte[] iv = ASN1OctetString.getInstance(method.getParameters()).getOctets();
                byte[] key = unwrap(info.getEncryptedKey().getOctets(), d);
                return new Sealed(key, iv, content.getEncryptedContent().getOctets());
            }
        }
        throw new IllegalStateException("recipient");
    }

    private static byte[] unwrap(byte[] octets, BigInteger d) throws Exception {
        Signed.canonical(octets);
        ASN1Sequence parts = ASN1Sequence.getInstance(octets);
        Signed.demand(parts.size() == 4, "SM2Cipher");
        byte[] x = BigIntegers.asUnsignedByteArray(32, ASN1Integer.getInstance(parts.getObjectAt(0)).getValue());
        byte[] y = BigIntegers.asUnsignedByteArray(32, ASN1Integer.getInstance(parts.getObjectAt(1)).getValue());
        byte[] digest = ASN1OctetString.getInstance(parts.getObjectAt(2)).getOctets();
        byte[] masked = ASN1OctetString.getInstance(parts.getObjectAt(3)).getOctets();
        Signed.demand(digest.length == 32 && masked.length == 16, "SM2Cipher");
        byte[] raw = Arrays.concatenate(new byte[][] {{4}, x, y, digest, masked});
        SM2Engine engine = new SM2Engine(new SM3Digest(), SM2Engine.Mode.C1C3C2);
        engine.init(false, new ECPrivateKeyParameters(d, DOMAIN));
        return engine.processBlock(raw, 0, raw.length);
    }

    byte[] clear() throws Exception {
        return cbc(Cipher.DECRYPT_MODE, key, iv, secret);
    }

    private static byte[] cbc(int mode, byte[] key, byte[] iv, byte[] octets) throws Exception {
        Cipher cipher = Cipher.getInstance("SM4/CBC/PKCS7Padding", "BC");
        cipher.init(mode, new SecretKeySpec(key, "SM4"), new IvParameterSpec(iv));
        return cipher.doFinal(octets);
    }

    static byte[] made(String kind, byte[] certificate, byte[] clear) throws Exception {
        SecureRandom chance = new SecureRandom();
        byte[] key = new byte[16];
        byte[] iv = new byte[16];
        chance.nextBytes(key);
        chance.nextBytes(iv);
        X509CertificateHolder holder = new X509CertificateHolder(certificate);
        String method = "1.2.156.10197.1.301." + (kind.equals("profile") ? "3" : "2");
        ASN1EncodableVector recipient = new ASN1EncodableVector();
        recipient.add(new ASN1Integer(1));
        recipient.add(new IssuerAndSerialNumber(holder.toASN1Structure()));
        recipient.add(new AlgorithmIdentifier(new ASN1ObjectIdentifier(method), DERNull.INSTANCE));
        recipient.add(new DEROctetString(wrap(key, holder, chance)));
        ASN1EncodableVector content = new ASN1EncodableVector();
        content.add(Signed.DATA);
        content.add(new AlgorithmIdentifier(CBC, new DEROctetString(iv)));
        content.add(new DERTaggedObject(false, 0, new DEROctetString(cbc(Cipher.ENCRYPT_MODE, key, iv, clear))));
        ASN1EncodableVector envelope = new ASN1EncodableVector();
        envelope.add(new ASN1Integer(1));
        envelope.add(new DERSet(new DERSequence(recipient)));
        envelope.add(new DERSequence(content));
        ASN1ObjectIdentifier type = new ASN1ObjectIdentifier(Signed.GM + "3");
        return Signed.typed(type, new DERSequence(envelope)).getEncoded(ASN1Encoding.DER);
    }

    private static byte[] wrap(byte[] key, X509CertificateHolder holder, SecureRandom chance) throws Exception {
        byte[] point = holder.getSubjectPublicKeyInfo().getPublicKeyData().getOctets();
        SM2Engine engine = new SM2Engine(new SM3Digest(), SM2Engine.Mode.C1C3C2);
        ECPublicKeyParameters whom = new ECPublicKeyParameters(CURVE.getCurve().decodePoint(point), DOMAIN);
        engine.init(true, new ParametersWithRandom(whom, chance));
        byte[] raw = engine.processBlock(key, 0, key.length);
        ASN1EncodableVector cipher = new ASN1EncodableVector();
        cipher.add(new ASN1Integer(new BigInteger(1, Arrays.copyOfRange(raw, 1, 33))));
        cipher.add(new ASN1Integer(new BigInteger(1, Arrays.copyOfRange(raw, 33, 65))));
        cipher.add(new DEROctetString(Arrays.copyOfRange(raw, 65, 97)));
        cipher.add(new DEROctetString(Arrays.copyOfRange(raw, 97, raw.length)));
        return new DERSequence(cipher).getEncoded(ASN1Encoding.DER);
    }
}
