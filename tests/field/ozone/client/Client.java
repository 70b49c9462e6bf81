import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Iterator;
import java.util.StringJoiner;
import org.apache.hadoop.hdds.conf.OzoneConfiguration;
import org.apache.hadoop.ozone.client.ObjectStore;
import org.apache.hadoop.ozone.client.OzoneBucket;
import org.apache.hadoop.ozone.client.OzoneClient;
import org.apache.hadoop.ozone.client.OzoneClientFactory;
import org.apache.hadoop.ozone.client.OzoneKey;
import org.apache.hadoop.ozone.om.exceptions.OMException;

/**
 * Ozone's client, kept alive: one command a line on stdin, one answer a line on stdout, its words
 * separated by tabs and contents in base64. A command line tool would take two seconds for each.
 *
 *   volume V | bucket V B | put V B K CONTENT | get V B K | delete V B K | list V B | snapshot V B S
 *   -> ok [CONTENT or names]
 *   -> failed CODE MESSAGE          CODE is OM's, or the exception's name
 */
public final class Client {
    private final ObjectStore store;

    private Client(ObjectStore store) {
        this.store = store;
    }

    public static void main(String[] arguments) throws IOException {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        BufferedReader in = new BufferedReader(
                new InputStreamReader(System.in, StandardCharsets.UTF_8));
        OzoneConfiguration configuration = new OzoneConfiguration();
        OzoneClient client = null;
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            try {
                client = client != null ? client : OzoneClientFactory.getRpcClient(configuration);
                out.println("ok\t" + new Client(client.getObjectStore()).run(line.split("\t")));
            } catch (Exception error) {
                out.println("failed\t" + code(error) + "\t" + firstLine(error));
            }
        }
        System.exit(0);  // its threads would keep it alive
    }

    private String run(String[] words) throws IOException {
        switch (words[0]) {
        case "volume":
            store.createVolume(words[1]);
            return "";
        case "bucket":
            store.getVolume(words[1]).createBucket(words[2]);
            return "";
        case "put":
            return put(bucket(words), words[3], words.length > 4 ? words[4] : "");
        case "get":
            return get(bucket(words), words[3]);
        case "delete":
            bucket(words).deleteKey(words[3]);
            return "";
        case "list":
            return list(bucket(words));
        case "snapshot":
            return store.createSnapshot(words[1], words[2], words[3]);
        default:
            throw new IOException("unknown command " + words[0]);
        }
    }

    private OzoneBucket bucket(String[] words) throws IOException {
        return store.getVolume(words[1]).getBucket(words[2]);
    }

    private static String put(OzoneBucket bucket, String key, String content) throws IOException {
        byte[] bytes = Base64.getDecoder().decode(content);
        try (OutputStream out = bucket.createKey(key, bytes.length)) {
            out.write(bytes);
        }
        return "";
    }

    private static String get(OzoneBucket bucket, String key) throws IOException {
        try (InputStream in = bucket.readKey(key)) {
            return Base64.getEncoder().encodeToString(in.readAllBytes());
        }
    }

    private static String list(OzoneBucket bucket) throws IOException {
        StringJoiner names = new StringJoiner("\t");
        for (Iterator<? extends OzoneKey> keys = bucket.listKeys(""); keys.hasNext();) {
            names.add(keys.next().getName());
        }
        return names.toString();
    }

    private static String code(Throwable error) {
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            if (cause instanceof OMException) {
                return ((OMException) cause).getResult().toString();
            }
        }
        return error.getClass().getSimpleName();
    }

    private static String firstLine(Throwable error) {
        String message = String.valueOf(error.getMessage());
        return message.lines().findFirst().orElse("").replace('\t', ' ');
    }
}
