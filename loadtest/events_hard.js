// The hard run of the `events` dialect's own clients: half deposits, a quarter withdrawals, a quarter transfers over 1,000 accounts,
// by up to thousands of users at once. An account that was never paid into is unknown (404), one that holds too little says so
// (422); every answer must be one of those that the request may have, with the body that belongs to it.
//
//   make loadtest SCENARIO=events_hard
//   make loadtest SCENARIO=events_hard ARGS="--env USERS=5000 --env STAGE=20s"
//   make loadtest SCENARIO=events_hard PASSBOOK_URL=…             another address
//
// Many users need as many open files: `ulimit -n 20000` where the limit is lower.

import { check } from "k6";
import http from "k6/http";
import { Counter } from "k6/metrics";

const BASE_URL = __ENV.BASE_URL || "http://127.0.0.1:3000";
const STAGE = __ENV.STAGE || "15s";
const USERS = Number(__ENV.USERS || 2000);
const ACCOUNTS = 1000;

const accepted = new Counter("events_accepted");
const unknown = new Counter("events_unknown_account");
const short = new Counter("events_insufficient_funds");
const other = new Counter("events_other");
const COUNTERS = { 201: accepted, 404: unknown, 422: short };

export const options = {
  scenarios: {
    hard: {
      executor: "ramping-vus",
      stages: [
        { duration: STAGE, target: Math.ceil(USERS / 20) },
        { duration: STAGE, target: Math.ceil(USERS / 4) },
        { duration: STAGE, target: USERS },
        { duration: STAGE, target: 0 },
      ],
      gracefulRampDown: "15s",
    },
  },
  thresholds: {
    checks: ["rate>0.999"],
    events_accepted: ["count>0"],
    events_other: ["count==0"],
  },
  summaryTrendStats: ["p(50)", "p(95)", "p(99)", "max"],
};

http.setResponseCallback(http.expectedStatuses(201, 404, 422));

export function setup() {
  // A counter that nobody touched is not held against its threshold: let every one of them exist.
  [accepted, unknown, short, other].forEach((counter) => counter.add(0));
}

export default function () {
  const event = random();
  const response = http.post(`${BASE_URL}/event`, JSON.stringify(event), {
    headers: { "Content-Type": "application/json" },
    tags: { name: event.type },
  });
  (COUNTERS[response.status] || other).add(1);
  check(response, { "the answer is one of those that the event may have": () => isRight(event, response) });
}

function random() {
  const amount = 1 + Math.floor(Math.random() * 100);
  const turn = Math.random();
  const one = account();
  if (turn < 0.5) return { type: "deposit", destination: one, amount };
  if (turn < 0.75) return { type: "withdraw", origin: one, amount };
  return { type: "transfer", origin: one, destination: otherThan(one), amount };
}

function isRight(event, response) {
  if (response.status === 404) return event.type !== "deposit" && response.body === "0";
  if (response.status === 422) return event.type !== "deposit" && response.json("error") === "insufficient funds";
  if (response.status !== 201) return false;
  return ["origin", "destination"].every((side) =>
    event[side] === undefined
      ? response.json(side) === undefined
      : response.json(`${side}.id`) === event[side] && 0 <= response.json(`${side}.balance`),
  );
}

function account() {
  return `hard-${1 + Math.floor(Math.random() * ACCOUNTS)}`;
}

function otherThan(account) {
  return `hard-${(Number(account.slice(5)) % ACCOUNTS) + 1}`;
}
