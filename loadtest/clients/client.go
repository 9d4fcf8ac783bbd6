// Sends each request of its input by net/http (see run.sh).
package main

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"time"
)

func main() {
	client := http.Client{Timeout: 30 * time.Second}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		status, cookie, body, err := send(&client, strings.Split(lines.Text(), "|"))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%d|%s|%s\n", status, cookie, body)
	}
}

func send(client *http.Client, fields []string) (int, string, []byte, error) {
	method, path, headers, body := fields[0], fields[1], fields[2], fields[3]
	request, err := http.NewRequest(method, os.Getenv("PASSBOOK_URL")+path, strings.NewReader(body))
	if err != nil {
		return 0, "", nil, err
	}
	for _, header := range strings.Split(headers, ";") {
		if name, value, found := strings.Cut(header, ": "); found {
			request.Header.Set(name, value)
		}
	}
	answer, err := client.Do(request)
	if err != nil {
		return 0, "", nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return answer.StatusCode, answer.Header.Get("Set-Cookie"), text, err
}
