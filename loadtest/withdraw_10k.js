// The acceptance run: one account with 10000.00, ten thousand withdrawals of 2 over a thousand connections.
// Exactly 5,000 are accepted, exactly 5,000 are refused, and nothing is left. Anything else fails the run.
//
//   make loadtest                   a fresh user for each run
//   make loadtest USER_ID=1         a user that exists, brought to exactly 10000.00 first
//   make loadtest PASSBOOK_URL=…    another address

import { check } from "k6";
import exec from "k6/execution";
import http from "k6/http";
import { Counter } from "k6/metrics";

import { BASE_URL, HEADERS, JSON_HEADERS } from "./shared/settings.js";

const OPENING_BALANCE = "10000.00";

const accepted = new Counter("withdrawals_accepted");
const refused = new Counter("withdrawals_refused");
const other = new Counter("withdrawals_other");

export const options = {
  scenarios: {
    withdrawals: { executor: "shared-iterations", vus: 1000, iterations: 10000, maxDuration: "2m" },
  },
  thresholds: {
    withdrawals_accepted: ["count==5000"],
    withdrawals_refused: ["count==5000"],
    withdrawals_other: ["count==0"],
    checks: ["rate==1"],
  },
  discardResponseBodies: true,
  summaryTrendStats: ["p(50)", "p(95)", "p(99)", "max"],
};

http.setResponseCallback(http.expectedStatuses(200, 201, 400));

export function setup() {
  const userId = __ENV.USER_ID ? bringToOpeningBalance(__ENV.USER_ID) : openUser();
  // A counter that nobody touched is not held against its threshold: let every one of them exist.
  [accepted, refused, other].forEach((counter) => counter.add(0));
  return { userId, run: crypto.randomUUID() };
}

export default function ({ userId, run }) {
  const response = http.put(
    `${BASE_URL}/api/users/${userId}/balance`,
    '{"amount":-2}',
    {
      headers: { ...JSON_HEADERS, "Idempotency-Key": `${run}-${exec.scenario.iterationInTest}` },
      tags: { name: "withdraw 2" },
    },
  );
  counterOf(response.status).add(1);
}

export function teardown({ userId }) {
  const left = balanceOf(userId);
  console.log(`user ${userId}: ${OPENING_BALANCE} before, ${left} after`);
  check(left, { "the final balance is 0.00": (balance) => balance === "0.00" });
}

function counterOf(status) {
  if (status === 200) return accepted;
  if (status === 400) return refused;
  return other;
}

function openUser() {
  const response = http.post(`${BASE_URL}/api/users`, `{"balance":${OPENING_BALANCE}}`, {
    headers: JSON_HEADERS,
    responseType: "text",
  });
  const userId = response.status === 201 && response.json("data.id");
  if (!userId) fail("open a user", response);
  expectBalance(userId);
  return userId;
}

function bringToOpeningBalance(userId) {
  const missing = minorUnits(OPENING_BALANCE) - minorUnits(balanceOf(userId));
  if (missing !== 0n) {
    const response = http.put(`${BASE_URL}/api/users/${userId}/balance`, `{"amount":${decimal(missing)}}`, {
      headers: { ...JSON_HEADERS, "Idempotency-Key": crypto.randomUUID() },
      responseType: "text",
    });
    if (response.status !== 200) fail(`change the balance of user ${userId} by ${decimal(missing)}`, response);
  }
  expectBalance(userId);
  return userId;
}

function expectBalance(userId) {
  const balance = balanceOf(userId);
  if (balance !== OPENING_BALANCE) throw new Error(`user ${userId} has ${balance}, not ${OPENING_BALANCE}`);
}

// The text of the number as it was sent: parsing the JSON would put money through a float.
function balanceOf(userId) {
  const response = http.get(`${BASE_URL}/api/users/${userId}`, { headers: HEADERS, responseType: "text" });
  const balance = response.status === 200 && response.body.match(/"balance"\s*:\s*(-?\d+\.\d\d)\s*[,}]/);
  if (!balance) fail(`read the balance of user ${userId}`, response);
  return balance[1];
}

function minorUnits(text) {
  return BigInt(text.replace(".", ""));
}

function decimal(units) {
  const digits = String(units < 0n ? -units : units).padStart(3, "0");
  return `${units < 0n ? "-" : ""}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

function fail(what, response) {
  throw new Error(`could not ${what} at ${BASE_URL}: ${response.status} ${response.body || response.error}`);
}
