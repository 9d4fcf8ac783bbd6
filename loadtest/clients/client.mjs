// Sends each request of its input by fetch (see run.sh).

import { createInterface } from "node:readline";

for await (const line of createInterface({ input: process.stdin })) {
  const [method, path, headers, body] = line.split("|");
  const answer = await fetch(process.env.PASSBOOK_URL + path, {
    method,
    headers: headers.split(";").filter(Boolean).map((header) => header.split(": ")),
    body: body || undefined,
    signal: AbortSignal.timeout(30_000),
  });
  console.log([answer.status, answer.headers.get("set-cookie") ?? "", await answer.text()].join("|"));
}
