// The dialect `microfin` at a constant rate of arrivals: each iteration signs in, opens two accounts, deposits 1000 into the first, withdraws
// 500 from it and transfers 200 from it to the second. The accounts are new and the caller's own, so every money move must be
// accepted: a 400 is a failure like any other.
//
//   make loadtest SCENARIO=microfin                         10 arrivals a second, for a minute
//   make loadtest SCENARIO=microfin RATE=5 DURATION=10s USERS=5
//
//   RATE=10          iterations that begin in a second, whatever the answers take. Each holds a processor for some 36 ms at its
//                    sign-in (argon2id), so 10 a second take a third of a core, and two cores end below 60
//   DURATION=1m      for how long
//   USERS=50         users to sign up first and then to take in turns; each sign-up costs what a sign-in does
//   KEYS=1           0 leaves out the Idempotency-Key of new accounts and money moves

import exec from "k6/execution";
import http from "k6/http";
import { Counter, Trend } from "k6/metrics";

import { expect, parsed, shown } from "./shared/answers.js";
import { BASE_URL, isOn, wholeNumber } from "./shared/settings.js";

const RATE = wholeNumber("RATE", 10, 1);
const USERS = wholeNumber("USERS", 50, 1);
const WITH_KEYS = isOn("KEYS", true);
const PASSWORD = "Passbook1";
// An iteration may take this long before arrivals find no virtual user, which fails the run.
const ITERATION_SECONDS_MAX = 10;

// Named as the users of this dialect read them; only right answers are timed.
const durations = {
  account: new Trend("account", true),
  deposit: new Trend("deposit", true),
  sign_in: new Trend("sign_in", true),
  transfer: new Trend("transfer", true),
  withdraw: new Trend("withdraw", true),
};
const accepted = new Counter("moves_accepted");
const refused = new Counter("moves_refused");
const other = new Counter("moves_other");

export const options = {
  scenarios: {
    arrivals: {
      executor: "constant-arrival-rate",
      rate: RATE,
      timeUnit: "1s",
      duration: __ENV.DURATION || "1m",
      preAllocatedVUs: ITERATION_SECONDS_MAX * RATE,
    },
  },
  thresholds: {
    // Without a single check, all of them hold: some money must have moved as well.
    moves_accepted: ["count>0"],
    moves_refused: ["count==0"],
    moves_other: ["count==0"],
    checks: ["rate==1"],
    // Otherwise the rate was not what it says, and the slow answers would hide by keeping others from being asked.
    dropped_iterations: ["count==0"],
  },
  setupTimeout: "5m",
  summaryTrendStats: ["p(50)", "p(95)", "p(99)", "max"],
};

http.setResponseCallback(http.expectedStatuses(200, 202));

// One after the other, because the service computes only one or two argon2id at a time.
export function setup() {
  // A counter that nobody touched is not held against its threshold: let every one of them exist.
  [accepted, refused, other].forEach((counter) => counter.add(0));
  const run = crypto.randomUUID();
  return { emails: Array.from({ length: USERS }, (_, index) => signUp(`k6-${run}-${index}@example.org`)) };
}

export default function ({ emails }) {
  const token = signIn(emails[exec.scenario.iterationInTest % emails.length]);
  const first = token && openAccount(token);
  const second = first && openAccount(token);
  if (!second) return;

  const deposit = { accountNumber: first, amount: 1000 };
  const withdrawal = { accountNumber: first, amount: 500 };
  const transfer = { senderAccountNumber: first, receiverAccountNumber: second, amount: 200 };
  // Each of them needs what the one before it left.
  if (!move("deposit", token, deposit, { message: "Deposit request accepted", balance: "1000" })) return;
  if (!move("withdraw", token, withdrawal, { message: "Withdrawal request accepted", balance: "500" })) return;
  move("transfer", token, transfer, { message: "Transfer request accepted", balance: "300" });
}

// The email can be signed up only once, which protects a sign-up as well as a key would.
function signUp(email) {
  const response = post("sign_up", "/api/signup", { name: "Load Test", email, password: PASSWORD });
  if (response.status !== 200) throw new Error(`could not sign up ${email} at ${BASE_URL}: ${shown(response)}`);
  return email;
}

// Returns the token of the new session, or nothing. No key: each sign-in is to open a session of its own.
function signIn(email) {
  const response = post("sign_in", "/api/signin", { email, password: PASSWORD });
  const token = response.cookies.sessionId?.[0].value;
  const isRight = response.status === 200 && parsed(response)?.message === "User Signed In  Successfully" && Boolean(token);
  judge("sign_in", response, "a sign-in gives a session", isRight);
  return isRight ? token : undefined;
}

// Returns the number of the new account, or nothing.
function openAccount(token) {
  const response = post("account", "/api/accountGeneration", {}, { token, withKey: WITH_KEYS });
  const answer = response.status === 200 ? parsed(response) : null;
  const isRight =
    answer?.message === "New Account Created Successfully" &&
    /^\d{12}$/.test(answer.accountNumber) &&
    answer.balance === "0";
  judge("account", response, "a new account is empty and has a number", isRight);
  return isRight ? answer.accountNumber : undefined;
}

function move(operation, token, body, expected) {
  const response = post(operation, `/api/${operation}`, body, { token, withKey: WITH_KEYS });
  counterOf(response.status).add(1);
  const answer = response.status === 202 ? parsed(response) : null;
  // The text of the balance, with or without its decimals: 1000 or 1000.00.
  const isRight =
    answer?.message === expected.message && String(answer.balance).replace(/\.0+$/, "") === expected.balance;
  judge(operation, response, `${operation}: accepted, and the right balance is left`, isRight);
  return isRight;
}

function counterOf(status) {
  if (status === 202) return accepted;
  if (status === 400) return refused;
  return other;
}

function judge(operation, response, sentence, isRight) {
  if (isRight) durations[operation].add(response.timings.duration);
  expect(response, sentence, isRight);
}

// k6 keeps the cookies of a virtual user by itself. An empty jar for each request leaves the token that is named here as the only
// one that is sent, as the `sessionId` cookie that browsers of this dialect send; `Authorization: Bearer` would do as well.
function post(name, path, body, { token, withKey } = {}) {
  const headers = { "Content-Type": "application/json" };
  if (withKey) headers["Idempotency-Key"] = crypto.randomUUID();
  const cookies = token ? { sessionId: token } : {};
  return http.post(`${BASE_URL}${path}`, JSON.stringify(body), {
    headers,
    cookies,
    jar: new http.CookieJar(),
    tags: { name },
  });
}
