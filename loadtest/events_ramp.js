// A ramp over the dialect `events`: each iteration deposits 2x into an account and transfers x from it to another one, both picked
// at random. The deposit comes first and is twice the transfer, so no interleaving with other users can leave an account short:
// every event must be accepted.
//
//   make loadtest SCENARIO=events_ramp                      up to 100 users, for 100 seconds
//   make loadtest SCENARIO=events_ramp RAMP_UP=2s HOLD=2s RAMP_DOWN=1s
//
//   PEAK=100         users at the peak; each sends its next event when it has the answer to the last
//   RAMP_UP=30s      time to get there
//   HOLD=1m          time to stay there
//   RAMP_DOWN=10s    time to go back to none
//   ACCOUNTS=1000    accounts to pick from; each run has new ones
//   KEYS=0           1 sends an Idempotency-Key with each event

import http from "k6/http";
import { Counter } from "k6/metrics";

import { expect } from "./shared/answers.js";
import { deposit, isAccepted, newAccounts, randomFrom, transfer, twoOf } from "./shared/events.js";
import { wholeNumber } from "./shared/settings.js";

const PEAK = wholeNumber("PEAK", 100, 1);
const ACCOUNTS = wholeNumber("ACCOUNTS", 1000, 2);
const CENTS_MAX = 10000;

const accepted = new Counter("events_accepted");

export const options = {
  scenarios: {
    ramp: {
      executor: "ramping-vus",
      startVUs: 1,
      stages: [
        { duration: __ENV.RAMP_UP || "30s", target: PEAK },
        { duration: __ENV.HOLD || "1m", target: PEAK },
        { duration: __ENV.RAMP_DOWN || "10s", target: 0 },
      ],
    },
  },
  thresholds: {
    // Without a single check, "99 % of them" holds: something must have been accepted as well.
    events_accepted: ["count>0"],
    checks: ["rate>0.99"],
    http_req_duration: ["p(95)<800"],
    // Without a limit of their own these would not be shown apart.
    "http_req_duration{name:deposit}": ["p(95)<800"],
    "http_req_duration{name:transfer}": ["p(95)<800"],
  },
  summaryTrendStats: ["p(50)", "p(95)", "p(99)", "max"],
};

// 404 is for setup, which asks for an account that is not there yet; after it, 404 fails its check.
http.setResponseCallback(http.expectedStatuses(201, 404));

export function setup() {
  // A counter that nobody touched is not held against its threshold: let it exist.
  accepted.add(0);
  return { prefix: newAccounts() };
}

export default function ({ prefix }) {
  const [origin, destination] = twoOf(ACCOUNTS).map((index) => prefix + index);
  const cents = randomFrom(1, CENTS_MAX);

  const deposited = deposit(origin, 2 * cents);
  const isDeposited = expectAccepted(deposited, "a deposit is accepted", { destination: origin });
  // Without the deposit, the transfer has no right to succeed.
  if (!isDeposited) return;

  const transferred = transfer(origin, destination, cents);
  expectAccepted(transferred, "a transfer is accepted", { origin, destination });
}

function expectAccepted(response, sentence, sides) {
  const isRight = isAccepted(response, sides);
  if (isRight) accepted.add(1);
  return expect(response, sentence, isRight);
}
