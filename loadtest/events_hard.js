// The dialect `events` under thousands of users: half deposits, a quarter withdrawals, a quarter transfers, over 1,000 accounts that do
// not exist at first. Accounts are unknown, then open, then empty, then open again under everybody's hands, and each answer must be
// right for what it says. At the end, the accounts must hold what the answers promised, to the cent.
//
//   make loadtest SCENARIO=events_hard                      up to 2,000 users, for 160 seconds
//   make loadtest SCENARIO=events_hard PEAK=200 RAMP_UP=1s HOLD=5s RAMP_DOWN=1s
//
//   PEAK=2000        users at the peak; each sends its next event when it has the answer to the last
//   RAMP_UP=30s      time for each of three steps: to a tenth of the peak, to half of it, to all of it
//   HOLD=1m          time to stay there
//   RAMP_DOWN=10s    time to go back to none
//   ACCOUNTS=1000    accounts to pick from; each run has new ones
//   KEYS=0           1 sends an Idempotency-Key with each event

import http from "k6/http";
import { Counter } from "k6/metrics";

import { expect } from "./shared/answers.js";
import * as events from "./shared/events.js";
import { wholeNumber } from "./shared/settings.js";

const PEAK = wholeNumber("PEAK", 2000, 1);
const ACCOUNTS = wholeNumber("ACCOUNTS", 1000, 2);
const RAMP_UP = __ENV.RAMP_UP || "30s";
const DEPOSIT_CENTS_MAX = 10000;
// Withdrawals are half as many as deposits: asking for twice as much, they keep emptying the accounts.
const TAKEN_CENTS_MAX = 2 * DEPOSIT_CENTS_MAX;
const BALANCES_A_BATCH = 100;

const accepted = new Counter("events_accepted");
const unknownAccount = new Counter("events_unknown_account");
const insufficient = new Counter("events_insufficient");
const other = new Counter("events_other");
// The least that the accounts must hold by the answers, less what they hold; and what they hold, less the most that they may. Least and
// most differ only by the events that got no right answer, each of which may have been applied or not.
const centsLost = new Counter("cents_lost");
const centsInvented = new Counter("cents_invented");

export const options = {
  scenarios: {
    hard: {
      executor: "ramping-vus",
      startVUs: 1,
      stages: [
        { duration: RAMP_UP, target: Math.ceil(PEAK / 10) },
        { duration: RAMP_UP, target: Math.ceil(PEAK / 2) },
        { duration: RAMP_UP, target: PEAK },
        { duration: __ENV.HOLD || "1m", target: PEAK },
        { duration: __ENV.RAMP_DOWN || "10s", target: 0 },
      ],
    },
  },
  thresholds: {
    // Without a single check, "99.9 % of them" holds; and a run that never met one of the answers has not tested it.
    events_accepted: ["count>0"],
    events_unknown_account: ["count>0"],
    events_insufficient: ["count>0"],
    checks: ["rate>0.999"],
    cents_lost: ["count<=0"],
    cents_invented: ["count<=0"],
    // No limits, but without a line here these would not be shown apart from the reads at the end.
    "http_req_duration{name:deposit}": [],
    "http_req_duration{name:withdraw}": [],
    "http_req_duration{name:transfer}": [],
  },
  teardownTimeout: "2m",
  summaryTrendStats: ["p(50)", "p(95)", "p(99)", "max"],
};

http.setResponseCallback(http.expectedStatuses(200, 201, 404, 422));

// The accounts that this virtual user has seen open. An account never closes, so from then on it may not be unknown.
const isOpen = new Uint8Array(ACCOUNTS);

export function setup() {
  // A counter that nobody touched is not held against its threshold: let every one of them exist.
  [accepted, unknownAccount, insufficient, other, centsLost, centsInvented].forEach((counter) => counter.add(0));
  return { prefix: events.newAccounts() };
}

export default function ({ prefix }) {
  const dice = Math.random();
  if (dice < 0.5) deposit(prefix);
  else if (dice < 0.75) withdraw(prefix);
  else transfer(prefix);
}

export function teardown({ prefix }) {
  let left = 0;
  for (let first = 0; first < ACCOUNTS; first += BALANCES_A_BATCH) {
    const count = Math.min(BALANCES_A_BATCH, ACCOUNTS - first);
    left += events.centsIn(Array.from({ length: count }, (_, index) => prefix + (first + index)));
  }
  centsLost.add(-left);
  centsInvented.add(left);
}

// The uncertain half is counted before the event is sent, and corrected by its answer: the end of the run may interrupt in between.
function deposit(prefix) {
  const index = events.randomFrom(0, ACCOUNTS - 1);
  const destination = prefix + index;
  const cents = events.randomFrom(1, DEPOSIT_CENTS_MAX);

  centsInvented.add(-cents);
  const response = events.deposit(destination, cents);
  const isAccepted = events.isAccepted(response, { destination });
  if (isAccepted) centsLost.add(cents);

  judge(response, "a deposit is accepted", isAccepted, false, [index]);
}

function withdraw(prefix) {
  const index = events.randomFrom(0, ACCOUNTS - 1);
  const origin = prefix + index;
  const cents = events.randomFrom(1, TAKEN_CENTS_MAX);
  const wasOpen = isOpen[index];

  centsLost.add(-cents);
  const response = events.withdraw(origin, cents);
  const isAccepted = events.isAccepted(response, { origin });
  const isRefused = isRightlyRefused(response, wasOpen);
  if (isAccepted) centsInvented.add(cents);
  if (isRefused) centsLost.add(cents);

  judge(response, "a withdrawal is accepted, or rightly refused", isAccepted, isRefused, [index]);
}

// No money enters or leaves: nothing to count.
function transfer(prefix) {
  const [from, to] = events.twoOf(ACCOUNTS);
  const origin = prefix + from;
  const destination = prefix + to;
  const wasOpen = isOpen[from];

  const response = events.transfer(origin, destination, events.randomFrom(1, TAKEN_CENTS_MAX));
  const isAccepted = events.isAccepted(response, { origin, destination });
  const isRefused = isRightlyRefused(response, wasOpen);

  judge(response, "a transfer is accepted, or rightly refused", isAccepted, isRefused, [from, to]);
}

function isRightlyRefused(response, wasOpen) {
  return (!wasOpen && events.isUnknownAccount(response)) || events.isInsufficient(response);
}

function judge(response, sentence, isAccepted, isRefused, indexes) {
  if (isAccepted) indexes.forEach((index) => (isOpen[index] = 1));
  counterOf(response, isAccepted, isRefused).add(1);
  expect(response, sentence, isAccepted || isRefused);
}

function counterOf(response, isAccepted, isRefused) {
  if (isAccepted) return accepted;
  if (!isRefused) return other;
  return response.status === 404 ? unknownAccount : insufficient;
}
