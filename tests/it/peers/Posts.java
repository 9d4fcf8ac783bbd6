import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

/** Deposits one unit so often, one after the other, with the client of the JDK as it is: it offers h2c on each request. */
public class Posts {
    public static void main(String[] args) throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        String body = "{\"type\":\"deposit\",\"destination\":\"java\",\"amount\":1}";
        int created = 0;
        for (int number = 0; number < Integer.parseInt(args[1]); number++) {
            HttpRequest request = HttpRequest.newBuilder(URI.create(args[0] + "/event"))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
            int status = client.send(request, HttpResponse.BodyHandlers.ofString()).statusCode();
            created += status == 201 ? 1 : 0;
        }
        System.out.println(created);
    }
}
