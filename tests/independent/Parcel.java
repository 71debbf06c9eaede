import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.Cipher;
import javax.crypto.spec.SecretKeySpec;
import org.bouncycastle.crypto.digests.SM3Digest;
import org.bouncycastle.crypto.macs.HMac;
import org.bouncycastle.crypto.params.KeyParameter;
import org.bouncycastle.util.Arrays;
import org.bouncycastle.util.encoders.Hex;

/** A parcel opened by PROTOCOL.md alone: frame, signature, digests, key, bind, clear, lines, root. */
final class Parcel {
    private static final String BIND = "\"bind\":\"";
    private final byte[] manifest;
    private final byte[] payload;

    Parcel(byte[] octets) {
        ByteBuffer frame = ByteBuffer.wrap(octets);
        byte[] magic = new byte[5];
        frame.get(magic);
        Signed.demand(Arrays.areEqual(magic, new byte[] {'E', 'X', 'N', 'P', 1}), "frame");
        manifest = new byte[frame.getInt()];
        frame.get(manifest);
        Signed.demand(frame.getLong() == frame.remaining(), "frame");
        payload = new byte[frame.remaining()];
        frame.get(payload);
    }

    String judged(byte[] certificate, BigInteger d) throws Exception {
        Signed signed = Signed.verified(manifest);
        String said = new String(signed.content, StandardCharsets.UTF_8);
        Signed.demand(said.startsWith("{\"@type\":\"exn.parcel.1\","), "type");
        Signed.demand(find(said, "\"sender\":\\{\"cert\":\"([0-9a-f]{64})\"").equals(hex(sm3(signed.certificate))), "cert");
        Signed.demand(find(said, "\"envelope\":\\{\"digest\":\"([0-9a-f]{64})\"").equals(hex(sm3(payload))), "digest");
        String digest = hex(sm3(signed.content));
        if (payload.length == 0) {
            return "good " + digest + " " + find(said, "\"root\":\"([0-9a-f]{64})\"") + " 0";
        }
        Sealed sealed = Sealed.open(payload, certificate, d);
        bound(said, sealed.key);
        ByteBuffer clear = ByteBuffer.wrap(sealed.clear());
        byte[] secret = new byte[32];
        clear.get(secret);
        byte[] inner = new byte[clear.getInt()];
        clear.get(inner);
        if (new String(inner, StandardCharsets.UTF_8).contains("\"compression\":\"zstd\"")) {
            return "sealed " + digest;
        }
        byte[] body = new byte[clear.remaining()];
        clear.get(body);
        return "good " + digest + " " + rooted(said, secret, lines(body));
    }

    private static void bound(String said, byte[] key) throws Exception {
        int at = said.indexOf(BIND);
        String told = said.substring(at + BIND.length(), at + BIND.length() + 64);
        String unbound = said.substring(0, at) + said.substring(at + BIND.length() + 66);
        byte[] blocks = Arrays.concatenate(block(1), block(2));
        Cipher cipher = Cipher.getInstance("SM4/ECB/NoPadding", "BC");
        cipher.init(Cipher.ENCRYPT_MODE, new SecretKeySpec(key, "SM4"));
        byte[] found = hmac(cipher.doFinal(blocks), unbound.getBytes(StandardCharsets.UTF_8));
        Signed.demand(told.equals(hex(found)), "bind");
    }

    private static byte[] block(int last) {
        byte[] made = Arrays.copyOf("exn.bind.1".getBytes(StandardCharsets.US_ASCII), 16);
        made[15] = (byte) last;
        return made;
    }

    private static List<byte[]> lines(byte[] body) {
        List<byte[]> found = new ArrayList<>();
        int start = 0;
        for (int at = 0; at < body.length; at++) {
            if (body[at] == '\n') {
                found.add(Arrays.copyOfRange(body, start, at));
                start = at + 1;
            }
        }
        Signed.demand(start == body.length, "line");
        return found;
    }

    private static String rooted(String said, byte[] secret, List<byte[]> lines) {
        int count = lines.size();
        Signed.demand(count == Integer.parseInt(find(said, "\"count\":([0-9]+)")), "count");
        byte[] id = Hex.decode(find(said, "\"parcel\":\"([0-9a-f-]{36})\"").replace("-", ""));
        List<byte[]> leaves = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            byte[] salt = hmac(secret, Arrays.concatenate("exn.salt.1".getBytes(StandardCharsets.US_ASCII), u32(i)));
            leaves.add(sm3(Arrays.concatenate(new byte[][] {{0}, id, u32(i), u32(count), salt, lines.get(i)})));
        }
        String root = hex(root(leaves));
        Signed.demand(root.equals(find(said, "\"root\":\"([0-9a-f]{64})\"")), "root");
        return root + " " + count;
    }

    /** RFC 9162 §2.1.1: the left part is the largest power of two smaller than n. */
    private static byte[] root(List<byte[]> leaves) {
        if (leaves.size() == 1) {
            return leaves.get(0);
        }
        int left = Integer.highestOneBit(leaves.size() - 1);
        byte[] one = root(leaves.subList(0, left));
        byte[] other = root(leaves.subList(left, leaves.size()));
        return sm3(Arrays.concatenate(new byte[] {1}, one, other));
    }

    private static String find(String text, String form) {
        Matcher found = Pattern.compile(form).matcher(text);
        Signed.demand(found.find(), "member");
        return found.group(1);
    }

    private static byte[] u32(int number) {
        return ByteBuffer.allocate(4).putInt(number).array();
    }

    private static byte[] sm3(byte[] octets) {
        SM3Digest digest = new SM3Digest();
        digest.update(octets, 0, octets.length);
        byte[] found = new byte[32];
        digest.doFinal(found, 0);
        return found;
    }

    private static byte[] hmac(byte[] key, byte[] octets) {
        HMac mac = new HMac(new SM3Digest());
        mac.init(new KeyParameter(key));
        mac.update(octets, 0, octets.length);
        byte[] found = new byte[32];
        mac.doFinal(found, 0);
        return found;
    }

    private static String hex(byte[] octets) {
        return Hex.toHexString(octets);
    }
}
