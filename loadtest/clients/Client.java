import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** Sends each request of its input by java.net.http, with its default settings (see run.sh). */
class Client {
    public static void main(String[] args) throws Exception {
        var url = System.getenv("PASSBOOK_URL");
        var client = HttpClient.newHttpClient();
        var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        var out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        for (var line = lines.readLine(); line != null; line = lines.readLine()) {
            var fields = line.split("\\|", -1);
            var request = HttpRequest.newBuilder(URI.create(url + fields[1])).timeout(Duration.ofSeconds(30));
            for (var header : fields[2].split(";")) {
                if (!header.isEmpty()) {
                    request.header(header.split(": ", 2)[0], header.split(": ", 2)[1]);
                }
            }
            var body = fields[3].isEmpty()
                ? HttpRequest.BodyPublishers.noBody()
                : HttpRequest.BodyPublishers.ofString(fields[3]);
            var answer = client.send(request.method(fields[0], body).build(), HttpResponse.BodyHandlers.ofString());
            var cookie = answer.headers().firstValue("set-cookie").orElse("");
            out.println(answer.statusCode() + "|" + cookie + "|" + answer.body());
        }
    }
}
