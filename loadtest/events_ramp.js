// The ramp of the `events` dialect's own clients: each iteration deposits 2x into a random account, then transfers x from it to
// another one. From nobody to 100 users and back.
//
//   make loadtest SCENARIO=events_ramp
//   make loadtest SCENARIO=events_ramp ARGS="--env STAGE=10s"     three stages of ten seconds each
//   make loadtest SCENARIO=events_ramp PASSBOOK_URL=…             another address
//
// It leaves money in accounts named 1 to 1000. It resets nothing.

import { check } from "k6";
import http from "k6/http";

const BASE_URL = __ENV.BASE_URL || "http://127.0.0.1:3000";
const STAGE = __ENV.STAGE || "30s";
const USERS = Number(__ENV.USERS || 100);
const ACCOUNTS = 1000;

export const options = {
  scenarios: {
    ramp: {
      executor: "ramping-vus",
      stages: [
        { duration: STAGE, target: USERS },
        { duration: STAGE, target: USERS },
        { duration: STAGE, target: 0 },
      ],
      gracefulRampDown: "10s",
    },
  },
  thresholds: {
    http_req_duration: ["p(95)<800"],
    checks: ["rate>0.99"],
    // A service that is not there fails every check; one that nobody reached must not pass for want of them.
    iterations: ["count>0"],
  },
  summaryTrendStats: ["p(50)", "p(95)", "p(99)", "max"],
};

export default function () {
  const origin = account();
  const destination = otherThan(origin);
  const amount = 1 + Math.floor(Math.random() * 100);
  check(send({ type: "deposit", destination: origin, amount: 2 * amount }, "deposit"), {
    "the deposit is made": (response) => response.status === 201 && response.json("destination.id") === origin,
  });
  check(send({ type: "transfer", origin, destination, amount }, "transfer"), {
    "the transfer is made": (response) =>
      response.status === 201 &&
      response.json("origin.id") === origin &&
      response.json("destination.id") === destination,
  });
}

function send(event, name) {
  return http.post(`${BASE_URL}/event`, JSON.stringify(event), {
    headers: { "Content-Type": "application/json" },
    tags: { name },
  });
}

function account() {
  return String(1 + Math.floor(Math.random() * ACCOUNTS));
}

function otherThan(account) {
  return String((Number(account) % ACCOUNTS) + 1);
}
