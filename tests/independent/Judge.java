import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Security;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.util.encoders.Hex;

/**
 * What Bouncy Castle says of our messages: one question a line on standard input, one answer a line on standard output.
 *
 * <pre>
 *   signed FILE                    good CONTENT CERTIFICATE            one signer, one certificate, the signature holds
 *   opened FILE CERTIFICATE D      good CLEAR                          the recipient's key opens it
 *   parcel FILE CERTIFICATE D      good DIGEST ROOT N | sealed DIGEST  every check up to the root (a zstd body stays shut)
 *   sign KIND OUT CERTIFICATE D CONTENT                                KIND: profile, attributes
 *   seal KIND OUT CERTIFICATE CLEAR                                    KIND: profile, exchange (301.2)
 * </pre>
 *
 * All octets are hex, none a dash.  Whatever does not hold is answered `refused` and a word for it.  Nothing of ours is used here.
 */
public final class Judge {
    public static void main(String[] arguments) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        BufferedReader questions = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream answers = new PrintStream(System.out, true, "UTF-8");
        for (String line; (line = questions.readLine()) != null;) {
            String answer;
            try {
                answer = answer(line.split(" "));
            } catch (Exception refusal) {
                String why = refusal.getClass().getSimpleName() + " " + refusal.getMessage();
                answer = "refused " + why.replaceAll("\\s+", " ");
            }
            answers.println(answer);
        }
    }

    private static String answer(String[] asked) throws Exception {
        switch (asked[0]) {
            case "signed": {
                Signed signed = Signed.verified(octets(asked[1]));
                return "good " + text(signed.content) + " " + text(signed.certificate);
            }
            case "opened":
                return "good " + text(Sealed.open(octets(asked[1]), hex(asked[2]), number(asked[3])).clear());
            case "parcel":
                return new Parcel(octets(asked[1])).judged(hex(asked[2]), number(asked[3]));
            case "sign":
                Files.write(Path.of(asked[2]), Signed.made(asked[1], hex(asked[3]), number(asked[4]), hex(asked[5])));
                return "good";
            case "seal":
                Files.write(Path.of(asked[2]), Sealed.made(asked[1], hex(asked[3]), hex(asked[4])));
                return "good";
            default:
                throw new IllegalArgumentException("no such question");
        }
    }

    private static byte[] octets(String path) throws Exception {
        return Files.readAllBytes(Path.of(path));
    }

    private static byte[] hex(String text) {
        return text.equals("-") ? new byte[0] : Hex.decode(text);
    }

    private static String text(byte[] octets) {
        return octets.length == 0 ? "-" : Hex.toHexString(octets);
    }

    private static BigInteger number(String text) {
        return new BigInteger(text, 16);
    }
}
