// What a client of the `microfin` dialect does, at a constant arrival rate: sign in, open two accounts, deposit 1000, withdraw 500,
// transfer 200. Every money move must be answered 202, and a 400 counts as a failure.
//
//   make loadtest SCENARIO=microfin
//   make loadtest SCENARIO=microfin ARGS="--env RATE=20 --env DURATION=1m"    clients a second, and for how long
//   make loadtest SCENARIO=microfin PASSBOOK_URL=…                            another address
//
// A sign-in costs the service some 40 ms of a core, on purpose, and two are checked at once: that is what limits the rate.

import { check, fail } from "k6";
import exec from "k6/execution";
import http from "k6/http";
import { Counter, Trend } from "k6/metrics";

const BASE_URL = __ENV.BASE_URL || "http://127.0.0.1:3000";
const RATE = Number(__ENV.RATE || 10);
const DURATION = __ENV.DURATION || "30s";
const USERS = Number(__ENV.USERS || 20);
const PASSWORD = "Loadtest1";
const HEADERS = { "Content-Type": "application/json" };

// As the readers of the summary know them, in milliseconds.
const trends = {
  account: new Trend("account", true),
  deposit: new Trend("deposit", true),
  sign_in: new Trend("sign_in", true),
  transfer: new Trend("transfer", true),
  withdraw: new Trend("withdraw", true),
};
const moved = new Counter("money_moves_accepted");
const failed = new Counter("money_moves_failed");

export const options = {
  scenarios: {
    clients: {
      executor: "constant-arrival-rate",
      rate: RATE,
      timeUnit: "1s",
      duration: DURATION,
      preAllocatedVUs: 50,
      maxVUs: 500,
    },
  },
  thresholds: {
    checks: ["rate==1"],
    money_moves_accepted: ["count>0"],
    money_moves_failed: ["count==0"],
    dropped_iterations: ["count==0"],
  },
  summaryTrendStats: ["p(50)", "p(95)", "p(99)", "max"],
};

export function setup() {
  // A counter that nobody touched is not held against its threshold: let every one of them exist.
  [moved, failed].forEach((counter) => counter.add(0));
  const run = crypto.randomUUID();
  const emails = Array.from({ length: USERS }, (_, number) => `client-${number}-${run}@example.org`);
  emails.forEach((email) => {
    const response = post("/api/signup", { name: "Client", email, password: PASSWORD });
    if (response.status !== 200) fail(`could not sign up at ${BASE_URL}: ${response.status} ${response.body || response.error}`);
  });
  return emails;
}

export default function (emails) {
  const email = emails[exec.scenario.iterationInTest % emails.length];
  // k6 keeps the cookie; whoever else the virtual user was is signed out at this end.
  http.cookieJar().clear(BASE_URL);
  const signedIn = timed("sign_in", post("/api/signin", { email, password: PASSWORD }, "sign_in"));
  if (!check(signedIn, { "signed in": (response) => response.status === 200 })) return;
  const sender = openAccount();
  const receiver = openAccount();
  if (!sender || !receiver) return;
  move("deposit", { accountNumber: sender, amount: 1000 }, "1000.00");
  move("withdraw", { accountNumber: sender, amount: 500 }, "500.00");
  move("transfer", { senderAccountNumber: sender, receiverAccountNumber: receiver, amount: 200 }, "300.00");
}

function openAccount() {
  const response = timed("account", post("/api/accountGeneration", {}, "account"));
  const isOpen = check(response, { "an account is open": (response) => response.status === 200 });
  return isOpen && response.json("accountNumber");
}

function move(operation, asked, balance) {
  const response = timed(operation, post(`/api/${operation}`, asked, operation));
  const isDone = check(response, {
    "the money moved": (response) => response.status === 202 && response.json("balance") === balance,
  });
  (isDone ? moved : failed).add(1);
}

function timed(operation, response) {
  trends[operation].add(response.timings.duration);
  return response;
}

function post(path, body, name = path) {
  return http.post(`${BASE_URL}${path}`, JSON.stringify(body), { headers: HEADERS, tags: { name } });
}
