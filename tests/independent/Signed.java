import java.math.BigInteger;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.util.Arrays;
import java.util.Collection;
import org.bouncycastle.asn1.ASN1EncodableVector;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1Primitive;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.DERSet;
import org.bouncycastle.asn1.DERTaggedObject;
import org.bouncycastle.asn1.cms.IssuerAndSerialNumber;
import org.bouncycastle.asn1.gm.GMObjectIdentifiers;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.CMSSignedDataGenerator;
import org.bouncycastle.cms.SignerInformation;
import org.bouncycastle.cms.SignerInformationVerifier;
import org.bouncycastle.cms.jcajce.JcaSignerInfoGeneratorBuilder;
import org.bouncycastle.jce.ECNamedCurveTable;
import org.bouncycastle.jce.spec.ECParameterSpec;
import org.bouncycastle.jce.spec.ECPrivateKeySpec;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaContentVerifierProviderBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;

/** GB/T 35275 SignedData by Bouncy Castle's CMS; 301.1 is unknown to it and is told to be SM2 with SM3. */
final class Signed {
    static final String GM = "1.2.156.10197.6.1.4.2.";
    static final ASN1ObjectIdentifier DATA = new ASN1ObjectIdentifier(GM + "1");
    private static final AlgorithmIdentifier SM3 =
        new AlgorithmIdentifier(new ASN1ObjectIdentifier("1.2.156.10197.1.401"), DERNull.INSTANCE);
    private static final AlgorithmIdentifier SIGN =
        new AlgorithmIdentifier(new ASN1ObjectIdentifier("1.2.156.10197.1.301.1"), DERNull.INSTANCE);

    final byte[] content;
    final byte[] certificate;

    private Signed(byte[] content, byte[] certificate) {
        this.content = content;
        this.certificate = certificate;
    }

    static Signed verified(byte[] octets) throws Exception {
        canonical(octets);
        CMSSignedData message = new CMSSignedData(octets);
        Collection<SignerInformation> signers = message.getSignerInfos().getSigners();
        Collection<X509CertificateHolder> certificates = message.getCertificates().getMatches(null);
        demand(signers.size() == 1 && certificates.size() == 1, "signers or certificates");
        SignerInformation signer = signers.iterator().next();
        X509CertificateHolder holder = certificates.iterator().next();
        demand(signer.getSID().match(holder), "signer");
        demand(signer.verify(verifier(holder)), "signature");
        return new Signed((byte[]) message.getSignedContent().getContent(), holder.getEncoded());
    }

    private static SignerInformationVerifier verifier(X509CertificateHolder holder) throws Exception {
        return new SignerInformationVerifier(
            (digest, encryption) -> "SM3WITHSM2",
            name -> new AlgorithmIdentifier(GMObjectIdentifiers.sm2sign_with_sm3),
            new JcaContentVerifierProviderBuilder().setProvider("BC").build(holder),
            new JcaDigestCalculatorProviderBuilder().setProvider("BC").build());
    }

    static void canonical(byte[] octets) throws Exception {
        byte[] again = ASN1Primitive.fromByteArray(octets).getEncoded(ASN1Encoding.DER);
        demand(Arrays.equals(octets, again), "not DER");
    }

    static void demand(boolean holds, String what) {
        if (!holds) {
            throw new IllegalStateException(what);
        }
    }

    static byte[] made(String kind, byte[] certificate, BigInteger d, byte[] content) throws Exception {
        X509CertificateHolder holder = new X509CertificateHolder(certificate);
        ContentSigner signer = new JcaContentSignerBuilder("SM3WITHSM2").setProvider("BC").build(key(d));
        if (kind.equals("attributes")) {
            CMSSignedDataGenerator generator = new CMSSignedDataGenerator();
            generator.addSignerInfoGenerator(new JcaSignerInfoGeneratorBuilder(
                new JcaDigestCalculatorProviderBuilder().setProvider("BC").build()).build(signer, holder));
            generator.addCertificate(holder);
            return generator.generate(new CMSProcessableByteArray(content), true).getEncoded(ASN1Encoding.DER);
        }
        signer.getOutputStream().write(content);
        ASN1EncodableVector info = new ASN1EncodableVector();
        info.add(new ASN1Integer(1));
        info.add(new IssuerAndSerialNumber(holder.toASN1Structure()));
        info.add(SM3);
        info.add(SIGN);
        info.add(new DEROctetString(signer.getSignature()));
        ASN1EncodableVector signed = new ASN1EncodableVector();
        signed.add(new ASN1Integer(1));
        signed.add(new DERSet(SM3));
        signed.add(typed(DATA, new DEROctetString(content)));
        signed.add(new DERTaggedObject(false, 0, new DERSet(holder.toASN1Structure())));
        signed.add(new DERSet(new DERSequence(info)));
        return typed(new ASN1ObjectIdentifier(GM + "2"), new DERSequence(signed)).getEncoded(ASN1Encoding.DER);
    }

    static DERSequence typed(ASN1ObjectIdentifier type, ASN1Primitive content) {
        ASN1EncodableVector both = new ASN1EncodableVector();
        both.add(type);
        both.add(new DERTaggedObject(true, 0, content));
        return new DERSequence(both);
    }

    private static PrivateKey key(BigInteger d) throws Exception {
        ECParameterSpec curve = ECNamedCurveTable.getParameterSpec("sm2p256v1");
        return KeyFactory.getInstance("EC", "BC").generatePrivate(new ECPrivateKeySpec(d, curve));
    }
}
